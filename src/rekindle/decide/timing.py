"""When a message may leave: the next allowed instant in the customer's own time zone.

Knows nothing of messages. Zones are few, so each is worked out once and joined by name.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pyarrow as pa

from rekindle.moment import AsOf


def next_allowed(instant: datetime, zone: str, quiet_from: time, quiet_to: time) -> datetime:
    """The first instant at or after `instant` outside the quiet hours of a zone, UTC.

    >>> next_allowed(datetime(2026, 7, 1, 4, tzinfo=UTC), "Europe/Berlin", time(20), time(9)).isoformat()
    '2026-07-01T07:00:00+00:00'
    """
    local = instant.astimezone(ZoneInfo(zone))
    clock = local.time()
    over_midnight = quiet_from > quiet_to
    quiet = clock >= quiet_from or clock < quiet_to if over_midnight else quiet_from <= clock < quiet_to
    if not quiet:
        return instant
    day = local.date() + timedelta(days=1) if over_midnight and clock >= quiet_from else local.date()
    return datetime.combine(day, quiet_to, ZoneInfo(zone)).astimezone(UTC)


def send_times(zones: list[str | None], as_of: AsOf, quiet_from: time, quiet_to: time) -> pa.Table:
    """The send time per time zone; a zone that is unknown or null takes the store's.

    Args:
        zones: Distinct zones of the customers, as stored.
        as_of: The instant and the store's zone.
        quiet_from: Local start of the quiet hours.
        quiet_to: Local end.

    Returns:
        timezone, send_at (naive UTC), local_day (the send time's day there).
    """
    known = available_timezones()
    rows = []
    for zone in sorted({zone for zone in zones if zone}):
        used = zone if zone in known else as_of.timezone
        at = next_allowed(as_of.instant, used, quiet_from, quiet_to)
        rows.append((zone, at.replace(tzinfo=None), at.astimezone(ZoneInfo(used)).date()))
    names, instants, days = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "timezone": pa.array(names, pa.string()),
            "send_at": pa.array(instants, pa.timestamp("us")),
            "local_day": pa.array(days, pa.date32()),
        }
    )
