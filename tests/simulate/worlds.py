"""Small worlds and touches for the tests of the simulator."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rekindle.simulate.parameters import Parameters

END = date(2026, 9, 27)
CUSTOMERS = 2_000
ARMS = tuple(arm.name for arm in Parameters().arms)


def touches(numbers, arm, at=datetime(2026, 9, 27, 10), stage="reconnect") -> pa.Table:
    """A touch per customer; `arm` is one name or one each."""
    size = len(numbers)
    arms = [arm] * size if isinstance(arm, str) else list(arm)
    return pa.table(
        {
            "customer_id": [f"C{number:06d}" for number in numbers],
            "program": ["win-back"] * size,
            "stage": [stage] * size,
            "arm": arms,
            "offer": pa.array([f"offer_{one}" for one in arms], pa.string()),
            "channel": ["email"] * size,
            "sent_at": pa.array([at] * size, pa.timestamp("us")),
        }
    )


def nobody() -> pa.Table:
    """No touch."""
    return touches([0], "reminder").slice(0, 0)


def everybody(seed: int = 5, at=datetime(2026, 9, 27, 10), stage="reconnect", size: int = CUSTOMERS) -> pa.Table:
    """A touch of a random arm for every customer."""
    draw = np.random.default_rng(seed)
    return touches(range(size), draw.choice(ARMS, size), at, stage)


def inbox(folder: Path, kind: str, *batches: int) -> pa.Table:
    """The import files of a kind and some batches, as one table; none of a batch is no rows."""
    paths = [folder / "var" / "inbox" / f"{kind}-{batch:04d}.parquet" for batch in batches]
    return pa.concat_tables([pq.read_table(path) for path in paths if path.exists()], promote_options="default")
