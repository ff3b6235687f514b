"""What one customer's prediction rests on, in words."""

from datetime import UTC, date, datetime

import pytest

from rekindle.decide.explanation import Verdict
from rekindle.insight.profile import COLUMNS
from rekindle.moment import AsOf
from rekindle.service.flow.explained import lines
from rekindle.service.flow.explaining import Explanation
from rekindle.settings import Settings

LATE = datetime(2026, 2, 27, 23, 30)
"""An instant of history, UTC, which in Berlin falls on the next day."""


@pytest.mark.parametrize(
    ("days", "quality", "words"),
    [
        (1, "weak", "little to go by: true of customers like this, not of this one"),
        (2, "weak", "the store's histories fix the model only in part"),
        (2, "good", "as the store's histories show"),
        (1, "prior only", "assumed of shops in general: nobody has ordered twice yet"),
    ],
)
def test_an_outlook_says_what_it_rests_on(store: Settings, days: int, quality: str, words: str) -> None:
    assert profile(store, purchase_days=days, prediction_quality=quality)["Outlook"].endswith(f" weeks ({words})")


def profile(store: Settings, **changes: object) -> dict[str, str]:
    """What is said of a customer of two orders, by the word that each line begins with."""
    row = {
        "orders": 2, "purchase_days": 2, "spend": 5_000, "expected_margin": 900, "expected_orders": 0.4, "p_alive": 0.5,
        "prediction_quality": "good", "first_day": date(2026, 1, 1), "last_day": date(2026, 1, 2), "overdue": 3, "personas": "",
        "expected_next_order_at": date(2026, 2, 1), "average_days_between_orders": 30.0, "rhythm_source": "own", "lifecycle": "lapsing",
        "value_tier": "mid", "next_threshold": "",
    }  # fmt: skip
    found = Explanation("c1", AsOf(datetime(2026, 3, 1, tzinfo=UTC), store.timezone), {**dict.fromkeys(COLUMNS), **row, **changes})
    return {about: words.strip() for about, _, words in (line.partition(" ") for line in lines(found, store))}


@pytest.mark.parametrize(
    ("chance", "words"), [(0.9999, "over 99 %"), (0.996, "over 99 %"), (0.994, "99 %"), (0.001, "under 1 %"), (0.84, "84 %")]
)
def test_what_is_not_certain_is_not_said_to_be(store: Settings, chance: float, words: str) -> None:
    assert profile(store, p_alive=chance)["Outlook"].startswith(f"{words} chance of being a customer still")


def test_a_rhythm_says_when_the_next_order_was_or_is_expected(store: Settings) -> None:
    assert profile(store, overdue=1)["Rhythm"].endswith("; the next was expected on 2026-02-01, 1 day ago")
    assert profile(store, overdue=0)["Rhythm"].endswith("; the next is expected on 2026-02-01, today")
    assert profile(store, overdue=-84)["Rhythm"].endswith("; the next is expected on 2026-02-01, in 84 days")
    assert profile(store, lapsed_cohort="other")["Stage"] == "lapsing, mid value", "a cohort that says nothing is not said"
    assert profile(store, cause="unknown")["Why"] == "not known: nothing that went wrong is on record"


def test_days_and_hours_are_the_customer_s_and_the_zone_is_named_once(store: Settings) -> None:
    berlin = store.model_copy(update={"timezone": "Europe/Berlin"})
    assert profile(berlin)["Days"] == profile(berlin, timezone="Nowhere/Land")["Days"] == "and hours are those of Europe/Berlin"
    assert profile(berlin, timezone="America/New_York")["Days"] == (
        "and hours are those of America/New_York, where the customer is (it was 2026-02-28 at 19:00 there); orders and silences are counted"
        " by the days of Europe/Berlin"
    )
    abroad = journal(store, where="Europe/Lisbon")
    assert abroad[0].startswith("2026-02-27     back, tailor: ")
    assert abroad[-1] == "Message        tailor: light touch by email, sent on 2026-02-27 at 23:30"


ROW = {
    "customer_id": "c1", "as_of": LATE, "program": "back", "stage": "tailor", "episode": "o1", "arm": "light_touch", "reason": None,
    "eligible": "light_touch|nothing", "propensity": 0.5, "draw": 0.25, "expected_cost": 100, "expected_margin": -6_048,
}  # fmt: skip


def journal(store: Settings, where: str = "Europe/Berlin", **changes: object) -> list[str]:
    """What is said of one row of the journal, the line of what becomes of messages after it."""
    berlin = store.model_copy(update={"timezone": "Europe/Berlin"})
    touch = {"stage": "tailor", "arm": "light_touch", "channel": "email", "status": "sent", "settled_at": LATE, "reason": ""}
    verdicts = (Verdict("news", service=True, trigger="delivery", state="no_round"),)
    as_of = AsOf(datetime(2026, 3, 1, tzinfo=UTC), "Europe/Berlin")
    row = {**dict.fromkeys(COLUMNS), "orders": 0, "timezone": where}
    found = Explanation("c1", as_of, row, verdicts, journal=({**ROW, **changes},), touches=(touch,))
    told = list(lines(found, berlin))
    return told[next(number for number, line in enumerate(told) if line.startswith("2026-")) :]


SENT = "Message        tailor: light touch by email, sent on 2026-02-28 at 00:30"


def test_a_decision_is_told_with_its_chance_and_its_sum_on_the_store_s_day(store: Settings) -> None:
    assert journal(store) == [
        "2026-02-28     back, tailor: drawn light touch, with a chance of 50.0 % among light touch, nothing",
        "               it was assumed to cost less than EUR 0.01 on average, and to bring EUR 0.06 less than no message",
        "                 draw      0.250000, by an earlier version of the program",
        SENT,
    ]


def test_what_was_told_of_messages_stands_at_the_end(store: Settings) -> None:
    told = {"kind": "bounced", "source": "dsn", "detail": "5.1.1 no such user", "occurred_at": LATE}
    both = (told, {**told, "kind": "opened", "detail": ""})
    verdicts = (Verdict("news", service=True, trigger="delivery", state="no_round"),)
    as_of = AsOf(datetime(2026, 3, 1, tzinfo=UTC), "Europe/Berlin")
    found = Explanation("c1", as_of, {**dict.fromkeys(COLUMNS), "orders": 0}, verdicts, told=both)
    assert list(lines(found, store.model_copy(update={"timezone": "Europe/Berlin"})))[-2:] == [
        "Told           bounced, by dsn on 2026-02-28 at 00:30 (5.1.1 no such user)",
        "Told           opened, by dsn on 2026-02-28 at 00:30",
    ]


def test_what_was_put_off_has_cost_nothing_and_is_given_no_cost(store: Settings) -> None:
    assert journal(store, reason="gap", expected_cost=0) == [
        "2026-02-28     back, tailor: drawn light touch, put off (too soon after another message), with a chance of 50.0 % among light"
        " touch, nothing",
        "                 draw      0.250000, by an earlier version of the program",
        SENT,
    ]


def test_news_of_an_order_was_never_drawn(store: Settings) -> None:
    assert journal(store, program="news", arm="arrived_notice") == [
        "2026-02-28     news, tailor: arrived notice, about the customer's own order", SENT,
    ]
