"""What makes a database keep nothing of rows that were deleted.

Knows nothing of what the rows were.
"""

import time
from collections.abc import Sequence

from django.db import connection

from rekindle.errors import StoreUnavailable

_TRIES, _PAUSE = 40, 0.25


def empty(tables: Sequence[str]) -> None:
    """Gives up the room of deleted rows: SQLite writes its file anew and cuts its log off, PostgreSQL vacuums.

    Args:
        tables: Whose rows were deleted.

    Raises:
        StoreUnavailable: Somebody reads the ledger for so long that its log cannot be cut off.
    """
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            for table in tables:
                cursor.execute(f"VACUUM {connection.ops.quote_name(table)}")
            return
        cursor.execute("VACUUM")
        for _ in range(_TRIES):
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if not cursor.fetchone()[0]:
                return
            time.sleep(_PAUSE)
    raise StoreUnavailable("the ledger is being read all the time, so that its log cannot be emptied", "Repeat the command in a minute.")
