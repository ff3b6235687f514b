"""What changes what is known of people: contacts come in, ids are learned, someone opts out.

Knows nothing of files and messages. Large inputs are written in short transactions, so that an opt-out never waits long.
"""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from django.db import transaction
from django.db.models import Max

from rekindle.errors import BadData
from rekindle.service.people.addresses import lookup_form
from rekindle.service.people.bulk import upsert
from rekindle.service.people.contacts import MARKETING, Contact, Counts, read_contact
from rekindle.service.people.digests import digest_of, digests_of
from rekindle.service.people.models import (
    CHANGED,
    ERASED,
    KNOWN,
    LASTING,
    OPT_OUT,
    PURCHASE,
    TAKEN,
    Consent,
    ExternalId,
    OptIn,
    Person,
    Suppression,
)
from rekindle.service.people.queries import ADDRESSES, address_of, can_confirm

CHUNK = 2_000
_PERSON_FIELDS = ("email", "phone", "first_name", "last_name", "locale", "timezone", "birthday")
_PERSON_COLUMNS = ("customer_id", *_PERSON_FIELDS, "email_lookup", "updated_at", "mirror")
_CONSENT_COLUMNS = ("customer_id", "channel", "purpose", "granted", "basis", "source", "wording_version", "recorded_at")
_Statement = tuple[str, str, str, bool, str, str, str, datetime]


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

    A consent without a time, or with one after `at`, counts from `at`, and never undoes a refusal, nor what suppresses an address.

    Args:
        rows: Columns customer_id, source, external_id, email, phone, first_name, last_name, locale, timezone, birthday,
            email_consent, sms_consent, inapp_consent, consent_at, consent_source; all but the first may be absent or null.
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
    """Records that a customer wants no more messages of a purpose on a channel; counts for the address, too.

    Where the clock was set back since they last said something, it bears the instant of that, so that it is the latest word.
    """
    with transaction.atomic():
        person, _ = Person.objects.get_or_create(customer_id=customer_id, defaults={"updated_at": at})
        said = Consent.objects.filter(customer_id=customer_id, channel=channel, purpose=purpose)
        at = max(at, said.aggregate(at=Max("recorded_at"))["at"] or at)
        statement = {"customer_id": customer_id, "channel": channel, "purpose": purpose, "recorded_at": at, "granted": False}
        Consent.objects.get_or_create(**statement, basis="objection", defaults={"source": source})
        address = address_of(person, channel)
        if address:
            Suppression.objects.create(channel=channel, digest=digest_of(address), reason=OPT_OUT, recorded_at=at)
        same = Person.objects.filter(**{ADDRESSES[channel]: address}) if address else Person.objects.filter(pk=customer_id)
        same.update(mirror=CHANGED, updated_at=at)


def opt_out_number(number: str, at: datetime, source: str) -> bool:
    """Records that whoever has a phone number wants no more marketing there, known or not.

    Args:
        number: As E.164.
        at: The instant, aware.
        source: How it was said.

    Returns:
        Whether that is news: nobody with the number has consented since it was said before.
    """
    with transaction.atomic():
        people = list(Person.objects.select_for_update().filter(phone=number).order_by("customer_id"))
        stopped = Suppression.objects.filter(channel="sms", digest=digest_of(number)).order_by("-recorded_at").first()
        said = Consent.objects.filter(customer_id__in=[one.pk for one in people], channel="sms", granted=True).exclude(basis=PURCHASE)
        if stopped and not said.filter(recorded_at__gt=stopped.recorded_at).exists():
            return False
        for person in people:
            opt_out(person.customer_id, "sms", at, source)
        if not people:
            Suppression.objects.create(channel="sms", digest=digest_of(number), reason=OPT_OUT, recorded_at=at)
        return True


def suppress(channel: str, address: str, reason: str, at: datetime) -> None:
    """Sends nothing more to an address, whoever it belongs to, until its owner consents again.

    Args:
        channel: The channel.
        address: In the form of `queries.address_of`.
        reason: Such as gone, bounced or complained; not a person's wish.
        at: The instant, aware.
    """
    with transaction.atomic():
        Suppression.objects.create(channel=channel, digest=digest_of(address), reason=reason, recorded_at=at)
        Person.objects.filter(**{ADDRESSES[channel]: address}).update(mirror=CHANGED, updated_at=at)


def suppress_erased(customer_ids: Collection[str], at: datetime) -> None:
    """Lets an erasure outlive its customers: every address of theirs gets nothing, whoever brings it back, until its owner agrees later.

    Args:
        customer_ids: Who is about to be erased.
        at: The instant, aware.
    """
    with transaction.atomic():
        people = Person.objects.filter(pk__in=customer_ids)
        _suppress_all(((channel, address_of(one, channel), at) for one in people for channel in ADDRESSES), ERASED, at)


def keep_browser(customer_id: str, subscription: str, lookup: str, at: datetime) -> None:
    """Keeps the browser that a customer subscribed last; one that belonged to somebody else before is theirs no more.

    Args:
        customer_id: The customer.
        subscription: What the browser's page gave.
        lookup: The digest of its address.
        at: The instant, aware.
    """
    with transaction.atomic():
        Person.objects.filter(push_lookup=lookup).exclude(pk=customer_id).update(push="", push_lookup="", updated_at=at, mirror=CHANGED)
        held = {"push": subscription, "push_lookup": lookup, "updated_at": at, "mirror": CHANGED}
        Person.objects.update_or_create(pk=customer_id, defaults=held)


def forget_browser(lookup: str, at: datetime) -> bool:
    """Forgets a browser; whether it was known."""
    with transaction.atomic():
        return bool(Person.objects.filter(push_lookup=lookup).update(push="", push_lookup="", updated_at=at, mirror=CHANGED))


def consent(customer_id: str, channel: str, at: datetime, source: str, wording_version: str = "") -> None:
    """Records that a customer agreed to marketing on a channel.

    Args:
        customer_id: The customer.
        channel: The channel.
        at: When, aware.
        source: Where.
        wording_version: Which words they agreed to.
    """
    with transaction.atomic():
        said = {"customer_id": customer_id, "channel": channel, "purpose": MARKETING, "granted": True, "recorded_at": at}
        Consent.objects.get_or_create(**said, basis="consent", defaults={"source": source, "wording_version": wording_version})
        Person.objects.filter(pk=customer_id).update(mirror=CHANGED, updated_at=at)


def ask_to_confirm(customer_id: str, channel: str, at: datetime, source: str, wording_version: str) -> OptIn | None:
    """Notes that a customer is to be asked whether they want marketing on a channel; asked again while it waits, it is the same request.

    Args:
        customer_id: The customer.
        channel: The channel.
        at: When it was said, aware.
        source: Where.
        wording_version: To which words.

    Returns:
        The request; None where the channel does not reach the customer.
    """
    with transaction.atomic():
        person = Person.objects.select_for_update().filter(pk=customer_id).first()
        digest = digest_of(address_of(person, channel)) if person else ""
        if not digest:
            return None
        waiting = OptIn.objects.filter(customer_id=customer_id, channel=channel, digest=digest, confirmed_at=None)
        refused = Consent.objects.filter(customer_id=customer_id, channel=channel, purpose=MARKETING, granted=False)
        last = refused.aggregate(at=Max("recorded_at"))["at"]
        found = waiting.filter(asked_at__gt=max(at - LASTING, last or at - LASTING)).order_by("-asked_at").first()
        said = {"source": source, "wording_version": wording_version, "asked_at": at}
        return found or OptIn.objects.create(
            number=secrets.token_hex(16), customer_id=customer_id, channel=channel, digest=digest, **said
        )


def confirm(number: str, at: datetime) -> bool:
    """Records the consent that a request waited for, once however often it is confirmed; whether it holds.

    Args:
        number: The request's.
        at: When it is confirmed, aware.
    """
    with transaction.atomic():
        asked = OptIn.objects.select_for_update().filter(pk=number).first()
        person = Person.objects.select_for_update().filter(pk=asked.customer_id).first() if asked else None
        if asked is None or person is None or not can_confirm(asked, person, at):
            return False
        if asked.confirmed_at is None:
            consent(asked.customer_id, asked.channel, at, f"{asked.source}, confirmed"[:200], asked.wording_version)
            OptIn.objects.filter(pk=number).update(confirmed_at=at)
        return True


def imply(rows: pa.Table, lasting: timedelta) -> int:
    """Records the consent to marketing by e-mail that orders imply, for who has an address and has said nothing themselves.

    Whatever they say, and whenever, counts before it. Its end is in it, so that it ends without anybody's doing.

    Args:
        rows: Columns customer_id and ordered_at (naive UTC), one row a customer: the last order.
        lasting: How long after the order it holds.

    Returns:
        How many are new.
    """
    new = 0
    for chunk in _chunks(rows.select(["customer_id", "ordered_at"])):
        ordered = {str(row["customer_id"]): row["ordered_at"].replace(tzinfo=UTC) for row in chunk}
        with transaction.atomic():
            words = _implied(ordered, lasting)
            upsert(Consent, words, (*_CONSENT_COLUMNS, "expires_at"))
            Person.objects.filter(pk__in=[word[0] for word in words]).update(mirror=CHANGED)
        new += len(words)
    return new


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
    held = Person.objects.in_bulk(ids)
    statements = _new_statements(contacts, held, at)
    told = {statement[0] for statement in statements}
    people = {person.customer_id: person for person in _merged(contacts, held, told, at)}
    upsert(Person, [[getattr(person, name) for name in _PERSON_COLUMNS] for person in people.values()], _PERSON_COLUMNS, "customer_id")
    upsert(Consent, statements, _CONSENT_COLUMNS)
    refused = [(customer, channel, when) for customer, channel, _, granted, _, _, _, when in statements if not granted]
    _suppress_all(((channel, address_of(held[customer], channel), when) for customer, channel, when in refused), OPT_OUT, at)
    return Counts(
        people=len(people),
        consents=len(statements),
        bad_emails=sum(contact.bad_email for contact in contacts),
        bad_phones=sum(contact.bad_phone for contact in contacts),
        bad_zones=sum(contact.bad_zone for contact in contacts),
    )


def _suppress_all(addresses: Iterable[tuple[str, str, datetime]], reason: str, at: datetime) -> None:
    """Suppresses many: channel, address (none where it is empty), and as of when; history is told of whoever has one."""
    given = sorted({one for one in addresses if one[1]})
    digests = digests_of(address for _, address, _ in given)
    Suppression.objects.bulk_create(
        Suppression(channel=channel, digest=digest, reason=reason, recorded_at=since)
        for (channel, _, since), digest in zip(given, digests, strict=True)
    )
    for channel, field in ADDRESSES.items():
        theirs = [address for where, address, _ in given if where == channel]
        Person.objects.filter(**{f"{field}__in": theirs}).update(mirror=CHANGED, updated_at=at)


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


def _implied(ordered: Mapping[str, datetime], lasting: timedelta) -> list[tuple[object, ...]]:
    """The words that follow from orders and are not held yet."""
    said = Consent.objects.filter(customer_id__in=ordered.keys(), channel="email", purpose=MARKETING)
    own = set(said.exclude(basis=PURCHASE).values_list("customer_id", flat=True))
    held: dict[str, datetime] = dict(said.filter(basis=PURCHASE).values_list("customer_id").annotate(at=Max("recorded_at")))
    reached = Person.objects.filter(pk__in=ordered.keys()).exclude(email_lookup="").order_by("pk").values_list("pk", flat=True)
    new = [one for one in reached if one not in own and (one not in held or held[one] < ordered[one])]
    return [(one, "email", MARKETING, True, PURCHASE, "order", "", ordered[one], ordered[one] + lasting) for one in new]


def _new_statements(contacts: Sequence[Contact], known_people: Mapping[str, Person], at: datetime) -> list[_Statement]:
    ids = {contact.customer_id for contact in contacts}
    said = Consent.objects.filter(customer_id__in=ids, purpose=MARKETING).exclude(basis=PURCHASE).in_order()
    held = list(said.values_list("customer_id", "channel", "recorded_at", "granted"))
    known = set(held)
    standing = {(customer, channel): granted for customer, channel, _, granted in held}
    silent = _silent([contact for contact in contacts if contact.consent_at is None], known_people)
    new: list[_Statement] = []
    for contact in contacts:
        for channel, granted in contact.consents:
            who = (contact.customer_id, channel)
            moot = contact.consent_at is None and (standing.get(who) in (granted, False) or (granted and who in silent))
            when = contact.consent_at or at
            if moot or (*who, when, granted) in known:
                continue
            known.add((*who, when, granted))
            standing[who] = granted
            basis = "consent" if granted else "objection"
            new.append((*who, MARKETING, granted, basis, contact.consent_source, "", when))
    return new


def _silent(contacts: Iterable[Contact], held: Mapping[str, Person]) -> set[tuple[str, str]]:
    """Whose address is suppressed on which channel: customer id and channel, of those that a contact agrees to."""
    digests: dict[tuple[str, str], str] = {}
    for contact in contacts:
        person = held.get(contact.customer_id, Person(customer_id=contact.customer_id))
        given = Person(
            customer_id=contact.customer_id, email_lookup=lookup_form(contact.email) or person.email_lookup,
            phone=contact.phone or person.phone,
        )
        digests |= {(contact.customer_id, one): digest_of(address_of(given, one)) for one, granted in contact.consents if granted}
    found = Suppression.objects.filter(digest__in=set(digests.values())).values_list("channel", "digest")
    stopped = set(found)
    return {(customer, channel) for (customer, channel), digest in digests.items() if (channel, digest) in stopped}
