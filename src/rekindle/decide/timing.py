"""When a message may leave: the next allowed instant in the customer's own time zone.

Knows nothing of messages. Zones are few, so each is worked out once and joined by name.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pyarrow as pa

from rekindle.moment import AsOf
from rekindle.program.rules import WEEKDAYS, QuietHours

_SECOND = timedelta(seconds=1)


def zone_of(name: str | None, home: str) -> str:
    """The name of a customer's time zone, or the store's where it is unknown.

    >>> zone_of("Asia/Kathmandu", "UTC"), zone_of("Nowhere/Land", "UTC"), zone_of(None, "UTC")
    ('Asia/Kathmandu', 'UTC', 'UTC')
    """
    return name if name in _known() else home


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def is_quiet(local: datetime, quiet: QuietHours) -> bool:
    """Whether nobody is written to while a clock shows this, by its day and its time.

    >>> is_quiet(datetime(2026, 7, 5, 12), QuietHours(days=["sunday"]))
    True
    """
    if WEEKDAYS[local.weekday()] in quiet.days or local.date().isoformat() in quiet.days:
        return True
    clock, start, end = local.time(), time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    return clock >= start or clock < end if start > end else start <= clock < end


def next_allowed(instant: datetime, zone: str, quiet: QuietHours) -> datetime:
    """The first instant at or after `instant` at which no clock of a zone shows a quiet hour or day, UTC.

    Where the clock is put forward over the end of the quiet hours, that is the instant at which it is; where it is put back and shows
    the end twice, the first time, and not again what it shows for the second time within quiet hours.

    >>> next_allowed(datetime(2026, 7, 1, 4, tzinfo=UTC), "Europe/Berlin", QuietHours()).isoformat()
    '2026-07-01T07:00:00+00:00'
    """
    there, at = ZoneInfo(zone), instant.astimezone(UTC)
    while is_quiet(at.astimezone(there), quiet):
        at = _next_change(at, there, quiet)
    return at


def _next_change(at: datetime, there: ZoneInfo, quiet: QuietHours) -> datetime:
    """The next instant at which quiet could end: at its hour, at midnight, or when the clock is put forward or back."""
    local = at.astimezone(there).replace(tzinfo=None)
    midnight = datetime.combine(local.date() + timedelta(days=1), time(0))
    end = datetime.combine(local.date(), time.fromisoformat(quiet.end))
    coming = at + ((end if end > local else midnight) - local)
    before, after = _offset(at, there), _offset(coming, there)
    return coming if before == after else _put(at, coming, there)


def _offset(at: datetime, there: ZoneInfo) -> timedelta | None:
    return at.astimezone(there).utcoffset()


def _put(early: datetime, late: datetime, there: ZoneInfo) -> datetime:
    """The whole second at which the clock is put forward or back, between two instants with different offsets."""
    before, low = _offset(early, there), early.replace(microsecond=0)
    steps = -((low - late) // _SECOND)
    first, last = 0, steps
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(low + middle * _SECOND, there) == before:
            first = middle
        else:
            last = middle
    return low + last * _SECOND


def send_times(zones: Iterable[str | None], as_of: AsOf, quiet: QuietHours) -> pa.Table:
    """The send time per time zone; a zone that is unknown or null takes the store's.

    Args:
        zones: Zones of the customers, as stored.
        as_of: The instant and the store's zone.
        quiet: When nobody is written to.

    Returns:
        timezone, send_at (naive UTC), local_day (the send time's day there), clock (seconds since midnight there); a row for each zone.
    """
    rows = []
    for zone in sorted({zone for zone in zones if zone}):
        used = zone_of(zone, as_of.timezone)
        at = next_allowed(as_of.instant, used, quiet)
        there = at.astimezone(ZoneInfo(used))
        clock = (there.hour * 60 + there.minute) * 60 + there.second
        rows.append((zone, at.replace(tzinfo=None), there.date(), clock))
    names, instants, days, clocks = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        {
            "timezone": pa.array(names, pa.string()),
            "send_at": pa.array(instants, pa.timestamp("us")),
            "local_day": pa.array(days, pa.date32()),
            "clock": pa.array(clocks, pa.int64()),
        }
    )
