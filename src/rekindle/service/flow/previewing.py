"""What a customer would get, or got: one message by its template, with the facts that it froze or that are known now.

Knows nothing of sending. Writes nothing, and its links are examples that lead nowhere.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle import moment, money
from rekindle.decide.planner import Plan
from rekindle.deliver.facts import Facts, with_frozen
from rekindle.deliver.templates import TemplateSet, render
from rekindle.deliver.variants import SHORT, short
from rekindle.errors import BadData, UsageError
from rekindle.history.tables import JOURNAL
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.program import checking
from rekindle.program.documents import Arm, Documents, Offer, Program, Stage
from rekindle.program.sms_segments import segments
from rekindle.service.flow import insights, linking
from rekindle.service.flow.codes import EXAMPLE
from rekindle.service.flow.composing import shop_facts
from rekindle.service.flow.content import load_content
from rekindle.service.flow.message_facts import facts_of, messages, terms
from rekindle.service.outbox.models import OPEN, Touch
from rekindle.service.people.models import Person
from rekindle.service.people.queries import find
from rekindle.settings import Settings

T = TypeVar("T")
NAME = "Ada"
"""How the invented customer is called."""

ORDER = "A-1042"
"""What the shop calls the invented customer's order."""

_ROW = ibis.schema(
    {
        **JOURNAL, "fresh": "boolean", "service": "boolean", "opened_at": "timestamp", "opening_order": "string",
        "opening_product": "string", "opening_category": "string", "opening_day": "date",
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which message is looked at; what is None is chosen.

    Args:
        program: A program's name.
        stage: One of its stages.
        arm: One of the stage's variants.
        channel: By which it goes.
    """

    program: str | None = None
    stage: str | None = None
    arm: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as a customer would read it.

    Args:
        customer: The opaque id; empty of an invented customer.
        program: Of the message.
        stage: Of the program.
        arm: The variant.
        channel: By which it goes.
        basis: What it is: a message that waits, one that was sent, or an example.
        title: The subject of an e-mail, the title of a short message; empty of an SMS.
        preheader: Of an e-mail.
        text: Its text part, or the whole of a short message.
        html: Of an e-mail.
        segments: Of an SMS with a link as long as it is sent with; None of others.
    """

    customer: str
    program: str
    stage: str
    arm: str
    channel: str
    basis: str
    title: str
    preheader: str
    text: str
    html: str
    segments: int | None


def preview(settings: Settings, warehouse: Warehouse, customer: str | None, wanted: Wanted, as_of: AsOf) -> Preview:
    """One message: the customer's waiting one, else their last, else the stage's by its template with what is known of them.

    Args:
        settings: The store's.
        warehouse: Its open history.
        customer: An id, the id in another system, or an e-mail address; None for an invented customer.
        wanted: Which message.
        as_of: The instant, for facts of who has no such message.

    Raises:
        BadData: Nobody is known by it, or a template has a mistake.
        UsageError: There is no such program, stage, variant or channel.
        Refused: The message must not be written.
    """
    if wanted.channel not in (None, "email", *SHORT):
        raise UsageError(f"there is no channel '{wanted.channel}'", f"Write one of email, {', '.join(SHORT)}.")
    if not customer:
        return example(settings, checking.load(settings.root), wanted, as_of.day)
    customer_id = find(customer)
    touch, first_name = _touch(customer_id, wanted), _first_name(customer_id)
    if touch is not None:
        return of_touch(settings, touch, first_name, as_of.day, wanted.channel)
    facts, basis = _example(settings, warehouse, customer_id, wanted, as_of)
    held = customer_id, facts.program, facts.stage, facts.arm, wanted.channel or "email", basis
    return _shown(settings, load_content(settings.root), replace(facts, first_name=first_name), held)


def example(settings: Settings, documents: Documents, wanted: Wanted, today: date) -> Preview:
    """What an invented customer would get; history is not asked.

    Args:
        settings: The store's.
        documents: The programs and offers that it goes by.
        wanted: Which message.
        today: The store's day.

    Raises:
        BadData: A template has a mistake.
        UsageError: There is no such program, stage or variant.
        Refused: The message must not be written.
    """
    program, stage, arm = _chosen(documents, wanted)
    frozen = _invented(settings, program.trigger.on, documents.offers[arm.offer], today)
    frozen |= terms(documents.offers[arm.offer], program.name, documents, settings)
    facts = _stated(settings, documents, (program, stage, arm), frozen, today)
    held = "", program.name, stage.name, arm.name, wanted.channel or "email", "an example, with an invented customer"
    return _shown(settings, load_content(settings.root), replace(facts, first_name=NAME), held)


def of_touch(settings: Settings, touch: Touch, first_name: str | None, today: date, channel: str | None = None) -> Preview:
    """A message of the outbox, from the facts that it froze; history is not asked.

    Args:
        settings: The store's.
        touch: The message.
        first_name: How its customer is called in it.
        today: The store's day, for what the shop states of itself.
        channel: By which it is looked at; its own where not given.

    Raises:
        BadData: A template has a mistake.
        Refused: The message must not be written.
    """
    templates = load_content(settings.root)
    facts = with_frozen(shop_facts(settings, templates), touch.facts, today)
    named = {"stage": touch.stage, "program": touch.program, "arm": touch.arm, "code": touch.code, "service": touch.service}
    held = touch.customer_id, touch.program, touch.stage, touch.arm, channel or touch.channel, _became(touch, settings)
    return _shown(settings, templates, replace(facts, **named, first_name=first_name), held)  # type: ignore[arg-type]  # as the fields are


def as_example(touch: Touch) -> Touch:
    """A message without what tells whose it is: the code and the number of the order are invented."""
    frozen = json.loads(touch.facts)
    invented = {"order_number": ORDER} if frozen.get("order_number") else {}
    touch.facts, touch.code = json.dumps(frozen | invented), EXAMPLE if touch.code else ""
    return touch


def _shown(settings: Settings, templates: TemplateSet, facts: Facts, held: tuple[str, str, str, str, str, str]) -> Preview:
    """A message written out; `held` is the first fields of a preview, the channel among them."""
    channel = held[4]
    if channel in SHORT:
        said = short(templates, facts, channel)
        as_sent = short(templates, replace(facts, shop_url=linking.example(settings)), channel)
        return Preview(*held, said.title, "", said.text, "", segments(as_sent.text).count if channel == "sms" else None)
    mail = render(templates, facts)
    return Preview(*held, mail.subject, mail.preheader, mail.text, mail.html, None)


def to_json(found: Preview) -> dict[str, object]:
    """The preview as JSON."""
    return asdict(found)


def _touch(customer_id: str, wanted: Wanted) -> Touch | None:
    """The first message that waits for a customer, else the last one that they got."""
    named = {name: value for name, value in (("program", wanted.program), ("stage", wanted.stage), ("arm", wanted.arm)) if value}
    mine = Touch.objects.filter(customer_id=customer_id, plan__ready=True, **named)
    return mine.filter(status__in=OPEN).order_by("send_at", "id").first() or mine.order_by("-send_at", "-id").first()


def _became(touch: Touch, settings: Settings) -> str:
    if touch.status in OPEN:
        return f"waits to be sent on {moment.local_day(touch.send_at, settings.timezone)}"
    settled = moment.local_day(touch.settled_at, settings.timezone) if touch.settled_at else ""
    return f"{touch.status} on {settled}" + (f" ({touch.reason})" if touch.reason else "")


def _first_name(customer_id: str) -> str | None:
    person = Person.objects.filter(pk=customer_id).first()
    return person.first_name if person else None


def _chosen(documents: Documents, wanted: Wanted) -> tuple[Program, Stage, Arm]:
    """The program, stage and variant that are wanted; the first of each where none is named."""
    programs = {one.name: one for one in documents.programs}
    program = _named(programs, wanted.program or documents.lead.name, "program")
    stage = _named({one.name: one for one in program.stages}, wanted.stage or program.stages[0].name, "stage")
    return program, stage, _named({one.name: one for one in stage.arms}, wanted.arm or stage.arms[0].name, "variant")


def _named(every: dict[str, T], name: str, what: str) -> T:
    if name not in every:
        raise UsageError(f"there is no {what} '{name}' here", f"Write one of {', '.join(every)}.")
    return every[name]


def _example(settings: Settings, warehouse: Warehouse, customer_id: str, wanted: Wanted, as_of: AsOf) -> tuple[Facts, str]:
    """The facts of a message that nobody has decided to send, and what it is."""
    documents = checking.load(settings.root)
    program, stage, arm = _chosen(documents, wanted)
    frozen = _frozen(settings, warehouse, documents, (customer_id, program, stage, arm), as_of)
    return _stated(settings, documents, (program, stage, arm), frozen, as_of.day), "an example: no such message is planned"


def _stated(
    settings: Settings, documents: Documents, chosen: tuple[Program, Stage, Arm], frozen: dict[str, Any], day: date
) -> Facts:
    """Everything that a message which nobody has decided to send may state."""
    program, stage, arm = chosen
    offer = documents.offers[arm.offer]
    ends = day + timedelta(days=stage.offers.valid_days or offer.valid_days)
    frozen["valid_until"] = ends.isoformat() if offer.redeemed else None
    stated = with_frozen(shop_facts(settings, load_content(settings.root)), json.dumps(frozen), day)
    return replace(
        stated, stage=stage.name, program=program.name, arm=arm.name, service=program.service, code=EXAMPLE if offer.redeemed else "",
        subject_line=arm.subject or "",
    )


def _invented(settings: Settings, opened_by: str, offer: Offer, day: date) -> dict[str, Any]:
    """What is known of the invented customer, as a touch would freeze it; an offer is worth the most that it can be."""
    worth = money.show(money.to_minor(offer.worth, settings.currency), settings.currency, settings.locale)
    value = f"{offer.percent * 100:g} % off" if offer.percent is not None else worth if offer.price else ""
    before = {"first_day": 600, "last_day": 200, "ordered_day": 1, "promised_day": -3}
    if opened_by in ("delivery", "late_delivery"):
        before |= {"ordered_day": 6, "promised_day": 2} | ({"delivered_day": 1} if opened_by == "delivery" else {})
    known = {name: (day - timedelta(days=days)).isoformat() for name, days in before.items()}
    return known | {
        "moment": opened_by, "offer_kind": offer.kind, "offer_label": offer.label, "offer_brief": offer.brief,
        "orders": 5, "last_product": "Brass lantern", "category": "Lighting", "overdue": True, "order_number": ORDER,
        "products": ["Brass lantern", "Linen lampshade"], "product": "Candle", "favourite": "Wall lamp",
        "credit_left": money.show(money.to_minor(5, settings.currency), settings.currency, settings.locale), "years": 2,
        "day": (day + timedelta(days=7)).isoformat(), "days_ahead": 7, "offer_value": value,
        "offer_scope": {"category": "Lighting", "product": "Brass lantern"}.get(offer.scope),
    }


def _frozen(
    settings: Settings, warehouse: Warehouse, documents: Documents, chosen: tuple[str, Program, Stage, Arm], as_of: AsOf
) -> dict[str, Any]:
    """What a touch would freeze of a customer, whose last order stands for the one that opens a round."""
    customer_id, program, stage, arm = chosen
    profiles = _profiles(settings, warehouse, as_of)
    known = warehouse.arrow(profiles.filter(profiles.customer_id == customer_id)).to_pylist()
    if not known:
        raise BadData(f"'{customer_id}' is known, but has no profile as of {as_of.day}", "Give a later --as-of, or no customer.")
    profile, offer = known[0], documents.offers[arm.offer]
    row = dict.fromkeys(_ROW.names) | {
        "customer_id": customer_id, "as_of": as_of.naive, "program": program.name, "stage": stage.name, "arm": arm.name, "offer": arm.offer,
        "channel": "email", "cohort": profile["lapsed_cohort"], "send_at": as_of.naive, "episode": "", "fresh": True,
        "service": program.service, "opening_order": profile["last_order_id"], "opening_product": profile["last_product"],
        "opening_category": profile["category"], "opening_day": as_of.day,
        "offer_value": money.to_minor(offer.worth, settings.currency) if offer.price else None,
    }
    columns = {name: ibis.literal(row[name], type=kind) for name, kind in _ROW.items()}
    one = Plan("", warehouse.keep(ibis.memtable(pa.table({"": [0]})).select(**columns)), rehearsal=True, scale=1.0)
    (found,) = warehouse.arrow(messages(warehouse, one, profiles, documents)).to_pylist()
    return facts_of(found, documents, settings)


def _profiles(settings: Settings, warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """The profiles of the instant: as they were published, else made for this once."""
    snapshot = settings.var / "insight" / insights.label(as_of) / "profile.parquet"
    if snapshot.is_file():
        return warehouse.read_parquet(snapshot)
    return insights.profiles(settings, warehouse, as_of, publish=False)[0].table
