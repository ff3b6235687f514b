"""Which customers there are of a kind, and how many: from the published profiles, those with most at stake first.

Knows nothing of who they are: ids are opaque here. Never reads more of the profiles than a question asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import ibis

from rekindle.errors import CannotTell
from rekindle.history.published import published
from rekindle.history.warehouse import Warehouse
from rekindle.insight.expression import Expression
from rekindle.insight.segments import with_calls
from rekindle.moment import AsOf
from rekindle.program.segments import builds_on
from rekindle.program.vocabulary import COLUMNS

PAGE = 50
LAST = 40
"""So many pages can be turned; who looks further narrows the question."""

SHOWN = (
    "customer_id", "orders", "last_day", "silence_days", "average_days_between_orders", "lifecycle", "value_tier", "p_alive",
    "prediction_quality", "margin_at_risk", "cause",
)  # fmt: skip

RANKED = "ranked.parquet"
_Among = tuple[tuple[str, tuple[str, ...]], ...]
_ORDER = (("margin_at_risk", True), ("customer_id", False))

OF_EVENTS = "it asks for events, which the next run counts: pages read the published profiles alone"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which customers; what is empty is not asked.

    Args:
        stages: Lifecycle stages.
        cause: The likeliest cause of their silence.
        tier: Value tier.
        segment: The name of a segment; empty for none.
        rules: The store's segments, name and rule; those that it builds on are among them.
        page: Counted from 1.
    """

    stages: tuple[str, ...] = ()
    cause: str = ""
    tier: str = ""
    segment: str = ""
    rules: tuple[tuple[str, Expression], ...] = ()
    page: int = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of customers.

    Args:
        total: How many there are in all.
        rows: `SHOWN` of those on this page.
        page: Which it is.
        more: Whether another follows.
    """

    total: int
    rows: tuple[Mapping[str, Any], ...]
    page: int
    more: bool


def listed(profiles: Path, as_of: AsOf, wanted: Wanted, counts: Mapping[str, int]) -> Listed | CannotTell:
    """A page of customers, those with most margin at risk first; or why a rule cannot be answered here.

    Args:
        profiles: The published file.
        as_of: Its instant.
        wanted: Which.
        counts: Customers by lifecycle stage, as they were published with the file.
    """
    if wanted.segment and asks_for_events(wanted.segment, dict(wanted.rules)):
        return CannotTell(OF_EVENTS)
    file = ranked(profiles)
    changed, among = file.stat().st_mtime_ns, _among(wanted)
    page, question = min(max(wanted.page, 1), LAST), _question(file, changed, as_of, wanted.segment, wanted.rules if wanted.segment else ())
    rows = _rows(file, changed, question, among, page)
    if wanted.segment:
        total = _size(file, changed, question, among)
    elif wanted.cause or wanted.tier:
        total = sum(n for values, n in _sizes(file, changed) if all(values[column] in these for column, these in among))
    else:
        total = sum(counts.get(stage, 0) for stage in wanted.stages or counts)
    return Listed(total, rows, page, page < LAST and total > page * PAGE)


def publish(warehouse: Warehouse, profiles: Path) -> None:
    """Writes what lists are made of beside the profiles, those with most margin at risk first: so a page reads the beginning of a file.

    Args:
        warehouse: Any; it reads and writes files.
        profiles: The published file.
    """
    table = warehouse.read_parquet(profiles)
    order = [(ibis.desc if falls else ibis.asc)(name, nulls_first=False) for name, falls in _ORDER]
    known = [name for name in table.columns if name in COLUMNS or name in SHOWN]
    warehouse.write_parquet(table.select(*known).order_by(order), profiles.with_name(RANKED))


def ranked(profiles: Path) -> Path:
    """The file that `publish` wrote after the profiles; the profiles where it did not, of which the same can be asked, only slower."""
    ranked = profiles.with_name(RANKED)
    there = ranked.is_file() and ranked.stat().st_mtime_ns >= profiles.stat().st_mtime_ns
    return ranked if there else profiles


def _among(wanted: Wanted) -> _Among:
    asked = (("lifecycle", wanted.stages), ("cause", (wanted.cause,)), ("value_tier", (wanted.tier,)))
    return tuple((column, values) for column, values in asked if any(values))


@lru_cache(maxsize=100)
def _question(file: Path, changed: int, as_of: AsOf, segment: str, rules: tuple[tuple[str, Expression], ...]) -> str:  # noqa: ARG001  a file that has changed is asked anew
    """The customers of a segment, or all, as SQL: to write it takes longer than to answer it."""
    engine, named = published(), dict(rules)
    table = engine.read_parquet(file)
    if segment:
        table = with_calls(engine, table, [named[segment]], as_of, named).filter(named[segment].compile)
    return engine.written(table)


@lru_cache(maxsize=300)
def _rows(file: Path, changed: int, question: str, among: _Among, page: int) -> tuple[Mapping[str, Any], ...]:  # noqa: ARG001  as above
    engine = published()
    engine.read_parquet(file)
    return tuple(engine.page(question, among, SHOWN, _ORDER, (page - 1) * PAGE, PAGE))


@lru_cache(maxsize=300)
def _size(file: Path, changed: int, question: str, among: _Among) -> int:  # noqa: ARG001  as above
    engine = published()
    engine.read_parquet(file)
    return engine.size(question, among)


@lru_cache(maxsize=2)
def _sizes(file: Path, changed: int) -> list[tuple[Mapping[str, str | None], int]]:  # noqa: ARG001  as above
    """How many customers there are of each stage, cause and tier together."""
    table = published().read_parquet(file)
    rows = published().arrow(table.group_by("lifecycle", "cause", "value_tier").aggregate(customers=table.count())).to_pylist()
    return [(row, row["customers"]) for row in rows]


def asks_for_events(name: str, rules: Mapping[str, Expression]) -> bool:
    """Whether a rule, or one that it builds on, asks for what a profile does not hold."""
    return any(rule.calls for rule in builds_on(name, rules).values())
