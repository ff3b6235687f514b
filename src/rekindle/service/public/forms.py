"""What every page with a button has: looking and posting, each so often a minute.

Knows nothing of what a button does. A link may be posted to so often, and an address may post so often, far more than its people
press. Where mail programs stop on behalf of their users no address is counted: they are few, and a stop is never put off.
"""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rekindle.service.config.often import MINUTE, Counted, origin_of, sealed
from rekindle.service.public.answers import page

LINKS, ORIGINS = Counted(30), Counted(600)
"""Posts in a minute: to a link, from an address."""

View = Callable[..., HttpResponse]


def form(*, for_machines: bool = False) -> Callable[[View], View]:
    """A page with a button; our pages have no cookie, so that there is nothing that a form elsewhere could ride on.

    Args:
        for_machines: Whether mail programs post to it on behalf of their users.
    """

    def made(view: View) -> View:
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
        @wraps(view)
        def answer(request: HttpRequest, token: str, **named: str) -> HttpResponse:
            if request.method == "POST" and (LINKS.over(sealed(token)) or (not for_machines and ORIGINS.over(origin_of(request)))):
                return _hurried(request)
            return view(request, token, **named)

        return answer

    return made


def _hurried(request: HttpRequest) -> HttpResponse:
    answer = page(request, "hurried.html", {}, status=429)
    answer.headers["Retry-After"] = str(MINUTE)
    return answer
