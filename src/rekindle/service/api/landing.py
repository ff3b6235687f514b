"""What a customer comes back to, for a page of the shop's own: the same as stands on ours.

Knows nothing of pages.
"""

from datetime import date

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError

from rekindle import moment
from rekindle.respond.landing import OfferState
from rekindle.service.api.access import Key
from rekindle.service.api.fields import CustomerId
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.landings import landing
from rekindle.service.outbox.queries import latest_advertising
from rekindle.service.people.queries import find, person_of
from rekindle.service.public.words import language_of

router = Router(auth=Key("landing"), tags=["landing"])


class Item(Schema):
    """A thing that was left in the cart or saved, by your id."""

    id: str
    name: str


class Given(Schema):
    """The offer as it stands now: `code` while it is open, `last_day` where the customer is."""

    label: str
    terms: str
    state: OfferState
    code: str
    last_day: date | None


class Own(Schema):
    """The shop's own words for the customer's segment, as content/landings.yaml has them."""

    title: str
    text: str
    collection: str
    collection_url: str
    steps: list[str]


class Spec(Schema):
    """What stands on the page; `because` names what opened the round, `own` is null where the shop wrote nothing for the segment."""

    because: str
    own: Own | None
    items: list[Item]
    category: str
    offer: Given | None
    cart_url: str
    shop_url: str


@router.get("", response=Spec, summary="What a customer comes back to")
def shown(request: HttpRequest, customer: CustomerId) -> Spec:
    """The landing of the last advertising that a customer was sent; 404 where there was none."""
    mine = find(customer, tell=False)
    touch = latest_advertising(mine)
    if touch is None:
        raise HttpError(404, "nothing was sent to this customer")
    store, person = store_in_use(), person_of(mine)
    found = landing(store, touch, person, moment.now(), language_of(person.locale, store.locale))
    own = Own(**found.words.model_dump(), collection_url=found.collection_url) if found.words else None
    of = found.offer
    given = None if of is None else Given(label=of.label, terms=of.terms, state=of.state, code=of.code, last_day=of.last_day)
    items = [Item(id=one, name=name) for one, name in found.items]
    return Spec(
        because=found.hero.key.removeprefix("because_"), own=own, items=items, category=found.category, offer=given,
        cart_url=found.cart_url, shop_url=found.shop_url,
    )  # fmt: skip
