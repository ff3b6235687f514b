"""What a touch becomes: a message for its channel, from the facts it froze and what the shop states today.

Knows nothing of when and whether it is handed over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rekindle import moment
from rekindle.deliver.channel import Message
from rekindle.deliver.facts import Facts, with_frozen, with_registered
from rekindle.deliver.links import Claim, Ring, sign
from rekindle.deliver.message import Envelope, build, message_id
from rekindle.deliver.templates import TemplateSet, render
from rekindle.errors import Refused
from rekindle.service.config import load_ring
from rekindle.service.flow.content import load_content, registered_facts
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Person
from rekindle.settings import Settings

LIST = "email-marketing"


@dataclass(frozen=True, slots=True)
class Desk:
    """What every message of a run needs.

    Args:
        settings: The store's.
        now: The instant of sending.
        templates: The store's content.
        shop: What messages state about the shop.
        unsubscribe: Keys of links to stop.
        preferences: Keys of links to choose.
    """

    settings: Settings
    now: datetime
    templates: TemplateSet
    shop: Facts
    unsubscribe: Ring
    preferences: Ring


def open_desk(settings: Settings, now: datetime) -> Desk:
    """The desk of a store.

    Args:
        settings: The store's.
        now: The instant of sending.

    Raises:
        Refused: No message of this store could be lawful: no postal address, or no HTTPS address for its links.
    """
    if not settings.sender.postal_address.strip():
        raise Refused("marketing mail needs the sender's postal address", "Write sender.postal_address in rekindle.toml.")
    if not settings.public_url.startswith("https://"):
        raise Refused("links to unsubscribe must be HTTPS", "Write public_url = \"https://...\" in rekindle.toml.")
    templates = load_content(settings.root)
    rings = load_ring(settings.var, "unsubscribe"), load_ring(settings.var, "preferences")
    return Desk(settings, now, templates, shop_facts(settings, templates), *rings)


def shop_facts(settings: Settings, templates: TemplateSet) -> Facts:
    """What messages state about the shop, without anything about a customer; the links are examples."""
    shop = Facts(
        stage="", shop_name=settings.name, shop_url=settings.brand.url, brand_color=settings.brand.color, locale=settings.locale,
        postal_address=settings.sender.postal_address, unsubscribe_url=f"{settings.public_url}/u/example",
        preferences_url=f"{settings.public_url}/preferences/example", reply_to=settings.sender.reply_to or settings.sender.email,
    )
    return with_registered(shop, registered_facts(templates))


def with_links(facts: Facts, public_url: str, rings: tuple[Ring, Ring], customer_id: str) -> Facts:
    """The facts with a customer's own signed links: to stop, and to choose.

    Args:
        facts: Of a message.
        public_url: Where the store's customers reach the pages.
        rings: The keys of both links, in this order.
        customer_id: Whose they are.
    """
    stop, choose = (sign(ring, Claim(customer_id, LIST)) for ring in rings)
    return replace(facts, unsubscribe_url=f"{public_url}/u/{stop}", preferences_url=f"{public_url}/preferences/{choose}")


def compose(desk: Desk, touch: Touch, person: Person) -> Message:
    """The message that a touch becomes.

    Raises:
        RekindleError: It cannot be written: a fact, a template or an address is not as it must be.
    """
    return COMPOSERS[touch.channel](desk, touch, person)


def facts_for(desk: Desk, touch: Touch, person: Person) -> Facts:
    """Everything that a touch's message may state."""
    rings = desk.unsubscribe, desk.preferences
    linked = with_links(with_frozen(desk.shop, touch.facts), desk.settings.public_url, rings, touch.customer_id)
    return replace(
        linked, stage=touch.stage, program=touch.program, arm=touch.arm, code=touch.code, first_name=person.first_name,
        service=touch.service,
    )


def _mail(desk: Desk, touch: Touch, person: Person) -> Message:
    sender, facts = desk.settings.sender, facts_for(desk, touch, person)
    identity = message_id(touch.key, sender.email)
    envelope = Envelope(
        from_name=sender.name or desk.settings.name, from_address=sender.email, to_name="", to_address=person.email,
        reply_to=sender.reply_to or sender.email, message_id=identity,
        unsubscribe_url=None if touch.service else facts.unsubscribe_url, date=desk.now,
    )
    return Message(
        identity, moment.local_day(desk.now, desk.settings.timezone), build(envelope, render(desk.templates, facts)),
        sender=sender.email, to=person.email, service=touch.service,
    )


COMPOSERS: Mapping[str, Callable[[Desk, Touch, Person], Message]] = {
    "email": _mail,
}
"""Channel to what writes its messages."""
