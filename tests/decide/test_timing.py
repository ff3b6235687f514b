"""When a message may leave: outside the quiet hours and days of the place where the customer is, whatever its clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rekindle.decide.timing import is_quiet, next_allowed, send_times, zone_of
from rekindle.moment import AsOf
from rekindle.program.rules import WEEKDAYS, QuietHours

NIGHT = QuietHours()
SIESTA = QuietHours(start="13:00", end="15:00")
EARLY = QuietHours(start="22:00", end="02:30")
LATE = QuietHours(start="02:30", end="05:00")
RESTFUL = QuietHours(days=["sunday", date(2026, 12, 25), "2026-12-26"])
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca")
STEP = 5


@pytest.mark.parametrize(
    ("at", "zone", "quiet", "expected"),
    [
        ("2026-07-01T12:00", "UTC", NIGHT, "2026-07-01T12:00"),  # by day at once
        ("2026-07-01T09:00", "UTC", NIGHT, "2026-07-01T09:00"),  # the end is not quiet
        ("2026-07-01T08:59", "UTC", NIGHT, "2026-07-01T09:00"),
        ("2026-07-01T08:59:59.999999", "UTC", NIGHT, "2026-07-01T09:00"),
        ("2026-07-01T19:59", "UTC", NIGHT, "2026-07-01T19:59"),
        ("2026-07-01T20:00", "UTC", NIGHT, "2026-07-02T09:00"),  # the beginning is
        ("2026-07-01T23:00", "America/Los_Angeles", NIGHT, "2026-07-01T23:00"),  # four in the afternoon there
        ("2026-07-01T04:00", "America/Los_Angeles", NIGHT, "2026-07-01T16:00"),  # nine in the evening of June there
        ("2026-03-28T20:00", "Europe/Berlin", NIGHT, "2026-03-29T07:00"),  # summer time begins in that night
        ("2026-10-24T20:00", "Europe/Berlin", NIGHT, "2026-10-25T08:00"),  # and ends in this one
        ("2026-07-01T13:00", "UTC", SIESTA, "2026-07-01T15:00"),
        ("2026-07-01T12:59", "UTC", SIESTA, "2026-07-01T12:59"),
        ("2026-07-01T23:30", "UTC", SIESTA, "2026-07-01T23:30"),
        ("2026-03-28T22:00", "Europe/Berlin", EARLY, "2026-03-29T01:00"),  # there is no 02:30: at 03:00, which comes in its place
        ("2026-10-24T22:00", "Europe/Berlin", EARLY, "2026-10-25T00:30"),  # 02:30 twice: the first
        ("2026-10-25T00:45", "Europe/Berlin", EARLY, "2026-10-25T00:45"),
        ("2026-10-25T01:10", "Europe/Berlin", EARLY, "2026-10-25T01:30"),  # the second 02:10 is quiet again
        ("2026-10-25T00:40", "Europe/Berlin", LATE, "2026-10-25T01:00"),  # put back out of the quiet hours at the first 03:00
        ("2026-10-03T14:00", "Australia/Lord_Howe", EARLY, "2026-10-03T15:30"),  # half an hour forward at 02:00: there is a 02:30
        ("2026-03-08T03:31", "America/St_Johns", EARLY, "2026-03-08T05:30"),  # from 22:00 at three and a half hours behind
        ("2026-07-01T16:00", "Asia/Kathmandu", NIGHT, "2026-07-02T03:15"),
        ("2026-02-15T00:30", "Africa/Casablanca", EARLY, "2026-02-15T01:30"),  # an hour back for Ramadan: the first 02:30
        ("2026-12-24T19:00", "Europe/Berlin", RESTFUL, "2026-12-28T08:00"),  # two holidays, then a Sunday
        ("2026-07-05T12:00", "UTC", RESTFUL, "2026-07-06T09:00"),
        ("2026-07-04T18:00", "Asia/Kathmandu", RESTFUL, "2026-07-06T03:15"),  # Sunday there already
        ("2026-07-05T12:00", "UTC", QuietHours(start="13:00", end="15:00", days=["sunday"]), "2026-07-06T00:00"),
        # there is no midnight: at 01:00, which comes in its place
        ("2026-03-07T12:00", "America/Havana", QuietHours(start="13:00", end="15:00", days=["saturday"]), "2026-03-08T05:00"),
    ],
)  # fmt: skip
def test_the_next_allowed_instant(at: str, zone: str, quiet: QuietHours, expected: str) -> None:
    assert next_allowed(datetime.fromisoformat(at + "Z"), zone, quiet) == datetime.fromisoformat(expected + "Z")


def allowed_by_minutes(zone: str, quiet: QuietHours, start: datetime, days: int) -> np.ndarray:
    """For every five minutes from an instant the next that are allowed, by looking at each in turn: offsets stand for a quarter hour."""
    quarters = [start + timedelta(minutes=15 * number) for number in range(days * 96)]
    offsets = np.repeat([int(at.astimezone(ZoneInfo(zone)).utcoffset().total_seconds()) // 60 for at in quarters], 15 // STEP)
    minutes = np.arange(days * 1440 // STEP) * STEP
    wall = np.datetime64(start.replace(tzinfo=None), "m") + (minutes + offsets).astype("timedelta64[m]")
    day = wall.astype("datetime64[D]")
    clock = (wall - day).astype(int)
    begins, ends = (int(text[:2]) * 60 + int(text[3:]) for text in (quiet.start, quiet.end))
    hushed = (clock >= begins) | (clock < ends) if begins > ends else (clock >= begins) & (clock < ends)
    names = np.array(WEEKDAYS)[(day.astype(int) + 3) % 7]  # the first day of all was a Thursday
    hushed |= np.isin(names, quiet.days) | np.isin(day.astype(str), quiet.days)
    places = np.where(hushed, len(minutes), np.arange(len(minutes)))
    return np.minimum.accumulate(places[::-1])[::-1]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("quiet", [EARLY, RESTFUL, LATE])
def test_every_hour_of_a_year_in_six_zones(zone: str, quiet: QuietHours) -> None:
    """A simulated clock: each hour, some minutes past it, leads to the first instant that is not quiet, never to one that is."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    expected = allowed_by_minutes(zone, quiet, start, 372)
    past = 5 * (ZONES.index(zone) * 2 % 12)
    hours = [start + timedelta(hours=number, minutes=past) for number in range(366 * 24)]
    found = [next_allowed(at, zone, quiet) for at in hours]
    step = timedelta(minutes=STEP)
    assert [(at - start) / step for at in found] == expected[[(at - start) // step for at in hours]].tolist()
    assert not any(is_quiet(at.astimezone(ZoneInfo(zone)), quiet) for at in found)
    assert len({at.astimezone(ZoneInfo(zone)).utcoffset() for at in hours}) == (1 if zone == "Asia/Kathmandu" else 2)


def test_each_zone_once_and_an_unknown_one_is_the_stores() -> None:
    as_of = AsOf(datetime(2026, 7, 1, 22, tzinfo=UTC), "Europe/Berlin")
    table = send_times(["Asia/Tokyo", "Nowhere/Land", None, "", "Europe/Berlin"], as_of, NIGHT)
    rows = {row["timezone"]: (row["send_at"].isoformat(), row["local_day"].isoformat()) for row in table.to_pylist()}
    assert rows == {
        "Asia/Tokyo": ("2026-07-02T00:00:00", "2026-07-02"), "Nowhere/Land": ("2026-07-02T07:00:00", "2026-07-02"),
        "Europe/Berlin": ("2026-07-02T07:00:00", "2026-07-02"),
    }
    assert [zone_of(name, "Europe/Berlin") for name in ("Asia/Tokyo", "../Tokyo", "", None)] == ["Asia/Tokyo", *["Europe/Berlin"] * 3]


def test_nobody_is_no_row() -> None:
    assert send_times([], AsOf(datetime(2026, 7, 1, tzinfo=UTC), "UTC"), NIGHT).num_rows == 0
