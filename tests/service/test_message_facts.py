"""The facts that messages freeze: true of the order, the parcel, the credit and the day that opened the round, and of no other."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from rekindle.decide.planner import Plan
from rekindle.deliver.contracts import REQUIRED
from rekindle.deliver.facts import FROZEN, Facts, with_frozen
from rekindle.history.tables import JOURNAL
from rekindle.history.warehouse import Warehouse
from rekindle.service.flow.message_facts import facts_of, messages
from rekindle.settings import Settings
from tests.decide.shop import OFFERS, documents, program
from tests.insight.histories import history, line, order, write

AS_OF = datetime(2026, 11, 23)
ROWS = ibis.schema(
    {
        **JOURNAL, "fresh": "boolean", "service": "boolean", "opened_at": "timestamp", "opening_order": "string",
        "opening_product": "string", "opening_category": "string", "opening_day": "date",
    }
).to_pyarrow()
KNOWN = pa.schema(
    [
        ("customer_id", pa.string()), ("orders", pa.int64()), ("first_day", pa.date32()), ("last_day", pa.date32()),
        ("last_product", pa.string()), ("last_category", pa.string()), ("category", pa.string()), ("cause", pa.string()),
        ("cause_evidence", pa.string()), ("offer_category", pa.string()), ("offer_product", pa.string()), ("overdue", pa.int64()),
        ("personas", pa.string()),
    ]
)
ON = {
    "back": "lapse", "thanks": "order", "late": "late_delivery", "arrived": "delivery", "refill": "run_out", "credits": "credit",
    "year": "anniversary", "birthday": "birthday", "welcome": "comeback",
}
DOCUMENTS = documents(*(program(name, trigger={"on": moment}) for name, moment in ON.items()))


class Book:
    """A history, and the messages of a plan over it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        products = {"p1": "LANTERN", "p2": "Vase", "p3": "Cup", "p4": "Plate", "p5": None, "p6": "Wall lamp"}
        rows = [{"product_id": key, "name": name, "category": "Lighting" if key == "p6" else "Home"} for key, name in products.items()]
        write(warehouse, {"products": rows})

    def frozen(self, *rows: dict[str, Any], **known: object) -> list[dict[str, Any]]:
        """The facts of messages, by customer."""
        full = [{**dict.fromkeys(ROWS.names), **USUAL, "customer_id": f"c{number}", **row} for number, row in enumerate(rows)]
        profile = [{**dict.fromkeys(KNOWN.names), "orders": 3, "first_day": date(2024, 11, 30), **known, "customer_id": row["customer_id"]}
                   for row in full]  # fmt: skip
        plan = Plan("", self.warehouse.keep(pa.Table.from_pylist(full, schema=ROWS)), rehearsal=False, scale=1.0)
        profiles = self.warehouse.keep(pa.Table.from_pylist(profile, schema=KNOWN))
        found = messages(self.warehouse, plan, profiles, DOCUMENTS).order_by("customer_id")
        settings = Settings(root=Path(), timezone="Europe/Berlin")
        return [facts_of(row, DOCUMENTS, settings) for row in self.warehouse.arrow(found).to_pylist()]


USUAL: dict[str, Any] = {
    "as_of": AS_OF, "program": "back", "stage": "reconnect", "arm": "plain", "channel": "email", "offer": "reminder", "fresh": True,
    "send_at": datetime(2026, 11, 23, 9), "cost_ceiling": 0, "cohort": None, "service": False,
}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with history(tmp_path) as warehouse:
        yield Book(warehouse)


def bought(name: str, *amounts: tuple[str, int], at: datetime = datetime(2026, 11, 20, 23, 30)) -> dict[str, list[dict[str, object]]]:
    made = order(name, "c0", at, sum(amount for _, amount in amounts))
    return {"orders": [made], "order_lines": [line(made, number + 1, *one) for number, one in enumerate(amounts)]}


def test_an_order_is_named_by_its_dearest_things(book: Book) -> None:
    write(book.warehouse, bought("o1", ("p3", 5), ("p1", 20), ("p2", 9), ("p3", 6), ("p4", 1), ("p5", 99)))
    write(book.warehouse, bought("o2", ("p4", 1)))
    (first, second, none) = book.frozen(
        {"program": "thanks", "opening_order": "o1"}, {"program": "thanks", "opening_order": "o2"}, {"program": "thanks"},
    )
    assert (first["products"], first["more_products"]) == (["LANTERN", "Cup", "Vase"], 2)
    assert (first["order_number"], first["ordered_day"], first["moment"]) == ("o1", "2026-11-21", "order")
    assert (second["products"], second["more_products"]) == (["Plate"], 0)
    assert (none["products"], none["more_products"], none["order_number"], none["ordered_day"]) == ([], 0, None, None)


def test_an_order_that_its_source_has_no_number_for_goes_without(book: Book) -> None:
    made_id = "6947ee0c12ab34cd"
    write(book.warehouse, bought(made_id, ("p1", 20)))
    rows = [{"program": "thanks", "opening_order": one} for one in (made_id, f"{made_id}-2", "1234567890123456", "CAFE-1042")]
    found = book.frozen(*rows)
    assert [one["order_number"] for one in found] == [None, None, "1234567890123456", "CAFE-1042"]
    assert (found[0]["products"], found[0]["ordered_day"]) == (["LANTERN"], "2026-11-21")


def test_what_was_sent_back_is_not_spoken_of(book: Book) -> None:
    write(book.warehouse, bought("o1", ("p1", 20), ("p2", 9), ("p3", 5)))
    early, late = datetime(2026, 11, 22), datetime(2026, 11, 24)
    back = {"order_id": "o1", "customer_id": "c0", "quantity": 1, "amount": 20, "open": False}
    when = {"p1": early, None: early, "p2": late}
    rows = [{"return_id": f"r{product}", "product_id": product, "returned_at": at, **back} for product, at in when.items()]
    write(book.warehouse, {"returns": rows})
    (facts,) = book.frozen({"program": "arrived", "opening_order": "o1"})
    assert (facts["products"], facts["more_products"]) == (["Vase", "Cup"], 0)


def parcel(name: str, of: str, promised: datetime | None, delivered: datetime | None = None) -> dict[str, object]:
    return {"shipment_id": name, "order_id": of, "customer_id": "c0", "promised_at": promised, "delivered_at": delivered}


def test_what_was_promised_and_when_the_last_parcel_came(book: Book) -> None:
    early, mid, late = datetime(2026, 11, 18, 12), datetime(2026, 11, 20, 12), datetime(2026, 11, 21, 23, 30)
    write(book.warehouse, bought("o1", ("p1", 1)) | {"shipments": [parcel("s1", "o1", early, mid), parcel("s2", "o1", mid, late)]})
    write(book.warehouse, bought("o2", ("p1", 1)) | {"shipments": [parcel("s3", "o2", early, mid), parcel("s4", "o2", mid)]})
    write(book.warehouse, bought("o3", ("p1", 1)) | {"shipments": [parcel("s5", "o3", mid), parcel("s6", "o3", datetime(2026, 11, 30))]})
    write(book.warehouse, bought("o4", ("p1", 1)) | {"shipments": [parcel("s7", "o4", mid, datetime(2026, 11, 23, 1))]})
    whole, part, overdue, unseen = book.frozen(
        {"program": "arrived", "opening_order": "o1"}, {"program": "arrived", "opening_order": "o2"},
        {"program": "late", "opening_order": "o3"}, {"program": "late", "opening_order": "o4"},
    )
    assert (whole["promised_day"], whole["delivered_day"]) == ("2026-11-20", "2026-11-22")  # the store's days, not UTC's
    assert (part["promised_day"], part["delivered_day"]) == ("2026-11-20", None)
    assert (overdue["promised_day"], overdue["delivered_day"]) == ("2026-11-20", None)  # of the parcel that is late
    assert (unseen["promised_day"], unseen["delivered_day"]) == ("2026-11-20", None)  # it came after the plan's instant


def test_a_credit_is_told_with_what_is_left_of_it(book: Book) -> None:
    given = {"customer_id": "c0", "amount": 1500, "issued_at": datetime(2026, 10, 1), "expires_on": date(2026, 12, 7)}
    write(book.warehouse, {"credits": [{"credit_id": "k1", "spent": 1000, **given}, {"credit_id": "k2", "spent": None, **given}]})
    round_ = {"program": "credits", "opening_day": date(2026, 12, 7)}
    part, whole, other = book.frozen({"episode": "k1", **round_}, {"episode": "k2", **round_}, {"episode": "k1"})
    assert (part["credit_left"], part["day"], part["days_ahead"]) == ("EUR 5.00", "2026-12-07", 14)
    assert whole["credit_left"] == "EUR 15.00"
    assert other["credit_left"] is None


def test_days_are_counted_from_the_message(book: Book) -> None:
    refill, year, birthday = book.frozen(
        {"program": "refill", "opening_product": "p2", "opening_category": "Home", "opening_day": date(2026, 11, 30)},
        {"program": "year", "opening_day": date(2026, 11, 30)}, {"program": "birthday", "opening_day": date(2026, 11, 30)},
    )
    assert (refill["product"], refill["category"], refill["days_ahead"], refill["years"]) == ("Vase", "Home", 7, None)
    assert (year["years"], birthday["years"]) == (2, None)


def test_after_a_return_what_counts_is_from_before(book: Book) -> None:
    before = {"offer_category": "Lighting", "offer_product": "p6", "category": "Garden", "last_category": "Home"}
    (back,) = book.frozen({"program": "welcome", "opening_order": "o1", "opening_category": "Home"}, **before)
    assert (back["category"], back["favourite"]) == ("Lighting", "Wall lamp")
    (thanks,) = book.frozen({"program": "thanks", "opening_category": "Home"}, **before)
    assert thanks["category"] == "Home"
    (lapsed,) = book.frozen({}, **(before | {"category": None}))
    assert lapsed["category"] == "Home"


def test_an_offer_says_what_it_holds_for_and_what_it_is_worth(book: Book) -> None:
    until = {"valid_until": date(2026, 12, 7)}
    category, thing, credit, plain = book.frozen(
        {"offer": "percent", "scope": "category:Coffee & Tea", **until}, {"offer": "percent", "scope": "product:p2", **until},
        {"offer": "credit", "offer_value": 750, **until}, until, category="Garden",
    )
    assert (category["offer_scope"], category["category"], category["offer_value"]) == ("Coffee & Tea", "Coffee & Tea", "10 % off")
    assert (thing["offer_scope"], thing["category"]) == ("Vase", "Home"), "a vase is of the home, whatever the customer likes best"
    assert (credit["offer_scope"], credit["offer_value"], credit["valid_until"]) == (None, "EUR 7.50", "2026-12-07")
    assert (plain["offer_value"], plain["valid_until"]) == ("", None)


def test_a_message_names_nothing_of_another_category_than_its_offer(book: Book) -> None:
    """An offer for lighting does not stand beside a vase."""
    last = {"last_product": "p2", "last_category": "Home", "category": "Garden", "offer_product": "p2"}
    lighting, home, thing, whole = book.frozen(
        {"offer": "percent", "scope": "category:Lighting"}, {"offer": "percent", "scope": "category:Home"},
        {"offer": "percent", "scope": "product:p6"}, {"offer": "credit"}, **last,
    )  # fmt: skip
    named = [[one[name] for name in ("offer_scope", "category", "last_product", "favourite")] for one in (lighting, home, thing, whole)]
    assert named == [
        ["Lighting", "Lighting", None, None], ["Home", "Home", "Vase", "Vase"], ["Wall lamp", "Lighting", None, None],
        [None, "Garden", "Vase", "Vase"],
    ]  # fmt: skip


def test_why_it_is_due_and_what_it_must_say_are_frozen_with_it(book: Book) -> None:
    (late,) = book.frozen({"program": "back"}, overdue=3, personas="premium, quick_solution")
    (early,) = book.frozen({"program": "year"}, overdue=-2)
    assert (late["overdue"], late["persona"], early["overdue"], early["persona"]) == (True, "premium", False, None)
    shipped = DOCUMENTS.program("back")
    assert late["series"] == (len(shipped.stages) if len(shipped.stages) > 1 else None)
    promised = shipped.content_for("reconnect", None)
    assert late["blocks"] == sorted(REQUIRED & set(promised))
    assert "preferences_and_pause" in late["blocks"]


def test_every_fact_can_be_frozen_and_comes_back(book: Book) -> None:
    write(book.warehouse, bought("o1", ("p1", 20), ("p2", 9)))
    (facts,) = book.frozen({"program": "thanks", "opening_order": "o1", "opening_day": date(2026, 11, 21), "service": True})
    assert set(facts) == FROZEN - {"why"}
    back = with_frozen(Facts(stage=""), json.dumps(facts), date(2026, 11, 23))
    assert (back.products, back.ordered_day, back.day, back.service) == (("LANTERN", "Vase"), date(2026, 11, 21), date(2026, 11, 21), True)
    assert OFFERS["reminder"]["label"] == back.offer_label
