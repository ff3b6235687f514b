"""When a message may leave: outside the quiet hours of the place where the customer is."""

from datetime import UTC, datetime, time

import pytest

from rekindle.decide.timing import next_allowed, send_times
from rekindle.moment import AsOf

NIGHT = (time(20), time(9))
SIESTA = (time(13), time(15))


@pytest.mark.parametrize(
    ("at", "zone", "quiet", "expected"),
    [
        ("2026-07-01T12:00", "UTC", NIGHT, "2026-07-01T12:00"),  # by day at once
        ("2026-07-01T09:00", "UTC", NIGHT, "2026-07-01T09:00"),  # the end is not quiet
        ("2026-07-01T08:59", "UTC", NIGHT, "2026-07-01T09:00"),
        ("2026-07-01T19:59", "UTC", NIGHT, "2026-07-01T19:59"),
        ("2026-07-01T20:00", "UTC", NIGHT, "2026-07-02T09:00"),  # the beginning is
        ("2026-07-01T23:00", "America/Los_Angeles", NIGHT, "2026-07-01T23:00"),  # four in the afternoon there
        ("2026-07-01T04:00", "America/Los_Angeles", NIGHT, "2026-07-01T16:00"),  # nine in the evening of June there
        ("2026-03-28T20:00", "Europe/Berlin", NIGHT, "2026-03-29T07:00"),  # summer time begins in that night
        ("2026-10-24T20:00", "Europe/Berlin", NIGHT, "2026-10-25T08:00"),  # and ends in this one
        ("2026-07-01T13:00", "UTC", SIESTA, "2026-07-01T15:00"),
        ("2026-07-01T12:59", "UTC", SIESTA, "2026-07-01T12:59"),
        ("2026-07-01T23:30", "UTC", SIESTA, "2026-07-01T23:30"),
    ],
)
def test_the_next_allowed_instant(at: str, zone: str, quiet: tuple[time, time], expected: str) -> None:
    assert next_allowed(datetime.fromisoformat(at + "Z"), zone, *quiet) == datetime.fromisoformat(expected + "Z")


def test_each_zone_once_and_an_unknown_one_is_the_stores() -> None:
    as_of = AsOf(datetime(2026, 7, 1, 22, tzinfo=UTC), "Europe/Berlin")
    table = send_times(["Asia/Tokyo", "Nowhere/Land", None, "", "Europe/Berlin"], as_of, *NIGHT)
    rows = {row["timezone"]: (row["send_at"].isoformat(), row["local_day"].isoformat()) for row in table.to_pylist()}
    assert rows == {
        "Asia/Tokyo": ("2026-07-02T00:00:00", "2026-07-02"), "Nowhere/Land": ("2026-07-02T07:00:00", "2026-07-02"),
        "Europe/Berlin": ("2026-07-02T07:00:00", "2026-07-02"),
    }


def test_nobody_is_no_row() -> None:
    assert send_times([], AsOf(datetime(2026, 7, 1, tzinfo=UTC), "UTC"), *NIGHT).num_rows == 0
