"""Who left the last messages unanswered, counted a second time by hand, and how likely the next one drives them away."""

from datetime import datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide.due import Past
from rekindle.decide.fatigue import ANSWERS, opt_out_risk, own_caps
from rekindle.history.tables import JOURNAL
from rekindle.program.documents import Rules
from tests.decide.shop import Decider, instant, rules
from tests.insight.histories import Facts, order, write

NOW = instant(500)
DAY = timedelta(days=1)
TIRED = {"ignored": 4, "touches": 1}
Row = dict[str, Any]


def ago(days: float) -> datetime:
    return NOW.naive - days * DAY


def sent(customer: str, *days: float) -> list[Row]:
    """Messages so many days ago, decided half a day before."""
    rows = []
    for place, days_ago in enumerate(days):
        said = {"customer_id": customer, "program": "back", "stage": f"s{place}", "episode": "e"}
        rows.append({**dict.fromkeys(JOURNAL.names), **said, "as_of": ago(days_ago + 0.5), "send_at": ago(days_ago)})
    return rows


def event(customer: str, days: float, name: str = "Product Viewed") -> Row:
    return {"message_id": f"{customer}-{days}-{name}", "customer_id": customer, "name": name, "occurred_at": ago(days)}


def refusal(customer: str, days: float, granted: bool = False, purpose: str = "marketing") -> Row:
    return {
        "consent_key": f"{customer}-{days}", "customer_id": customer, "channel": "sms", "purpose": purpose, "granted": granted,
        "recorded_at": ago(days),
    }  # fmt: skip


def tired(decider: Decider, contacts: list[Row], facts: Facts, bound: Rules, among: list[str] | None = None) -> dict[str, Row]:
    write(decider.warehouse, facts)
    kept = decider.warehouse.keep(pa.Table.from_pylist(contacts, schema=JOURNAL.to_pyarrow()))
    names = among if among is not None else sorted({row["customer_id"] for row in contacts})
    profile = ibis.memtable(pa.table({"customer_id": pa.array(names, pa.string())}))
    found = own_caps(decider.warehouse, Past(kept, kept), profile, NOW, bound)
    return {row["customer_id"]: row for row in decider.warehouse.arrow(found).to_pylist()}


def test_a_row_of_messages_without_an_answer_tires(decider: Decider) -> None:
    four = (40, 30, 20, 10)
    names = (
        "silent", "three", "clicked", "ordered", "looked early", "late answer", "cancelled", "too new", "forgotten", "other event",
        "elsewhere",
    )  # fmt: skip
    spans = {name: four for name in names} | {"three": four[1:], "too new": (40, 30, 20, 2.9), "forgotten": (366, 30, 20, 10)}
    contacts = [row for name, days in spans.items() for row in sent(name, *days)]
    facts: Facts = {
        "events": [
            event("clicked", 25, "Email Link Clicked"), event("looked early", 41), event("late answer", -1),
            event("other event", 5, "Email Opened"),
        ],
        "orders": [order("o1", "ordered", ago(9), 100), order("o2", "cancelled", ago(9), 100, cancelled=True)],
    }  # fmt: skip
    among = [name for name in names if name != "elsewhere"]
    found = tired(decider, contacts, facts, rules(fatigue=TIRED), among)
    assert {name: (row["streak"], row["own_cap"]) for name, row in found.items()} == {
        "silent": (4, 1), "three": (3, None), "clicked": (2, None), "looked early": (4, 1), "late answer": (4, 1), "cancelled": (4, 1),
        "too new": (3, None), "forgotten": (3, None), "other event": (4, 1),
    }  # `ordered` answered the last one and has no row


def test_who_said_no_before_is_tired_sooner(decider: Decider) -> None:
    contacts = [row for name in ("no", "yes", "later", "service") for row in sent(name, 30, 20, 10)]
    facts: Facts = {
        "consents": [refusal("no", 90), refusal("yes", 90, granted=True), refusal("later", -1), refusal("service", 90, purpose="orders")]
    }
    found = tired(decider, contacts, facts, rules(fatigue=TIRED))
    assert {name: (row["opt_out_risk"], row["own_cap"]) for name, row in found.items()} == {
        "no": (0.011719, 1), "yes": (0.003906, None), "later": (0.003906, None), "service": (0.003906, None),
    }  # 0.002 x 1.25^3, and three times that


def test_the_risk_grows_with_every_ignored_message_and_is_a_chance(shared_decider: Decider) -> None:
    table = ibis.memtable(pa.table({"streak": [0, 1, 4, 100, 0, 4], "refused": [False, False, False, False, True, True]}))
    found = shared_decider.warehouse.arrow(table.mutate(risk=opt_out_risk(table.streak, table.refused)))["risk"].to_pylist()
    assert found == [0.002, 0.0025, 0.004883, 1.0, 0.006, 0.014648]


@pytest.mark.parametrize(("fatigue", "own_cap"), [(None, None), ({"ignored": 2, "touches": 2}, 2), ({"ignored": 2, "touches": 20}, 9)])
def test_the_rules_say_what_a_tired_customer_may_get(decider: Decider, fatigue: Row | None, own_cap: int | None) -> None:
    found = tired(decider, sent("a", 20, 10), {}, rules(fatigue=fatigue))
    assert [row["own_cap"] for row in found.values()] == ([own_cap] if own_cap else [])


def by_hand(contacts: list[Row], facts: Facts, customer: str) -> int:
    """Messages from the newest back to the last answer."""
    answers = [one["occurred_at"] for one in facts["events"] if one["customer_id"] == customer and one["name"] in ANSWERS]
    answers += [one["ordered_at"] for one in facts["orders"] if one["customer_id"] == customer and not one["cancelled"]]
    seen = [at for at in answers if at < NOW.naive]
    streak = 0
    for row in sorted((row for row in contacts if row["customer_id"] == customer), key=lambda row: row["send_at"], reverse=True):
        if row["send_at"] > NOW.naive - 3 * DAY:
            continue
        if row["send_at"] <= NOW.naive - 365 * DAY or any(at >= row["send_at"] for at in seen):
            break
        streak += 1
    return streak


def test_random_histories_a_second_time(decider: Decider) -> None:
    rng = np.random.default_rng(7)
    names = [f"c{number:03d}" for number in range(150)]
    contacts, events, orders = [], [], []
    for name in names:
        contacts += sent(name, *rng.uniform(0, 400, rng.integers(1, 9)).tolist())
        if rng.random() < 0.5:
            events.append(event(name, float(rng.uniform(-20, 400)), str(rng.choice([*ANSWERS, "Email Opened"]))))
        orders += [
            order(f"o-{name}-{number}", name, ago(float(rng.uniform(-20, 400))), 100, cancelled=bool(rng.random() < 0.3))
            for number in range(rng.integers(0, 2))
        ]
    facts: Facts = {"events": events, "orders": orders}
    found = tired(decider, contacts, facts, rules(fatigue={"ignored": 3, "touches": 1, "opt_out_risk": 0.9}))
    expected = {name: streak for name in names if (streak := by_hand(contacts, facts, name))}
    assert {name: row["streak"] for name, row in found.items()} == expected
    assert {name for name, row in found.items() if row["own_cap"] == 1} == {name for name, streak in expected.items() if streak >= 3}
    assert 20 < sum(streak >= 3 for streak in expected.values()) < 120
