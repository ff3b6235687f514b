"""Credit against brute force, by hand, and against the lift that it is scaled to."""

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from rekindle.decide import due
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.models import Interval
from rekindle.learn import outcomes, touch_paths
from rekindle.learn.attribution import METHODS, Credit, Placed, credit, last_touch, position, shapley
from rekindle.learn.credit_words import LABEL, as_json, in_all, lines, why
from tests.decide.shop import SHOP, Decider, documents, instant, program
from tests.insight.histories import order, write

PROGRAM = program(goal={"metric": "incremental_margin", "horizon": "56d"})


def by_brute_force(coalitions: dict[frozenset[str], float]) -> dict[str, float]:
    """Shapley's values as the average over every order in which channels can come."""
    names = sorted(set().union(*coalitions))

    def worth(members: frozenset[str]) -> float:
        return sum(value for held, value in coalitions.items() if held <= members)

    found = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for one in orders:
        for place, name in enumerate(one):
            found[name] += worth(frozenset(one[: place + 1])) - worth(frozenset(one[:place]))
    return {name: value / len(orders) for name, value in found.items()}


def by_subsets(coalitions: dict[frozenset[str], float], names: list[str]) -> dict[str, float]:
    """The same by the weights of Shapley's formula, over every subset of up to ten channels."""
    size = len(names)
    worth = np.zeros(1 << size)
    for held, value in coalitions.items():
        worth[sum(1 << names.index(name) for name in held)] += value
    for bit in range(size):
        mask = np.arange(1 << size)
        with_it = mask[(mask >> bit & 1) == 1]
        worth[with_it] += worth[with_it ^ (1 << bit)]
    factorial = np.cumprod([1, *range(1, size + 1)], dtype=float)
    found = {}
    for bit, name in enumerate(names):
        without = np.arange(1 << size)
        without = without[(without >> bit & 1) == 0]
        members = np.array([int(one).bit_count() for one in without])
        weight = factorial[members] * factorial[size - 1 - members] / factorial[size]
        found[name] = float((weight * (worth[without | 1 << bit] - worth[without])).sum())
    return found


def random_sets(chance: np.random.Generator, names: list[str], count: int) -> dict[frozenset[str], float]:
    found: dict[frozenset[str], float] = {}
    for _ in range(count):
        members = frozenset(name for name in names if chance.random() < 0.4) or frozenset(names[:1])
        found[members] = found.get(members, 0.0) + float(chance.gamma(1.0, 1_000.0))
    return found


@pytest.mark.parametrize("size", range(1, 8))
def test_shapley_is_the_average_over_every_order_of_channels(size: int) -> None:
    names = [f"c{number}" for number in range(size)]
    sets = random_sets(np.random.default_rng(size), names, 40)
    assert shapley(sets) == pytest.approx(by_brute_force(sets))


def test_shapley_of_ten_channels_is_that_of_every_subset() -> None:
    names = [f"c{number}" for number in range(10)]
    sets = random_sets(np.random.default_rng(10), names, 3_000)
    assert shapley(sets) == pytest.approx(by_subsets(sets, names))
    assert sum(shapley(sets).values()) == pytest.approx(sum(sets.values()))


def test_a_channel_that_adds_nothing_gets_nothing_and_equal_ones_get_the_same() -> None:
    found = shapley({frozenset({"email", "sms"}): 50.0, frozenset({"email"}): 10.0, frozenset({"sms"}): 10.0, frozenset({"inapp"}): 0.0})
    assert found == {"email": 35.0, "sms": 35.0, "inapp": 0.0}


def test_position_gives_the_ends_more_and_adds_up() -> None:
    five = [Placed(f"s{number}", "between", 5, 100.0) for number in (1, 2, 3)]
    found = position([Placed("s0", "first", 5, 100.0), *five, Placed("s4", "last", 5, 100.0)])
    assert found == pytest.approx({"s0": 40.0, "s1": 20 / 3, "s2": 20 / 3, "s3": 20 / 3, "s4": 40.0})
    assert last_touch([Placed("s0", "first", 5, 100.0), *five, Placed("s4", "last", 5, 100.0)]) == {"s4": 100.0}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Orders of 100.00 bring 40.00. Each customer is there for one way of being written to before an order."""

    def message(customer: str, day: float, stage: str = "reconnect", channel: str = "email", **more: object) -> dict[str, object]:
        return {"customer_id": customer, "day": day, "stage": stage, "channel": channel, "entered_at": instant(0).naive, **more}

    quiet = {"arm": None, "propensity": None, "channel": None, "offer": None, "entered_at": instant(0).naive}
    rows = [
        message("one", 0), message("three", 0), message("three", 8, "tailor", "sms"), message("three", 20, "closing"),
        message("two", 0, channel="sms"), message("two", 8, "tailor"), message("after", 0, arm="nothing", channel=None),
        message("after", 20, "tailor"), message("unsent", 0), message("silent", 0, arm="nothing", channel=None),
        {"customer_id": "control", "day": 0, **quiet, "standing": "control", "reason": "control"},
    ]
    orders = [
        order("o1", "one", instant(3).naive, 10_000), order("o3", "three", instant(30).naive, 10_000),
        order("o2", "two", instant(9).naive, 10_000), order("oa", "after", instant(10).naive, 10_000),
        order("ou", "unsent", instant(3).naive, 10_000), order("oc", "control", instant(3).naive, 10_000),
        order("os", "silent", instant(3).naive, 10_000), order("late", "one", instant(60).naive, 99_999),
    ]
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("credit")) as opened:
        decider = Decider(opened, documents(PROGRAM))
        decider.remember(*rows)
        decider.settle(["unsent"], "failed", 1)
        write(opened, {"orders": orders})
        yield opened


def found(warehouse: Warehouse, caused: Interval | CannotTell, days: int = 56) -> Credit | CannotTell:
    as_of = instant(100)
    past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
    window = outcomes.Window(as_of, Decimal("0.4"), documents(PROGRAM).offers, SHOP)
    journal = past.journal.filter(past.journal.as_of == past.journal.entered_at)
    entered = journal.select("program", "customer_id", "standing", "entered_at").mutate(age_days=100)
    return touch_paths.credits_of(warehouse, past, window, entered, {"back": touch_paths.Counted(days, caused)})["back"]


def test_credit_by_hand(warehouse: Warehouse) -> None:
    one = found(warehouse, CannotTell("no control yet"))
    assert isinstance(one, Credit)
    assert one.by["channel"] == {
        "last_touch": {"email": 12_000.0},
        "position": pytest.approx({"email": 4_000 + 3_200 + 2_000, "sms": 800 + 2_000}),
        "shapley": {"email": 4_000 + 2_000 + 2_000, "sms": 2_000 + 2_000},
    }
    third = 4_000 / 3
    assert one.by["stage"]["shapley"] == pytest.approx({"reconnect": 4_000 + third + 2_000, "tailor": third + 2_000, "closing": third})
    assert one.by["stage"]["last_touch"] == {"reconnect": 4_000.0, "tailor": 4_000.0, "closing": 4_000.0}


def test_orders_before_a_message_after_a_failed_one_and_after_nothing_are_no_ones_credit(warehouse: Warehouse) -> None:
    one = found(warehouse, CannotTell("no control yet"))
    assert isinstance(one, Credit)
    assert (one.followed, one.unmessaged) == (12_000.0, 12_000.0)
    assert (one.scale, one.scaled) == (None, None)


def test_credit_adds_up_to_the_lift(warehouse: Warehouse) -> None:
    one = found(warehouse, Interval(-500.0, 3_000.0, 6_500.0))
    assert isinstance(one, Credit)
    assert one.scaled is not None
    for name in ("channel", "stage"):
        for method in METHODS:
            assert sum(one.by[name][method].values()) == pytest.approx(one.followed)
            assert sum(one.scaled[name][method].values()) == pytest.approx(3_000.0)


def test_credit_is_the_same_by_parts_of_the_customers(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The customers' names begin with six letters, so that each part has some of the orders; many have none."""
    whole = found(warehouse, Interval(-500.0, 3_000.0, 6_500.0))
    monkeypatch.setattr(outcomes, "MANY", 0.01)
    assert found(warehouse, Interval(-500.0, 3_000.0, 6_500.0)) == whole


def test_an_order_of_two_rounds_is_looked_at_in_each(tmp_path: Path) -> None:
    """Of two years, say: what followed messages is shared out whole, by every method."""
    with open_history("duckdb://history.duckdb", tmp_path) as opened:
        begun = ((0, "a"), (9, "b"))
        rounds = [{"customer_id": "one", "day": day, "episode": name, "entered_at": instant(day).naive} for day, name in begun]
        Decider(opened, documents(PROGRAM)).remember(*rounds)
        write(opened, {"orders": [order("o", "one", instant(20).naive, 10_000)]})
        one = found(opened, CannotTell("no control yet"))
    assert isinstance(one, Credit)
    assert (one.followed, one.unmessaged) == (8_000.0, 0.0)
    assert all(sum(shares.values()) == 8_000.0 for methods in one.by.values() for shares in methods.values())


def test_it_says_when_there_is_nothing_to_credit(warehouse: Warehouse) -> None:
    assert found(warehouse, CannotTell("x"), days=0) == CannotTell("no round is old enough to be counted")
    assert found(warehouse, CannotTell("x"), days=101) == CannotTell("no order has followed a message yet")
    assert credit({}, 0.0, 0.0, Interval(0.0, 1.0, 2.0)).scaled is None


def told(caused: Interval | CannotTell) -> str:
    return why(credit({"channel": {method: {"email": 10_000.0} for method in METHODS}}, 10_000.0, 0.0, caused))


def test_the_difference_between_credit_and_lift_is_explained() -> None:
    assert told(Interval(1_000.0, 2_000.0, 3_000.0)) == (
        "80% of what followed messages would have come anyway: the control ordered too. "
        "Shares are scaled so that they add up to what it brought."
    )
    assert told(Interval(-1_000.0, 2_000.0, 5_000.0)).endswith("is not yet distinguishable from zero, so no share of it is either.")
    assert told(Interval(-3_000.0, -2_000.0, -1_000.0)) == "The program brought less than nothing, whoever gets the credit."
    assert told(Interval(9_000.0, 12_000.0, 15_000.0)).startswith("The program brought more than the orders after its messages show.")
    assert told(CannotTell("no control yet")) == "How much of it would have come anyway is not known: no control yet."


def test_credit_is_labelled_and_says_both_numbers(warehouse: Warehouse) -> None:
    one = found(warehouse, Interval(500.0, 3_000.0, 5_500.0))
    shown = as_json(one)
    assert shown["label"] == LABEL
    assert shown["by"]["channel"]["shapley"] == {"email": {"credit": 8_000, "scaled": 2_000}, "sms": {"credit": 4_000, "scaled": 1_000}}
    assert json.loads(json.dumps(shown)) == shown
    assert any(line.strip() == "channel sms: last message EUR 0.00, by position EUR 7.00, Shapley EUR 10.00" for line in lines(one, "EUR"))
    assert as_json(CannotTell("too early")) == {"label": LABEL, "cannot_tell": "too early"}
    assert in_all(CannotTell("too early"), 9) == CannotTell("too early")


def test_where_the_lift_is_not_told_people_see_shares_of_what_followed(warehouse: Warehouse) -> None:
    one = found(warehouse, Interval(-500.0, 3_000.0, 6_500.0))
    assert any(line.strip() == "channel sms: last message EUR 0.00, by position EUR 28.00, Shapley EUR 40.00" for line in lines(one, "EUR"))
