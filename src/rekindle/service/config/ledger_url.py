"""Which database a ledger's URL names, as Django's connection settings.

Knows nothing of tables. A password comes from `database_password` or from the environment, and is never shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rekindle.errors import BadData
from rekindle.settings import Settings, secret

LOCK_WAIT = 60
"""How long a statement waits for a lock, in seconds; a web request that waits longer has lost its reader."""
REMEDY = 'Write database = "sqlite:///var/ledger.sqlite3" or "postgresql://user@host:5432/name".'
_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"  # foreign keys are on by default in Django
_DURABLE = f"-c synchronous_commit=on -c lock_timeout={LOCK_WAIT}s"  # the server's own default may be off
_NOTICED = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_AGE = 60
"""For how many seconds a web request may find the connection of another before it open: to open one takes longer than to answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ledger is.

    Args:
        name: As it may be shown: without a password.
        connection: Django's settings for it, and `VAR`, the folder with the keys of what it holds.
        path: The file, of SQLite.
    """

    name: str
    connection: Mapping[str, Any] = field(repr=False)
    path: Path | None = None


def place(settings: Settings) -> Place:
    """Where a store's ledger is.

    Raises:
        BadData: The URL names no database that a ledger may be in, or the password's reference leads nowhere.
    """
    scheme, _, rest = settings.database.partition("://")
    if scheme in ("postgresql", "postgres"):
        return _postgresql(settings)
    if scheme != "sqlite" or not rest.lstrip("/"):
        raise BadData(f"'{scheme}://' is not a ledger's database", REMEDY)
    return _sqlite(settings.root / (rest[1:] if rest.startswith("/") else rest), str(settings.var))


def _sqlite(path: Path, var: str) -> Place:
    options = {"transaction_mode": "IMMEDIATE", "timeout": LOCK_WAIT, "init_command": _PRAGMAS}
    connection = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": options, "CONN_MAX_AGE": _AGE, "VAR": var}
    return Place(str(path), connection, path)


def _password(settings: Settings) -> str:
    reference = settings.database_password
    return secret(reference, settings.root, "database_password") if reference else ""


def _postgresql(settings: Settings) -> Place:
    """Reads the URL as PostgreSQL's own client does: any of its parameters may stand after a question mark."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        given: dict[str, Any] = conninfo_to_dict(settings.database)
    except ProgrammingError:
        given = {}  # its message repeats parts of the URL, the password among them
    if not given.get("dbname"):
        raise BadData("database is no PostgreSQL URL with a database's name", REMEDY)
    name, user, host, port = (str(given.pop(key, "")) for key in ("dbname", "user", "host", "port"))
    password = str(given.pop("password", "")) or _password(settings)
    options = f"{_DURABLE} {given.pop('options', '')}".rstrip()
    connection = {
        "ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": user, "PASSWORD": password, "HOST": host, "PORT": port,
        "CONN_MAX_AGE": _AGE, "CONN_HEALTH_CHECKS": True, "VAR": str(settings.var),
        "OPTIONS": {"application_name": "rekindle", **_NOTICED, **given, "options": options},
    }
    who, where = f"{user}@" if user else "", host + (f":{port}" if port else "")
    return Place(f"postgresql://{who}{where}/{name}", connection)
