"""Which touches reached the world, and when it felt them.

Knows nothing of what they do. Recorded touches are only ever added to, so that a touch keeps its number and its luck.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rekindle.errors import BadData
from rekindle.simulate.chance import Flags, Ints
from rekindle.simulate.ids import customer_numbers
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.purchases import DAY
from rekindle.simulate.world import save, truth_folder

SCHEMA = pa.schema(
    {
        "customer_id": pa.string(), "program": pa.string(), "stage": pa.string(), "arm": pa.string(), "offer": pa.string(),
        "channel": pa.string(), "sent_at": pa.timestamp("us"), "code": pa.string(), "felt_at": pa.int64(),
    }
)
"""`sent_at` is naive UTC; `code` is null or empty where the touch carried none; `felt_at` is seconds since 1970-01-01 UTC."""

_KEY = ("customer_id", "program", "stage", "sent_at")
_SORT = [(name, "ascending") for name in ("felt_at", "customer_id", "program", "stage", "sent_at")]


@dataclass(frozen=True, slots=True)
class Touches:
    """Touches as the response needs them, one element each.

    Args:
        customer: Number in the population.
        arm: Number in `Parameters.every_arm`.
        felt: Seconds since 1970-01-01 UTC.
        ordinal: How many touches the customer had felt before, ever.
        earlier: How many of those in the days of fatigue that were no service messages.
        code: Of the offer.
    """

    customer: Ints
    arm: Ints
    felt: Ints
    ordinal: Ints
    earlier: Ints
    code: pa.Array


def recorded(folder: Path) -> pa.Table:
    """The touches that the world has felt so far."""
    path = truth_folder(folder) / "touches.parquet"
    return pq.read_table(path) if path.is_file() else SCHEMA.empty_table()


def record(folder: Path, table: pa.Table) -> None:
    """Keeps the touches that the world has felt."""
    save(table, truth_folder(folder) / "touches.parquet")


def merged(known: pa.Table, sent: pa.Table, clock: int) -> pa.Table:
    """The known touches, then those that are new; a touch sent before the clock is felt at the clock.

    Args:
        known: From `recorded`.
        sent: Columns of `SCHEMA` without `felt_at`; `code` may be absent.
        clock: Seconds since 1970-01-01 UTC.

    Raises:
        BadData: A column is absent or has another type.
    """
    fresh = _typed(sent, clock)
    new = fresh.filter(pa.array(~_contained(fresh, known)))
    first = np.unique(_keys(new).to_numpy(zero_copy_only=False), return_index=True)[1]
    return pa.concat_tables([known, new.take(np.sort(first)).sort_by(_SORT)])


def among(table: pa.Table, sent: pa.Table) -> Flags:
    """Which of the table's touches are among those sent."""
    return _contained(table, _typed(sent, 0))


def unknown_arms(table: pa.Table, parameters: Parameters) -> tuple[str, ...]:
    """Arms of which the world does not know what they do, by name."""
    known = {arm.name for arm in parameters.arms}
    return tuple(sorted(str(name) for name in pc.unique(table["arm"]).to_pylist() if name not in known))


def numbered(table: pa.Table, parameters: Parameters, size: int) -> Touches:
    """Recorded touches as numbers; an arm that the world does not know does nothing.

    Args:
        table: Of `SCHEMA`.
        parameters: The marketplace's.
        size: Number of customers.

    Raises:
        BadData: A customer is not of this world.
    """
    arms, fatigue = parameters.every_arm, parameters.fatigue_days * DAY
    customer = customer_numbers(table["customer_id"].combine_chunks())
    place = pc.index_in(table["arm"].combine_chunks(), value_set=pa.array([one.name for one in parameters.arms], pa.string()))
    arm: Ints = np.asarray(pc.fill_null(place, len(arms) - 1), dtype=np.int64)
    if strange := pc.unique(table.filter(pa.array((customer < 0) | (customer >= size)))["customer_id"]).to_pylist():
        raise BadData(f"no customer '{strange[0]}' in this marketplace ({len(strange)} unknown)", "Give the external ids of its orders.")
    felt: Ints = np.asarray(table["felt_at"])
    order = np.lexsort((np.arange(customer.size), felt, customer))
    sorted_customer, sorted_felt = customer[order], felt[order]
    begins = np.searchsorted(sorted_customer, sorted_customer)
    ordinal, earlier = np.empty_like(customer), np.empty_like(customer)
    ordinal[order] = np.arange(customer.size) - begins
    remembered = np.searchsorted(sorted_customer * _WIDE + sorted_felt, sorted_customer * _WIDE + sorted_felt - fatigue)
    tiring = np.concatenate(([0], np.cumsum(~np.array([one.service for one in arms])[arm[order]])))
    earlier[order] = tiring[:-1] - tiring[np.maximum(remembered, begins)]
    given = pc.if_else(pc.equal(table["code"], ""), None, table["code"])
    code = pc.coalesce(given, pc.utf8_upper(table["offer"])).combine_chunks()
    return Touches(customer, arm, felt, ordinal, earlier, code)


_WIDE = 1 << 36


def _typed(sent: pa.Table, clock: int) -> pa.Table:
    if "code" not in sent.column_names:
        sent = sent.append_column("code", pa.nulls(sent.num_rows, pa.string()))
    names = [name for name in SCHEMA.names if name != "felt_at"]
    if absent := [name for name in names if name not in sent.column_names]:
        raise BadData(f"the touches have no column '{absent[0]}'", f"Give {', '.join(names)}.")
    try:
        sent = sent.select(names).cast(pa.schema([SCHEMA.field(name) for name in names]))
    except pa.ArrowInvalid as error:
        raise BadData(f"the touches cannot be read: {error}", "sent_at is a naive UTC timestamp, all else is text.") from error
    seconds = np.ceil(np.asarray(pc.cast(sent["sent_at"], pa.int64())) / 1e6).astype(np.int64)
    return sent.append_column("felt_at", pa.array(np.maximum(seconds, clock)))


def _keys(table: pa.Table) -> pa.Array:
    parts = [pc.cast(pc.cast(table[name], pa.int64()) if name == "sent_at" else table[name], pa.string()) for name in _KEY]
    joined = pc.binary_join_element_wise(*parts, "|")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _contained(table: pa.Table, other: pa.Table) -> Flags:
    return np.asarray(pc.is_in(_keys(table), value_set=_keys(other)), dtype=np.bool_)
