"""The web side of one store: its WSGI application, and which store a request is about.

Knows nothing of pages. One process serves one store; every view asks here for its settings.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from whitenoise import WhiteNoise

from rekindle.errors import StoreUnavailable
from rekindle.service.config.database import configure, use_ledger
from rekindle.service.config.keys import load_secret
from rekindle.service.config.looks import Handler
from rekindle.service.config.talk import address, mistake
from rekindle.service.config.watched import Watched
from rekindle.settings import Settings

FILES = "console/files"
"""Below which address the console's style and script are."""

_FILES: Mapping[str, str] = {"rekindle.service.console": "assets", "django_htmx": "static", "django.contrib.admin": "static"}
_A_YEAR = 31_536_000
_LOOK = 1.0
"""Seconds between two looks at whether the settings were changed, in another process or by hand."""

_store: list[Watched] = []
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def application(store: Settings) -> Wsgi:
    """The WSGI application of a store; it answers with and without the path of `public_url`, as the server before it may pass either."""
    configure()
    serve_as(store)
    use_ledger(store)
    logging.getLogger("django.request").addFilter(_without_address)
    handler = _with_files(Handler())

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path, prefix = environ.get("PATH_INFO", ""), store_in_use().public_path
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            environ = {**environ, "PATH_INFO": path[len(prefix) :] or "/"}
        return handler(environ, start)

    return answer


def _with_files(handler: Wsgi) -> Wsgi:
    """The console's files are answered before Django is asked; their addresses change when they do, so that browsers keep them."""
    found = WhiteNoise(handler, max_age=_A_YEAR, allow_all_origins=False)
    for package, folder in _FILES.items():
        found.add_files(str(files(package) / folder), prefix=FILES)
    return cast(Wsgi, found)


def serve_as(store: Settings) -> None:
    """Makes a store, or the same store with other settings, the one that this process serves."""
    _tell_django(store)
    _store[:] = [Watched(store, logging.getLogger(__name__).warning, _LOOK)]


def _tell_django(store: Settings) -> None:
    address, below = urlsplit(store.public_url), f"{store.public_path}/console/"
    django_settings.SECRET_KEY = load_secret(store.var, "django")
    django_settings.FILE_UPLOAD_TEMP_DIR = str(store.var)
    django_settings.FORCE_SCRIPT_NAME = store.public_path or None
    django_settings.STATIC_URL = f"{store.public_path}/{FILES}/"
    django_settings.SESSION_COOKIE_PATH = django_settings.CSRF_COOKIE_PATH = below
    django_settings.CSRF_TRUSTED_ORIGINS = [f"{address.scheme}://{address.netloc}"]


def _without_address(record: logging.LogRecord) -> bool:
    """What is logged names the pattern of an address, never the token in it; a page that is not there is not logged at all.

    Of an error it names the kind and the place: its own words, and those of a traceback, may hold what a person wrote.
    """
    error = record.exc_info[1] if record.exc_info else None
    record.msg, record.args = "%s failed%s", (address(getattr(record, "request", None)), f": {mistake(error)}" if error else "")
    record.exc_info = None
    return record.levelno >= logging.ERROR


def store_in_use() -> Settings:
    """The store that this process serves, as its settings are now.

    Raises:
        StoreUnavailable: None is.
    """
    if not _store:
        raise StoreUnavailable("no store is being served", "Start the server with: rekindle serve")
    before, now = _store[0].held, _store[0].now()
    if now is not before:
        _tell_django(now)
    return now
