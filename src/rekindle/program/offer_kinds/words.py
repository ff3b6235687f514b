"""Kinds that give nothing but words: no offer, a reminder of what the customer has, how to use it.

Knows nothing of costs: there are none.
"""

from rekindle.program.offer_kinds.kind import Kind

NONE = Kind("no offer", card=False, redeemed=False)
REMINDER = Kind("a plain reminder, with a summary of what the customer has had that can be checked", card=False, redeemed=False)
EDUCATION = Kind("how to get more out of what was bought", card=False, redeemed=False)
