"""What is known of people: who someone is, what may be sent to them, and what history is told.

Knows nothing of messages. Changes nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pyarrow as pa
from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When

from rekindle.decide.due import PAUSE
from rekindle.errors import BadData, UsageError
from rekindle.insight.profile import PROFILING
from rekindle.service.config.prepared import Prepared, whole
from rekindle.service.people.addresses import lookup_form, normal_email
from rekindle.service.people.contacts import ALL, MARKETING
from rekindle.service.people.digests import digest_of, digests_of
from rekindle.service.people.models import LASTING, PURCHASE, TAKEN, Consent, ExternalId, OptIn, Person, Suppression, Words

_INSTANT = pa.timestamp("us")
_CONSENTS = pa.schema(
    [
        ("consent_key", pa.string()), ("customer_id", pa.string()), ("channel", pa.string()), ("purpose", pa.string()),
        ("granted", pa.bool_()), ("recorded_at", _INSTANT), ("expires_at", _INSTANT),
    ]
)
_PEOPLE = pa.schema(
    [
        *((name, pa.string()) for name in ("customer_id", "timezone", "locale", "birthday", "channel")),
        ("hour", pa.int64()), ("monthly", pa.int64()),
    ]
)
_IN_A_QUERY = 20_000


class Word(NamedTuple):
    """What was said once of a channel and a purpose: all of a consent that is asked before every message."""

    customer_id: str
    channel: str
    purpose: str
    granted: bool
    basis: str
    recorded_at: datetime
    expires_at: datetime | None

    def stopped(self, at: datetime | None) -> bool:
        """Whether a suppression of an instant silences it; what an order implies, any does."""
        return at is not None and (at >= self.recorded_at or self.basis == PURCHASE)


_PERSON = whole(Person, lambda customer: Person.objects.filter(pk=customer))


def _called(text: str) -> QuerySet[ExternalId, Any]:
    named = ExternalId.objects.filter(Q(customer_id=text) | Q(external_id=text)).values_list("customer_id")
    return named.union(Person.objects.filter(pk=text).values_list("customer_id"))


_CALLED = Prepared(_called, lambda row: str(row[0]))


def person_of(customer_id: str) -> Person:
    """A customer's contact data; one whom the ledger does not know has no data but the id."""
    return _PERSON.first(customer_id) or Person(customer_id=customer_id)


def named(text: str) -> frozenset[str]:
    """The customers whom an id, an id in another system or an e-mail address names, however it is written; an id names one alone."""
    text = text.strip()
    found = frozenset(_CALLED(text))
    if text in found:
        return frozenset((text,))
    if found or "@" not in text:
        return found
    spelled = lookup_form(normal_email(text) or text)
    return frozenset(Person.objects.filter(email_lookup=spelled).values_list("customer_id", flat=True))


def find(text: str, *, tell: bool = True) -> str:
    """The one customer whom a text names, as `named` has it.

    Args:
        text: An id, an id in another system or an e-mail address.
        tell: Whether a refusal may say who they are where it names several.

    Raises:
        BadData: Nobody is known by it.
        UsageError: Several are.
    """
    found = sorted(named(text))
    if not found:
        raise BadData(f"no customer is known as '{text.strip()}'", "Give a customer id, the id from your files, or an e-mail address.")
    if len(found) > 1:
        who = f": {', '.join(found)}" if tell else ""
        raise UsageError(f"'{text.strip()}' names {len(found)} customers{who}", "Give the id of one of them.")
    return found[0]


def external_ids(customer_ids: Collection[str]) -> dict[str, str]:
    """What a source calls each customer; the first source by name where several do, no entry where none does."""
    names: dict[str, str] = {}
    listed = list(customer_ids)
    for start in range(0, len(listed), _IN_A_QUERY):
        rows = ExternalId.objects.filter(customer_id__in=listed[start : start + _IN_A_QUERY]).order_by("-source", "-external_id")
        names.update(rows.values_list("customer_id", "external_id"))
    return names


def has_contacts() -> bool:
    """Whether anyone could be written to at all; where not, a plan is a rehearsal."""
    addressed = Person.objects.exclude(email="", phone="", push="")
    return addressed.exists() or Consent.objects.filter(channel__in=("inapp", "webhook"), granted=True).exists()


def people_by_id(customer_ids: Iterable[str]) -> dict[str, Person]:
    """The people of these ids."""
    return Person.objects.in_bulk(list(customer_ids))


ADDRESSES = {"email": "email_lookup", "sms": "phone", "webpush": "push_lookup", "inapp": "customer_id", "webhook": "customer_id"}
"""Channel to the field of a person whose digest suppression knows."""


def _said(customer: str, email: str, sms: str, webpush: str, inapp: str, webhook: str) -> QuerySet[Consent, Any]:
    digests = zip(ADDRESSES, (email, sms, webpush, inapp, webhook), strict=True)
    mine = Case(*(When(channel=channel, then=Value(digest)) for channel, digest in digests), default=Value(""))
    same = Suppression.objects.filter(channel=OuterRef("channel"), digest=OuterRef("mine")).order_by("-recorded_at")
    words = Consent.objects.filter(customer_id=customer).in_order().annotate(mine=mine)
    return words.values_list(*Word._fields, Subquery(same.values("recorded_at")[:1]))


_SAID: Prepared[tuple[Word, datetime | None]] = Prepared(_said, lambda row: (Word._make(row[:-1]), row[-1]))


def address_of(person: Person, channel: str) -> str:
    """Where a channel reaches a person, in the form that digests are made of; empty where it does not."""
    address: str = getattr(person, ADDRESSES[channel]) if channel in ADDRESSES else ""
    return address


def refusals(people: Mapping[str, Person], channel: str, at: datetime) -> dict[str, str]:
    """Who of these people must not get marketing now, and why.

    Args:
        people: By customer id.
        channel: The channel.
        at: An aware instant; what expired before it does not count.
    """
    said = _standing(Consent.objects.filter(customer_id__in=people.keys(), channel__in=(channel, ALL)))
    digests = {customer: digest_of(address_of(person, channel)) for customer, person in people.items()}
    blocked = _suppressed(Suppression.objects.filter(channel=channel, digest__in=digests.values()))
    reasons = {
        customer: _refusal(said.get((customer, channel, MARKETING)), digest, blocked.get((channel, digest)), at)
        or _wish(said.get((customer, ALL, PAUSE)), said.get((customer, ALL, PROFILING)), at)
        for customer, digest in digests.items()
    }
    return {customer: reason for customer, reason in reasons.items() if reason}


def said_by(person: Person) -> list[tuple[Word, datetime | None]]:
    """Everything that a customer said, by channel and purpose, and of each the word that counts last.

    With each word stands when the address that the channel has now was suppressed at last; None where it was not.
    """
    return _SAID(person.customer_id, *digests_of(address_of(person, channel) for channel in ADDRESSES))


def reachable(person: Person, said: Iterable[tuple[Word, datetime | None]], at: datetime) -> frozenset[str]:
    """The channels by which marketing may reach a person: those that `refusals` would not refuse but for a pause or an objection.

    Args:
        person: Who.
        said: Everything that they said, as `said_by` has it.
        at: An aware instant; consents that expired before it do not count.
    """
    standing = {word.channel: (word, blocked) for word, blocked in said if word.purpose == MARKETING}
    return frozenset(
        channel for channel, (word, blocked) in standing.items() if not _refusal(word, address_of(person, channel), blocked, at)
    )


def _refusal(statement: Word | None, reached: str, blocked: datetime | None, at: datetime) -> str:
    """Why a channel must not be used, empty where it may; `reached` is empty where there is no address."""
    if statement is None:
        return "no consent"
    if not statement.granted:
        return "opted out"
    if statement.expires_at and statement.expires_at <= at:
        return "consent expired"
    if not reached:
        return "no address"
    return "address suppressed" if statement.stopped(blocked) else ""


def _wish(pause: Word | None, profiling: Word | None, at: datetime) -> str:
    """What a person asked for that marketing would be against; empty for nothing."""
    if pause is not None and pause.granted and not (pause.expires_at and pause.expires_at <= at):
        return "paused"
    return "objected to profiling" if profiling is not None and not profiling.granted else ""


def can_confirm(asked: OptIn, person: Person, at: datetime) -> bool:
    """Whether a request may be confirmed, or has been: in time, by the same address, and nothing was refused since it was asked for.

    Args:
        asked: The request.
        person: Whose it is.
        at: The present instant, aware.
    """
    same = digest_of(address_of(person, asked.channel)) == asked.digest
    since = Consent.objects.filter(customer_id=person.customer_id, channel=asked.channel, purpose=MARKETING, granted=False)
    return same and at < asked.asked_at + LASTING and not since.filter(recorded_at__gte=asked.asked_at).exists()


def consents(changed: bool = False) -> pa.Table:
    """What each customer agreed to, as history's `consents`: one row per customer, channel and purpose, its latest word.

    Args:
        changed: Only people marked by `take_changes`.
    """
    rows = _of_people(Consent.objects.all(), changed)
    blocked = _suppressed(Suppression.objects.all())
    people = Person.objects.in_bulk() if blocked else {}
    table: list[tuple[object, ...]] = []
    for (customer, channel, purpose), one in _standing(rows).items():
        stopped = blocked.get((channel, digest_of(address_of(people[customer], channel)))) if customer in people else None
        silenced = one.stopped(stopped)
        since = stopped if stopped is not None and silenced else one.recorded_at
        key = f"{customer}:{channel}:{purpose}"
        table.append((key, customer, channel, purpose, one.granted and not silenced, _naive(since), _naive(one.expires_at)))
    return _table(table, _CONSENTS)


def known_people(changed: bool = False) -> pa.Table:
    """What history's `people` holds of each person: time zone, language, birthday, wishes; null where unknown. A birth's year stays here.

    Args:
        changed: Only people marked by `take_changes`.
    """
    rows = Person.objects.filter(mirror=TAKEN) if changed else Person.objects.all()
    listed = rows.order_by("customer_id").values_list(
        "customer_id", "timezone", "locale", "birthday", "stated_channel", "stated_hour", "monthly"
    )
    told: list[tuple[object, ...]] = [
        (customer, zone or None, locale or None, _of_the_year(born), channel or None, hour, monthly)
        for customer, zone, locale, born, channel, hour, monthly in listed
    ]
    return _table(told, _PEOPLE)


def _of_the_year(born: date | None) -> str | None:
    return f"{born:%m-%d}" if born else None


def _of_people(rows: Words, changed: bool) -> Words:
    return rows.filter(customer_id__in=Person.objects.filter(mirror=TAKEN).values("customer_id")) if changed else rows


def _standing(rows: Words) -> dict[tuple[str, str, str], Word]:
    """The word that counts, per customer, channel and purpose."""
    ordered = rows.in_order().values_list(*Word._fields)
    return {one[:3]: one for one in map(Word._make, ordered.iterator())}


def _suppressed(rows: QuerySet[Suppression]) -> dict[tuple[str, str], datetime]:
    ordered = rows.order_by("recorded_at").values_list("channel", "digest", "recorded_at")
    return {(channel, digest): at for channel, digest, at in ordered}


def _naive(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC).replace(tzinfo=None) if instant else None


def _table(rows: list[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)], schema=schema)
