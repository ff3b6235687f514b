"""What the ledger holds of customers, wherever it is, and which requests are open.

Changes nothing. A table with a `customer_id` holds rows of that customer: one that is added is covered without a word here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model, Q, QuerySet

from rekindle.service.outbox.models import ATTEMPTING, CLAIMED, Touch
from rekindle.service.people.addresses import lookup_form, normal_email, normal_phone
from rekindle.service.people.models import ExternalId, Person
from rekindle.service.privacy.models import ERASURE, Receipt
from rekindle.service.redemptions.models import Redemption

IN_A_QUERY = 500
_OURS = "rekindle.service."


@dataclass(frozen=True, slots=True)
class Traces:
    """By what customers are found in files.

    Args:
        customers: Their ids.
        names: What other systems call them.
        addresses: Their e-mail addresses, in lower case, and phone numbers.
        tokens: What their messages are called.
        touches: Numbers of their messages.
        orders: The ids of their orders.
    """

    customers: frozenset[str]
    names: frozenset[str]
    addresses: frozenset[str]
    tokens: frozenset[str]
    touches: frozenset[int]
    orders: frozenset[str]


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Values in parts that fit one query."""
    for start in range(0, len(values), IN_A_QUERY):
        yield values[start : start + IN_A_QUERY]


def personal() -> list[type[Model]]:
    """Every table of the ledger that names customers, receipts apart."""
    ours = [model for model in apps.get_models() if model.__module__.startswith(_OURS) and model is not Receipt]
    return [model for model in ours if any(one.name == "customer_id" for one in model._meta.concrete_fields)]


def traces(customers: Sequence[str], orders: Sequence[str]) -> Traces:
    """By what these customers are found in files.

    Args:
        customers: Their ids.
        orders: The ids of their orders.
    """
    names, addresses, tokens, touches = set[str](), set[str](), set[str](), set[int]()
    for part in chunks(customers):
        names.update(ExternalId.objects.filter(customer_id__in=part).values_list("external_id", flat=True))
        for email, phone in Person.objects.filter(customer_id__in=part).values_list("email_lookup", "phone"):
            addresses.update(one for one in (email, phone) if one)
        for token, number in Touch.objects.filter(customer_id__in=part).values_list("token", "pk"):
            tokens.add(token)
            touches.add(number)
    named = [frozenset(one for one in found if one) for found in (names, tokens, orders)]
    return Traces(frozenset(customers), named[0], frozenset(addresses), named[1], frozenset(touches), named[2])


def named_by(source: str, external_id: str, email: str, phone: str) -> list[str]:
    """The customers whom another system means: the one that its id stands for, else whoever has the address or the number.

    Args:
        source: What the other system's ids are held under; an id that only another source knows is somebody else's.
        external_id: The customer's id there.
        email: An address, however it is written.
        phone: A number with its country, however it is written.
    """
    theirs = ExternalId.objects.filter(source=source)
    found = list(theirs.filter(external_id=external_id).values_list("customer_id", flat=True)) if external_id else []
    if found:
        return found
    forms = {lookup_form(one) for one in (email, normal_email(email), phone, normal_phone(phone)) if one}
    reached = Person.objects.filter(Q(email_lookup__in=forms) | Q(phone__in=forms))
    called = theirs.filter(external_id__in=forms)  # files without ids call customers by address or number
    return sorted({*reached.values_list("customer_id", flat=True), *called.values_list("customer_id", flat=True)})


def everyone() -> list[str]:
    """Every customer whom the ledger names."""
    found = set(Person.objects.values_list("customer_id", flat=True)) | set(ExternalId.objects.values_list("customer_id", flat=True))
    return sorted(found)


def told_and_printed() -> type[Model]:
    """The table of the console's jobs: what one printed may name anybody, as a report may, and goes with whoever is erased."""
    return apps.get_model("console", "Job")


def rows_of(customer_id: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that the ledger holds of a customer, by table."""
    found = {model._meta.db_table: list(model._default_manager.filter(customer_id=customer_id).values()) for model in personal()}
    redeemed = [dict(row) for row in Redemption.objects.filter(coupon__customer_id=customer_id).values()]
    return {name: rows for name, rows in sorted({**found, Redemption._meta.db_table: redeemed}.items()) if rows}


def being_handed_over(customers: Sequence[str]) -> bool:
    """Whether a message to one of these customers is with a worker now."""
    rows = Touch.objects.filter(status__in=(CLAIMED, ATTEMPTING))
    return any(rows.filter(customer_id__in=part).exists() for part in chunks(customers))


def is_leaving(customer_id: str) -> bool:
    """Whether a customer, or everybody, asked to be erased and is not yet."""
    return open_requests(ERASURE).filter(Q(customer_id=customer_id) | Q(everyone=True)).exists()


def open_requests(kind: str) -> QuerySet[Receipt]:
    """What was asked and is not done, the oldest first."""
    return Receipt.objects.filter(kind=kind, done_at=None).order_by("asked_at", "number")
