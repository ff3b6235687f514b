"""Profiles as of an instant, published as a snapshot with the summary that other verbs read.

Knows nothing of programs.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pyarrow as pa

from rekindle import moment, money
from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import SMALL_PART, Warehouse
from rekindle.insight import lapse, lifecycle, personas, tiers, transitions
from rekindle.insight.models import GammaGamma, Interval, LapseModel
from rekindle.insight.profile import Profiles, Question, build
from rekindle.insight.season import Season
from rekindle.insight.tiers import Boundaries, Tiers
from rekindle.moment import AsOf
from rekindle.service.flow import customer_lists, documents
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
        season: The clock that the lapse model counts on, or why it counts calendar days.
        lifecycle: Customers by stage.
        slipping: Customers who are lapsing or lapsed.
        margin_at_risk: Theirs, minor units; or why it cannot be told.
        personas: Customers by persona tag; a customer may have several.
        quality: Customers by the quality of their predictions.
        tiers: The value tiers' boundaries.
        transitions: Changes of stage noted now; None where none could be, because a later instant was noted before.
        snapshot: The published file; None where none was asked for.
    """

    as_of: AsOf
    customers: int
    orders: int
    first_day: date | None
    models: tuple[Model, ...]
    cannot_tell: tuple[str, ...]
    season: Season | CannotTell
    lifecycle: dict[str, int]
    slipping: int
    margin_at_risk: Interval | CannotTell
    personas: dict[str, int]
    quality: dict[str, int]
    tiers: Tiers
    transitions: int | None
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


def write_whole(path: Path, text: str) -> None:
    """Writes a text that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


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
        warehouse.write_parquet(table.order_by("customer_id"), snapshot, SMALL_PART)  # pages look for one customer
        return warehouse.read_parquet(snapshot)

    built = build(warehouse, question(settings, as_of, model), published if publish else None)
    noted = note_transitions(warehouse, built.table, as_of) if publish else None
    if publish:
        customer_lists.publish(warehouse, snapshot)
        _hold(warehouse, built.tiers, as_of)
    insight = _summed(settings, warehouse, built, as_of, snapshot if publish else None, noted)
    if publish:
        write_whole(folder / "insight.json", json.dumps(to_json(insight), indent=1))
    return built, insight


def question(settings: Settings, as_of: AsOf, model: str = lapse.DEFAULT_MODEL) -> Question:
    """What a store's settings and approved rules ask of a profile."""
    rules = documents.approved_rules(settings)
    decided = rules.value_tiers if rules else None
    parts = (decided.high, decided.mid) if decided else ()
    bounds = Boundaries(*(money.to_minor(amount, settings.currency) for amount in parts)) if parts else None
    return Question(
        as_of, settings.margin, settings.horizon_weeks, model, decided.over_days if decided else tiers.DAYS, bounds,
        settings.order_milestones, money.to_minor(settings.free_shipping_from, settings.currency),
    )


def _hold(warehouse: Warehouse, found: Tiers, as_of: AsOf) -> None:
    """Keeps the first boundaries of the value tiers, so that they change by approval alone."""
    kept = warehouse.table("tiers")
    if not found.approved and not warehouse.scalar((kept.days == found.days).any()):
        with warehouse.transaction():
            at, held = pa.array([as_of.naive], pa.timestamp("us")), found.held
            warehouse.insert("tiers", pa.table({"at": at, "days": [found.days], "high": [held.high], "mid": [held.mid]}))


def note_transitions(warehouse: Warehouse, profile: ir.Table, as_of: AsOf) -> int | None:
    """Notes who has changed the lifecycle stage; the same instant twice notes nothing, and a look back nothing either.

    Returns:
        How many; None for a look back.
    """
    noted = warehouse.table("transitions")
    latest = warehouse.scalar(noted.at.max())
    if latest is not None and latest > as_of.naive:
        return None
    fresh = warehouse.keep(transitions.changed(profile.mutate(rhythm_days=profile.average_days_between_orders), noted, as_of))
    with warehouse.transaction():
        warehouse.insert("transitions", fresh)
    return int(warehouse.scalar(fresh.count()))


def _by(warehouse: Warehouse, table: ir.Table, column: str) -> dict[str, int]:
    """Customers by a column's values, those without one left out."""
    known = table.filter(table[column].notnull())
    counted = warehouse.arrow(known.group_by(column).aggregate(n=known.count()).order_by(column))
    return dict(zip(counted[column].to_pylist(), counted["n"].to_pylist(), strict=True))


def _summed(
    settings: Settings, warehouse: Warehouse, built: Profiles, as_of: AsOf, snapshot: Path | None, noted: int | None
) -> Insight:
    table = built.table
    totals = warehouse.row(table.aggregate(customers=table.count(), orders=table.orders.sum(), first_day=table.first_day.min()))
    counts = _by(warehouse, table, "lifecycle")
    tagged = warehouse.row(table.aggregate(**{tag: table.personas.contains(tag).sum() for tag in personas.TAGS}))
    slipping = table.filter(table.lifecycle.isin(lifecycle.SLIPPING))
    missing = tuple(part.reason for part in (built.scored, built.value) if isinstance(part, CannotTell))
    return Insight(
        as_of=as_of, customers=totals["customers"], orders=totals["orders"] or 0, first_day=totals["first_day"],
        models=_models(built), cannot_tell=missing, season=built.scored if isinstance(built.scored, CannotTell) else built.scored.season,
        lifecycle=counts,
        slipping=sum(counts.get(stage, 0) for stage in lifecycle.SLIPPING),
        margin_at_risk=_at_risk(settings, warehouse, built, slipping), personas={tag: n or 0 for tag, n in tagged.items()},
        quality=_by(warehouse, table, "prediction_quality"), tiers=built.tiers, transitions=noted, snapshot=snapshot,
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
        "season": season_json(insight.season),
        "lifecycle": insight.lifecycle,
        "slipping": insight.slipping,
        "margin_at_risk": _risk_json(insight.margin_at_risk),
        "personas": insight.personas,
        "prediction_quality": insight.quality,
        "value_tiers": _tiers_json(insight.tiers),
        "transitions": insight.transitions,
        "snapshot": str(insight.snapshot) if insight.snapshot else None,
    }


def _risk_json(risk: Interval | CannotTell) -> dict[str, object]:
    if isinstance(risk, CannotTell):
        return {"cannot_tell": risk.reason}
    return {"estimate": round(risk.estimate), "low": round(risk.low), "high": round(risk.high), "unit": "minor"}


def _tiers_json(found: Tiers) -> dict[str, object]:
    return {
        "days": found.days, "high": found.held.high, "mid": found.held.mid, "approved": found.approved,
        "proposed": {"high": found.proposed.high, "mid": found.proposed.mid}, "unit": "minor",
    }


def season_json(season: Season | CannotTell) -> dict[str, object]:
    """A season as JSON: on with its height, peak and low, or off with the reason."""
    if isinstance(season, CannotTell):
        return {"on": False, "why": season.reason}
    (low, peak), (low_day, peak_day) = season.height, season.turns
    return {
        "on": True, "peak": peak, "peak_day": peak_day.isoformat(), "low": low, "low_day": low_day.isoformat(),
        "waves": [list(wave) for wave in season.waves], "repeat_orders": season.repeats, "by_chance": season.chance,
    }  # fmt: skip


def season_words(season: Season | CannotTell) -> str:
    """A season for people."""
    return f"off: {season.reason}" if isinstance(season, CannotTell) else str(season)
