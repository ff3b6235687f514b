"""The journey and causes of one customer, and how far a segment came.

Knows nothing of the effects of friction in the store.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis.expr.types as ir

from rekindle.errors import BadData, UsageError
from rekindle.insight import friction, journey, purchases
from rekindle.insight.lifecycle import COHORTS, SLIPPING, STAGES
from rekindle.insight.personas import TAGS
from rekindle.insight.tiers import TIERS
from rekindle.service.flow import insights
from rekindle.service.flow.diagnosing import Question
from rekindle.service.people.queries import find

SEGMENTS = {"lifecycle": STAGES, "cohort": tuple(COHORTS), "tier": TIERS, "persona": tuple(TAGS), "cause": tuple(friction.CAUSES)}
"""Names of segments that can be asked for, with their values."""

COLUMNS = {"lifecycle": "lifecycle", "cohort": "lapsed_cohort", "tier": "value_tier", "cause": "cause"}


@dataclass(frozen=True, slots=True)
class Journey:
    """One customer's.

    Args:
        customer_id: The opaque id.
        lifecycle: Stage.
        causes: place, cause and evidence, the likeliest first; `unknown` alone where there is none.
        steps: at, step, fact and order_id in order.
        dropoff: dropoff_step, dropoff_at, dropoff_fact; empty unless the customer slips away.
    """

    customer_id: str
    lifecycle: str
    causes: tuple[dict[str, object], ...]
    steps: tuple[dict[str, object], ...]
    dropoff: dict[str, object]


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment's way.

    Args:
        name: NAME=VALUE as asked.
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
    found = warehouse.arrow(_causes(asked, mine).order_by("place")).to_pylist()
    stopped = warehouse.arrow(journey.dropoffs(steps, mine)).to_pylist()
    nothing = [{"place": 1, "cause": "unknown", "evidence": ""}] if rows[0]["lifecycle"] in SLIPPING else []
    causes = tuple({name: row[name] for name in ("place", "cause", "evidence")} for row in found or nothing)
    walked = tuple(warehouse.arrow(journey.of_customer(steps, customer_id)).to_pylist())
    dropoff = {name: value for name, value in stopped[0].items() if name != "customer_id"} if stopped else {}
    return Journey(customer_id, rows[0]["lifecycle"], causes, walked, dropoff)


def _causes(asked: Question, slipping: ir.Table) -> ir.Table:
    orders = purchases.sales(asked.warehouse, asked.as_of).select("order_id", last_ordered_at="ordered_at")
    dated = slipping.select("customer_id", order_id="last_order_id").join(orders, "order_id").select("customer_id", "last_ordered_at")
    return friction.ranked(friction.events(asked.warehouse, asked.as_of).semi_join(dated, "customer_id"), dated)


def of_segment(asked: Question, text: str) -> Segment:
    """A segment's funnel, last steps and causes.

    Raises:
        UsageError: There is no such segment.
    """
    name, _, value = text.partition("=")
    if value not in SEGMENTS.get(name, ()):
        known = "; ".join(f"{one}={'|'.join(values)}" for one, values in SEGMENTS.items())
        raise UsageError(f"there is no segment '{text}'", f"Write one of {known}.")
    warehouse, profile = asked.warehouse, _profile(asked)
    chosen = profile.personas.fill_null("").contains(value) if name == "persona" else profile[COLUMNS[name]] == value
    members = warehouse.keep(profile.filter(chosen))
    steps = journey.steps(warehouse, asked.as_of)
    funnel = warehouse.row(journey.funnel(steps, members))
    silent = members.filter(members.lifecycle.isin(SLIPPING))
    stopped = journey.dropoffs(steps, silent)
    return Segment(
        text, funnel["members"], {step: int(funnel[step] or 0) for step in journey.FUNNEL},
        _counted(asked, stopped, "dropoff_step"), _counted(asked, silent, "cause"),
    )


def _counted(asked: Question, table: ir.Table, column: str) -> dict[str, int]:
    rows = asked.warehouse.arrow(table.group_by(column).aggregate(n=table.count())).to_pylist()
    return {row[column]: row["n"] for row in sorted(rows, key=lambda row: (-row["n"], str(row[column])))}


def _profile(asked: Question) -> ir.Table:
    """The published snapshot of the instant, else built; written where the question writes."""
    snapshot = asked.settings.var / "insight" / insights.label(asked.as_of) / "profile.parquet"
    if snapshot.is_file():
        return asked.warehouse.read_parquet(snapshot)
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
        evidence = f" ({row['evidence']})" if row["evidence"] else ""
        yield f"Cause {row['place']!s:<9}{friction.CAUSES[str(row['cause'])]}{evidence}"
    for row in found.steps:
        yield f"{row['at']:%Y-%m-%d %H:%M}  {journey.STEPS[str(row['step'])]} ({row['fact']})"
    if found.dropoff:
        at, step = found.dropoff["dropoff_at"], journey.STEPS[str(found.dropoff["dropoff_step"])]
        yield f"Stopped        {at:%Y-%m-%d}, after the customer {step}"


def segment_lines(found: Segment) -> Iterator[str]:
    """A segment's way for people."""
    yield f"Segment        {found.name}: {found.members:,} customers"
    for step, words in journey.FUNNEL.items():
        share = found.funnel[step] / found.members if found.members else 0.0
        yield f"{words:<26}{found.funnel[step]:>9,}  {share:>4.0%}"
    if found.dropoffs:
        yield "Last step      " + ", ".join(f"{journey.STEPS[step]} {count:,}" for step, count in found.dropoffs.items())
        yield "Causes         " + ", ".join(f"{friction.CAUSES[cause]} {count:,}" for cause, count in found.causes.items())
