"""Which database holds the ledger, and that its tables are those of this version.

Knows nothing of what the tables mean. One ledger is in use at a time in a process: the last one chosen.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.conf import settings as django_settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from rekindle.errors import BadData, StoreUnavailable
from rekindle.settings import Settings

APPS = ("people", "programs", "outbox")
LOCK_WAIT = 60.0
_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"  # foreign keys are on by default in Django


def configure() -> None:
    """Makes Django ready without a database; safe to repeat."""
    if django_settings.configured:
        return
    options = {"transaction_mode": "IMMEDIATE", "timeout": LOCK_WAIT, "init_command": _PRAGMAS}
    django_settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "", "OPTIONS": options}},
        INSTALLED_APPS=[f"rekindle.service.{app}" for app in APPS],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        TIME_ZONE="UTC",
        LOGGING_CONFIG=None,
    )
    django.setup()


def use_ledger(settings: Settings) -> None:
    """Chooses a store's ledger for this process, making or upgrading its file where needed.

    Raises:
        BadData: The database URL cannot be used.
        StoreUnavailable: The file cannot be opened or written, or a newer version wrote it.
    """
    path = _path(settings)
    configure()
    if connection.settings_dict["NAME"] == str(path) and path.is_file():
        return
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(path):
            _migrate(path)
    except BaseException as error:
        connection.close()
        connection.settings_dict["NAME"] = ""
        if isinstance(error, OSError | Error):
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            remedy = "Check the folder's permissions and free space; restore a damaged file from a backup."
            raise StoreUnavailable(f"cannot open {path}: {why}", remedy) from error
        raise


def _path(settings: Settings) -> Path:
    scheme, _, name = settings.database.partition("://")
    if scheme in ("postgres", "postgresql"):
        raise BadData("a ledger on PostgreSQL is not supported yet", 'Write database = "sqlite:///var/ledger.sqlite3".')
    if scheme != "sqlite" or not name.lstrip("/"):
        raise BadData(f"'{scheme}://' is not a ledger's database", 'Write database = "sqlite:///var/ledger.sqlite3".')
    return settings.root / (name[1:] if name.startswith("/") else name)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.with_name(path.name + ".migrate").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(path: Path) -> None:
    executor = MigrationExecutor(connection)
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations or ())
    if unknown:
        raise StoreUnavailable(f"{path} was written by a newer Rekindle", "Install that version or a later one.")
    targets = executor.loader.graph.leaf_nodes()
    if executor.migration_plan(targets):
        executor.migrate(targets)
