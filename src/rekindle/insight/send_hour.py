"""At which time of a weekday a customer buys: seven blocks of the day, each customer's shrunk to their segment's and the store's.

Knows nothing of messages. What a single customer's few orders say is mostly noise: how far they are believed is fitted from how far
customers differ, and where they do not, everyone has the store's hours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf, isinf
from zoneinfo import ZoneInfo, available_timezones

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.dirichlet import Concentration, Tallies, fit_concentration
from rekindle.insight.purchases import sales
from rekindle.moment import AsOf

STARTS = (0, 6, 9, 12, 15, 18, 21)
"""The hour at which each block begins; a block ends where the next begins."""

BLOCKS, WEEKDAYS = range(7), range(7)
THIN = 0.05
"""Weight of a customer's own purchases below which an answer is not called their own."""

Shares = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Habits:
    """When a store's customers buy.

    Args:
        by_weekday: The store's share of each block of each weekday [7][7], a row adds up to 1; Monday first.
        blocks: The store's share of each block.
        weekdays: The store's share of each weekday.
        segments: Share of each block by segment, shrunk to the store's; empty where segments do not differ or are not given.
        block_weight: How far customers differ in their blocks, or why that cannot be told.
        weekday_weight: The same of weekdays.
        purchases: Purchase days seen.
    """

    by_weekday: tuple[Shares, ...]
    blocks: Shares
    weekdays: Shares
    segments: dict[str, Shares]
    block_weight: Concentration | CannotTell
    weekday_weight: Concentration | CannotTell
    purchases: int


def visits(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Each customer's purchase days with the local time of the first order: customer_id, day, weekday (0 is Monday), block.

    Local is the customer's time zone where it is known, else the store's.
    """
    orders = sales(warehouse, as_of)
    people = warehouse.current("people").select("customer_id", "timezone")
    span = warehouse.row(orders.aggregate(first=orders.ordered_at.min(), last=orders.ordered_at.max()))
    zones = warehouse.arrow(people.select("timezone").distinct())["timezone"].to_pylist()
    shifts = ibis.memtable(offsets(zones, as_of.timezone, span["first"], span["last"]))
    placed = orders.select("customer_id", "ordered_at").left_join(people, "customer_id").drop("customer_id_right")
    placed = placed.mutate(zone=placed.timezone.fill_null("")).join(shifts, "zone")
    placed = placed.filter(placed.ordered_at >= placed.since, placed.ordered_at < placed.until)
    local = placed.ordered_at + placed.minutes.as_interval("m")
    firsts = placed.group_by("customer_id", day=local.date()).aggregate(at=local.min())
    block = sum(((firsts.at.hour() >= start).cast("int64") for start in STARTS[2:]), (firsts.at.hour() >= STARTS[1]).cast("int64"))
    return firsts.select("customer_id", "day", weekday=firsts.day.day_of_week.index().cast("int64"), block=block)


def offsets(zones: list[str | None], store: str, first: datetime | None, last: datetime | None) -> pa.Table:
    """How far local time is from UTC, by zone and span: zone, since, until (naive UTC), minutes. Unknown zones have the store's.

    Args:
        zones: As stored; the empty text stands for the store's.
        store: The store's zone.
        first: The first instant asked of, naive UTC.
        last: The last.
    """
    rows = []
    if first is not None and last is not None:
        known = available_timezones()
        for zone in sorted({"", *(zone for zone in zones if zone)}):
            rows += _spans(zone, ZoneInfo(zone if zone in known else store), first, last)
    columns = {"zone": pa.string(), "since": pa.timestamp("us"), "until": pa.timestamp("us"), "minutes": pa.int64()}
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=pa.schema(columns))


def _spans(name: str, zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[str, datetime, datetime, int]]:
    """Spans of one offset, found by the hour: clocks change on the hour or half hour, and half an hour matters to no block."""
    step, at, spans = timedelta(days=1), first.replace(minute=0, second=0, microsecond=0), []
    begun, minutes = at, _minutes(zone, at)
    while at <= last:
        after = at + step
        if _minutes(zone, after) != minutes:
            change = next(at + timedelta(hours=hour) for hour in range(1, 25) if _minutes(zone, at + timedelta(hours=hour)) != minutes)
            spans.append((name, begun, change, minutes))
            begun, minutes = change, _minutes(zone, after)
        at = after
    return [*spans, (name, begun, at + step, minutes)]


def _minutes(zone: ZoneInfo, at: datetime) -> int:
    shift = at.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    return round(shift.total_seconds() / 60) if shift is not None else 0


def counted(visited: ir.Table) -> ir.Table:
    """Purchase days per customer: customer_id, purchases, block_0 to block_6, weekday_0 to weekday_6."""
    return visited.group_by("customer_id").aggregate(
        purchases=visited.count(),
        **{f"block_{k}": (visited.block == k).cast("int64").sum() for k in BLOCKS},
        **{f"weekday_{k}": (visited.weekday == k).cast("int64").sum() for k in WEEKDAYS},
    )


def fit(warehouse: Warehouse, visited: ir.Table, segments: ir.Table | None = None) -> Habits | CannotTell:
    """Fits when the store's, the segments' and the customers' purchases happen.

    Args:
        warehouse: Runs the counting.
        visited: From `visits`.
        segments: customer_id, segment; no two rows of one customer.
    """
    cells = warehouse.arrow(visited.group_by("weekday", "block").aggregate(count=visited.count()).order_by("weekday", "block"))
    table = np.zeros((7, 7))
    table[cells["weekday"].to_numpy(), cells["block"].to_numpy()] = cells["count"].to_numpy()
    if not table.sum():
        return CannotTell("There is no order yet, so no hour is better than another.")
    # One purchase is added as weekdays and blocks would have it alone, so that a weekday without purchases has the store's blocks.
    joint = table + np.outer(_shares(table.sum(axis=1)), _shares(table.sum(axis=0)))
    blocks, weekdays = _shares(joint.sum(axis=0), 0.0), _shares(joint.sum(axis=1), 0.0)
    by_weekday = tuple(_shares(row, 0.0) for row in joint)
    drawn = _segments(warehouse, visited, segments, blocks) if segments is not None else {}
    counts = warehouse.keep(_with_segment(counted(visited), segments if drawn else None))
    return Habits(
        by_weekday, blocks, weekdays, drawn,
        fit_concentration(_tallies(warehouse, counts, "block", lambda name: drawn.get(name, blocks))),
        fit_concentration(_tallies(warehouse, counts, "weekday", lambda _: weekdays)),
        int(table.sum()),
    )


def _shares(count: np.ndarray, prior: np.ndarray | float = 0.5) -> Shares:
    drawn = count + prior
    return tuple(float(f"{share:.6g}") for share in drawn / drawn.sum())


def _with_segment(customers: ir.Table, segments: ir.Table | None) -> ir.Table:
    if segments is None:
        return customers.mutate(segment=ibis.literal(""))
    named = customers.left_join(segments.select("customer_id", "segment"), "customer_id").drop("customer_id_right")
    return named.mutate(segment=named.segment.fill_null(""))


def _segments(warehouse: Warehouse, visited: ir.Table, segments: ir.Table, blocks: Shares) -> dict[str, Shares]:
    """Shares by segment from each customer's latest purchase alone, so that a busy customer does not pass for a habit of the segment."""
    latest = visited.group_by("customer_id").aggregate(code=(visited.day.epoch_seconds() * 8 + visited.block).max())
    votes = latest.mutate(block=latest.code % 8).join(segments.select("customer_id", "segment"), "customer_id")
    votes = votes.filter(votes.segment.notnull())
    found = warehouse.arrow(votes.group_by("segment", "block").aggregate(count=votes.count()).order_by("segment", "block"))
    names = sorted(set(found["segment"].to_pylist()))
    table = np.zeros((len(names), 7))
    row = np.searchsorted(np.array(names), np.array(found["segment"].to_pylist())) if names else np.zeros(0, dtype=np.int64)
    table[row, found["block"].to_numpy()] = found["count"].to_numpy()
    mean = np.broadcast_to(np.array(blocks), table.shape)
    seen = table > 0
    tallies = Tallies(table.sum(axis=1), np.ones(len(names)), mean[seen], table[seen], np.ones(int(seen.sum())))
    weight = fit_concentration(tallies)
    if isinstance(weight, CannotTell) or isinf(weight.careful):
        return {}
    return {name: _shares(count, weight.careful * np.array(blocks)) for name, count in zip(names, table, strict=True)}


def _tallies(warehouse: Warehouse, counts: ir.Table, kind: str, mean: Callable[[str], Shares]) -> Tallies:
    totals = warehouse.arrow(counts.group_by("purchases").aggregate(customers=counts.count()).order_by("purchases"))
    parts = [counts.select("segment", cell=ibis.literal(k), count=counts[f"{kind}_{k}"]) for k in range(7)]
    every = ibis.union(*parts)
    every = every.filter(every["count"] > 0)
    keys = ["segment", "cell", "count"]
    cells = warehouse.arrow(every.group_by(keys).aggregate(customers=every.segment.count()).order_by(keys))
    named = zip(cells["segment"].to_pylist(), cells["cell"].to_pylist(), strict=True)
    means = np.array([mean(segment)[cell] for segment, cell in named], dtype=np.float64)
    numbers = (totals["purchases"], totals["customers"], cells["count"], cells["customers"])
    total, customers, count, holders = (column.to_numpy().astype(np.float64) for column in numbers)
    return Tallies(total, customers, means, count, holders)


def block_chances(customers: ir.Table, habits: Habits, weekday: int) -> ir.Table:
    """The chance of each block for each customer, given that they buy on a weekday.

    Args:
        customers: customer_id, segment (null or missing in `habits`: the store's), and the columns of `counted`, null where there is none.
        habits: From `fit`.
        weekday: 0 is Monday.

    Returns:
        customer_id, chance_0 to chance_6 (add up to 1), own (weight of the customer's own purchases), source.
    """
    weight = _weight(habits.block_weight)
    named = customers.mutate(segment=customers.segment.fill_null(""), purchases=customers.purchases.fill_null(0))
    lean = {k: habits.by_weekday[weekday][k] / habits.blocks[k] for k in BLOCKS}
    score = {k: _posterior(named, f"block_{k}", weight, _mean(named.segment, habits, k)) * lean[k] for k in BLOCKS}
    scored = named.select("customer_id", "segment", own=_own(named.purchases, weight), **{f"score_{k}": score[k] for k in BLOCKS})
    total = sum((scored[f"score_{k}"] for k in BLOCKS[1:]), scored.score_0)
    source = ibis.cases((scored.own >= THIN, "own"), (scored.segment.isin(list(habits.segments)), "segment"), else_="store") \
        if habits.segments else (scored.own >= THIN).ifelse("own", "store")
    return scored.select("customer_id", "own", source=source, **{f"chance_{k}": (scored[f"score_{k}"] / total).round(6) for k in BLOCKS})


def weekday_chances(customers: ir.Table, habits: Habits) -> ir.Table:
    """The chance of each weekday for each customer: customer_id, weekday_chance_0 (Monday) to weekday_chance_6."""
    weight = _weight(habits.weekday_weight)
    named = customers.mutate(purchases=customers.purchases.fill_null(0))
    chances = {k: _posterior(named, f"weekday_{k}", weight, ibis.literal(habits.weekdays[k])).round(6) for k in WEEKDAYS}
    return named.select("customer_id", **{f"weekday_chance_{k}": chances[k] for k in WEEKDAYS})


def best_block(customers: ir.Table, habits: Habits, weekday: int) -> ir.Table:
    """The likeliest block of a weekday: customer_id, block, from_hour (local), chance, own, source; of equals the earliest.

    Args:
        customers: As of `block_chances`.
        habits: From `fit`.
        weekday: 0 is Monday.
    """
    known = block_chances(customers, habits, weekday)
    chance = ibis.greatest(*(known[f"chance_{k}"] for k in BLOCKS))
    best = ibis.cases(*((known[f"chance_{k}"] == chance, k) for k in BLOCKS), else_=0).cast("int64")
    chosen = known.select("customer_id", "own", "source", chance=chance, block=best)
    return chosen.mutate(from_hour=chosen.block.cases(*enumerate(STARTS), else_=0).cast("int64"))


def _weight(found: Concentration | CannotTell) -> float:
    """Trusts a customer rather too little: one person's hours are mostly noise."""
    return inf if isinstance(found, CannotTell) else found.careful


def _own(purchases: ir.IntegerValue, weight: float) -> ir.FloatingValue:
    return ibis.literal(0.0) if isinf(weight) else (purchases / (purchases + weight)).round(6)


def _posterior(customers: ir.Table, column: str, weight: float, mean: ir.FloatingValue) -> ir.FloatingValue:
    if isinf(weight):
        return mean
    return (customers[column].fill_null(0) + weight * mean) / (customers.purchases + weight)


def _mean(segment: ir.StringValue, habits: Habits, block: int) -> ir.FloatingValue:
    store = ibis.literal(habits.blocks[block])
    if not habits.segments:
        return store
    return segment.cases(*((name, shares[block]) for name, shares in habits.segments.items()), else_=habits.blocks[block])
