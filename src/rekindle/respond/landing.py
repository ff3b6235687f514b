"""What a customer comes back to: where the cart stands again, and whether the offer still holds.

Knows nothing of pages and of the shop.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from urllib.parse import quote

OfferState = Literal["none", "open", "used", "ended"]


def cart_link(template: str, items: Sequence[str], code: str) -> str:
    """The shop's address at which a cart stands again with its offer.

    Args:
        template: With `{items}`, and `{code}` where the shop takes one.
        items: The shop's ids of products.
        code: Of the offer; empty for none.

    >>> cart_link("https://shop.example/cart?add={items}&code={code}", ["a 1", "b&c"], "7K2M")
    'https://shop.example/cart?add=a%201,b%26c&code=7K2M'
    """
    listed = ",".join(quote(item, safe="") for item in items)
    return template.replace("{items}", listed).replace("{code}", quote(code, safe=""))


def offer_state(code: str, last_day: date | None, today: date, used: bool) -> OfferState:
    """Whether an offer still holds, by its real last day where the customer is.

    >>> offer_state("7K2M", date(2026, 12, 5), date(2026, 12, 5), used=False)
    'open'
    >>> offer_state("7K2M", date(2026, 12, 5), date(2026, 12, 6), used=False)
    'ended'
    """
    if not code:
        return "none"
    if used:
        return "used"
    return "ended" if last_day is not None and today > last_day else "open"
