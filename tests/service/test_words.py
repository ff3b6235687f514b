"""Words of consent are added and read: nothing changes one, an erasure alone takes it away, and what an order implies counts last."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import ibis
import pyarrow as pa
import pytest
from django.db import IntegrityError, transaction

from rekindle.errors import Refused
from rekindle.history.append import append, next_batch
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.people import actions, queries
from rekindle.service.people.models import Consent, Person
from rekindle.service.privacy.actions import forget
from rekindle.service.privacy.queries import traces
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.reach import looked, unreachable
from tests.service.touches import meet

LEDGERS = ("sqlite", "postgresql")

DAY = timedelta(days=1)
CHANGES: dict[str, Callable[[Consent], object]] = {
    "save": lambda one: one.save(),
    "save of some fields": lambda one: one.save(update_fields=["granted"]),
    "delete": lambda one: one.delete(),
    "update": lambda one: Consent.objects.filter(pk=one.pk).update(granted=False),
    "update of many": lambda one: Consent.objects.bulk_update([one], ["granted"]),
    "delete of many": lambda _: Consent.objects.all().delete(),
    "update or create": lambda one: Consent.objects.update_or_create({"granted": False}, customer_id=one.customer_id),
}


@pytest.mark.parametrize("how", CHANGES)
def test_no_way_changes_a_word(store: Settings, how: str) -> None:
    meet(["c1"])
    before = list(Consent.objects.values())
    one = Consent.objects.get()
    one.granted = False
    with pytest.raises(Refused, match="never changed"):
        CHANGES[how](one)
    assert list(Consent.objects.values()) == before


def test_a_word_with_the_number_of_another_does_not_take_its_place(store: Settings) -> None:
    meet(["c1"])
    held = Consent.objects.values().get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent(**{**held, "granted": False}).save()
    assert Consent.objects.values().get() == held


def test_an_erasure_takes_it_away(store: Settings) -> None:
    meet(["c1", "c2"])
    forget(traces(["c1"], []), NOON)
    assert list(Consent.objects.values_list("customer_id", flat=True)) == ["c2"]


@pytest.fixture
def relying(store: Settings) -> Settings:
    return store.model_copy(update={"consent": store.consent.model_copy(update={"purchase_implied_days": 30})})


@pytest.fixture
def warehouse(relying: Settings) -> Iterator[Warehouse]:
    with open_history(relying.history, relying.root) as opened:
        yield opened


def bought(warehouse: Warehouse, settings: Settings, *orders: tuple[str, int], cancelled: bool = False) -> int:
    """Orders of some customers so many days before noon, and the cycle that follows; how many consents history learned."""
    rows = [
        {
            "order_id": f"o-{customer}-{days}", "customer_id": customer, "ordered_at": (NOON - days * DAY).replace(tzinfo=None),
            "purchase_day": (NOON - days * DAY).date(), "net": 1000, "discount": 0, "shipping": 0, "tax": 0, "code": None,
            "cancelled": cancelled, "lines": 0,
        }
        for customer, days in orders
    ]
    if rows:
        append(warehouse, "orders", ibis.memtable(rows, schema=FACTS["orders"].columns), "test", next_batch(warehouse))
    return close_cycle(settings, warehouse, NOON).consents


def known(*customers: str) -> None:
    """People with an address who have said nothing."""
    rows = [{"customer_id": one, "email": f"{one}@people.example"} for one in customers]
    actions.record_contacts(pa.Table.from_pylist(rows), NOON - 9 * DAY)


def refusals(days: float = 0, channel: str = "email") -> dict[str, str]:
    """Who must not be written to so many days after noon; the whole reading and the last look say the same."""
    at, people = NOON + days * DAY, Person.objects.in_bulk()
    found = queries.refusals(people, channel, at)
    assert looked(at, people, channel, service=False) == found
    return found


def test_an_order_implies_a_consent_that_ends_by_itself_and_a_later_one_renews_it(relying: Settings, warehouse: Warehouse) -> None:
    known("c1", "c2", "c3")
    assert bought(warehouse, relying, ("c1", 10), ("c1", 12), ("c2", 31), ("nobody", 1)) == 1
    assert (refusals(19), refusals(20)["c1"]) == ({"c2": "no consent", "c3": "no consent"}, "consent expired")
    assert refusals(channel="sms")["c1"] == "no consent"
    said = Consent.objects.values_list("basis", "source", "recorded_at", "expires_at").get()
    assert said == ("purchase", "order", NOON - 10 * DAY, NOON + 20 * DAY)
    assert bought(warehouse, relying) == 0, "it is said once"
    assert bought(warehouse, relying, ("c1", 2)) == 1
    assert (Consent.objects.count(), "c1" in refusals(27)) == (2, False)
    (told,) = [row for row in queries.consents().to_pylist() if row["customer_id"] == "c1"]
    assert (told["granted"], told["expires_at"]) == (True, (NOON + 28 * DAY).replace(tzinfo=None))


def test_no_order_implies_anything_where_the_store_does_not_ask_for_it(store: Settings, warehouse: Warehouse) -> None:
    known("c1")
    assert bought(warehouse, store, ("c1", 1)) == 0
    assert refusals() == {"c1": "no consent"}


def test_a_cancelled_order_implies_nothing(relying: Settings, warehouse: Warehouse) -> None:
    known("c1")
    assert bought(warehouse, relying, ("c1", 1), cancelled=True) == 0


@pytest.mark.parametrize("days", [20, 5, 1])
@pytest.mark.parametrize("first", [True, False])
def test_a_refusal_counts_before_it_whenever_it_was_said_and_heard(relying: Settings, warehouse: Warehouse, days: int, first: bool) -> None:
    known("c1")
    steps: list[Callable[[], object]] = [
        lambda: actions.opt_out("c1", "email", NOON - days * DAY, "link"), lambda: bought(warehouse, relying, ("c1", 5)),
    ]
    for step in steps if first else steps[::-1]:
        step()
    assert refusals() == {"c1": "opted out"}


@pytest.mark.parametrize("reason", ["bounce", "opt-out"])
def test_it_undoes_no_suppression(relying: Settings, warehouse: Warehouse, reason: str) -> None:
    known("c1")
    actions.suppress("email", "c1@people.example", reason, NOON - 8 * DAY)
    bought(warehouse, relying, ("c1", 5))
    assert refusals() == {"c1": "address suppressed"}
    assert bool(unreachable(Person.objects.in_bulk(), "email")) == (reason == "bounce")
    dead = {"c1": "address suppressed"} if reason == "bounce" else {}
    assert looked(NOON, Person.objects.in_bulk(), "email", service=True) == dead
    assert queries.consents()["granted"].to_pylist() == [False]


def test_who_agreed_themselves_does_not_lose_it_by_an_order(relying: Settings, warehouse: Warehouse) -> None:
    known("c1")
    bought(warehouse, relying, ("c1", 5))
    said = {"customer_id": "c1", "email_consent": True, "consent_at": NOON - 5 * DAY}
    assert actions.record_contacts(pa.Table.from_pylist([said]), NOON).consents == 1, "at the instant of the order"
    bought(warehouse, relying, ("c1", 1))
    assert refusals(300) == {}


def test_a_yes_without_a_date_is_heard_where_an_order_implied_one(relying: Settings, warehouse: Warehouse) -> None:
    known("c1")
    bought(warehouse, relying, ("c1", 5))
    assert actions.record_contacts(pa.Table.from_pylist([{"customer_id": "c1", "email_consent": True}]), NOON).consents == 1
    assert refusals(300) == {}
