"""A program before its launch: walked over past history, in numbers and words.

Knows nothing of how a plan is made. Writes nothing: neither journal nor ledger, neither profiles nor transitions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import ibis.expr.types as ir

from rekindle import money
from rekindle.decide import paths, walk
from rekindle.decide.guardrails import REASONS
from rekindle.decide.paths import Kept, Paths
from rekindle.decide.sums import named
from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.profile import Profiles, build
from rekindle.moment import AsOf
from rekindle.program import checking
from rekindle.program.documents import NOTHING, Documents, Program
from rekindle.service.flow import approving, documents, insights, policies
from rekindle.service.flow.planning import shop_of
from rekindle.service.people.queries import has_contacts
from rekindle.settings import Settings

LEAD_IN = timedelta(weeks=13)
"""History that a walk begins after, where it may choose: models need something to be fitted on."""

COLUMNS = (
    "customer_id", "program", "stage", "episode", "as_of", "entered_at", "standing", "context", "eligible", "arm", "propensity", "draw",
    "reason", "channel", "offer", "send_at", "valid_until", "cost_ceiling", "expected_cost", "expected_margin",
)
"""Columns of a walk's decisions as a file; costs and margin in thousandths of a minor unit."""

BARS = " ▁▂▃▄▅▆▇█"
HEIGHT = 3
"""Lines of the chart of messages by week."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a walk.

    Args:
        name: The program's.
        now: The walk ends before its day.
        first: The first day; where not given, so many weeks before `now`, or 13 weeks after the first order where that is later.
        weeks: How long.
        every: Days from one plan to the next.
        draft: Whether the folder's documents are walked, approved or not.
        version: A submitted version that is walked in place of the approved one of its document; none where left empty.
    """

    name: str
    now: AsOf
    first: date | None = None
    weeks: int = 52
    every: int = 7
    draft: bool = False
    version: str = ""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A walk and what it amounts to.

    Args:
        paths: Counts and sums.
        decisions: `walk.DECISIONS`, kept.
        draft: Whether the folder's version was walked.
        rehearsal: Whether everyone counted as consented, for no contacts are known.
        model: Why predictions are missing; empty where they are there.
        version: The submitted version that was walked; empty where it was another.
    """

    paths: Paths
    decisions: ir.Table
    draft: bool
    rehearsal: bool
    model: str
    version: str = ""


def simulate(settings: Settings, warehouse: Warehouse, asked: Asked) -> Simulated:
    """Walks a program over past history.

    Models are fitted once, as of the walk's first day, so that no plan knows what came after it. Consent, time zones and the table of
    chances are today's: what they were in the past is often not known, and the launch will meet today's.

    Args:
        settings: The store's.
        warehouse: Its open history.
        asked: Which program, and when.

    Raises:
        BadData: There is no program of the name, or no history to walk over.
    """
    held = _held(settings, asked)
    program, (first, weeks) = _program(held, asked), _span(warehouse, asked)
    rehearsal = not has_contacts()
    question = walk.Question(
        replace(held, programs=(program,)), shop_of(settings, rehearsal), first, weeks, asked.every, settings.timezone,
        policies.in_force(settings, replace(held, programs=(program,))),
    )
    past = _Past(settings, warehouse, question, asked.now)
    walked = walk.walk(warehouse, question, past.profile_at)
    missing = past.fitted.scored.reason if isinstance(past.fitted.scored, CannotTell) else ""
    return Simulated(paths.summarise(warehouse, question, walked), walked.decisions, asked.draft, rehearsal, missing, asked.version)


def _held(settings: Settings, asked: Asked) -> Documents:
    """The documents that are walked.

    Raises:
        BadData: They cannot be used, or there is no such version.
    """
    if asked.draft:
        return checking.load(settings.root)
    found = approving.proposed(settings, asked.version) if asked.version else None
    return found or documents.approved(settings)


def _program(held: Documents, asked: Asked) -> Program:
    names = [program.name for program in held.programs]
    if asked.name not in names:
        where = "in the folder" if asked.draft else "approved"
        remedy = f"Choose one of {', '.join(sorted(names))}" + ("." if asked.draft else ", or give --draft for the folder's own.")
        raise BadData(f"no program '{asked.name}' is {where}", remedy)
    return held.program(asked.name)


def _span(warehouse: Warehouse, asked: Asked) -> tuple[date, int]:
    """The first day and the weeks of a walk.

    Raises:
        BadData: There is no history to walk over.
    """
    orders = warehouse.table("orders")
    begins = warehouse.scalar(orders.purchase_day.min())
    if begins is None:
        raise BadData("history has no orders yet", "Import some with: rekindle import FILE --preset NAME")
    last = asked.now.day
    first = asked.first or max(last - timedelta(weeks=asked.weeks), begins + LEAD_IN)
    weeks = min(asked.weeks, (last - first).days // walk.WEEK)
    if first <= begins:
        raise BadData(f"history has no orders before {first}", f"Give a later --from: the first order is of {begins}.")
    if weeks < 1:
        raise BadData(f"no whole week lies between {first} and {last}", "Give an earlier --from, or import a longer history.")
    return first, weeks


class _Past:
    """Profiles as they would have been, by models that were fitted once, with today's consent."""

    def __init__(self, settings: Settings, warehouse: Warehouse, walked: walk.Question, now: AsOf) -> None:
        self._warehouse = warehouse
        self._question = replace(insights.question(settings, walked.ticks[0]), consented_at=now, columns=walked.columns)
        with warehouse.forgetting():
            built = build(warehouse, self._question)
        self.fitted = Profiles(built.table, built.scored, built.value, built.tiers)

    def profile_at(self, as_of: AsOf) -> ir.Table:
        """Profiles as of an instant."""
        return build(self._warehouse, replace(self._question, as_of=as_of), earlier=self.fitted).table


def to_json(found: Simulated) -> dict[str, object]:
    """The walk as JSON; money in minor units."""
    told, question = found.paths, found.paths.question
    margin = told.expected_margin
    return {
        "program": question.program.name, "version": question.program.digest, "draft": found.draft, "rehearsal": found.rehearsal,
        "from": question.first, "until": question.first + timedelta(days=question.days), "weeks": question.weeks,
        "every_days": question.every, "cannot_tell": found.model or None,
        "customers": {"due": told.audience, "written_to": told.reached, "left_alone": told.audience - told.reached},
        "rounds": {"begun": told.rounds, **told.standing}, "messages": told.messages,
        "messages_by_week": [{"week": day, "messages": sum(by.values()), "by_stage": by} for day, by in told.weeks],
        "messages_by_offer": told.by_offer, "draws_by_stage": told.by_stage, "draws_by_arm": told.by_arm,
        "longest_round": {"messages": told.longest_messages, "days": told.longest_days},
        "cost_ceiling": round(told.cost_ceiling, 3), "expected_cost": round(told.expected_cost, 3),
        "expected_margin": {
            "estimate": round(margin.estimate), "low": round(margin.low), "high": round(margin.high), "basis": "assumed", "unit": "minor",
        },
        "subsidised_orders": round(told.subsidised_orders, 3), "budget_scale": told.scale,
        "customers_left_alone": told.left_alone, "rounds_left_alone": told.refusals, "missed": told.missed,
        "caps": [{"cap": one.cap, "limit": one.limit, "most": one.most, "broken": one.broken, "held": not one.broken} for one in told.kept],
        "nobody_due": None if told.audience else {"opened": told.met.opened, "fitting": told.met.fitting, "both": told.met.both},
    }  # fmt: skip


def rows(warehouse: Warehouse, found: Simulated) -> Iterator[Mapping[str, Any]]:
    """Every decision and refusal, by customer and time."""
    table = warehouse.arrow(found.decisions.select(*COLUMNS).order_by("customer_id", "as_of", "stage", "episode"))
    for batch in table.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()


def lines(found: Simulated, settings: Settings) -> Iterable[str]:
    """The walk for people."""
    told, question = found.paths, found.paths.question
    until = question.first + timedelta(days=question.days)
    version = f"version {found.version[:12]}" if found.version else "the folder's version" if found.draft else "the approved version"
    yield f"Walked         {question.program.name}, {version}: a plan every {_days(question.every)} from {question.first} to {until}"
    yield from _assumed(found)
    if not told.audience:
        yield f"Customers      nobody was due: {_why_nobody(told)}"
        return
    alone = told.audience - told.reached
    yield f"Customers      {told.audience:,} were due at least once: {told.reached:,} are written to, {alone:,} are left alone"
    yield f"Rounds         {told.rounds:,} began, of customers who may be written to: {_listed(told.standing)}"
    if told.messages:
        yield from _touched(found, settings)
    if alone:
        yield f"Left alone     {alone:,} customers, each by the last reason: {_listed(told.left_alone)}"
    yield from map(_kept, told.kept)


def _assumed(found: Simulated) -> Iterator[str]:
    """What the reader has to know before the numbers."""
    question = found.paths.question
    if found.rehearsal:
        yield "Consent        everyone counts as consented: no contacts are known"
    if found.model:
        yield f"Predictions    none: {found.model}"
    trigger, apart = question.program.trigger, _days(question.every)
    if trigger.on != "lapse" and trigger.within_days < question.every:
        within = f"within {_days(trigger.within_days)}" if trigger.within_days else "on the day itself"
        yield f"Later          plans are {apart} apart, so messages leave up to {apart} after their moment; live, {within}"
    if missed := found.paths.missed:
        yield f"Missed         {missed:,} late parcels that had arrived when the next plan was made: give --every 1 to miss none"


def _days(days: int) -> str:
    return "day" if days == 1 else f"{days} days"


def _touched(found: Simulated, settings: Settings) -> Iterator[str]:
    told, currency = found.paths, settings.currency
    margin = told.expected_margin
    low, middle, high = (money.show(value, currency, whole=True) for value in (margin.low, margin.estimate, margin.high))
    cost, ceiling = (money.show(value, currency) for value in (told.expected_cost, told.cost_ceiling))
    yield f"Messages       {told.messages:,}: {named(told.by_offer, found.paths.question.documents.offers)}"
    yield from chart(told.weeks)
    days = f"{told.longest_days} days from its beginning to its last message" if told.longest_days else "all on the day it begins"
    yield f"Longest round  {told.longest_messages} message{'' if told.longest_messages == 1 else 's'}; {days}"
    budget = "" if told.scale == 1 else f"; the budget left as little as {told.scale:.0%} of the chances"
    yield f"Cost           of all messages {cost} expected, at most {ceiling}{budget}"
    yield f"Margin         of all messages {middle} expected ({low} to {high}), assumed until outcomes speak"


def chart(weeks: tuple[tuple[date, dict[str, int]], ...]) -> Iterator[str]:
    """Messages by week as columns of blocks, a column a week, the highest week as high as the chart."""
    counts = [sum(by.values()) for _, by in weeks]
    most = max(counts, default=0)
    eighths = [0 if not most else -(-count * HEIGHT * 8 // most) for count in counts]
    for level in reversed(range(HEIGHT)):
        bars = "".join(BARS[min(max(one - 8 * level, 0), 8)] for one in eighths).rstrip()
        label = f"{most:,} messages in the fullest week" if level == HEIGHT - 1 else ""
        yield f"{'By week' if level == HEIGHT - 1 else '':<15}{bars:<{len(counts)}}  {label}".rstrip()
    yield f"{'':<15}{weeks[0][0]}{weeks[-1][0]!s:>{max(len(counts) - 10, 11)}}"


def _listed(counts: Mapping[str, int]) -> str:
    words = REASONS | {NOTHING: "drawn to hear nothing"}
    ordered = sorted(((name, count) for name, count in counts.items() if count), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{words.get(name, name).replace('_', ' ')} {count:,}" for name, count in ordered) or "none"


_CAPS = {
    "touches": ("at most {limit} in a round", "message", "the most was {most:g}", "rounds"),
    "gap": ("at least {limit} between two messages of a round", "day", "the shortest was {most:g}", "rounds"),
    "duration": ("at most {limit} from a round's first day to its last message", "day", "the longest was {most:g}", "rounds"),
    "store": ("at most {limit} to a customer in the rules' window", "message", "the most was {most:g}", "customers"),
}
"""Caps with what they promise, of what, what came nearest, and what is counted where one does not hold."""


def _kept(one: Kept) -> str:
    promise, of, seen, counted = _CAPS[one.cap]
    how = "nothing came near" if one.most is None else seen.format(most=one.most)
    held = "holds" if not one.broken else f"BROKEN for {one.broken:,} {counted}"
    limit = f"{one.limit} {of}{'' if one.limit == 1 else 's'}"
    return f"{'Cap':<15}{promise.format(limit=limit)}: {held}; {how}"


def _why_nobody(told: Paths) -> str:
    """Why nobody was due, from what the plans looked at."""
    program, met = told.question.program, told.met
    trigger = f"on {program.trigger.on.replace('_', ' ')}"
    if not met.opened:
        return f"nothing opened a round ({trigger})"
    if not met.fitting:
        return f"the audience's rule held for no customer: {program.audience.enter.text}"
    if not met.both:
        return f"the audience's rule held for up to {met.fitting:,}, a round was open ({trigger}) for up to {met.opened:,}, never both"
    return f"a round was open ({trigger}) and the rule held for up to {met.both:,}, but no stage came due: see its delays"
