"""Random rules mean the same to the language and to a second implementation in plain Python."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache

import ibis
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rekindle.history.warehouse import Warehouse
from rekindle.insight.expression import parse
from rekindle.insight.expression_calls import CALLS
from rekindle.insight.segments import with_calls
from rekindle.moment import AsOf, start_of_day
from tests.insight.histories import Facts, Marketplace, history
from tests.insight.rule_texts import COLUMNS, calls, rules, rules_with_calls
from tests.insight.rules_by_hand import Past, browsed, holds

AS_OF = AsOf(start_of_day(date(2026, 6, 1), "Europe/Berlin") + timedelta(hours=7), "Europe/Berlin")
CUSTOMERS = [f"c{number}" for number in range(12)]
SCHEMA = {
    "orders": "int64", "rate": "float64", "value_tier": "string", "category": "string", "open_ticket": "boolean", "last_day": "date",
}
UNSHRUNK = {"phases": [Phase.generate], "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
"""A failure names its rule already; to make it smaller takes minutes."""

rows = st.fixed_dictionaries(
    {
        "orders": st.integers(0, 9),
        "rate": st.none() | st.sampled_from([0.0, 0.5, 2.0, -1.25]),
        "value_tier": st.sampled_from(["high", "mid", "occasional"]),
        "category": st.none() | st.sampled_from(["high", "Toys", "x' or '1'='1"]),
        "open_ticket": st.none() | st.booleans(),
        "last_day": st.none() | st.sampled_from([date(2025, 12, 31), date(2026, 1, 1), date(2026, 7, 1)]),
    }
)


@settings(max_examples=20, **UNSHRUNK)
@given(st.lists(rules, min_size=12, max_size=12), st.lists(rows, min_size=6, max_size=6))
def test_rules_over_columns(texts: list[str], given_rows: list[dict[str, object]]) -> None:
    table = ibis.memtable({name: [row[name] for row in given_rows] for name in SCHEMA}, schema=ibis.schema(SCHEMA))
    found = table.select(**{f"r{place}": parse(text, COLUMNS).compile(table) for place, text in enumerate(texts)}).to_pyarrow()
    for place, text in enumerate(texts):
        assert found[f"r{place}"].to_pylist() == [holds(text, row) for row in given_rows], text


@cache
def facts() -> Facts:
    begin = datetime(2025, 4, 1)
    told = Marketplace(11, "a", CUSTOMERS, begin, 480).tell(orders_each=5)
    told["events"] += browsed(12, [*CUSTOMERS, "a stranger"], AS_OF.instant, 400)
    touch = {"program": "win-back", "stage": "reconnect", "channel": "email"}
    told["touches"] += [
        {**touch, "touch_key": f"t{n}", "customer_id": CUSTOMERS[n % 7], "status": ["sent", "failed"][n % 3 == 0],
         "settled_at": begin + timedelta(days=17 * n)}
        for n in range(28)
    ]  # fmt: skip
    for number, review in enumerate(told["reviews"]):
        review["product_id"] = f"ap{number % 10}"
    return told


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with history(tmp_path_factory.mktemp("history"), facts()) as opened:
        yield opened


@settings(max_examples=3, **UNSHRUNK)
@given(st.lists(rules_with_calls, min_size=20, max_size=20))
def test_rules_over_events(warehouse: Warehouse, texts: list[str]) -> None:
    people = [{"customer_id": customer, "orders": number % 6} for number, customer in enumerate(CUSTOMERS)]
    read = [parse(text, COLUMNS) for text in texts]
    table = with_calls(warehouse, ibis.memtable(people), read, AS_OF)
    found = warehouse.arrow(
        table.select("customer_id", **{f"r{n}": rule.compile(table) for n, rule in enumerate(read)}).order_by("customer_id")
    )
    past, people = Past(facts(), AS_OF.instant), sorted(people, key=lambda one: str(one["customer_id"]))
    for place, text in enumerate(texts):
        assert found[f"r{place}"].to_pylist() == [holds(text, row, past.answer) for row in people], text


@settings(max_examples=3, **UNSHRUNK)
@given(st.lists(calls, min_size=25, max_size=25, unique=True))
def test_the_answers_themselves(warehouse: Warehouse, texts: list[str]) -> None:
    read = [parse(f"{text} == 0", {}) for text in texts]
    people = ibis.memtable({"customer_id": CUSTOMERS})
    found = warehouse.arrow(with_calls(warehouse, people, read, AS_OF).order_by("customer_id"))
    past = Past(facts(), AS_OF.instant)
    for text, rule in zip(texts, read, strict=True):
        column = rule.calls[0].column
        given_by_hand = [_answer(past, text, customer) for customer in sorted(CUSTOMERS)]
        assert found[column].to_pylist() == given_by_hand, text


def _answer(past: Past, text: str, customer: str) -> object:
    found: list[object] = []

    def note(*question: object) -> object:
        found.append(past.answer(*question))  # type: ignore[arg-type]  the evaluator's own arguments
        return found[-1]

    holds(f"{text} == 0", {"customer_id": customer}, note)  # type: ignore[arg-type]  as above
    return found[0]


def test_the_facts_make_answers_differ() -> None:
    """The comparison above would agree on anything if nobody had done anything."""
    past = Past(facts(), AS_OF.instant)
    for text in ("count('Product Viewed', within='30d')", "sum('Order Completed', 'amount', category='category 1')", "last('Cart Viewed')"):
        assert len({_answer(past, text, customer) for customer in CUSTOMERS}) > 2, text
    assert CALLS >= 2


def test_within_and_last_say_the_same(warehouse: Warehouse) -> None:
    """An event is less than thirty days old, or it is not: counted and dated alike, on the edge too."""
    names = ["Product Viewed", "Cart Viewed", "Product Added", "Email Opened"]
    pairs = [(f"count('{name}', within='{days}d') > 0", f"last('{name}') < {days}") for name in names for days in (7, 30)]
    read = [parse(text, {}) for pair in pairs for text in pair]
    table = with_calls(warehouse, ibis.memtable({"customer_id": CUSTOMERS}), read, AS_OF)
    found = warehouse.arrow(table.select(**{f"r{n}": rule.compile(table) for n, rule in enumerate(read)}))
    for n in range(len(pairs)):
        assert found[f"r{2 * n}"].to_pylist() == found[f"r{2 * n + 1}"].to_pylist(), pairs[n]
    assert any(any(found[f"r{n}"].to_pylist()) for n in range(len(read)))
