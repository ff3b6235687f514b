"""Everything known and decided about one customer, in words a support agent could read out.

Knows nothing of other customers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import ibis

from rekindle import moment, money
from rekindle.decide.arms import MILLI
from rekindle.decide.assignment import draw_of, salt
from rekindle.decide.guardrails import REASONS
from rekindle.errors import BadData
from rekindle.history.warehouse import Warehouse
from rekindle.insight.friction import CAUSES
from rekindle.insight.lifecycle import COHORTS
from rekindle.insight.personas import TAGS
from rekindle.insight.rhythm import SOURCES
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING
from rekindle.service.flow import documents, insights
from rekindle.service.flow.insights import label
from rekindle.service.outbox import queries
from rekindle.service.people.queries import find
from rekindle.settings import Settings

QUALITIES = {
    "good": "as the store's histories show", "weak": "the store's histories fix the model only in part",
    "prior only": "assumed of shops in general: nobody has ordered twice yet",
}
"""Qualities of a prediction with the words people read."""

ONE_DAY = "little to go by: true of customers like this, not of this one"
"""Of a weak prediction for who has ordered on one day alone."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One customer.

    Args:
        customer_id: The opaque id.
        as_of: The instant of the profile.
        profile: The profile's row.
        journal: Journal rows of ready plans, oldest first.
        touches: What became of messages: program, stage, arm, channel, status, settled_at.
        salts: (program, stage) to the salt of its draw.
    """

    customer_id: str
    as_of: AsOf
    profile: dict[str, Any]
    journal: tuple[dict[str, Any], ...]
    touches: tuple[dict[str, Any], ...]
    salts: dict[tuple[str, str], str]


def explain(settings: Settings, warehouse: Warehouse, customer: str, as_of: AsOf) -> Explanation:
    """Looks one customer up by any id or e-mail; the profile comes from the published snapshot where there is one.

    Raises:
        BadData: Nobody is known by it.
    """
    customer_id = find(customer)
    snapshot = settings.var / "insight" / label(as_of) / "profile.parquet"
    if not snapshot.is_file():
        insights.profiles(settings, warehouse, as_of)
    table = warehouse.read_parquet(snapshot)
    rows = warehouse.arrow(table.filter(table.customer_id == customer_id)).to_pylist()
    if not rows:
        raise BadData(f"'{customer}' is known, but not as of {as_of.day}", "Give a later --as-of.")
    journal, plans = warehouse.table("journal"), warehouse.table("plans")
    mine = journal.filter(journal.customer_id == customer_id, journal.as_of <= ibis.literal(as_of.naive)).semi_join(plans, "plan")
    held = documents.approved(settings)
    stages = [(program, stage.name) for program in held.programs for stage in program.stages]
    salts = {(program.name, stage): salt(program.name, stage, str(program.version)) for program, stage in stages}
    return Explanation(
        customer_id, as_of, rows[0], tuple(warehouse.arrow(mine.order_by("as_of", "program", "stage")).to_pylist()),
        tuple(queries.of_customer(customer_id)), salts,
    )


def to_json(found: Explanation) -> dict[str, object]:
    """The explanation as JSON."""
    return {
        "customer_id": found.customer_id, "as_of": found.as_of.instant, "profile": found.profile, "journal": list(found.journal),
        "touches": list(found.touches),
    }


def lines(found: Explanation, settings: Settings) -> Iterator[str]:
    """The explanation for people."""
    yield f"Customer       {found.customer_id}, as of {found.as_of.day}"
    yield from _known(found.profile, settings)
    if not found.journal:
        yield "Decided        nothing yet"
    for row in found.journal:
        yield from _decided(row, found, settings)
    for touch in found.touches:
        when = f" on {touch['settled_at']:%Y-%m-%d}" if touch["settled_at"] else ""
        why = f" ({touch['reason']})" if touch["reason"] else ""
        yield f"Message        {touch['stage']}: {touch['arm'].replace('_', ' ')} by {touch['channel']}, {touch['status']}{when}{why}"


def _known(row: dict[str, Any], settings: Settings) -> Iterator[str]:
    if not row["orders"]:
        yield "Orders         none yet"
        return
    spend, expected = (money.show(row[name], settings.currency) for name in ("spend", "expected_margin"))
    mostly = f"; mostly {row['category']}" if row["category"] else ""
    yield f"Orders         {row['orders']} from {row['first_day']} to {row['last_day']}, {spend} in all{mostly}"
    due = f"expected again on {row['expected_next_order_at']:%Y-%m-%d}, {_late(row['overdue'])}"
    yield f"Rhythm         about every {row['average_days_between_orders']:.0f} days ({SOURCES[row['rhythm_source']]}); {due}"
    if row["p_alive"] is not None:
        ahead = f"{row['expected_orders']:.2f} orders and {expected} margin in {settings.horizon_weeks} weeks"
        yield f"Outlook        {row['p_alive']:.0%} chance of being a customer still; {ahead} ({_rests_on(row)})"
    cohort = f", {COHORTS[row['lapsed_cohort']]}" if row["lapsed_cohort"] else ""
    yield f"Stage          {row['lifecycle'].replace('_', ' ')}, {row['value_tier']} value{cohort}"
    yield from _habits(row)
    if row["cause"]:
        yield f"Why            {CAUSES[row['cause']]}" + (f" ({row['cause_evidence']})" if row["cause_evidence"] else "")
    channels = [name for name in ("email", "sms", "webpush", "inapp") if row[f"{name}_consent"]]
    yield f"Consent        {', '.join(channels) or 'none'}"


def _rests_on(row: dict[str, Any]) -> str:
    quality = row["prediction_quality"]
    return ONE_DAY if quality == "weak" and row["purchase_days"] == 1 else QUALITIES[quality]


def _habits(row: dict[str, Any]) -> Iterator[str]:
    """Persona tags with what shows them, and the next threshold."""
    place = "" if row["price_rank"] is None else f"at {row['price_rank']:.0%} of the way from the cheapest to the dearest of its category"
    shown = {
        "price_sensitive": f"{row['discounted_orders']} of {row['orders']} orders at a discount", "premium": place,
        "quick_solution": f"{row['single_item_orders']} of {row['orders']} orders of one thing",
    }
    tags = [f"{TAGS[tag]} ({row[tag]:.2f}: {shown[tag]})" for tag in TAGS if tag in row["personas"].split(", ")]
    if tags:
        yield f"Habits         {'; '.join(tags)}"
    if row["next_threshold"]:
        kind, _, which = row["next_threshold"].partition(":")
        what = {"tier": f"{which} value", "orders": f"{which} orders", "free_shipping": "an order that ships free"}[kind]
        yield f"Near           {what}: {row['threshold_distance']:.0%} missing"


def _late(days: int) -> str:
    return f"{days} days ago" if days > 0 else f"in {-days} days"


def _decided(row: dict[str, Any], found: Explanation, settings: Settings) -> Iterator[str]:
    when = moment.local_day(row["as_of"].replace(tzinfo=UTC), settings.timezone)
    where = f"{row['program']}, {row['stage']}"
    if row["arm"] is None:
        yield f"{when}     {where}: left alone ({REASONS[row['reason']]})"
        return
    drawn = "drawn to hear nothing" if row["arm"] == NOTHING else f"drawn {row['arm'].replace('_', ' ')}"
    put_off = f", put off ({REASONS[row['reason']]})" if row["reason"] else ""
    among = row["eligible"].replace("|", ", ").replace("_", " ")
    yield f"{when}     {where}: {drawn}{put_off}, a chance of {row['propensity']:.3f} among {among}"
    text = found.salts.get((row["program"], row["stage"]))
    if text and draw_of(text, row["customer_id"], row["episode"]) == row["draw"]:
        yield f"               draw {row['draw']:.6f} = md5('{text}:{row['customer_id']}:{row['episode']}'), first 13 hex digits / 2^52"
    else:
        yield f"               draw {row['draw']:.6f}, by an earlier version of the program"
    gain, cost = (money.show(row[name] / MILLI, settings.currency) for name in ("expected_margin", "expected_cost"))
    if row["arm"] != NOTHING:
        yield f"               expected to bring {gain} (assumed) at an expected cost of {cost}"
