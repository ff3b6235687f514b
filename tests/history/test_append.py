"""Facts are versions: the same twice writes nothing, a change replaces, and the past can be asked for."""

from datetime import timedelta

import pytest

from rekindle.history.append import Appended, append, next_batch
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse
from tests.history.facts import NOON, held, lines, order, rows, take


@pytest.mark.parametrize("name", FACTS)
def test_the_same_facts_twice_write_nothing(warehouse: Warehouse, name: str) -> None:
    assert take(warehouse, name, [{}]) == Appended(new=1, changed=0)
    before = warehouse.arrow(warehouse.table(name))
    assert take(warehouse, name, [{}]) == Appended(new=0, changed=0)
    assert warehouse.arrow(warehouse.table(name)) == before
    assert before.num_rows == 1
    assert next_batch(warehouse) == 2


def test_only_what_is_new_or_changed_is_written(warehouse: Warehouse) -> None:
    assert take(warehouse, "orders", [order("1", 100), order("2", 200)]) == Appended(2, 0)
    assert take(warehouse, "orders", [order("1", 100), order("2", 250), order("3", 300)]) == Appended(1, 1)
    assert held(warehouse, "orders", "order_id", "net", "batch") == [("1", 100, 1), ("2", 250, 2), ("3", 300, 2)]
    assert warehouse.scalar(warehouse.table("orders").count()) == 4


def test_a_change_in_any_column_is_seen(warehouse: Warehouse) -> None:
    columns = [column for column in FACTS["orders"].columns if column != "order_id"]
    take(warehouse, "orders", [{"order_id": column} for column in columns])
    assert take(warehouse, "orders", [{"order_id": column, column: None} for column in columns]) == Appended(0, len(columns))
    assert take(warehouse, "orders", [{"order_id": "ordered_at", "ordered_at": NOON + timedelta(microseconds=1)}]) == Appended(0, 1)


def test_a_fact_that_goes_back_to_what_it_was_is_a_new_version(warehouse: Warehouse) -> None:
    for net in (100, 200, 100):
        take(warehouse, "orders", [order("1", net)])
    assert held(warehouse, "orders", "net", "batch") == [(100, 3)]


def test_an_order_that_shrinks_loses_its_line(warehouse: Warehouse) -> None:
    take(warehouse, "order_lines", [*lines("1", 10, 20, 30), *lines("2", 40)])
    assert take(warehouse, "order_lines", lines("1", 10, 20)) == Appended(new=0, changed=1)
    assert held(warehouse, "order_lines", "order_id", "line_no", "amount") == [("1", 1, 10), ("1", 2, 20), ("2", 1, 40)]


def test_an_order_that_grows_replaces_all_its_lines(warehouse: Warehouse) -> None:
    take(warehouse, "order_lines", lines("1", 10))
    assert take(warehouse, "order_lines", lines("1", 10, 20)) == Appended(new=0, changed=1)
    assert held(warehouse, "order_lines", "line_no", "amount", "batch") == [(1, 10, 2), (2, 20, 2)]


def test_the_order_in_which_lines_arrive_is_no_change(warehouse: Warehouse) -> None:
    take(warehouse, "order_lines", lines("1", 10, 20, 30))
    assert take(warehouse, "order_lines", reversed(lines("1", 10, 20, 30))) == Appended(0, 0)


def test_a_watermark_shows_what_was_held_then(warehouse: Warehouse) -> None:
    take(warehouse, "order_lines", lines("1", 10, 20))
    take(warehouse, "order_lines", [*lines("1", 10), *lines("2", 30)])
    take(warehouse, "order_lines", lines("2", 35))
    columns = ("order_id", "amount")
    assert held(warehouse, "order_lines", *columns, watermark=0) == []
    assert held(warehouse, "order_lines", *columns, watermark=1) == [("1", 10), ("1", 20)]
    assert held(warehouse, "order_lines", *columns, watermark=2) == [("1", 10), ("2", 30)]
    assert held(warehouse, "order_lines", *columns, watermark=3) == held(warehouse, "order_lines", *columns) == [("1", 10), ("2", 35)]


def test_two_tables_may_share_a_key(warehouse: Warehouse) -> None:
    take(warehouse, "orders", [order("1", 100)])
    take(warehouse, "order_lines", lines("1", 100))
    take(warehouse, "orders", [order("1", 90)])
    assert held(warehouse, "orders", "net") == [(90,)]
    assert held(warehouse, "order_lines", "amount") == [(100,)]


def test_a_transaction_that_fails_leaves_the_store_as_it_was(warehouse: Warehouse) -> None:
    take(warehouse, "orders", [order("1", 100)])
    before = {name: warehouse.arrow(warehouse.table(name)) for name in ("orders", "superseded", "batches")}

    def fail_halfway() -> None:
        with warehouse.transaction():
            take(warehouse, "orders", [order("1", 200), order("2", 50)])
            assert held(warehouse, "orders", "order_id", "net") == [("1", 200), ("2", 50)]
            raise RuntimeError("power failed")

    with pytest.raises(RuntimeError, match="power failed"):
        fail_halfway()
    assert {name: warehouse.arrow(warehouse.table(name)) for name in before} == before
    assert take(warehouse, "orders", [order("1", 200)]) == Appended(0, 1)


def test_types_are_those_of_the_table_whatever_the_file_had(warehouse: Warehouse) -> None:
    given = rows("orders", order("1", 100))
    append(warehouse, "orders", given.mutate(net=given.net.cast("int8"), discount=given.discount.cast("decimal(18, 0)")), "shop", 1)
    assert held(warehouse, "orders", "net", "discount") == [(100, 1000)]
    assert take(warehouse, "orders", [order("1", 100)]) == Appended(0, 0)
