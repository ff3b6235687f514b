"""The journal as files that pages read: what was decided about each customer, a file a quarter, sorted by customer.

Knows nothing of deciding. A quarter is written anew when a plan adds to it; history stays what counts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq

from rekindle.history.customer_rows import rows_of
from rekindle.history.warehouse import SMALL_PART, Warehouse

FOLDER = "journal"
COLUMNS = (
    "plan", "as_of", "customer_id", "program", "version", "stage", "episode", "standing", "context", "eligible", "arm", "propensity",
    "draw", "policy", "reason", "channel", "offer", "send_at", "valid_until", "expected_cost", "expected_margin", "baseline", "cohort",
    "offer_value",
)  # fmt: skip
"""Of the journal's columns those that a customer's story is told from."""


def publish(var: Path, warehouse: Warehouse) -> tuple[Path, ...]:
    """Writes the quarters whose file is not there or is not what the journal holds.

    Args:
        var: Where a store's files lie.
        warehouse: The open history.

    Returns:
        The files that were written.
    """
    journal = warehouse.table("journal")
    counted = journal.semi_join(warehouse.table("plans"), "plan").mutate(quarter=journal.as_of.truncate("Q"))
    quarters = warehouse.arrow(counted.group_by("quarter").aggregate(rows=counted.count()).order_by("quarter")).to_pylist()
    written = []
    for one in quarters:
        path = var / FOLDER / f"{one['quarter']:%Y-%m}.parquet"
        if not _holds(path, one["rows"]):
            mine = counted.filter(counted.quarter == ibis.literal(one["quarter"], type=counted.quarter.type()))
            warehouse.write_parquet(mine.select(*COLUMNS).order_by("customer_id", "as_of", "program", "stage"), path, SMALL_PART)
            written.append(path)
    return tuple(written)


def _holds(path: Path, rows: int) -> bool:
    if not path.is_file():
        return False
    found = pq.read_metadata(path)
    small = all(found.row_group(number).num_rows <= 2 * SMALL_PART for number in range(found.num_row_groups))
    return small and bool(found.num_rows == rows) and tuple(found.schema.to_arrow_schema().names) == COLUMNS


def decisions_of(var: Path, customer_id: str) -> tuple[Mapping[str, Any], ...]:
    """Every published row of a customer, oldest first; what the columns mean, the journal says.

    Args:
        var: Where a store's files lie.
        customer_id: Whose.
    """
    files = sorted((var / FOLDER).glob("*.parquet"))
    return tuple(rows_of(files, customer_id, ("as_of", "program", "stage"))) if files else ()
