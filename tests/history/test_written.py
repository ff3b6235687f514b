"""The SQL of an expression is written once for every day, instant and passing table, and says what it would say if written anew."""

from datetime import date, datetime
from pathlib import Path

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from rekindle.history import written
from rekindle.history.warehouse import open_history, unmerged
from rekindle.history.written import Written
from tests.history.conftest import URL
from tests.history.facts import order, take

ENGINE = ibis.duckdb.connect()
DAYS = ibis.table({"day": "date", "at": "timestamp", "n": "int64"}, name="days")
JANUARY, MARCH, MAY = date(2026, 1, 1), date(2026, 3, 1), date(2026, 5, 1)


def piece(one: ops.Node) -> str:
    if isinstance(one, ops.Literal):
        return ENGINE.compiler.visit_node(one, value=one.value, dtype=one.dtype).sql("duckdb")
    return f'"{one.name}"'


class Asked:
    """What is asked and whether it had to be written for that."""

    def __init__(self) -> None:
        self._written = Written(piece)
        self.times = 0

    def anew(self, expression: ir.Table) -> bool:
        """Whether it is written, having seen that it says the same either way."""
        before = self.times
        said = self._written.query(expression.op(), ibis.options.sql.fuse_selects, lambda: self._write(expression))
        assert said == ENGINE.compile(expression)
        return self.times > before

    def _write(self, expression: ir.Table) -> str:
        self.times += 1
        return ENGINE.compile(expression)


def between(first: object, last: object) -> ir.Table:
    return DAYS.filter(DAYS.day >= ibis.literal(first), DAYS.day < ibis.literal(last)).mutate(first=ibis.literal(first))


def before(at: datetime) -> ir.Table:
    return DAYS.filter(DAYS.at < ibis.literal(at))


def kept(name: str, kind: str = "int64") -> ir.Table:
    return DAYS.join(ops.DatabaseTable(name, schema=ibis.schema({"n": kind}), source=ENGINE, namespace=ops.Namespace()).to_expr(), "n")


def more_than(number: object) -> ir.Table:
    return DAYS.filter(DAYS.n > ibis.literal(number, "float64" if isinstance(number, float) else "int64"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (between(JANUARY, MARCH), between(MARCH, MAY)),
        (between(JANUARY, MARCH), between(MAY, JANUARY)),
        (before(datetime(2026, 1, 1, 9, 30)), before(datetime(2026, 10, 25, 0, 0, 1, 5))),
        (kept("kept_1"), kept("kept_12")),
    ],
)
def test_it_is_written_once_for_all_that_differ_in_what_passes(first: ir.Table, second: ir.Table) -> None:
    asked = Asked()
    assert [asked.anew(one) for one in (first, second, first)] == [True, False, False]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (between(JANUARY, MARCH), between(JANUARY, JANUARY)),  # of one day there is one literal, and of two there are two
        (between(JANUARY, JANUARY), between(JANUARY, MARCH)),
        (between(JANUARY, MARCH), between(datetime(2026, 1, 1), datetime(2026, 3, 1))),
        (kept("kept_1"), kept("kept_1", "float64")),
        (kept("kept_1"), kept("orders")),
        (more_than(1), more_than(2)),
        (more_than(1), more_than(1.0)),
        (DAYS.filter(DAYS.n > 1), DAYS.filter(DAYS.n >= 1)),
    ],
)
def test_what_differs_otherwise_is_written_for_itself(first: ir.Table, second: ir.Table) -> None:
    asked = Asked()
    assert [asked.anew(one) for one in (first, second)] == [True, True]


def test_unmerged_steps_are_written_for_themselves() -> None:
    asked = Asked()
    assert asked.anew(between(JANUARY, MARCH))
    with unmerged():
        assert asked.anew(between(JANUARY, MARCH))


def test_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "MOST", 2)
    asked = Asked()
    assert [asked.anew(more_than(number)) for number in (1, 2, 3, 2, 1)] == [True, True, True, False, True]


def test_a_history_answers_for_each_day_and_each_table_that_is_kept(tmp_path: Path) -> None:
    with open_history(URL, tmp_path) as opened:
        take(opened, "orders", [order("1", 100), order("2", 200)])
        orders, found = opened.table("orders"), []
        for chosen in ("1", "2"):
            mine = opened.keep(pa.table({"order_id": [chosen]}))
            kept_rows = opened.keep(orders.semi_join(mine, "order_id").mutate(day=ibis.literal(date(2026, 1, int(chosen)))))
            assert kept_rows.schema()["day"].is_date()
            found += opened.arrow(kept_rows.select("order_id", "net", "day")).to_pylist()
        assert found == [
            {"order_id": "1", "net": 100, "day": date(2026, 1, 1)}, {"order_id": "2", "net": 200, "day": date(2026, 1, 2)},
        ]


def test_a_fact_that_is_superseded_later_is_no_longer_current(tmp_path: Path) -> None:
    with open_history(URL, tmp_path) as opened:
        for net in (100, 250):
            take(opened, "orders", [order("1", net)])
            assert opened.arrow(opened.current("orders").select("net")).to_pylist() == [{"net": net}]


def test_what_is_kept_joins_what_is_stored_whatever_was_known_of_its_columns(tmp_path: Path) -> None:
    with open_history(URL, tmp_path) as opened:
        take(opened, "orders", [order("1", 100)])
        orders = opened.table("orders")
        at = ibis.literal("2026-01-01 09:00:00").cast("!timestamp")
        kept = opened.keep(orders.select(order_id=ibis.literal("2"), net=orders.net.fill_null(0), ordered_at=at))
        both = kept.union(orders.select("order_id", "net", "ordered_at"))
        assert sorted(opened.arrow(both)["order_id"].to_pylist()) == ["1", "2"]
