"""What a customer comes back to: from the facts that a message froze, and from what is true of its offer now.

Knows nothing of pages and requests. Changes nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime

from rekindle.decide.timing import zone_of
from rekindle.deliver.facts import CARD_KINDS, Facts
from rekindle.deliver.words import readable
from rekindle.moment import local_day
from rekindle.respond.because import Because, because
from rekindle.respond.landing import OfferState, offer_state
from rekindle.respond.landing_pages import LandingPage, Words
from rekindle.service.flow import spending
from rekindle.service.flow.landing_words import landing_pages
from rekindle.service.flow.linking import campaign, cart_link
from rekindle.service.flow.showing import decided
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Person
from rekindle.service.redemptions.models import Coupon
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer as it stands now.

    Args:
        label: What is given.
        terms: Its conditions.
        state: `none` where there is no code, so that nothing of ours ends it.
        code: While it is open; empty otherwise.
        last_day: Its real last day, where it has one.
    """

    label: str
    terms: str
    state: OfferState
    code: str
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Landing:
    """What stands on the page.

    Args:
        hero: What opened the round.
        items: What was left in the cart or saved: the shop's id and the name.
        category: To look around in; empty where nothing shows one.
        offer: None where the message had none.
        words: The shop's own for the customer's segment; None where it has written none.
        collection_url: Where those lead; empty where they name nothing.
        cart_url: Where the cart stands again; empty without a cart, or where the shop has no such address.
        shop_url: Where to look around.
    """

    hero: Because
    items: tuple[tuple[str, str], ...]
    category: str
    offer: Offer | None
    words: Words | None
    collection_url: str
    cart_url: str
    shop_url: str


def landing(settings: Settings, touch: Touch, person: Person, at: datetime, language: str) -> Landing:
    """The landing of a message.

    Args:
        settings: The store's.
        touch: What became the message.
        person: Whom it went to.
        at: The instant, aware.
        language: In which the shop's own words are wanted.
    """
    facts = decided(settings, touch)
    way = touch.channel, touch.program, f"{touch.stage}.{touch.arm}"
    spent = spending.closed(settings, touch.code, at)
    offer = _offer(facts, touch, local_day(at, zone_of(person.timezone, settings.timezone)), spent)
    cart = ""
    if settings.handover.cart_url and facts.cart_ids:
        cart = campaign(cart_link(settings.handover.cart_url, facts.cart_ids, offer.code if offer else ""), *way)
    items = tuple((one, readable(name) or one) for one, name in zip(facts.cart_ids, facts.cart, strict=True))
    page, words = _written(settings, facts, touch, language) or (None, None)
    collection = campaign(page.collection, *way) if page and page.collection else ""
    shop = campaign(settings.brand.url, *way)
    return Landing(because(facts), items, readable(facts.category) or "", offer, words, collection, cart, shop)


def _offer(facts: Facts, touch: Touch, today: date, spent: bool) -> Offer | None:
    """The offer of a message as it stands on a day where the customer is."""
    if facts.offer_kind not in CARD_KINDS:
        return None
    used = Coupon.objects.filter(pk=touch.code, redeemed__gt=0).exists()
    state = offer_state(touch.code, facts.valid_until, today, used, spent)
    return Offer(facts.offer_label, facts.offer_terms, state, touch.code if state == "open" else "", facts.valid_until)


def _written(settings: Settings, facts: Facts, touch: Touch, language: str) -> tuple[LandingPage, Words] | None:
    """The page that the shop wrote for the customer's segment."""
    known = {name: getattr(facts, name) for name in ("persona", "cohort", "cause", "category")}
    return landing_pages(settings.root).shown({**known, "program": touch.program, "stage": touch.stage}, language)
