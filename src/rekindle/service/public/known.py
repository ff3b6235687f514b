"""What the shop knows about a customer and what it sent, in plain words; no address stands here, for whoever has the link sees the page.

Knows nothing of how anything is worked out. Nothing here changes anything.
"""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from rekindle.deliver.words import readable
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.linking import open_linker
from rekindle.service.flow.showing import day_of
from rekindle.service.flow.snapshots import known_of
from rekindle.service.outbox.queries import latest_of
from rekindle.service.people.queries import address_of
from rekindle.service.public.answers import day_in, filled, month_in, not_ours, page
from rekindle.service.public.visitors import Visitor, visitor_of

_ADDRESSES = ("email", "sms", "webpush")
_SHOWN = 12
"""Messages that are listed, the latest first."""


@require_safe
def show(request: HttpRequest, token: str) -> HttpResponse:
    """What is known of whoever the link belongs to."""
    visitor = visitor_of("preferences", token)
    if visitor is None:
        return not_ours(request)
    store, locale = store_in_use(), visitor.person.locale
    linker = open_linker(store)
    _, choose = linker.own(visitor.person.customer_id, visitor.channel)
    sent = [
        {"label": filled(locale, "known_message", day=day_in(locale, day_of(store, one)), channel=filled(locale, f"channel_{one.channel}")),
         "why": linker.about(one)["why_url"]}
        for one in latest_of(visitor.person.customer_id, _SHOWN)
    ]  # fmt: skip
    said = {"facts": list(_facts(visitor)), "held": _held(visitor), "sent": sent, "choose": choose}
    return page(request, "known.html", said, locale=locale)


def _facts(visitor: Visitor) -> Iterator[str]:
    """What the last published profile says, a sentence each; nothing after an objection: there is no profile then."""
    found, locale = known_of(store_in_use().var, visitor.person.customer_id), visitor.person.locale
    row = found.row if found else {}
    if not row.get("orders"):
        yield filled(locale, "known_none")
        return
    yield filled(locale, f"stage_{row['lifecycle']}")
    months = {name: month_in(locale, row[name]) for name in ("first_day", "last_day")}
    if row["orders"] == 1:
        yield filled(locale, "known_order", month=months["last_day"])
    else:
        yield filled(locale, "known_orders", number=str(row["orders"]), first=months["first_day"], last=months["last_day"])
    if category := readable(row["category"]):
        yield filled(locale, "known_category", category=category)


def _held(visitor: Visitor) -> list[str]:
    """The kinds of addresses that are kept."""
    return [filled(visitor.person.locale, f"held_{way}") for way in _ADDRESSES if address_of(visitor.person, way)]
