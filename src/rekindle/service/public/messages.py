"""The pages about one message: itself in a browser, and why it came.

Knows nothing of how messages are decided and sent. Nothing here changes anything in the ledger.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from rekindle.deliver.facts import CARD_KINDS
from rekindle.deliver.short_links import BECAUSE, VIEW, Link
from rekindle.errors import RekindleError
from rekindle.moment import local_day
from rekindle.respond.because import Because, because, happened
from rekindle.service.config.web import store_in_use
from rekindle.service.flow import showing
from rekindle.service.flow.linking import open_linker
from rekindle.service.public.answers import day_in, filled, month_in, not_ours, page
from rekindle.service.public.clicks import followed
from rekindle.service.public.visitors import Reader, reader_of

AS_SENT = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""A mail carries its styles within itself, so its page may; scripts stay forbidden."""


@require_safe
def view(request: HttpRequest, token: str) -> HttpResponse:
    """An e-mail as it was sent."""
    reader = reader_of(token)
    if reader is None or reader.touch.channel != "email":
        return not_ours(request)
    followed(request, Link(reader.touch.id, VIEW))
    try:
        html = showing.again(store_in_use(), reader.touch, reader.person)
    except RekindleError:
        return page(request, "gone.html", {}, status=410, locale=reader.person.locale)
    return HttpResponse(html, headers={"Content-Security-Policy": AS_SENT})


@require_safe
def why(request: HttpRequest, token: str) -> HttpResponse:
    """Why a message came: the yes that it went by, what opened its round, and how it was chosen."""
    reader = reader_of(token)
    if reader is None:
        return not_ours(request)
    store, touch, locale = store_in_use(), reader.touch, reader.person.locale
    followed(request, Link(touch.id, BECAUSE))
    linker = open_linker(store)
    stop, choose = linker.own(touch.customer_id, touch.channel)
    channel = filled(locale, f"channel_{touch.channel}")
    said = {
        "sent": filled(locale, "why_sent", channel=channel, day=day_in(locale, showing.day_of(store, touch))),
        "reasons": reasons(reader, channel), "view": linker.about(touch)["view_url"] if touch.channel == "email" else "",
        "known": linker.known(touch.customer_id, touch.channel), "choose": choose, "stop": "" if touch.service else stop,
        "stop_button": filled(locale, "stop_button", channel=channel),
    }  # fmt: skip
    return page(request, "why.html", said, locale=locale)


def reasons(reader: Reader, channel: str) -> list[str]:
    """What led to a message, a sentence each."""
    store, touch, locale = store_in_use(), reader.touch, reader.person.locale
    facts = showing.decided(store, touch)
    found, yes, mishap = because(facts), showing.agreed(touch), happened(facts)
    told = [sentence(locale, found)]
    if yes is not None:
        told.insert(0, filled(locale, "why_agreed", channel=channel, day=day_in(locale, local_day(yes.recorded_at, store.timezone))))
    if mishap:
        told.append(filled(locale, mishap))
    if not touch.service:
        told.append(filled(locale, "why_chosen"))
        told.append(filled(locale, "why_offer" if facts.offer_kind in CARD_KINDS else "why_lot"))
    return told


def sentence(locale: str, found: Because) -> str:
    """What opened a round, in words."""
    when = "" if found.day is None else (month_in if found.key in BY_MONTH else day_in)(locale, found.day)
    return filled(locale, found.key, day=when, name=found.name, shop=store_in_use().name)


BY_MONTH = frozenset({"because_lapse", "because_anniversary"})
"""Reasons long ago: nobody needs to read on which day they bought something."""
