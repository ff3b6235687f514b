"""The journey and causes of one customer, and how far a group of customers or a segment came.

Knows nothing of the effects of friction in the store.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from rekindle.errors import BadData, UsageError
from rekindle.insight import friction, journey, purchases
from rekindle.insight.expression import nearest
from rekindle.insight.lifecycle import COHORTS, SLIPPING, STAGES
from rekindle.insight.personas import TAGS
from rekindle.insight.profile import COLUMNS as PROFILE
from rekindle.insight.segments import with_calls
from rekindle.insight.tiers import TIERS
from rekindle.program.segments import definitions
from rekindle.service.flow import documents, insights
from rekindle.service.flow.diagnosing import Question
from rekindle.service.people.queries import find
from rekindle.service.programs import queries

SEGMENTS = {"lifecycle": STAGES, "cohort": tuple(COHORTS), "tier": TIERS, "persona": tuple(TAGS), "cause": tuple(friction.CAUSES)}
"""Names of groups that can be asked for, with their values."""

COLUMNS = {"lifecycle": "lifecycle", "cohort": "lapsed_cohort", "tier": "value_tier", "cause": "cause"}


@dataclass(frozen=True, slots=True)
class Journey:
    """One customer's.

    Args:
        customer_id: The opaque id.
        lifecycle: Stage.
        causes: place, cause, evidence and facts (of each: fact, day, before_last_order), the likeliest first; `unknown` alone where there
            is none.
        steps: at (in the store's time zone), step, fact and order_id in order.
        dropoff: dropoff_step, dropoff_at (likewise), dropoff_fact; empty unless the customer slips away.
    """

    customer_id: str
    lifecycle: str
    causes: tuple[dict[str, Any], ...]
    steps: tuple[dict[str, object], ...]
    dropoff: dict[str, object]


@dataclass(frozen=True, slots=True)
class Segment:
    """The way of a group or a segment.

    Args:
        name: As asked: NAME=VALUE of a group, or the name of an approved segment.
        members: Customers.
        funnel: Customers who came as far as each step of `journey.FUNNEL`.
        dropoffs: Members who slip away by their last step.
        causes: Members who slip away by their first cause.
    """

    name: str
    members: int
    funnel: dict[str, int]
    dropoffs: dict[str, int]
    causes: dict[str, int]


def of_customer(asked: Question, customer: str) -> Journey:
    """One customer's journey, by any id or e-mail.

    Raises:
        BadData: Nobody is known by it, or not yet as of the instant.
    """
    customer_id, warehouse, as_of = find(customer), asked.warehouse, asked.as_of
    profile = _profile(asked)
    own = profile.filter(profile.customer_id == customer_id)
    rows = warehouse.arrow(own.select("customer_id", "lifecycle")).to_pylist()
    if not rows:
        raise BadData(f"'{customer}' is known, but not as of {as_of.day}", "Give a later --as-of.")
    steps = journey.steps(warehouse, as_of)
    mine = warehouse.keep(own.filter(own.lifecycle.isin(SLIPPING)))
    stopped = warehouse.arrow(journey.dropoffs(steps, mine)).to_pylist()
    causes = _causes(asked, mine) if rows[0]["lifecycle"] in SLIPPING else ()
    walked = tuple({**row, "at": _local(asked, row["at"])} for row in warehouse.arrow(journey.of_customer(steps, customer_id)).to_pylist())
    dropoff = {name: value for name, value in stopped[0].items() if name != "customer_id"} if stopped else {}
    if dropoff:
        dropoff["dropoff_at"] = _local(asked, dropoff["dropoff_at"])
    return Journey(customer_id, rows[0]["lifecycle"], causes, walked, dropoff)


def _local(asked: Question, at: datetime) -> datetime:
    """An instant of history in the store's time zone."""
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(asked.as_of.timezone))


def _causes(asked: Question, mine: ir.Table) -> tuple[dict[str, Any], ...]:
    """The causes of one customer who slips away, each with its facts and their days."""
    warehouse = asked.warehouse
    orders = purchases.sales(warehouse, asked.as_of).select("order_id", last_ordered_at="ordered_at")
    dated = mine.select("customer_id", order_id="last_order_id").join(orders, "order_id").select("customer_id", "last_ordered_at")
    met = warehouse.keep(friction.events(warehouse, asked.as_of).semi_join(dated, "customer_id"))
    found = warehouse.arrow(friction.ranked(met, dated).order_by("place")).to_pylist()
    last = warehouse.scalar(dated.last_ordered_at.max())
    facts = warehouse.arrow(met.order_by("happened_at", "fact")).to_pylist()
    named = tuple(
        {**{name: row[name] for name in ("place", "cause", "evidence")}, "facts": _dated(asked, row, facts, last)} for row in found
    )
    return named or ({"place": 1, "cause": "unknown", "evidence": "", "facts": []},)


def _dated(asked: Question, cause: dict[str, str], facts: list[dict[str, Any]], last: datetime) -> list[dict[str, object]]:
    """The facts of a cause with the store's day of each; a price rise is known by its day alone."""
    days: dict[str, dict[str, object]] = {}
    since, by_day = last - timedelta(days=friction.BEFORE_DAYS), cause["cause"] == "price_rise"
    for row in facts:
        fact, at = row["fact"], row["happened_at"]
        if row["cause"] == cause["cause"] and at >= since and f", {fact}, " in f", {cause['evidence']}, ":
            day = at.date() if by_day else _local(asked, at).date()
            before = day < _local(asked, last).date() if by_day else at < last
            days.setdefault(fact, {"fact": fact, "day": day, "before_last_order": before})
    return list(days.values())


def of_segment(asked: Question, text: str) -> Segment:
    """The funnel, last steps and causes of a group (NAME=VALUE) or of an approved segment (its name).

    Raises:
        UsageError: There is no such group or segment.
    """
    warehouse, steps = asked.warehouse, journey.steps(asked.warehouse, asked.as_of)
    members = warehouse.keep(_group(asked, text) if "=" in text else _named(asked, text))
    funnel = warehouse.row(journey.funnel(steps, members))
    silent = members.filter(members.lifecycle.isin(SLIPPING))
    stopped = journey.dropoffs(steps, silent)
    return Segment(
        text, funnel["members"], {step: int(funnel[step] or 0) for step in journey.FUNNEL},
        _counted(asked, stopped, "dropoff_step"), _counted(asked, silent, "cause"),
    )


def _group(asked: Question, text: str) -> ir.Table:
    """Who is in a group."""
    name, _, value = text.partition("=")
    if name not in SEGMENTS:
        remedy = nearest(name, dict.fromkeys(SEGMENTS), f"Write one of {', '.join(f'{one}=' for one in SEGMENTS)} and a value.")
        raise UsageError(f"there is no group '{text}'", remedy)
    if value not in SEGMENTS[name]:
        raise UsageError(f"there is no group '{text}'", f"Write {name}= and one of {', '.join(SEGMENTS[name])}.")
    profile = _profile(asked)
    return profile.filter(profile.personas.fill_null("").contains(value) if name == "persona" else profile[COLUMNS[name]] == value)


def _named(asked: Question, name: str) -> ir.Table:
    """Who is in an approved segment."""
    rules = definitions(documents.approved(asked.settings).segments) if queries.approved(asked.settings) else {}
    if name not in rules:
        otherwise = f"Write a group, {', '.join(f'{one}=' for one in SEGMENTS)} and a value, or the name of an approved segment."
        raise UsageError(f"there is no segment '{name}'", nearest(name, rules, otherwise))
    told = with_calls(asked.warehouse, _profile(asked), [rules[name]], asked.as_of, rules)
    return told.filter(rules[name].compile(told))


def _counted(asked: Question, table: ir.Table, column: str) -> dict[str, int]:
    rows = asked.warehouse.arrow(table.group_by(column).aggregate(n=table.count())).to_pylist()
    return {row[column]: row["n"] for row in sorted(rows, key=lambda row: (-row["n"], str(row[column])))}


def _profile(asked: Question) -> ir.Table:
    """The published snapshot of the instant, else built; written where the question writes."""
    snapshot = asked.settings.var / "insight" / insights.label(asked.as_of) / "profile.parquet"
    if snapshot.is_file() and set(PROFILE) <= set((found := asked.warehouse.read_parquet(snapshot)).columns):
        return found
    return insights.profiles(asked.settings, asked.warehouse, asked.as_of, publish=asked.publish)[0].table


def customer_json(found: Journey) -> dict[str, object]:
    """A customer's journey as JSON, the Mermaid timeline in it."""
    return {
        "customer_id": found.customer_id, "lifecycle": found.lifecycle, "causes": list(found.causes), "dropoff": found.dropoff or None,
        "steps": list(found.steps), "mermaid": journey.to_mermaid(found.steps),
    }


def segment_json(found: Segment) -> dict[str, object]:
    """A segment's way as JSON."""
    return {
        "segment": found.name, "members": found.members, "funnel": found.funnel, "dropoffs": found.dropoffs, "causes": found.causes,
    }


def customer_lines(found: Journey) -> Iterator[str]:
    """A customer's journey for people."""
    yield f"Customer       {found.customer_id}, {found.lifecycle.replace('_', ' ')}"
    for row in found.causes:
        yield f"Cause {row['place']!s:<9}{friction.CAUSES[str(row['cause'])]}{_evidence(row['facts'])}"
    for row in found.steps:
        yield f"{row['at']:%Y-%m-%d %H:%M}  {journey.STEPS[str(row['step'])]} ({row['fact']})"
    if found.dropoff:
        at, step = found.dropoff["dropoff_at"], journey.STEPS[str(found.dropoff["dropoff_step"])]
        yield f"Stopped        {at:%Y-%m-%d}, after the customer {step}"


def _evidence(facts: list[dict[str, object]]) -> str:
    """The facts of a cause in brackets; of one from before the last order, its day."""
    if not facts:
        return ""
    said = (f"{one['fact']} on {one['day']}, before the last order" if one["before_last_order"] else str(one["fact"]) for one in facts)
    return f" ({'; '.join(said)})"


def segment_lines(found: Segment) -> Iterator[str]:
    """The way of a group or a segment for people."""
    yield f"{'Group' if '=' in found.name else 'Segment':<15}{found.name}: {found.members:,} customers"
    for step, words in journey.FUNNEL.items():
        share = found.funnel[step] / found.members if found.members else 0.0
        yield f"{words:<26}{found.funnel[step]:>9,}  {share:>4.0%}"
    if found.dropoffs:
        yield "Last step      " + ", ".join(f"{journey.STEPS[step]} {count:,}" for step, count in found.dropoffs.items())
        yield "Causes         " + ", ".join(f"{friction.CAUSES[cause]} {count:,}" for cause, count in found.causes.items())
