"""What marketing, product, support, data and operations should each know of the last weeks, in sentences.

Knows nothing of pages. What nothing is known of is left out rather than said to be well.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.friction import CAUSES
from rekindle.insight.lifecycle import SLIPPING
from rekindle.learn.conduct import Period
from rekindle.learn.scorecard import Standing
from rekindle.program.documents import Documents
from rekindle.service.flow import linting
from rekindle.service.flow.last_profile import last_profile
from rekindle.service.outbox import queries as outbox
from rekindle.service.outbox.models import FAILED, UNKNOWN
from rekindle.service.programs import queries
from rekindle.settings import Settings

WHOSE = {
    "late_delivery": "operations", "stockout": "product", "return": "product", "refund": "support", "bad_review": "product",
    "open_ticket": "support", "poor_support": "support", "checkout": "product", "price_rise": "product",
}  # fmt: skip
"""Whose each cause of a lapse is to mend; what ended of itself, or has no evidence, is nobody's."""


def gather(
    settings: Settings, warehouse: Warehouse, documents: Documents, targets: Sequence[Standing], period: Period
) -> dict[str, tuple[str, ...]]:
    """Sentences by function, without a full stop.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved ones.
        targets: How they stand.
        period: Of the review.
    """
    found: dict[str, list[str]] = {}
    parts = (
        _causes(settings, warehouse), _marketing(documents, targets), _content(settings), _support(warehouse, period), _data(settings),
        _operations(warehouse, period),
    )
    for part in parts:
        for function, said in part:
            found.setdefault(function, []).append(said)
    return {function: tuple(said) for function, said in found.items()}


MOST = 3
"""So many topics and reasons are named."""

Said = Iterator[tuple[str, str]]


def _causes(settings: Settings, warehouse: Warehouse) -> Said:
    published = last_profile(settings, warehouse)
    if published is None:
        return
    slipping = published.table.filter(published.table.lifecycle.isin(SLIPPING), published.table.cause.isin(list(WHOSE)))
    counted = warehouse.arrow(slipping.group_by("cause").aggregate(n=slipping.count()).order_by(ibis.desc("n"), "cause"))
    for row in counted.to_pylist():
        yield WHOSE[row["cause"]], f"{row['n']:,} customers slip away after: {CAUSES[row['cause']]}"


def _marketing(documents: Documents, targets: Sequence[Standing]) -> Said:
    for one in targets:
        if one.status == "behind":
            yield "marketing", f"{one.target.name.replace('_', ' ')} is behind ({one.target.owner})"
    for pause in queries.pauses():
        if pause.resumed_at is None:
            yield "marketing", f"{pause.program} is paused since {pause.at:%Y-%m-%d}: {pause.reason}"
    if ownerless := [one.name for one in documents.programs if not one.owner.strip()]:
        yield "marketing", f"nobody owns {', '.join(ownerless)}"


def _content(settings: Settings) -> Said:
    found = linting.examined(settings).findings
    if found:
        errors = sum(one.severity == "error" for one in found)
        yield "marketing", f"the texts have {errors} errors and {len(found) - errors} warnings: rekindle check"


def _most(warehouse: Warehouse, rows: ir.Table, column: str) -> str:
    """What most rows are about, up to three values with their counts; empty where none says."""
    known = rows.filter(rows[column].notnull(), rows[column] != "")
    counted = warehouse.arrow(known.group_by(column).aggregate(n=ibis._.count()).order_by(ibis.desc("n"), column).limit(MOST))
    return ", ".join(f"{row[column]} ({row['n']:,})" for row in counted.to_pylist())


def _support(warehouse: Warehouse, period: Period) -> Said:
    tickets, until = warehouse.current("tickets"), ibis.literal(period.until)
    waiting = tickets.filter(tickets.opened_at < until, tickets.closed_at.isnull() | (tickets.closed_at >= until))
    row = warehouse.row(waiting.aggregate(n=waiting.count(), first=waiting.opened_at.min()))
    if row["n"]:
        days = (period.until - row["first"]).days
        yield "support", f"{row['n']:,} tickets are open, the oldest for {days} days: these customers get no marketing"
    if topics := _most(warehouse, tickets.filter(period.holds(tickets.opened_at)), "topic"):
        yield "support", f"new tickets are about {topics}"
    returns = warehouse.current("returns")
    if reasons := _most(warehouse, returns.filter(period.holds(returns.returned_at)), "reason"):
        yield "product", f"goods came back for {reasons}"


def _data(settings: Settings) -> Said:
    folders = sorted((settings.var / "insight").glob("*/insight.json"))
    if not folders:
        yield "data", "no profile was published yet: rekindle run"
        return
    told: Mapping[str, list[dict[str, str]]] = json.loads(folders[-1].read_text(encoding="utf-8"))
    for model in told["models"]:
        if model["quality"] != "good":
            yield "data", f"the model {model['name']} is {model['quality']}: {model['why'].rstrip('.')}"
    for why in told["cannot_tell"]:
        yield "data", f"no prediction: {why}"


def _operations(warehouse: Warehouse, period: Period) -> Said:
    shipments = warehouse.current("shipments")
    arrived = shipments.filter(period.holds(shipments.delivered_at), shipments.promised_at.notnull())
    row = warehouse.row(arrived.aggregate(n=arrived.count(), late=(arrived.delivered_at > arrived.promised_at).cast("int64").sum()))
    if row["n"]:
        share = 100 * (row["late"] or 0) / row["n"]
        yield "operations", f"{row['late'] or 0:,} of {row['n']:,} deliveries came late ({share:.0f} %)"
    ended = outbox.counts()
    if lost := ended.get(FAILED, 0) + ended.get(UNKNOWN, 0):
        yield "operations", f"{lost:,} messages failed or are unknown"
