"""What one customer's prediction rests on, in words."""

from datetime import UTC, date, datetime

import pytest

from rekindle.decide.arbitration import Limit
from rekindle.decide.checks import Tired, after_draw
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
    known = {
        "orders": days, "purchase_days": days, "spend": 5_000, "expected_margin": 900, "expected_orders": 0.4, "p_alive": 0.5,
        "prediction_quality": quality, "first_day": date(2026, 1, 1), "last_day": date(2026, 1, 2), "overdue": 3, "personas": "",
        "expected_next_order_at": date(2026, 2, 1), "average_days_between_orders": 30.0, "rhythm_source": "own", "lifecycle": "lapsing",
        "value_tier": "mid", "next_threshold": "",
    }  # fmt: skip
    as_of = AsOf(datetime(2026, 3, 1, tzinfo=UTC), "UTC")
    told = lines(Explanation("c1", as_of, {**dict.fromkeys(COLUMNS), **known}), store)
    assert next(line for line in told if line.startswith("Outlook")).endswith(f" weeks ({words})")


ROW = {
    "customer_id": "c1", "as_of": LATE, "program": "back", "stage": "tailor", "episode": "o1", "arm": "light_touch", "reason": None,
    "eligible": "light_touch|nothing", "propensity": 0.5, "draw": 0.25, "expected_cost": 100, "expected_margin": -6_048,
}  # fmt: skip


def journal(store: Settings, **changes: object) -> list[str]:
    """What is said of one row of the journal, the line of what becomes of messages after it."""
    berlin = store.model_copy(update={"timezone": "Europe/Berlin"})
    touch = {"stage": "tailor", "arm": "light_touch", "channel": "email", "status": "sent", "settled_at": LATE, "reason": ""}
    verdicts = (Verdict("news", service=True, trigger="delivery", state="no_round"),)
    as_of = AsOf(datetime(2026, 3, 1, tzinfo=UTC), "Europe/Berlin")
    found = Explanation("c1", as_of, {**dict.fromkeys(COLUMNS), "orders": 0}, verdicts, journal=({**ROW, **changes},), touches=(touch,))
    told = list(lines(found, berlin))
    return told[next(number for number, line in enumerate(told) if line.startswith("2026-")) :]


SENT = "Message        tailor: light touch by email, sent on 2026-02-28"


def test_a_decision_is_told_with_its_chance_and_its_sum_on_the_store_s_day(store: Settings) -> None:
    assert journal(store) == [
        "2026-02-28     back, tailor: drawn light touch, a chance of 0.500 among light touch, nothing",
        "               draw 0.250000, by an earlier version of the program",
        "               expected to bring -EUR 0.06 (assumed) at an expected cost of less than EUR 0.01",
        SENT,
    ]


def test_what_was_told_of_messages_stands_at_the_end(store: Settings) -> None:
    told = {"kind": "bounced", "source": "dsn", "detail": "5.1.1 no such user", "occurred_at": LATE}
    both = (told, {**told, "kind": "opened", "detail": ""})
    verdicts = (Verdict("news", service=True, trigger="delivery", state="no_round"),)
    as_of = AsOf(datetime(2026, 3, 1, tzinfo=UTC), "Europe/Berlin")
    found = Explanation("c1", as_of, {**dict.fromkeys(COLUMNS), "orders": 0}, verdicts, told=both)
    assert list(lines(found, store.model_copy(update={"timezone": "Europe/Berlin"})))[-2:] == [
        "Told           bounced, by dsn on 2026-02-28 (5.1.1 no such user)", "Told           opened, by dsn on 2026-02-28",
    ]


def test_what_was_put_off_has_cost_nothing_and_is_given_no_cost(store: Settings) -> None:
    assert journal(store, reason="gap", expected_cost=0) == [
        "2026-02-28     back, tailor: drawn light touch, put off (too soon after another message), a chance of 0.500 among light touch,"
        " nothing",
        "               draw 0.250000, by an earlier version of the program",
        SENT,
    ]


def test_news_of_an_order_was_never_drawn(store: Settings) -> None:
    assert journal(store, program="news", arm="arrived_notice") == [
        "2026-02-28     news, tailor: arrived notice, about the customer's own order", SENT,
    ]


def test_a_cap_says_from_when_on_in_the_store_s_zone() -> None:
    limit = Limit("gap", 1, 2, lambda rows: rows.program.notnull())
    (check,) = after_draw([(limit, 1)], Tired(), "gap", LATE, "Europe/Berlin")
    assert check.words.endswith("; again from 2026-02-28 00:30")
