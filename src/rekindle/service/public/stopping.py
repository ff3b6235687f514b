"""Stopping: one click in the mail program (RFC 8058), or one button on a page. No sign-in, no question, no cookie.

Knows nothing of messages. Looking changes nothing; only a POST does.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rekindle import moment
from rekindle.deliver.links import verify
from rekindle.errors import Refused
from rekindle.service.config import load_ring
from rekindle.service.config.web import store_in_use
from rekindle.service.people.actions import opt_out
from rekindle.service.public.answers import not_ours, page

ONE_CLICK = ("List-Unsubscribe", "One-Click")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """The page with its button, and what the button and mail programs post to.

    Source: RFC 8058, 3.1 and 3.2: no cookie, no redirect; a body without the key changes nothing.
    """
    try:
        claim = verify(load_ring(store_in_use().var, "unsubscribe"), token)
    except Refused:
        return not_ours(request)
    channel = claim.audience.removesuffix("-marketing")
    if request.method != "POST":
        return page(request, "public/stop.html", {"channel": channel})
    name, value = ONE_CLICK
    if request.POST.get(name) != value:
        return page(request, "public/stop.html", {"channel": channel}, status=400)
    opt_out(claim.subject, channel, moment.now(), "unsubscribe link")
    return page(request, "public/stopped.html", {"channel": channel})
