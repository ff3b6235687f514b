"""Looks that customers and checkouts wait for: a link that is followed, a preference page, a code that is tried.

Knows nothing of what they show. They pass by what only the console's pages need. Those that may ask SQLite take turns: Python lets another
thread run at each statement, so that of several that look each would wait for the others a dozen times an answer instead of once.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, cast

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, resolve

from rekindle.service.config.headers import careful
from rekindle.service.config.prepared import SQLITE

_TURN = Lock()
Answer = Callable[[HttpRequest], HttpResponse]


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

    def part(self, request: HttpRequest) -> str:
        """The part of the address that varies; empty where the request is another one."""
        path = request.path_info
        if request.method != self.method or not path.startswith(self.before) or not path.endswith(self.after):
            return ""
        part = path[len(self.before) : len(path) - len(self.after)]
        return "" if "/" in part else part

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """What the view of the address answers."""
        request.resolver_match = found = _found(self)
        answer: HttpResponse = found.func(request, **dict.fromkeys(found.kwargs, self.part(request)))
        return answer


LOOKS = (Look("GET", "/c/"), Look("GET", "/preferences/"), Look("POST", "/v1/coupons/", "/validate"))


class Handler(WSGIHandler):
    """Django's, with a shorter way for looks."""

    _middleware_chain: Answer

    def load_middleware(self, is_async: bool = False) -> None:
        """Makes both ways."""
        super().load_middleware(is_async)
        whole = self._middleware_chain
        short = [(look, _short(look)) for look in LOOKS]
        turn: AbstractContextManager[object] = _TURN if connection.vendor == SQLITE else nullcontext()

        def answer(request: HttpRequest) -> HttpResponse:
            for look, way in short:
                if look.part(request):
                    with turn:
                        return way(request)
            return whole(request)

        self._middleware_chain = answer


def _short(look: Look) -> Answer:
    """What stands before every page, and nothing else."""
    return _answering(SecurityMiddleware(_answering(careful(_answering(look)))))


def _answering(way: Callable[..., Any]) -> Answer:
    """The same, with an answer also where it fails."""
    return cast(Answer, convert_exception_to_response(way))


@cache
def _found(look: Look) -> ResolverMatch:
    return resolve(f"{look.before}x{look.after}")
