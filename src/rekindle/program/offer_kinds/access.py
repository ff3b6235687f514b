"""Kinds that give a place, not a price: to see, to choose first, to be known as someone.

Knows nothing of a stock: what is kept aside for whom is the shop's.
"""

from rekindle.program.offer_kinds.kind import Kind

_MAY_COST = ("unit_cost", "redemption", "minimum_spend")

EARLY_ACCESS = Kind("what is new, to buy before others can", allows=_MAY_COST)
LIMITED_EDITION = Kind("something of which there are few, kept for the customer", allows=_MAY_COST)
PREVIEW = Kind("a look at what is not out yet", allows=("unit_cost", "redemption"))
BADGE = Kind("a mark of standing: it is seen, and takes no code", redeemed=False)
