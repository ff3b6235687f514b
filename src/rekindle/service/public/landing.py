"""What a customer comes back to from a message: the shop's words for the segment, the cart as it was left, the offer with its real end.

Knows nothing of what is decided. Nothing here changes anything in the ledger.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from rekindle import moment
from rekindle.deliver.short_links import LANDING, Link
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.landings import Offer, landing
from rekindle.service.flow.linking import open_linker
from rekindle.service.public.answers import day_in, filled, not_ours, page
from rekindle.service.public.clicks import followed
from rekindle.service.public.messages import sentence
from rekindle.service.public.visitors import reader_of
from rekindle.service.public.words import language_of


@require_safe
def land(request: HttpRequest, token: str) -> HttpResponse:
    """The page of one customer."""
    reader = reader_of(token)
    if reader is None:
        return not_ours(request)
    followed(request, Link(reader.touch.id, LANDING))
    store, locale = store_in_use(), reader.person.locale
    found = landing(store, reader.touch, reader.person, moment.now(), language_of(locale, store.locale))
    said = {
        "own": found.words, "collection_url": found.collection_url, "hero": sentence(locale, found.hero),
        "items": [name for _, name in found.items], "cart": found.cart_url, "offer": found.offer,
        "state": _state(locale, found.offer), "shop_url": found.shop_url, "browse": filled(locale, "for_browse", shop=store.name),
        "collection": filled(locale, "for_category", category=found.category) if found.category else "",
        "enter": store.handover.url and f"{store.public_path}/enter/{token}", "why": open_linker(store).about(reader.touch)["why_url"],
    }  # fmt: skip
    return page(request, "landing.html", said, locale=locale)


def _state(locale: str, offer: Offer | None) -> str:
    """Whether an offer still holds, in words; empty where nothing of ours ends it."""
    if offer is None or offer.state == "none" or (offer.state in ("open", "ended") and offer.last_day is None):
        return ""
    return filled(locale, f"offer_{offer.state}", day=day_in(locale, offer.last_day) if offer.last_day else "")
