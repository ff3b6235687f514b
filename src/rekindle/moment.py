"""Instants, days and windows; the only reader of the clock.

Knows nothing of customers. Instants are timezone-aware UTC `datetime`; a day is a `date` in the store's time zone.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rekindle.errors import UsageError


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


def naive(instant: datetime) -> datetime:
    """An aware instant as history holds it: UTC without a zone.

    >>> naive(datetime.fromisoformat("2026-07-01T00:00:00+02:00")).isoformat()
    '2026-06-30T22:00:00'
    """
    return instant.astimezone(UTC).replace(tzinfo=None)


def start_of_day(day: date, timezone: str) -> datetime:
    """The instant at which a day begins in a time zone, UTC.

    >>> start_of_day(date(2026, 7, 1), "Europe/Berlin").isoformat()
    '2026-06-30T22:00:00+00:00'
    """
    return datetime.combine(day, time(0), ZoneInfo(timezone)).astimezone(UTC)


def local_day(instant: datetime, timezone: str) -> date:
    """The day an instant falls on in a time zone."""
    return instant.astimezone(ZoneInfo(timezone)).date()


@dataclass(frozen=True, slots=True)
class AsOf:
    """The instant a question is asked at; facts at or after it are not seen.

    Args:
        instant: Aware UTC instant, exclusive.
        timezone: The store's time zone, IANA name.
        shifted: True where the instant is not the present, so that real channels refuse.
    """

    instant: datetime
    timezone: str
    shifted: bool = False

    @property
    def day(self) -> date:
        """The day that is not yet seen: the day after the last whole day of facts."""
        return local_day(self.instant, self.timezone)

    @property
    def last_day(self) -> date:
        """The last whole day of facts; ages and silences are counted to it."""
        return self.day - timedelta(days=1)

    @property
    def seen_day(self) -> date:
        """The last day of which anything is seen: the last whole day, or the one under way."""
        return local_day(self.instant - timedelta(microseconds=1), self.timezone)

    @property
    def naive(self) -> datetime:
        """The instant as naive UTC, as history stores it."""
        return self.instant.replace(tzinfo=None)


def parse_as_of(text: str, timezone: str) -> AsOf:
    """Reads `--as-of`: a day (00:00 in the store's time zone) or an instant with its offset.

    >>> parse_as_of("1997-10-01", "UTC").last_day.isoformat()
    '1997-09-30'

    Raises:
        UsageError: The text is neither.
    """
    try:
        if len(text) == len("1997-10-01"):
            return AsOf(start_of_day(date.fromisoformat(text), timezone), timezone, shifted=True)
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"'{text}' is not a day or an instant", "Write --as-of 2026-11-22 or 2026-11-22T08:00:00Z.") from None
    if instant.tzinfo is None:
        raise UsageError(f"'{text}' has no time zone", "Add Z or an offset such as +01:00, or give a day alone.")
    return AsOf(instant.astimezone(UTC), timezone, shifted=True)
