"""Which customers there are of a kind, and how many: from the published profiles, those with most at stake first.

Knows nothing of who they are: ids are opaque here. Never reads more of the profiles than a question asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from rekindle.errors import CannotTell
from rekindle.history.published import published
from rekindle.insight.expression import Expression
from rekindle.insight.segments import with_calls
from rekindle.moment import AsOf
from rekindle.program.segments import builds_on

PAGE = 50
LAST = 40
"""So many pages can be turned; who looks further narrows the question."""

SHOWN = (
    "customer_id", "orders", "last_day", "silence_days", "average_days_between_orders", "lifecycle", "value_tier", "p_alive",
    "prediction_quality", "margin_at_risk", "cause",
)  # fmt: skip

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
    rows, counted = _found(profiles, profiles.stat().st_mtime_ns, as_of, wanted)
    total = sum(counts.get(stage, 0) for stage in wanted.stages or counts) if counted is None else counted
    page = _page(wanted)
    return Listed(total, rows, page, page < LAST and total > page * PAGE)


def _page(wanted: Wanted) -> int:
    return min(max(wanted.page, 1), LAST)


@lru_cache(maxsize=300)
def _found(profiles: Path, changed: int, as_of: AsOf, wanted: Wanted) -> tuple[tuple[Mapping[str, Any], ...], int | None]:  # noqa: ARG001  a file that has changed is asked anew
    """The rows of a page and how many there are in all, None where the counts by stage say it; what was published never changes."""
    engine, chosen = published(), _chosen(profiles, as_of, wanted)
    order = [ibis.desc("margin_at_risk", nulls_first=False), ibis.asc("customer_id")]
    rows = engine.arrow(chosen.order_by(order).limit(PAGE, offset=(_page(wanted) - 1) * PAGE).select(*SHOWN)).to_pylist()
    narrowed = wanted.segment or wanted.cause or wanted.tier
    return tuple(rows), int(engine.scalar(chosen.count())) if narrowed else None


def _chosen(profiles: Path, as_of: AsOf, wanted: Wanted) -> ir.Table:
    engine, rules = published(), dict(wanted.rules)
    table = engine.read_parquet(profiles)
    if wanted.segment:
        rule = rules[wanted.segment]
        table = with_calls(engine, table, [rule], as_of, rules).filter(rule.compile)
    tests = [
        *([table.lifecycle.isin(wanted.stages)] if wanted.stages else []), *([table.cause == wanted.cause] if wanted.cause else []),
        *([table.value_tier == wanted.tier] if wanted.tier else []),
    ]  # fmt: skip
    return table.filter(*tests) if tests else table


def asks_for_events(name: str, rules: Mapping[str, Expression]) -> bool:
    """Whether a rule, or one that it builds on, asks for what a profile does not hold."""
    return any(rule.calls for rule in builds_on(name, rules).values())

