"""What the last published profiles say of one customer, for a process that must never open history.

Knows nothing of how a profile is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class Known:
    """A customer's row of a snapshot.

    Args:
        as_of: The snapshot's name: a day, or an instant of UTC.
        row: The row's columns.
    """

    as_of: str
    row: Mapping[str, Any]


def known_of(var: Path, customer_id: str) -> Known | None:
    """A customer's row of the latest snapshot; None where there is no snapshot, or the customer is not in it.

    Args:
        var: Where a store's files lie.
        customer_id: Whose.
    """
    found = sorted((var / "insight").glob("*/profile.parquet"), key=lambda path: path.parent.name)
    if not found:
        return None
    rows = pq.read_table(found[-1], filters=[("customer_id", "==", customer_id)]).to_pylist()
    return Known(found[-1].parent.name, rows[0]) if rows else None
