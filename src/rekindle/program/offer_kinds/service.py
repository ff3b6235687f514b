"""Kinds that make an order easier: how it comes, how it may go back, who helps.

Knows nothing of carriers. Delivery is paid for whatever becomes of the order; a return only where there is one.
"""

from rekindle.program.offer_kinds.kind import Kind, sent_back

_NEEDS = ("unit_cost", "redemption")

SHIPPING = Kind("free delivery, or a faster one at the usual price", needs=_NEEDS, allows=("minimum_spend",))
SUPPORT = Kind("a person who knows the order, first in line", needs=_NEEDS)
RETURNS = Kind("sending back for nothing", due=sent_back, needs=_NEEDS, allows=("returns_share", "minimum_spend"))
EXTENDED_WINDOW = Kind("longer to think it over and send it back", due=sent_back, needs=_NEEDS, allows=("returns_share", "minimum_spend"))
