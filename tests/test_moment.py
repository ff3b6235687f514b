"""An as-of instant is exclusive, and days are the store's own."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rekindle import moment
from rekindle.errors import UsageError


def test_a_day_is_read_as_its_first_instant_in_the_stores_time_zone() -> None:
    as_of = moment.parse_as_of("2026-11-22", "Europe/Berlin")
    assert as_of == moment.AsOf(datetime(2026, 11, 21, 23, tzinfo=UTC), "Europe/Berlin", shifted=True)
    assert (as_of.day, as_of.last_day, as_of.naive) == (date(2026, 11, 22), date(2026, 11, 21), datetime(2026, 11, 21, 23))


@pytest.mark.parametrize("text", ["2026-11-22T08:00:00Z", "2026-11-22T09:00:00+01:00", "2026-11-22 08:00:00+00:00"])
def test_an_instant_is_read_with_its_offset(text: str) -> None:
    assert moment.parse_as_of(text, "Asia/Tokyo").instant == datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_an_instant_late_in_the_day_falls_on_the_next_day_further_east() -> None:
    instant = datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert moment.local_day(instant, "UTC") == date(2026, 11, 22)
    assert moment.AsOf(instant, "Asia/Tokyo").day == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("Europe/Berlin", date(2026, 3, 30), datetime(2026, 3, 29, 22)),  # the day after summer time begins
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3)),  # a day without a midnight: it begins at 01:00
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4)),  # a day with two midnights: the first
    ],
)
def test_a_day_begins_at_its_first_instant_where_clocks_change(zone: str, day: date, start: datetime) -> None:
    assert moment.start_of_day(day, zone) == start.replace(tzinfo=UTC)
    assert moment.local_day(moment.start_of_day(day, zone), zone) == day
    assert moment.local_day(moment.start_of_day(day, zone) - timedelta(microseconds=1), zone) == day - timedelta(days=1)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "22.11.2026", "2026-11-22T25:00:00Z"])
def test_what_is_no_day_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="Write --as-of 2026-11-22"):
        moment.parse_as_of(text, "UTC")


def test_an_instant_without_its_offset_is_refused() -> None:
    with pytest.raises(UsageError, match="has no time zone"):
        moment.parse_as_of("2026-11-22T08:00:00", "UTC")


def test_now_is_an_aware_utc_instant() -> None:
    assert moment.now().tzinfo is UTC
