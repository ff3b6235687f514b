"""What a round brought, by hand: each customer of this shop is there for one rule of counting."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from rekindle.decide import due
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight import persons
from rekindle.learn import outcomes
from rekindle.learn.sums import folded
from rekindle.moment import AsOf
from rekindle.program.documents import Program
from tests.decide.shop import SHOP, Decider, documents, instant, program
from tests.insight.histories import Fact, line, order, write

HORIZON = 56
PROGRAM = program(goal={"metric": "incremental_margin", "horizon": f"{HORIZON}d"}, caps={"touches": 9, "gap": "7d", "duration": "120d"})
REFUSED = {"arm": None, "propensity": None, "channel": None, "offer": None}
IDLE = {**REFUSED, "standing": "control", "reason": "control"}
KNOWN = {"cohort": "long_inactive", "cause": "stockout", "value_tier": "high", "segments": "|cart_left|"}
LIGHT = {"arm": "light", "offer": "shipping"}


def at(day: float) -> datetime:
    return instant(day).naive


def message(customer: str, day: int, **more: object) -> dict[str, object]:
    return {"customer_id": customer, "day": day, "send_at": at(day + 0.4), "valid_until": at(day + 14).date(), "baseline": 700, **more}


JOURNAL = [
    message("bought", 0), message("nothing", 0, arm="nothing", offer=None, channel=None), message("failed", 0),
    message("light", 0, **LIGHT),
    message("too late", 0, **LIGHT), message("no code", 0, **LIGHT, cohort=None), message("twice", 0, **LIGHT),
    message("mails", 0), message("mails", 20, stage="tailor", offer="percent", arm="percent"), message("mails", 60, stage="closing"),
    {"customer_id": "idle", "day": 0, **IDLE}, {"customer_id": "idle buyer", "day": 0, **IDLE, "baseline": 900, **KNOWN},
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


def words() -> list[Fact]:
    """One took a consent back and gave it again; of others it was before or after the window, or about news of orders."""
    said = [("mails", 3, False, 1), ("mails", 9, True, 2), ("light", -2, False, 1), ("twice", 60, False, 1), ("idle", 3, False, 1)]
    told = [
        {"consent_key": f"{who}:email", "customer_id": who, "channel": "email", "granted": granted, "recorded_at": at(day), "batch": batch}
        for who, day, granted, batch in said
    ]
    return [{**one, "purpose": "service" if one["customer_id"] == "idle" else "marketing"} for one in told]


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
        write(opened, {"orders": orders, "order_lines": lines, "returns": back, "events": told, "consents": words()})
        decider = Decider(opened)
        decider.remember(*JOURNAL)
        opened.backend.raw_sql("DELETE FROM plans WHERE plan = 'never ready'")
        decider.settle(["failed"], "failed", 1)
        decider.settle(["light"], "sent", 1, code="MINE", arm="light")
        decider.settle(["too late", "twice"], "sent", 1, code="OTHER", arm="light")
        yield opened


Rounds = dict[str, dict[str, object]]


def found(warehouse: Warehouse, day: float, mine: Program = PROGRAM, days: int = HORIZON) -> Rounds:
    """The rounds that are so many days old, both ways of pricing orders giving the same."""
    as_of = instant(day)
    past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
    window = outcomes.Window(as_of, Decimal("0.40"), documents().offers, SHOP)
    entered = warehouse.keep(outcomes.rounds(past, (mine,), window))
    spans, sold = warehouse.keep(outcomes.old_enough(entered, {mine.name: days}, as_of)), outcomes.priced(warehouse, past, window)
    told = []
    for one in (window, replace(window, sold=sold, redeemed=outcomes.redemptions(warehouse, (mine,), sold))):
        rows = outcomes.measured(warehouse, past, (mine,), spans, one, days)
        told.append(warehouse.arrow(rows.order_by("customer_id", "entered_at")).to_pylist())
    assert told[0] == told[1]
    keyed = {row.pop("customer_id"): row for row in told[0]}
    assert len(keyed) == len(told[0])
    return keyed


@pytest.fixture(scope="module")
def late(warehouse: Warehouse) -> Rounds:
    return found(warehouse, 100)


def test_sums_of_rounds_are_the_same_by_parts_of_the_customers(
    warehouse: Warehouse, late: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Twelve rounds, of which two have segments that were written down: in one part, and in as many as there are letters."""
    as_of = instant(100)
    past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
    window = outcomes.Window(as_of, Decimal("0.40"), documents().offers, SHOP)
    sold = outcomes.priced(warehouse, past, window)
    window = replace(window, sold=sold, redeemed=outcomes.redemptions(warehouse, (PROGRAM,), sold))
    old = warehouse.keep(outcomes.old_enough(warehouse.keep(outcomes.rounds(past, (PROGRAM,), window)), {"back": HORIZON}, as_of))
    by = ("standing", "segments", "baseline")
    for at_a_time, least, most in ((100, 1, 1), (1, 2, 64)):
        monkeypatch.setattr(outcomes, "MANY", at_a_time)
        cells = outcomes.summed_up(warehouse, past, (PROGRAM,), window, old, by)
        told = folded(cells, by)
        assert least <= len(cells.sums) / len(told.sums) <= most
        assert told.sums.n.sum() == len(late) == 12
        for name in ("margin", "spend", "orders", "retained", "activated", "incentives", "messages", "days_to_order"):
            mine = {key: 0.0 for key in zip(*(told.keys[one].tolist() for one in by), strict=True)}
            for row in late.values():
                mine[tuple("" if row[one] is None else str(row[one]) for one in by)] += float(row[name])
            assert dict(zip(mine, told.sums[f"y:{name}"].tolist(), strict=True)) == pytest.approx(mine), name


def test_rounds_are_who_was_assigned_and_not_who_was_written_to(late: Rounds) -> None:
    treated = {name for name, row in late.items() if row["standing"] == "treated"}
    assert treated == {"bought", "nothing", "failed", "light", "too late", "no code", "twice", "mails", "met later", "rounds"}
    assert {name for name, row in late.items() if row["standing"] == "control"} == {"idle", "idle buyer"}


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
def test_spend_and_margin_by_hand(late: Rounds, name: str) -> None:
    assert (late[name]["spend"], late[name]["margin"]) == (MARGINS[name][0], pytest.approx(MARGINS[name][1]))


def test_spend_of_the_reactivated_is_of_those_who_were_lapsed_at_entry_and_ordered_within_the_window(late: Rounds) -> None:
    """Whoever was not lapsed counts as nothing, and so does who was and did not come; a control's as a treated one's."""
    told = {name: row["reactivated"] for name, row in late.items()}
    assert (told["no code"], late["no code"]["spend"]) == (0, 5_000), "not lapsed"
    assert (told["bought"], told["light"], told["idle buyer"]) == (1_500, 6_000, 3_000)
    assert (told["mails"], told["idle"], told["met later"]) == (0, 0, 0)


def test_a_round_belongs_to_the_quarter_in_which_its_window_ended(warehouse: Warehouse) -> None:
    """Rounds of 2 March end on 27 April; over 28 days they end on 30 March, and who entered on 12 March in April."""
    whole, short = found(warehouse, 100), found(warehouse, 100, days=28)
    assert {row["matured"] for row in whole.values()} == {"2026-Q2"}
    assert (short["bought"]["matured"], short["met later"]["matured"]) == ("2026-Q1", "2026-Q2")


def test_the_last_quarters_alone_are_told_apart_by_the_store_s_own_days() -> None:
    as_of = AsOf(datetime(2026, 11, 21, tzinfo=UTC), "Europe/Berlin")
    told = {
        datetime(2026, 9, 30, 21, 59): "2026-Q3", datetime(2026, 9, 30, 22, 0): "2026-Q4", datetime(2025, 1, 1): "2025-Q1",
        datetime(2024, 12, 31, 23, 0): "2025-Q1", datetime(2024, 12, 31, 22, 59): None,
    }  # fmt: skip
    rows = ibis.memtable({"at": [*told]}, schema={"at": "timestamp"})
    found = rows.mutate(quarter=outcomes.quarter_in(rows["at"], as_of)).to_pyarrow().to_pylist()
    assert {row["at"]: row["quarter"] for row in found} == told


def test_a_customer_counts_once_an_epoch_from_their_first_round_on(late: Rounds) -> None:
    """A second round may be of the first one's doing; its order falls into the first one's window."""
    assert (late["rounds"]["orders"], late["rounds"]["entered_at"], late["rounds"]["epoch"]) == (1, at(0), 2026)


def test_orders_retention_and_activation(late: Rounds) -> None:
    """A visit counts, an opened mail and a click do not."""
    assert {name: (row["orders"], row["retained"], row["activated"]) for name, row in late.items()} == {
        "bought": (2, 1, 1), "nothing": (1, 1, 1), "failed": (0, 0, 0), "light": (2, 1, 1), "too late": (1, 1, 1), "no code": (1, 1, 1),
        "twice": (1, 1, 1), "mails": (0, 0, 0), "idle": (0, 0, 1), "idle buyer": (1, 1, 1), "met later": (0, 0, 0), "rounds": (1, 1, 1),
    }


def test_repeat_regularity_and_time_to_the_first_order(late: Rounds) -> None:
    """Two days of orders in both four-week periods; two in the first; none."""
    names = ("repeated", "regularity", "days_to_order")
    assert [late["bought"][name] for name in names] == pytest.approx([1, 1.0, 0.0])
    assert [late["light"][name] for name in names] == pytest.approx([1, 0.5, 5.0])
    assert [late["nothing"][name] for name in names] == pytest.approx([0, 0.5, 10.0])
    assert [late["idle"][name] for name in names] == pytest.approx([0, 0.0, 56.0])


def test_a_consent_that_was_taken_back_counts_even_where_it_was_given_again(late: Rounds) -> None:
    assert {name for name, row in late.items() if row["opted_out"]} == {"mails"}


def test_what_redemptions_and_messages_cost(late: Rounds) -> None:
    assert [late["light"][name] for name in ("incentives", "messages", "redeemed")] == [300, 1, 1]
    assert [late["mails"][name] for name in ("incentives", "messages", "redeemed")] == [0, 2, 0]


def test_what_is_known_at_the_entry_stays(late: Rounds) -> None:
    assert {name: late["idle buyer"][name] for name in KNOWN} == KNOWN
    assert late["idle buyer"]["baseline"] == 900
    assert (late["met later"]["entered_at"], late["met later"]["baseline"]) == (at(10), 700)
    assert late["bought"]["cause"] is None, "nobody wrote it down then"


def test_a_refund_after_the_horizon_still_takes_the_margin_back(warehouse: Warehouse) -> None:
    """The order of the first day went back on day 100; the spend stays what was sold."""
    before, after = found(warehouse, 100)["bought"], found(warehouse, 101)["bought"]
    assert (before["margin"], after["margin"]) == pytest.approx((400 - 1, 0 - 1))
    assert before["spend"] == after["spend"] == 1_500


def test_younger_rounds_are_left_out_and_a_shorter_window_counts_less(warehouse: Warehouse) -> None:
    """On day 45 nobody is 56 days old; over 28 days all who entered by day 17 are counted, their orders of later days not."""
    assert found(warehouse, 45) == {}
    early = found(warehouse, 45, days=28)
    assert "met later" in early
    assert "met later" not in found(warehouse, 37.9, days=28)
    assert (early["bought"]["orders"], early["rounds"]["orders"]) == (1, 0)
    assert early["bought"]["margin"] == pytest.approx(400 - 1)
    assert (early["idle"]["days_to_order"], early["light"]["regularity"]) == (28, 1.0)


def test_two_accounts_that_become_one_count_once_by_what_was_drawn_first(tmp_path: Path) -> None:
    """A later import gives the orders of one account to another: the earlier standing of the two is the person's, and all orders are."""
    before = [order("a", "absorbed", at(1), 700), order("moved", "absorbed", at(30), 1_000), order("own", "survivor", at(31), 500)]
    after = [{**one, "customer_id": "survivor", "batch": 2} for one in before[:2]]
    gone = {"name": ["orders"] * 2, "key": ["a", "moved"], "batch": [1] * 2, "by_batch": [2] * 2}
    with open_history("duckdb://history.duckdb", tmp_path) as opened:
        write(opened, {"orders": [*before, *after]})
        opened.insert("superseded", pa.table(gone))
        Decider(opened).remember({"customer_id": "absorbed", "day": 0, **IDLE}, message("survivor", 20), message("stranger", 0))
        as_of, pairs = instant(100), persons.absorbed(opened)
        past = due.past(opened.table("journal"), opened.table("plans"), opened.current("touches"), as_of, inclusive=False)
        past = due.Past(persons.as_persons(past.journal, pairs), persons.as_persons(past.contacts, pairs))
        window = outcomes.Window(as_of, Decimal("0.40"), documents().offers, SHOP)
        entered = opened.keep(outcomes.rounds(past, (PROGRAM,), window))
        spans = opened.keep(outcomes.old_enough(entered, {"back": HORIZON}, as_of))
        rows = opened.arrow(outcomes.measured(opened, past, (PROGRAM,), spans, window, HORIZON)).to_pylist()
    told = {row["customer_id"]: (row["standing"], row["entered_at"], row["orders"]) for row in rows}
    assert told == {"survivor": ("control", at(0), 3), "stranger": ("treated", at(0), 0)}


def test_an_order_that_changed_hands_alone_makes_no_person(tmp_path: Path) -> None:
    """The account still has another order; and without any change there is nothing to look for."""
    kept = [order("a", "one", at(1), 700), order("b", "one", at(2), 700), {**order("a", "other", at(1), 700), "batch": 2}]
    with open_history("duckdb://history.duckdb", tmp_path) as opened:
        assert persons.absorbed(opened) is None
        write(opened, {"orders": kept})
        opened.insert("superseded", pa.table({"name": ["orders"], "key": ["a"], "batch": [1], "by_batch": [2]}))
        assert persons.absorbed(opened) is None


def test_another_program_has_its_own_rounds(warehouse: Warehouse) -> None:
    assert set(found(warehouse, 100, program("elsewhere"))) == {"other program"}


def test_a_longer_horizon_sees_more(warehouse: Warehouse) -> None:
    longer = found(warehouse, 100, days=90)
    assert longer["bought"]["spend"] == 1_500 + 222_222
    assert longer["mails"]["margin"] == pytest.approx(-3)
    assert longer["bought"]["entered_at"] + timedelta(days=90) > at(HORIZON)


def test_the_folder_of_the_history_is_the_modules_own(warehouse: Warehouse, tmp_path: Path) -> None:
    assert warehouse.scalar(warehouse.table("journal").count()) == len(JOURNAL)
