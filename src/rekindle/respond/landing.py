"""What a customer comes back to: whether the offer still holds.

Knows nothing of pages and of the shop.
"""

from datetime import date
from typing import Literal

OfferState = Literal["none", "open", "used", "ended", "spent"]


def offer_state(code: str, last_day: date | None, today: date, used: bool, spent: bool = False) -> OfferState:
    """Whether an offer still holds, by its real last day where the customer is, and by whether its budget has room.

    >>> offer_state("7K2M", date(2026, 12, 5), date(2026, 12, 5), used=False)
    'open'
    >>> offer_state("7K2M", date(2026, 12, 5), date(2026, 12, 6), used=False)
    'ended'
    """
    if not code:
        return "none"
    if used:
        return "used"
    if last_day is not None and today > last_day:
        return "ended"
    return "spent" if spent else "open"
