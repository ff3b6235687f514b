"""Days ahead that are worth a word: unspent credits, birthdays without a year, and what a customer will soon have used up."""

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from rekindle.decide import openings
from rekindle.history.warehouse import Warehouse
from rekindle.program.documents import Program
from tests.decide.shop import MONDAY, ROWS, Decider, customer, instant, program
from tests.insight.histories import order, write

NOW = MONDAY.replace(tzinfo=None)


def credit(name: str, amount: int, spent: int, expires: date | None, issued: datetime = NOW - timedelta(days=40)) -> dict[str, object]:
    return {"credit_id": name, "customer_id": "anna", "amount": amount, "spent": spent, "issued_at": issued, "expires_on": expires}


FACTS = {
    "orders": [order("a1", "anna", NOW - timedelta(days=30), 1_000)],
    "credits": [
        credit("open", 1_000, 400, date(2026, 3, 10)), credit("spent", 1_000, 1_000, date(2026, 3, 10)),
        credit("over", 1_000, 0, date(2026, 3, 1)), credit("far", 1_000, 0, date(2026, 9, 1)), credit("endless", 500, 0, None),
        credit("later", 500, 0, date(2026, 3, 10), issued=NOW + timedelta(hours=1)),
    ],
    "people": [
        {"customer_id": name, "birthday": birthday}
        for name, birthday in (("anna", "03-04"), ("ben", "02-29"), ("cleo", None), ("dora", "08-01"))
    ],
}
PEOPLE = [customer(name, last_order_id=f"{name}-last", last_day=date(2026, 1, 31)) for name in ("anna", "ben", "cleo", "dora")]


@pytest.fixture(scope="module")
def shop(shared_decider: Decider) -> Warehouse:
    write(shared_decider.warehouse, FACTS)
    return shared_decider.warehouse


def rounds(shop: Warehouse, wanted: Program) -> list[dict[str, object]]:
    profile = shop.keep(pa.Table.from_pylist(PEOPLE, schema=ROWS.to_pyarrow()))
    return shop.arrow(openings.find(shop, profile, wanted, instant(0)).order_by("customer_id", "episode")).to_pylist()


def moment(on: str, **more: object) -> Program:
    return program(trigger={"on": on, **more}, exit=["opt_out", "erasure"])


def test_a_credit_is_worth_a_word_while_a_part_is_unspent_and_before_it_expires(shop: Warehouse) -> None:
    found = {row["episode"]: row for row in rounds(shop, moment("credit", ahead="14d"))}
    assert set(found) == {"open", "far", "endless"}
    assert found["open"]["opened_at"] == datetime(2026, 2, 24), "fourteen days before it expires"
    assert found["far"]["opened_at"] == datetime(2026, 8, 18), "not yet due"
    assert found["endless"]["opened_at"] == NOW - timedelta(days=10), "thirty days after it was given"


def test_a_birthday_comes_every_year_and_a_leap_day_on_the_day_before(shop: Warehouse) -> None:
    found = {row["customer_id"]: row for row in rounds(shop, moment("birthday", ahead="3d"))}
    assert set(found) == {"anna", "ben"}, "cleo told nobody, dora's is months away"
    assert (found["anna"]["opening_day"], found["anna"]["opened_at"]) == (date(2026, 3, 4), datetime(2026, 3, 1))
    assert (found["ben"]["opening_day"], found["ben"]["episode"]) == (date(2026, 2, 28), "2026")
