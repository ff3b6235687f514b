"""What changes what is known of people: contacts come in, ids are learned, someone opts out.

Knows nothing of files and messages. Large inputs are written in short transactions, so that an opt-out never waits long.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.db import transaction

from rekindle.errors import BadData
from rekindle.service.people.addresses import lookup_form
from rekindle.service.people.bulk import upsert
from rekindle.service.people.contacts import MARKETING, Contact, Counts, read_contact
from rekindle.service.people.models import CHANGED, KNOWN, TAKEN, Consent, ExternalId, Person, Suppression
from rekindle.service.people.queries import address_of

CHUNK = 2_000
_PERSON_FIELDS = ("email", "phone", "first_name", "last_name", "locale", "timezone", "birthday")
_PERSON_COLUMNS = ("customer_id", *_PERSON_FIELDS, "email_lookup", "updated_at", "mirror")
_CONSENT_COLUMNS = ("customer_id", "channel", "purpose", "granted", "basis", "source", "wording_version", "recorded_at")


def record_external_ids(rows: pa.Table) -> int:
    """Learns what sources call customers.

    Args:
        rows: Columns customer_id, source, external_id.

    Returns:
        How many ids are new.
    """
    before = ExternalId.objects.count()
    for chunk in _chunks(rows.select(["customer_id", "source", "external_id"])):
        with transaction.atomic():
            upsert(ExternalId, [tuple(row.values()) for row in chunk if row["external_id"]], ["customer_id", "source", "external_id"])
    return ExternalId.objects.count() - before


def record_contacts(rows: pa.Table, at: datetime) -> Counts:
    """Takes contact data and consent in; what is unusable is counted and left out, what is empty changes nothing.

    A consent without a time, or with one after `at`, counts from `at`, and never undoes a refusal.

    Args:
        rows: Columns customer_id, source, external_id, email, phone, first_name, last_name, locale, timezone, birthday,
            email_consent, sms_consent, consent_at, consent_source; all but the first may be absent or null.
        at: The instant of the import, aware.

    Raises:
        BadData: There is no customer_id column.
    """
    if "customer_id" not in rows.column_names:
        raise BadData("contacts without a customer id", "Map the column that holds the customer's id to customer_id.")
    if {"source", "external_id"} <= set(rows.column_names):
        record_external_ids(rows)
    counts = Counts(read=rows.num_rows)
    for chunk in _chunks(rows):
        contacts = [read_contact(row, at) for row in chunk if row["customer_id"]]
        with transaction.atomic():
            counts += _record_chunk(contacts, at)
    return counts


def opt_out(customer_id: str, channel: str, at: datetime, source: str, purpose: str = MARKETING) -> None:
    """Records that a customer wants no more messages of a purpose on a channel; counts for the address, too."""
    with transaction.atomic():
        person, _ = Person.objects.get_or_create(customer_id=customer_id, defaults={"updated_at": at})
        statement = {"customer_id": customer_id, "channel": channel, "purpose": purpose, "recorded_at": at, "granted": False}
        Consent.objects.get_or_create(**statement, defaults={"basis": "objection", "source": source})
        address = address_of(person, channel)
        if address:
            Suppression.objects.create(channel=channel, address=address, reason="opt-out", recorded_at=at)
        field = {"email": "email_lookup", "sms": "phone"}.get(channel, "")
        same = Person.objects.filter(**{field: address}) if address else Person.objects.filter(pk=customer_id)
        same.update(mirror=CHANGED, updated_at=at)


def take_changes() -> None:
    """Marks the people whom history does not know yet; what changes from here on is left for the next time."""
    with transaction.atomic():
        Person.objects.filter(mirror=CHANGED).update(mirror=TAKEN)


def changes_known() -> None:
    """History now knows the people taken."""
    with transaction.atomic():
        Person.objects.filter(mirror=TAKEN).update(mirror=KNOWN)


def _chunks(rows: pa.Table) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, rows.num_rows, CHUNK):
        yield rows.slice(start, CHUNK).to_pylist()


def _record_chunk(contacts: Sequence[Contact], at: datetime) -> Counts:
    ids = {contact.customer_id for contact in contacts}
    statements = _new_statements(contacts, ids, at)
    told = {str(statement[0]) for statement in statements}
    held = Person.objects.in_bulk(ids)
    people = {person.customer_id: person for person in _merged(contacts, held, told, at)}
    upsert(Person, [[getattr(person, name) for name in _PERSON_COLUMNS] for person in people.values()], _PERSON_COLUMNS, "customer_id")
    upsert(Consent, statements, _CONSENT_COLUMNS)
    return Counts(
        people=len(people),
        consents=len(statements),
        bad_emails=sum(contact.bad_email for contact in contacts),
        bad_phones=sum(contact.bad_phone for contact in contacts),
        bad_zones=sum(contact.bad_zone for contact in contacts),
    )


def _merged(contacts: Iterable[Contact], held: dict[str, Person], told: set[str], at: datetime) -> Iterator[Person]:
    """People as they are after the contacts, where that is new; an empty field keeps what is held."""
    for contact in contacts:
        person = held.get(contact.customer_id)
        changed = person is None or contact.customer_id in told
        if person is None:
            person = held[contact.customer_id] = Person(customer_id=contact.customer_id)
        for name in _PERSON_FIELDS:
            value = getattr(contact, name)
            if value and value != getattr(person, name):
                setattr(person, name, value)
                changed = True
        if changed:
            person.email_lookup = lookup_form(person.email)
            person.updated_at, person.mirror = at, CHANGED
            yield person


def _new_statements(contacts: Iterable[Contact], ids: set[str], at: datetime) -> list[tuple[object, ...]]:
    said = Consent.objects.filter(customer_id__in=ids, purpose=MARKETING).order_by("recorded_at", "-granted")
    held = list(said.values_list("customer_id", "channel", "recorded_at", "granted"))
    known = set(held)
    standing = {(customer, channel): granted for customer, channel, _, granted in held}
    new: list[tuple[object, ...]] = []
    for contact in contacts:
        for channel, granted in contact.consents:
            who = (contact.customer_id, channel)
            moot = contact.consent_at is None and standing.get(who) in (granted, False)
            when = contact.consent_at or at
            if moot or (*who, when, granted) in known:
                continue
            known.add((*who, when, granted))
            standing[who] = granted
            basis = "consent" if granted else "objection"
            new.append((*who, MARKETING, granted, basis, contact.consent_source, "", when))
    return new
