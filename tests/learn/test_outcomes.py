"""What a round brought, by hand: each customer of this shop is there for one rule of counting."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from rekindle.decide import due
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.learn import outcomes
from rekindle.program.documents import Program
from tests.decide.shop import SHOP, Decider, documents, instant, program
from tests.insight.histories import Fact, line, order, write

HORIZON = 56
PROGRAM = program(goal={"metric": "incremental_margin", "horizon": f"{HORIZON}d"}, caps={"touches": 9, "gap": "7d", "duration": "120d"})
REFUSED = {"arm": None, "propensity": None, "channel": None, "offer": None}
IDLE = {**REFUSED, "standing": "control", "reason": "control"}
LIGHT = {"arm": "light", "offer": "shipping"}


def at(day: float) -> datetime:
    return instant(day).naive


def message(customer: str, day: int, **more: object) -> dict[str, object]:
    return {"customer_id": customer, "day": day, "send_at": at(day + 0.4), "valid_until": at(day + 14).date(), "baseline": 700, **more}


JOURNAL = [
    message("bought", 0), message("nothing", 0, arm="nothing", offer=None, channel=None), message("failed", 0),
    message("light", 0, **LIGHT),
    message("too late", 0, **LIGHT), message("no code", 0, **LIGHT), message("twice", 0, **LIGHT),
    message("mails", 0), message("mails", 20, stage="tailor", offer="percent", arm="percent"), message("mails", 60, stage="closing"),
    {"customer_id": "idle", "day": 0, **IDLE}, {"customer_id": "idle buyer", "day": 0, **IDLE, "cohort": "long_inactive", "baseline": 900},
    {"customer_id": "held out", "day": 0, **REFUSED, "standing": "holdout", "reason": "held_out"},
    {"customer_id": "unmet", "day": 0, **REFUSED, "standing": None, "entered_at": None, "reason": "no_consent"},
    {"customer_id": "met later", "day": 3, **REFUSED, "standing": None, "entered_at": None, "reason": "no_consent"},
    message("met later", 10),
    message("rounds", 0, episode="first"), message("rounds", 40, episode="second"),
    message("other program", 0, program="elsewhere"), message("unfinished", 1, plan="never ready"), message("now", 100),
]


def purchases() -> tuple[list[Fact], list[Fact]]:
    """Orders and lines; without a cost 40 % of the price is margin."""
    priced = order("priced", "nothing", at(10), 2_000, lines=1)
    orders = [
        order("before", "bought", at(-0.01), 111_111), order("first", "bought", at(0), 1_000),
        order("last", "bought", at(HORIZON - 0.01), 500),
        order("after", "bought", at(HORIZON), 222_222), order("void", "bought", at(5), 333_333, cancelled=True), priced,
        order("coded", "light", at(5), 5_000, code="MINE"), order("again", "light", at(6), 1_000, code="PUBLIC"),
        order("expired", "too late", at(15), 5_000, code="PUBLIC"), order("plain", "no code", at(5), 5_000),
        order("early", "twice", at(0.1), 1_000, code="X"), order("idle coded", "idle buyer", at(5), 3_000, code="PUBLIC"),
        order("both", "rounds", at(45), 4_000), order("elsewhere", "stranger", at(5), 999),
    ]
    return orders, [line(priced, 1, "p", 2_000, cost=1_500)]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    orders, lines = purchases()
    back = [
        {"return_id": "r1", "order_id": "last", "customer_id": "bought", "returned_at": at(90), "amount": 500, "quantity": 1},
        {"return_id": "r2", "order_id": "first", "customer_id": "bought", "returned_at": at(100), "amount": 1_000, "quantity": 1},
    ]
    events = [
        ("idle", "Product Viewed", 3), ("mails", "Email Opened", 3), ("mails", "Link Clicked", 3), ("no code", "Signed In", 3),
        ("failed", "Signed In", -1), ("failed", "Product Viewed", HORIZON), ("light", "Product Viewed", 2),
    ]
    told = [{"message_id": str(n), "customer_id": who, "name": what, "occurred_at": at(day)} for n, (who, what, day) in enumerate(events)]
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("outcomes")) as opened:
        write(opened, {"orders": orders, "order_lines": lines, "returns": back, "events": told})
        decider = Decider(opened)
        decider.remember(*JOURNAL)
        opened.backend.raw_sql("DELETE FROM plans WHERE plan = 'never ready'")
        decider.settle(["failed"], "failed", 1)
        decider.settle(["light"], "sent", 1, code="MINE", arm="light")
        decider.settle(["too late", "twice"], "sent", 1, code="OTHER", arm="light")
        yield opened


def found(warehouse: Warehouse, day: float, mine: Program = PROGRAM) -> dict[tuple[str, str], dict[str, object]]:
    as_of = instant(day)
    past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
    window = outcomes.Window(as_of, Decimal("0.40"), documents().offers, SHOP)
    rows = warehouse.arrow(outcomes.outcomes(warehouse, past, mine, window)).to_pylist()
    keyed = {(row.pop("customer_id"), row.pop("episode").removeprefix("order-")): row for row in rows}
    assert len(keyed) == len(rows)
    return {(name, "" if episode == name else episode): row for (name, episode), row in keyed.items()}


@pytest.fixture(scope="module")
def late(warehouse: Warehouse) -> dict[tuple[str, str], dict[str, object]]:
    return found(warehouse, 100)


def test_rounds_are_who_was_assigned_and_not_who_was_written_to(late: dict[tuple[str, str], dict[str, object]]) -> None:
    once = {"bought", "nothing", "failed", "light", "too late", "no code", "twice", "mails", "met later"}
    treated = {key for key, row in late.items() if row["standing"] == "treated"}
    assert treated == {*((name, "") for name in once), ("rounds", "first"), ("rounds", "second")}
    assert {key for key, row in late.items() if row["standing"] == "control"} == {("idle", ""), ("idle buyer", "")}


MARGINS = {
    "bought": (1_000 + 500, 400 + 0 - 1),  # an order of the first instant and of the last; one came back; a message
    "nothing": (2_000, 2_000 - 1_500),
    "failed": (0, 0),  # a message that was not sent costs nothing
    "light": (6_000, 2_000 + 400 - 300 - 1),  # one delivery is paid for: a public code is none of ours
    "too late": (5_000, 2_000 - 1),
    "no code": (5_000, 2_000 - 1),
    "twice": (1_000, 400 - 1),
    "mails": (0, -2),  # the third is after the window
    "idle": (0, 0),
    "idle buyer": (3_000, 1_200),
    "met later": (0, -1),
}


@pytest.mark.parametrize("name", MARGINS)
def test_spend_and_margin_by_hand(late: dict[tuple[str, str], dict[str, object]], name: str) -> None:
    assert (late[name, ""]["spend"], late[name, ""]["margin"]) == (MARGINS[name][0], pytest.approx(MARGINS[name][1]))


def test_an_order_counts_for_every_round_whose_window_it_falls_into(late: dict[tuple[str, str], dict[str, object]]) -> None:
    assert [late["rounds", episode]["orders"] for episode in ("first", "second")] == [1, 1]
    assert [late["rounds", episode]["entered_at"] for episode in ("first", "second")] == [at(0), at(40)]


def test_orders_retention_and_activation(late: dict[tuple[str, str], dict[str, object]]) -> None:
    """A visit counts, an opened mail and a click do not."""
    assert {name: (row["orders"], row["retained"], row["activated"]) for (name, episode), row in late.items() if not episode} == {
        "bought": (2, 1, 1), "nothing": (1, 1, 1), "failed": (0, 0, 0), "light": (2, 1, 1), "too late": (1, 1, 1), "no code": (1, 1, 1),
        "twice": (1, 1, 1), "mails": (0, 0, 0), "idle": (0, 0, 1), "idle buyer": (1, 1, 1), "met later": (0, 0, 0),
    }


def test_cohort_and_baseline_are_those_of_the_entry(late: dict[tuple[str, str], dict[str, object]]) -> None:
    assert (late["idle buyer", ""]["cohort"], late["idle buyer", ""]["baseline"]) == ("long_inactive", 900)
    assert (late["met later", ""]["entered_at"], late["met later", ""]["baseline"]) == (at(10), 700)


def test_a_window_that_is_still_open_ends_at_the_instant(warehouse: Warehouse) -> None:
    """On day 45 at midnight: the order of that instant is not seen, nor any return, nor the second message's cost of day 60."""
    early = found(warehouse, 45)
    assert early["rounds", "first"]["orders"] == 0
    assert early["bought", ""]["margin"] == pytest.approx(400 - 1)
    later = found(warehouse, 45.01)
    assert later["rounds", "first"]["orders"] == later["rounds", "second"]["orders"] == 1
    assert ("met later", "") not in found(warehouse, 10)


def test_another_program_has_its_own_rounds(warehouse: Warehouse) -> None:
    assert set(found(warehouse, 100, program("elsewhere"))) == {("other program", "")}


def test_a_longer_horizon_sees_more(warehouse: Warehouse) -> None:
    longer = found(warehouse, 100, program(goal={"metric": "incremental_margin", "horizon": "90d"}))
    assert longer["bought", ""]["spend"] == 1_500 + 222_222
    assert longer["mails", ""]["margin"] == pytest.approx(-3)
    assert longer["bought", ""]["entered_at"] + timedelta(days=90) > at(HORIZON)


def test_the_folder_of_the_history_is_the_modules_own(warehouse: Warehouse, tmp_path: Path) -> None:
    assert warehouse.scalar(warehouse.table("journal").count()) == len(JOURNAL)
