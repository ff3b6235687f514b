"""Looks that customers and checkouts wait for: a link that is followed, a preference page, a code that is tried.

Knows nothing of what they show. They pass by what only the console's pages need. Those that may ask SQLite take turns: Python lets another
thread run at each statement, so that of several that look each would wait for the others a dozen times an answer instead of once.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any, cast

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, resolve
from django.utils.log import log_response

from rekindle.service.config.headers import careful
from rekindle.service.config.prepared import SQLITE

_TURN = Lock()
Answer = Callable[[HttpRequest], HttpResponse]
Start = Callable[..., Any]
"""Takes an answer's status and headers, as WSGI has it."""


@dataclass(frozen=True, slots=True)
class Look:
    """Requests that change nothing in the ledger, and are answered in less than a millisecond.

    Args:
        method: HTTP's.
        before: The address before the one part of it that varies.
        after: And after it.
    """

    method: str
    before: str
    after: str = ""

    def part(self, method: str, path: str) -> str:
        """The part of an address that varies; empty where the request is another one."""
        if method != self.method or not path.startswith(self.before) or not path.endswith(self.after):
            return ""
        part = path[len(self.before) : len(path) - len(self.after)]
        return "" if "/" in part else part

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """What the view of the address answers."""
        request.resolver_match = found = _found(self)
        answer: HttpResponse = found.func(request, **dict.fromkeys(found.kwargs, self.part(str(request.method), request.path_info)))
        return answer


LOOKS = (Look("GET", "/c/"), Look("GET", "/preferences/"), Look("POST", "/v1/coupons/", "/validate"))


class Handler:
    """Looks by a shorter way, all else by Django's. A look has no signals and no cookies, and gives up an old connection itself."""

    def __init__(self) -> None:
        self._django = WSGIHandler()
        self._ways = [(look, cast(Answer, convert_exception_to_response(look))) for look in LOOKS]
        self._turn: AbstractContextManager[object] = _TURN if connection.vendor == SQLITE else nullcontext()
        self._headers = _headers()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """The answer to a request: all of it at once where it is there, so that the server knows its length and asks for no pieces."""
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        for look, way in self._ways:
            if look.part(method, path):
                return self._look(way, WSGIRequest(environ), start)
        answer = self._django(environ, start)
        if not isinstance(answer, HttpResponse):
            return cast(Iterable[bytes], answer)
        answer.close()
        return [answer.content]

    def _look(self, way: Answer, request: HttpRequest, start: Start) -> list[bytes]:
        connection.close_if_unusable_or_obsolete()
        with self._turn:
            answer = way(request)
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            log_response("%s: %s", answer.reason_phrase, request.path, response=answer, request=request)
        start(f"{answer.status_code} {answer.reason_phrase}", list({**self._headers, **answer.headers}.items()))
        return [answer.content]


def _headers() -> dict[str, str]:
    """What every page says to browsers where it says nothing else."""
    nothing = cast(Answer, SecurityMiddleware(careful(lambda _: HttpResponse())))(HttpRequest())
    del nothing.headers["Content-Type"]
    return dict(nothing.items())


@cache
def _found(look: Look) -> ResolverMatch:
    return resolve(f"{look.before}x{look.after}")
