"""Segments counted in one pass: by hand, on the edges, in circles, and in the words of both engines."""

from collections.abc import Iterator
from datetime import date, datetime

import ibis
import numpy as np
import pyarrow as pa
import pytest
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.event_features import never_had
from rekindle.insight.expression import Expression, parse
from rekindle.insight.expression_events import EVENTS
from rekindle.insight.segments import MOST, measure, with_calls
from rekindle.moment import AsOf, start_of_day
from tests.insight.histories import Marketplace, history
from tests.insight.rules_by_hand import browsed

AS_OF = AsOf(start_of_day(date(2026, 6, 1), "UTC"), "UTC")
CUSTOMERS = [f"c{number}" for number in range(300)]
KINDS = {"orders": "int", "lifecycle": "str"}
RULES = {
    "many": "orders >= 5",
    "viewers": "count('Product Viewed') > 0",
    "quiet": "in_segment('many') and not in_segment('viewers')",
    "nobody": "orders < 0",
    "everybody": "true",
}
DEFINITIONS = {name: parse(text, KINDS) for name, text in RULES.items()}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    facts = Marketplace(5, "a", CUSTOMERS[:40], datetime(2025, 4, 1), 500).tell(orders_each=2)
    facts["events"] += browsed(6, CUSTOMERS, AS_OF.instant, 500)
    with history(tmp_path_factory.mktemp("history"), facts) as opened:
        yield opened


def profile(fitted: bool = True) -> pa.Table:
    chance = np.random.default_rng(3)
    size = len(CUSTOMERS)
    margins = {name: chance.integers(0, 90_000, size) for name in ("expected_margin", "margin_at_risk")}
    consent, orders = chance.random(size) < 0.6, chance.integers(0, 9, size)
    chances = pa.array(chance.random(size) if fitted else [None] * size, pa.float64())
    return pa.table({"customer_id": CUSTOMERS, "orders": orders, "email_consent": consent, "p_alive": chances, **margins})


def test_counts_and_overlaps_are_what_a_loop_counts(warehouse: Warehouse) -> None:
    table = profile()
    events = warehouse.arrow(warehouse.current("events")).to_pylist()
    seen = {row["customer_id"] for row in events if row["name"] == "Product Viewed" and row["occurred_at"] < AS_OF.naive}
    rows = table.to_pylist()
    member = {
        "many": {row["customer_id"] for row in rows if row["orders"] >= 5},
        "viewers": seen & set(CUSTOMERS), "nobody": set(), "everybody": set(CUSTOMERS),
    }  # fmt: skip
    member["quiet"] = member["many"] - member["viewers"]
    found = measure(warehouse, ibis.memtable(table), DEFINITIONS, AS_OF)
    assert [one.name for one in found.segments] == list(RULES)
    for one in found.segments:
        mine = [row for row in rows if row["customer_id"] in member[one.name]]
        assert one.customers == len(mine)
        assert one.reachable == sum(row["email_consent"] for row in mine)
        assert one.expected_margin == sum(row["expected_margin"] for row in mine)
        assert one.margin_at_risk == sum(row["margin_at_risk"] for row in mine)
    for first in RULES:
        for second in RULES:
            if first != second:
                assert found.both(first, second) == len(member[first] & member[second])
    assert 0 < found.both("many", "viewers") < len(member["many"])
    assert found.customers == len(CUSTOMERS)


def test_without_a_model_no_margin_is_stated(warehouse: Warehouse) -> None:
    found = measure(warehouse, ibis.memtable(profile(fitted=False)), DEFINITIONS, AS_OF)
    assert found.segments[4].customers == len(CUSTOMERS)
    assert all(isinstance(one.expected_margin, CannotTell) and isinstance(one.margin_at_risk, CannotTell) for one in found.segments)


def test_a_table_is_left_as_it_is_where_nothing_is_asked(warehouse: Warehouse) -> None:
    table = ibis.memtable(profile())
    assert with_calls(warehouse, table, [parse("orders > 3", KINDS)], AS_OF) is table


def test_every_customer_stays_one_row(warehouse: Warehouse) -> None:
    table = ibis.memtable(profile())
    told = with_calls(warehouse, table, DEFINITIONS.values(), AS_OF, DEFINITIONS)
    assert sorted(warehouse.arrow(told.select("customer_id"))["customer_id"].to_pylist()) == sorted(CUSTOMERS)


@pytest.mark.parametrize(
    ("definitions", "cause"),
    [
        ({"a": "in_segment('b')"}, "there is no segment 'b'"),
        ({"a": "in_segment('a')"}, "a segment builds on itself: a -> a"),
        ({"a": "in_segment('b')", "b": "in_segment('c')", "c": "in_segment('a') or true"}, "a segment builds on itself: "),
        ({f"s{n}": "true" for n in range(MOST + 1)}, f"there are {MOST + 1} segments"),
    ],
)
def test_what_cannot_be_counted(warehouse: Warehouse, definitions: dict[str, str], cause: str) -> None:
    with pytest.raises(BadData) as caught:
        measure(warehouse, ibis.memtable(profile()), read(definitions), AS_OF)
    assert caught.value.cause.startswith(cause)


def read(texts: dict[str, str]) -> dict[str, Expression]:
    return {name: parse(text, KINDS) for name, text in texts.items()}


@pytest.mark.parametrize("day", [date(2025, 1, 1), date(2025, 6, 1), date(2026, 6, 1)])
def test_what_history_never_had_is_what_a_loop_does_not_find(warehouse: Warehouse, day: date) -> None:
    as_of = AsOf(start_of_day(day, "UTC"), "UTC")
    rows = warehouse.arrow(warehouse.current("events")).to_pylist()
    had = {row["name"] for row in rows if row["occurred_at"] < as_of.naive}
    instants = {"Order Completed": "ordered_at", "Ticket Opened": "opened_at", "Message Sent": "settled_at"}
    for name, instant in instants.items():
        table = EVENTS[name].place
        rows = warehouse.arrow(warehouse.current(table)).to_pylist()
        if any(row[instant] < as_of.naive and not row.get("cancelled") and row.get("status", "sent") == "sent" for row in rows):
            had.add(name)
    found = never_had(warehouse, EVENTS, as_of)
    assert not found & had
    assert {name for name in EVENTS if EVENTS[name].place in ("events", "orders", "tickets", "touches")} - found == had & set(EVENTS)


def test_segments_that_double_do_not_grow(warehouse: Warehouse) -> None:
    """Each of fifty names the one before twice: written out, 2 to the power of 49 conditions."""
    doubled = {f"s{n}": f"in_segment('s{n - 1}') and in_segment('s{n - 1}')" if n else "orders >= 5" for n in range(MOST)}
    found = measure(warehouse, ibis.memtable(profile()), read(doubled), AS_OF)
    assert {one.customers for one in found.segments} == {sum(count >= 5 for count in profile()["orders"].to_pylist())}
    assert found.both("s0", f"s{MOST - 1}") == found.segments[0].customers


def test_spark_has_words_for_it(warehouse: Warehouse) -> None:
    """The same expressions, asked of another engine; Spark itself is not needed to see that it can be asked."""
    calls = [
        "count('Cart Viewed', within='7d') + sum('Order Completed', 'net') > last('Product Reviewed', category='Toys')",
        "count('Order Completed', category='Toys') > 1 and sum('Order Refunded', 'amount', within='52w') == 0",
        "count('Ticket Opened') == count('Message Sent') or in_segment('quiet')",
    ]
    rules = [parse(text, KINDS) for text in calls]
    people = warehouse.keep(profile().drop_columns("p_alive"))  # a column of floats asks for the options of an engine that is not here
    told = with_calls(warehouse, people, rules, AS_OF, DEFINITIONS)
    expression = told.filter(*(rule.compile(told) for rule in rules)).unbind()
    text = PySparkCompiler().to_sqlglot(expression).sql("spark")
    assert text.count(" GROUP BY ") == 7, "one aggregate for each table that holds events"
    assert "UNIX_TIMESTAMP" in text
