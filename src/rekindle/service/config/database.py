"""Which database holds the ledger, and that its tables are those of this version.

Knows nothing of what the tables mean. One ledger is in use at a time in a process: the last one chosen.
"""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings as django_settings
from django.db import DEFAULT_DB_ALIAS, DataError, Error, InterfaceError, OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from rekindle.errors import BadData, StoreUnavailable
from rekindle.service.config.ledger_url import Place, place
from rekindle.service.config.requests import SIGN_IN, WEB
from rekindle.settings import Settings

APPS = (
    "people", "programs", "outbox", "events", "links", "public", "channels.inapp", "channels.sms", "api", "redemptions",
    "placements", "privacy", "trust", "console", "experiments",
)  # fmt: skip
FOREIGN = (
    "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.messages",
    "django.contrib.admin.apps.SimpleAdminConfig", "allauth",
    "allauth.account", "allauth.mfa",
)  # fmt: skip
"""What others wrote and the console needs; after our own, so that our templates win."""

_MIGRATING = int.from_bytes(b"rekindle")  # an advisory lock of PostgreSQL goes by a number
_NONE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ""}
_FILE_REMEDY = "Check the folder's permissions and free space; restore a damaged file from a backup."
_SERVER_REMEDY = "Check that the server runs and has room, and the URL, the user's rights and database_password; then repeat the command."


def configure() -> None:
    """Makes Django ready without a database; safe to repeat."""
    if django_settings.configured:
        return
    django_settings.configure(
        DATABASES={DEFAULT_DB_ALIAS: dict(_NONE)},
        INSTALLED_APPS=[*(f"rekindle.service.{app}" for app in APPS), *FOREIGN],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        TIME_ZONE="UTC",
        LOGGING_CONFIG=None,
        **WEB,
        **SIGN_IN,
    )
    django.setup()


def use_ledger(settings: Settings) -> None:
    """Chooses a store's ledger for this process, making or upgrading its tables where needed.

    A connection that the server closed since the last call is opened anew.

    Raises:
        BadData: The database URL cannot be used.
        StoreUnavailable: The database cannot be opened or written, or a newer version wrote it.
    """
    wanted = place(settings)
    configure()
    if _chosen(wanted):
        _follow()
        if wanted.path is None:
            connection.close_if_unusable_or_obsolete()
        return
    _choose(wanted.connection)
    try:
        with _named(wanted):
            if wanted.path is not None:
                wanted.path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(wanted):
                _migrate(wanted.name)
    except BaseException:
        _choose(_NONE)
        raise


@contextmanager
def ledger_named(settings: Settings) -> Iterator[None]:
    """Names the ledger where it fails in the middle: a full disk, a server that went away, a value that it cannot hold.

    Raises:
        StoreUnavailable: It failed; what was committed before stays.
        BadData: A text is too long for its column, or holds a NUL; PostgreSQL looks more closely than SQLite.
    """
    try:
        with _named(place(settings), (OperationalError, InterfaceError)):
            yield
    except DataError as error:
        raise BadData(f"the ledger cannot hold a value: {_said(error)}", "Shorten or mend it in the file it comes from.") from error


def _chosen(wanted: Place) -> bool:
    held = connections.settings[DEFAULT_DB_ALIAS]
    return all(held.get(name) == value for name, value in wanted.connection.items()) and (wanted.path is None or wanted.path.is_file())


def _follow() -> None:
    """Gives up a connection of this thread that is of before another thread chose."""
    if connection.settings_dict is not connections.settings[DEFAULT_DB_ALIAS]:
        connection.close()
        del connections[DEFAULT_DB_ALIAS]


def _choose(chosen: Mapping[str, Any]) -> None:
    """Gives this thread a connection of other settings; Django has one for life, and completes a table that it is given."""
    connection.close()
    del connections[DEFAULT_DB_ALIAS]
    connections.settings.update(connections.configure_settings({DEFAULT_DB_ALIAS: dict(chosen)}))


@contextmanager
def _named(ledger: Place, failures: tuple[type[Exception], ...] = (OSError, Error)) -> Iterator[None]:
    try:
        yield
    except failures as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else _said(error)
        remedy = _FILE_REMEDY if ledger.path else _SERVER_REMEDY
        raise StoreUnavailable(f"cannot use the ledger {ledger.name}: {why}", remedy) from error


def _said(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


@contextmanager
def _alone(ledger: Place) -> Iterator[None]:
    """One process at a time makes or upgrades tables."""
    if ledger.path is not None:
        with ledger.path.with_name(ledger.path.name + ".migrate").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    with connection.cursor() as cursor:
        cursor.callproc("pg_advisory_lock", [_MIGRATING])
    try:
        yield
    finally:
        connection.close()  # and with it the lock, whatever went wrong


def _migrate(name: str) -> None:
    executor = MigrationExecutor(connection)
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations or ())
    if unknown:
        raise StoreUnavailable(f"{name} was written by a newer Rekindle", "Install that version or a later one.")
    targets = executor.loader.graph.leaf_nodes()
    if executor.migration_plan(targets):
        executor.migrate(targets)
