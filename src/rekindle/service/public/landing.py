"""What a customer comes back to from a message: the cart as it was left, the offer with its real end, and the way to the shop.

Knows nothing of what is decided. Nothing here changes anything; the page is made from the facts that its message froze.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from rekindle import moment
from rekindle.decide.timing import zone_of
from rekindle.deliver.facts import CARD_KINDS, Facts
from rekindle.deliver.words import readable
from rekindle.moment import local_day
from rekindle.respond.because import because
from rekindle.respond.landing import offer_state
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.linking import campaign, cart_link, open_linker
from rekindle.service.flow.showing import decided
from rekindle.service.public.answers import day_in, filled, not_ours, page
from rekindle.service.public.messages import sentence
from rekindle.service.public.visitors import Reader, reader_of
from rekindle.service.redemptions.models import Coupon


@require_safe
def land(request: HttpRequest, token: str) -> HttpResponse:
    """The page of one customer."""
    reader = reader_of(token)
    if reader is None:
        return not_ours(request)
    store, touch, locale = store_in_use(), reader.touch, reader.person.locale
    facts = decided(store, touch)
    way = touch.channel, touch.program, f"{touch.stage}.{touch.arm}"
    offer = _offer(reader, facts)
    code = touch.code if offer.get("open") else ""
    cart = store.handover.cart_url and facts.cart and campaign(cart_link(store.handover.cart_url, facts.cart_ids, code), *way)
    category = readable(facts.category)
    said = {
        "hero": sentence(locale, because(facts)), "items": [readable(name) for name in facts.cart], "cart": cart,
        "offer": offer, "shop_url": campaign(store.brand.url, *way), "code": code,
        "browse": filled(locale, "for_browse", shop=store.name),
        "collection": filled(locale, "for_category", category=category) if category else "",
        "enter": store.handover.url and f"{store.public_path}/enter/{token}", "why": open_linker(store).about(touch)["why_url"],
    }  # fmt: skip
    return page(request, "landing.html", said, locale=locale)


def _offer(reader: Reader, facts: Facts) -> dict[str, object]:
    """The offer of a message, and whether it still holds; empty where it had none."""
    store, touch, locale = store_in_use(), reader.touch, reader.person.locale
    if facts.offer_kind not in CARD_KINDS:
        return {}
    used = Coupon.objects.filter(pk=touch.code, redeemed__gt=0).exists()
    today = local_day(moment.now(), zone_of(reader.person.timezone, store.timezone))
    state = offer_state(touch.code, facts.valid_until, today, used)
    day = day_in(locale, facts.valid_until) if facts.valid_until else ""
    told = "" if state == "none" or (state == "open" and not day) else filled(locale, f"offer_{state}", day=day)
    return {"label": facts.offer_label, "terms": facts.offer_terms, "state": told, "open": state == "open"}
