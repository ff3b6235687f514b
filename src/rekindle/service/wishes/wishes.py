"""A customer's wishes, all of them at once.

Knows nothing of how they are kept.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a customer wants now.

    Args:
        channels: By which marketing may come.
        refused: Topics of which nothing is wanted.
        channel: The one that is tried first; empty for no wish.
        hour: At which marketing should come, 0 to 23 where the customer is; None for no wish.
        monthly: Messages of marketing in 30 days at most; None for no wish.
        birthday: Whose year nobody needs; None where it is not told.
        paused_until: Nothing until then; None where no pause lasts.
        scored: Whether orders may be used to choose what is sent; False after an objection.
    """

    channels: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    channel: str = ""
    hour: int | None = None
    monthly: int | None = None
    birthday: date | None = None
    paused_until: datetime | None = None
    scored: bool = True
