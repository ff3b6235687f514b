"""What stands before the console's pages and before no other: sessions, who is signed in, the check of forms, and what browsers may do.

Knows nothing of pages. Customers' pages and the API have no cookie and no session, and pay for none of this.
"""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from rekindle.errors import BadData, RekindleError
from rekindle.service.console.roles import LOOKING, refusal

BELOW = "/console/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
WITH_FILES, FILE_AT_MOST = frozenset({"start", "start-contacts"}), 500_000_000
"""The pages that take files, by their names in `urls.py`, and the bytes that one may have; others take Django's setting."""

_TOO_LARGE, _FAILED = 413, 500
_HERE = ("127.0.0.1", "localhost", "[::1]")


class _Console(MiddlewareMixin):
    """A middleware that lets everything pass that is not the console's; the one that it stands before does its work for what is."""

    def __call__(self, request: HttpRequest) -> Any:  # noqa: ANN401  Django's
        if not request.path_info.startswith(BELOW):
            return self.get_response(request)
        return super().__call__(request)


class Sessions(_Console, SessionMiddleware):
    """Sessions whose cookies, and that of the forms' check, leave by HTTPS alone unless the browser is on this machine."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Adds the cookie."""
        answer: HttpResponse = super().process_response(request, response)
        for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
            if name in answer.cookies:
                answer.cookies[name]["secure"] = not on_this_machine(request)
        return answer


class Forms(_Console, CsrfViewMiddleware):
    """The check that a form came from our own page, after all that can be said without reading it."""

    def process_view(self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any) -> Any:  # noqa: ANN401  Django's
        """Checks, of the console's forms alone; what is too large, or of somebody who may not send it, is not even read."""
        if not request.path_info.startswith(BELOW):
            return None
        if request.method not in LOOKING and (answer := _unread(request, callback)):
            return answer
        return super().process_view(request, callback, callback_args, callback_kwargs)


def _unread(request: HttpRequest, callback: Any) -> HttpResponse | None:  # noqa: ANN401  Django's
    """The answer to a form that is not to be read; None to one that is. A form without a length has nothing that is read."""
    page = request.resolver_match.url_name if request.resolver_match else None
    most = FILE_AT_MOST if page in WITH_FILES else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    told = request.META.get("CONTENT_LENGTH") or "0"
    if not told.isdecimal() or int(told) > most:
        error = BadData(f"more than {most // 1_000_000:,} MB were sent", "Take it in on the store's own machine: rekindle import FILE")
        return render(request, "console/failed.html", {"error": error}, status=_TOO_LARGE)
    guarded = getattr(callback, "guarded", None)
    return refusal(request, *guarded) if guarded else None


class Operators(_Console, AuthenticationMiddleware):
    """Who is signed in."""

    def process_view(self, *asked: Any) -> None:  # noqa: ANN401  Django's
        """Nothing: every view says itself who may come."""


class Notes(_Console, MessageMiddleware):
    """What the next page says of what was done; what keeps this one from being shown is said in its place, with what to do."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """An answer to what failed for a known reason; to nothing else."""
        if not request.path_info.startswith(BELOW) or not isinstance(exception, RekindleError):
            return None
        return render(request, "console/failed.html", {"error": exception}, status=_FAILED)


def careful(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Lets the console's pages run our own script and load our own files, and send forms that say where they are from."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path_info.startswith(BELOW):
            response.headers.setdefault("Content-Security-Policy", POLICY)
            response.headers["Referrer-Policy"] = "same-origin"
        return response

    return respond


def on_this_machine(request: HttpRequest) -> bool:
    """Whether the browser speaks to us without a server between and over no net; the host alone is what anybody may say."""
    host = request.get_host()
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    between = any(one == "Forwarded" or one.startswith("X-Forwarded-") for one in request.headers)
    return not request.is_secure() and not between and name in _HERE and _loopback(request.META.get("REMOTE_ADDR", ""))


def _loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def private(request: HttpRequest) -> bool:
    """Whether nobody on the way can read along: the browser is on this machine, or came by HTTPS as far as can be told."""
    return request.is_secure() or request.headers.get("X-Forwarded-Proto") == "https" or on_this_machine(request)
