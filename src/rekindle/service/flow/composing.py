"""What a touch becomes: a message for its channel, from the facts it froze and what the shop states today.

Knows nothing of when and whether it is handed over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from rekindle import moment
from rekindle.deliver import payloads
from rekindle.deliver.channel import Message
from rekindle.deliver.dkim import DkimKey
from rekindle.deliver.facts import Facts, with_frozen, with_registered
from rekindle.deliver.message import Envelope, build, mail, message_id
from rekindle.deliver.templates import TemplateSet
from rekindle.deliver.variants import short
from rekindle.errors import Refused
from rekindle.service.flow import confirming, placeholders
from rekindle.service.flow.content import load_content, registered_facts
from rekindle.service.flow.linking import Linker, open_linker
from rekindle.service.flow.signing import signing_key
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Person
from rekindle.service.people.queries import external_ids
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """What every message of a run needs.

    Args:
        settings: The store's.
        now: The instant of sending.
        templates: The store's content.
        shop: What messages state about the shop.
        linker: Makes the links of messages.
        key: What signs mail; None where nothing does.
    """

    settings: Settings
    now: datetime
    templates: TemplateSet
    shop: Facts
    linker: Linker
    key: DkimKey | None

    @property
    def day(self) -> date:
        """The day of sending, in the store's time zone."""
        return moment.local_day(self.now, self.settings.timezone)


def open_desk(settings: Settings, now: datetime) -> Desk:
    """The desk of a store.

    Args:
        settings: The store's.
        now: The instant of sending.

    Raises:
        Refused: No message of this store could be lawful: no postal address, or no HTTPS address for its links; or messages leave this
            machine, and would state an example.
        BadData: What should sign the mail cannot.
    """
    if not settings.sender.postal_address.strip():
        raise Refused("marketing mail needs the sender's postal address", "Write sender.postal_address in rekindle.toml.")
    if not settings.public_url.startswith("https://"):
        raise Refused("links to unsubscribe must be HTTPS", "Write public_url = \"https://...\" in rekindle.toml.")
    placeholders.refuse(settings)
    templates = load_content(settings.root)
    return Desk(settings, now, templates, shop_facts(settings, templates), open_linker(settings), signing_key(settings))


def shop_facts(settings: Settings, templates: TemplateSet) -> Facts:
    """What messages state about the shop, without anything about a customer; the links are examples."""
    shop = Facts(
        stage="", shop_name=settings.name, shop_url=settings.brand.url, brand_color=settings.brand.color, locale=settings.locale,
        postal_address=settings.sender.postal_address, unsubscribe_url=f"{settings.public_url}/u/example",
        preferences_url=f"{settings.public_url}/preferences/example", reply_to=settings.sender.reply_to or settings.sender.email,
    )
    return with_registered(shop, registered_facts(templates))


def foresee(desk: Desk, touch: Touch) -> None:
    """Asks the ledger beforehand what the messages of a variant have in common, so that whoever writes them need not."""
    if touch.program != confirming.PROGRAM:
        desk.linker.number(desk.shop.shop_url, touch)


def compose(desk: Desk, touch: Touch, person: Person) -> Message:
    """The message that a touch becomes.

    Raises:
        RekindleError: It cannot be written: a fact, a template or an address is not as it must be.
    """
    return _opt_in(desk, touch, person) if touch.program == confirming.PROGRAM else COMPOSERS[touch.channel](desk, touch, person)


def facts_for(desk: Desk, touch: Touch, person: Person) -> Facts:
    """Everything that a touch's message may state."""
    shop, trap = desk.linker.tracked(desk.shop.shop_url, touch)
    return _stated(desk, touch, person, shop_url=shop, trap_url=trap)


def untracked(desk: Desk, touch: Touch, person: Person) -> Facts:
    """The same with plain links to the shop: nothing is written down for them."""
    return _stated(desk, touch, person)


def _stated(desk: Desk, touch: Touch, person: Person, **links: str) -> Facts:
    stop, choose = desk.linker.own(touch.customer_id, touch.channel)
    return with_frozen(
        desk.shop, touch.facts, desk.day, stage=touch.stage, program=touch.program, arm=touch.arm, code=touch.code,
        first_name=person.first_name, service=touch.service, unsubscribe_url=stop, preferences_url=choose,
        **desk.linker.about(touch), **links,
    )


def _mail(desk: Desk, touch: Touch, person: Person) -> Message:
    facts = facts_for(desk, touch, person)
    envelope = _envelope(desk, touch, person, None if touch.service else facts.unsubscribe_url)
    return _posted(desk, touch, envelope, mail(desk.templates, facts, envelope, desk.key))


def _opt_in(desk: Desk, touch: Touch, person: Person) -> Message:
    envelope = _envelope(desk, touch, person, None)
    return _posted(desk, touch, envelope, build(envelope, confirming.rendered(desk.settings, touch, person), desk.key))


def _envelope(desk: Desk, touch: Touch, person: Person, stop: str | None) -> Envelope:
    sender = desk.settings.sender
    return Envelope(
        from_name=sender.name or desk.settings.name, from_address=sender.email, to_name="", to_address=person.email,
        reply_to=sender.reply_to or sender.email, message_id=message_id(touch.token, sender.email), unsubscribe_url=stop, date=desk.now,
    )


def _posted(desk: Desk, touch: Touch, envelope: Envelope, wire: bytes) -> Message:
    return Message(
        envelope.message_id, desk.day, wire, sender=envelope.from_address, to=envelope.to_address, service=touch.service
    )


def _sms(desk: Desk, touch: Touch, person: Person) -> Message:
    said = short(desk.templates, facts_for(desk, touch, person), "sms")
    return _message(desk, touch, payloads.sms(said), person.phone)


def _webpush(desk: Desk, touch: Touch, person: Person) -> Message:
    said = short(desk.templates, facts_for(desk, touch, person), "webpush")
    return _message(desk, touch, payloads.webpush(said, touch.token), person.push)


def _inapp(desk: Desk, touch: Touch, person: Person) -> Message:
    said = short(desk.templates, facts_for(desk, touch, person), "inapp")
    return _message(desk, touch, payloads.inapp(said, touch.valid_until), touch.customer_id)


def _webhook(desk: Desk, touch: Touch, person: Person) -> Message:
    facts = facts_for(desk, touch, person)
    said = short(desk.templates, facts, "webhook")
    theirs = external_ids([touch.customer_id]).get(touch.customer_id, "")
    wire = payloads.webhook(said, facts, key=touch.token, at=desk.now, customer=touch.customer_id, external_id=theirs)
    return _message(desk, touch, wire, desk.settings.webhook.url)


def _message(desk: Desk, touch: Touch, wire: bytes, to: str) -> Message:
    """A message of a channel that has its own sender; the touch's token is its id."""
    return Message(touch.token, desk.day, wire, to=to, service=touch.service)


COMPOSERS: Mapping[str, Callable[[Desk, Touch, Person], Message]] = {
    "email": _mail,
    "sms": _sms,
    "webpush": _webpush,
    "inapp": _inapp,
    "webhook": _webhook,
}
"""Channel to what writes its messages."""
