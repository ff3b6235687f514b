"""Stopping: one click in the mail program (RFC 8058), or one button on a page. No sign-in, no question, no cookie.

Knows nothing of messages. Looking changes nothing; only a POST does.
"""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse

from rekindle import moment
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.linking import open_linker
from rekindle.service.people.actions import opt_out
from rekindle.service.public.answers import filled, not_ours, page
from rekindle.service.public.forms import form
from rekindle.service.public.visitors import forgotten, visitor_of
from rekindle.service.wishes.queries import held_and_stopped

TEXTS = ("stop_title", "stop_text", "stop_button", "stopped_title", "stopped_text")
ONE_CLICK = ("List-Unsubscribe", "One-Click")


@form(for_machines=True)
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """The page with its button, and what the button and mail programs post to; of who was erased nothing is written down again.

    Source: RFC 8058, 3.1 and 3.2: no cookie, no redirect; a body without the key changes nothing.
    """
    visitor = visitor_of("unsubscribe", token)
    if visitor is None:
        return not_ours(request)
    locale, customer = visitor.person.locale, visitor.person.customer_id
    channel = filled(locale, f"channel_{visitor.channel}")
    _, choose = open_linker(store_in_use()).own(customer, visitor.channel)
    said = {"texts": {name: filled(locale, name, channel=channel) for name in TEXTS}, "choose": choose}
    if request.method != "POST":
        return page(request, "stop.html", said, locale=locale)
    name, value = ONE_CLICK
    if request.POST.get(name) != value:
        return page(request, "stop.html", said, status=400, locale=locale)
    now = moment.now()
    if not forgotten(visitor.person):
        opt_out(customer, visitor.channel, now, "unsubscribe link")
    undo = visitor.channel in held_and_stopped(visitor.person, now)[1] and urlsplit(choose).path
    return page(request, "stopped.html", {**said, "undo": undo}, locale=locale)
