"""Profiles as of an instant, published as a snapshot with the summary that other verbs read.

Knows nothing of programs.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from rekindle import moment
from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import lapse, lifecycle
from rekindle.insight.models import GammaGamma, Interval, LapseModel
from rekindle.insight.profile import Profiles, Question, build
from rekindle.moment import AsOf
from rekindle.settings import Settings

STALE_AFTER = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model in numbers.

    Args:
        name: Such as `MBG/NBD`.
        parameters: By name; rates per week, money in minor units.
        log_likelihood: At these parameters.
        customers: Fitted on so many.
        quality: good, weak or prior only.
        why: Why that quality.
    """

    name: str
    parameters: dict[str, float]
    log_likelihood: float
    customers: int
    quality: str
    why: str


@dataclass(frozen=True, slots=True)
class Insight:
    """What a snapshot amounts to.

    Args:
        as_of: The instant.
        customers: Known customers.
        orders: Orders that stand.
        first_day: Of the first order, None for a shop without one.
        models: Fitted models; empty where none could be fitted.
        cannot_tell: Why a model is missing.
        lifecycle: Customers by stage.
        slipping: Customers who are lapsing or lapsed.
        margin_at_risk: Theirs, minor units; or why it cannot be told.
        snapshot: The published file; None where none was asked for.
    """

    as_of: AsOf
    customers: int
    orders: int
    first_day: date | None
    models: tuple[Model, ...]
    cannot_tell: tuple[str, ...]
    lifecycle: dict[str, int]
    slipping: int
    margin_at_risk: Interval | CannotTell
    snapshot: Path | None


def default_as_of(settings: Settings, warehouse: Warehouse, now: datetime) -> AsOf:
    """Now, or the day after the last order where that is over 14 days old.

    Raises:
        BadData: There is no order yet.
    """
    last = warehouse.scalar(warehouse.table("orders").ordered_at.max())
    if last is None:
        raise BadData("history has no orders yet", "Import some with: rekindle import FILE --preset NAME")
    last = last.replace(tzinfo=now.tzinfo)
    if now - last <= STALE_AFTER:
        return AsOf(now, settings.timezone)
    day = moment.local_day(last, settings.timezone) + timedelta(days=1)
    return AsOf(moment.start_of_day(day, settings.timezone), settings.timezone, shifted=True)


def label(as_of: AsOf) -> str:
    """An instant as a folder's name: the day where it is that day's start, else the instant."""
    local = as_of.instant.astimezone(ZoneInfo(as_of.timezone))
    return local.date().isoformat() if local.time() == time(0) else as_of.instant.strftime("%Y-%m-%dT%H%M%SZ")


def profiles(
    settings: Settings, warehouse: Warehouse, as_of: AsOf, model: str = lapse.DEFAULT_MODEL, publish: bool = True
) -> tuple[Profiles, Insight]:
    """Builds every profile, publishes the snapshot and sums it up.

    Args:
        settings: The store's.
        warehouse: Its open history.
        as_of: The instant.
        model: The lapse model's name.
        publish: Whether the snapshot is written.

    Raises:
        BadData: No order before the instant.
    """
    orders = warehouse.table("orders")
    if not warehouse.scalar((orders.ordered_at < as_of.naive).any()):
        raise BadData(f"history has no orders before {as_of.day}", "Import orders, or give a later --as-of.")
    folder = settings.var / "insight" / label(as_of)
    snapshot = folder / "profile.parquet"

    def published(table: ir.Table) -> ir.Table:
        warehouse.write_parquet(table, snapshot)
        return warehouse.read_parquet(snapshot)

    question = Question(as_of, settings.margin, settings.horizon_weeks, model)
    built = build(warehouse, question, published if publish else None)
    insight = _summed(settings, warehouse, built, as_of, snapshot if publish else None)
    if publish:
        (folder / "insight.json").write_text(json.dumps(to_json(insight), indent=1), encoding="utf-8")
    return built, insight


def _summed(settings: Settings, warehouse: Warehouse, built: Profiles, as_of: AsOf, snapshot: Path | None) -> Insight:
    table = built.table
    totals = warehouse.row(table.aggregate(customers=table.count(), orders=table.orders.sum(), first_day=table.first_day.min()))
    stages = warehouse.arrow(table.group_by("lifecycle").aggregate(n=table.count()).order_by("lifecycle"))
    counts = dict(zip(stages["lifecycle"].to_pylist(), stages["n"].to_pylist(), strict=True))
    slipping = table.filter(table.lifecycle.isin(lifecycle.SLIPPING))
    missing = tuple(part.reason for part in (built.scored, built.value) if isinstance(part, CannotTell))
    return Insight(
        as_of=as_of, customers=totals["customers"], orders=totals["orders"] or 0, first_day=totals["first_day"],
        models=_models(built), cannot_tell=missing, lifecycle=counts,
        slipping=sum(counts.get(stage, 0) for stage in lifecycle.SLIPPING),
        margin_at_risk=_at_risk(settings, warehouse, built, slipping), snapshot=snapshot,
    )


def _at_risk(settings: Settings, warehouse: Warehouse, built: Profiles, slipping: ir.Table) -> Interval | CannotTell:
    if isinstance(built.scored, CannotTell):
        return built.scored
    return lapse.margin_at_risk(warehouse, built.scored, slipping, settings.horizon_weeks)


def _models(built: Profiles) -> tuple[Model, ...]:
    fitted: list[LapseModel | GammaGamma] = [] if isinstance(built.scored, CannotTell) else [built.scored.model]
    parts = [*fitted, *([] if isinstance(built.value, CannotTell) else [built.value])]
    return tuple(
        Model(
            part.name, {name: float(value) for name, value in part.parameters.items()}, float(part.log_likelihood), part.customers,
            part.quality, part.quality_reason,
        )
        for part in parts
    )


def to_json(insight: Insight) -> dict[str, object]:
    """The summary as JSON: money in minor units."""
    return {
        "customers": insight.customers,
        "orders": insight.orders,
        "as_of": insight.as_of.instant.isoformat(),
        "models": [
            {
                "name": model.name, "parameters": model.parameters, "log_likelihood": model.log_likelihood, "customers": model.customers,
                "quality": model.quality, "why": model.why,
            }
            for model in insight.models
        ],
        "cannot_tell": list(insight.cannot_tell),
        "lifecycle": insight.lifecycle,
        "slipping": insight.slipping,
        "margin_at_risk": _risk_json(insight.margin_at_risk),
        "snapshot": str(insight.snapshot) if insight.snapshot else None,
    }


def _risk_json(risk: Interval | CannotTell) -> dict[str, object]:
    if isinstance(risk, CannotTell):
        return {"cannot_tell": risk.reason}
    return {"estimate": round(risk.estimate), "low": round(risk.low), "high": round(risk.high), "unit": "minor"}
