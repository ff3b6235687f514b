"""Handing a customer over to the shop: one press, and the shop knows who comes, for things of low risk.

Knows nothing of the shop's accounts. Looking opens nothing; a POST opens a way that is good for ten minutes and one use. A
message lets in once, for some days after it was sent; then its link leads to the shop's own way in.
"""

from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from rekindle import moment
from rekindle.service.config.headers import POLICY
from rekindle.service.config.web import store_in_use
from rekindle.service.outbox.models import Touch
from rekindle.service.public.answers import filled, not_ours, page
from rekindle.service.public.forms import form
from rekindle.service.public.visitors import reader_of
from rekindle.service.trust.actions import open_entrance
from rekindle.service.trust.queries import was_used

_OWN_FORMS = "form-action 'self'"
_SEE_OTHER = 303
_OUR_PAGE = "same-origin"
"""What a browser says of a form of our own page; a form elsewhere could sign in its visitor as another. Source: W3C Fetch Metadata."""


@form()
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """The page with its button, and where the button leads: the shop, with a code that the shop's server shows to `/v1/handover`."""
    reader, shop, now = reader_of(token), store_in_use().handover.url, moment.now()
    if reader is None or not shop:
        return not_ours(request)
    good = _lasts(reader.touch, now) and not was_used(reader.touch)
    pressed = request.method == "POST" and request.headers.get("Sec-Fetch-Site", _OUR_PAGE) == _OUR_PAGE
    code = open_entrance(reader.touch, now) if good and pressed else None
    if code is not None:
        answer: HttpResponse = HttpResponseRedirect(_with(shop, code))
        answer.status_code = _SEE_OTHER
        return answer
    title = filled(reader.person.locale, "enter_title" if good else "enter_over_title", shop=store_in_use().name)
    answer = page(request, "enter.html", {"title": title, "good": good}, locale=reader.person.locale)
    parts = urlsplit(shop)
    answer.headers["Content-Security-Policy"] = POLICY.replace(_OWN_FORMS, f"{_OWN_FORMS} {parts.scheme}://{parts.netloc}")
    return answer


def _lasts(touch: Touch, now: datetime) -> bool:
    """Whether the message that led here is new enough to sign somebody in."""
    return now < (touch.settled_at or touch.send_at) + timedelta(days=store_in_use().handover.days)


def _with(shop: str, code: str) -> str:
    parts = urlsplit(shop)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("code", code)])))
