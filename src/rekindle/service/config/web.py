"""The web side of one store: its WSGI application, and which store a request is about.

Knows nothing of pages. One process serves one store; every view asks here for its settings.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler

from rekindle.errors import StoreUnavailable
from rekindle.service.config.database import configure, use_ledger
from rekindle.service.config.keys import load_secret
from rekindle.settings import Settings

_store: list[Settings] = []
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def application(store: Settings) -> Wsgi:
    """The WSGI application of a store; it answers with and without the path of `public_url`, as the server before it may pass either."""
    configure()
    use_ledger(store)
    django_settings.SECRET_KEY = load_secret(store.var, "django")
    _store[:] = [store]
    logging.getLogger("django.request").addFilter(_without_address)
    handler, prefix = WSGIHandler(), store.public_path

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            environ = {**environ, "PATH_INFO": path[len(prefix) :] or "/"}
        return handler(environ, start)

    return answer


def _without_address(record: logging.LogRecord) -> bool:
    """What is logged names the pattern of an address, never the token in it; a page that is not there is not logged at all."""
    request = getattr(record, "request", None)
    found = getattr(request, "resolver_match", None)
    record.msg, record.args = "%s failed", (found.route if found else "an address that is not ours",)
    return record.levelno >= logging.ERROR


def store_in_use() -> Settings:
    """The store that this process serves.

    Raises:
        StoreUnavailable: None is.
    """
    if not _store:
        raise StoreUnavailable("no store is being served", "Start the server with: rekindle serve")
    return _store[0]
