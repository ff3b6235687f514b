"""What a key can open.

Knows nothing of keys.
"""

SCOPES = {
    "answers": "what customers answered, and their reviews",
    "brief": "a customer in short: what is known, what was sent and why",
    "coupons": "codes at the checkout: look at one, redeem it, roll a redemption back",
    "decisions": "what a page of the shop shows a customer",
    "handover": "taking a customer in whom a page handed over",
    "inapp": "messages inside the shop: list them, say that one was seen or put away",
    "landing": "what a customer comes back to, for a page of the shop",
    "preferences": "what a customer wants to get: say it, change it",
    "privacy": "a customer's data: ask for a copy, ask that it goes, see what was done",
    "webpush": "browsers: subscribe one for a customer, end a subscription",
}
"""Name to what it opens."""
