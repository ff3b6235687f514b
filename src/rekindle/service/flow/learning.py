"""What every program was worth so far, kept under `var/learn`.

Knows nothing of pages.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from rekindle.decide import due
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import persons
from rekindle.learn import as_json, credit_words, economics, funnel, lift, mismatch, outcomes, stages, suite, touch_paths
from rekindle.learn.attribution import Credit
from rekindle.learn.credit_words import in_all
from rekindle.learn.measures import FIRST
from rekindle.moment import AsOf
from rekindle.program.documents import Documents, Program
from rekindle.service.flow import experimenting
from rekindle.service.flow.insights import label
from rekindle.service.flow.planning import shop_of
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known as of an instant.

    Args:
        as_of: The instant.
        lifts: Of every program of marketing.
        stages: By program, of its stages that drew.
        checks: By program, and under the empty name of the holdout: whether groups are as large as they were drawn.
        leaks: Program to how many messages went to customers who were to have none of it.
        suite: All programs together; None where there is none.
        funnel: What became of recent messages, by `funnel.KEYS`.
        stage_funnel: What became of recent decisions, by program and stage, with `funnel.STAGE_STEPS`.
        credits: Program to the credit of its channels and stages.
        kinds: New and returned customers of the last year, as far as there are any.
        experiments: Every experiment, with the looks that were due.
    """

    as_of: AsOf
    lifts: tuple[lift.Lift, ...]
    stages: dict[str, tuple[stages.StageLift, ...]]
    checks: dict[str, tuple[mismatch.Check, ...]]
    leaks: dict[str, int]
    suite: suite.Suite | None
    funnel: tuple[dict[str, object], ...] = ()
    stage_funnel: tuple[dict[str, object], ...] = ()
    credits: dict[str, Credit | CannotTell] = field(default_factory=dict)
    kinds: dict[str, economics.Kind] = field(default_factory=dict)
    experiments: tuple[experimenting.Entry, ...] = ()

    @property
    def alarms(self) -> tuple[tuple[str, mismatch.Check], ...]:
        """Groups that are not what was drawn, with their program."""
        return tuple((program, one) for program, found in self.checks.items() for one in found if one.alarm)


def learn(settings: Settings, warehouse: Warehouse, documents: Documents, as_of: AsOf, publish: bool = True) -> Learned:
    """Measures every marketing program against its control and keeps the result; a service message has no control.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved documents.
        as_of: Later facts are not seen.
        publish: Whether the result is written.
    """
    pairs, touches = persons.absorbed(warehouse), warehouse.keep(due.unsent(warehouse.current("touches"), as_of))
    past = due.past(warehouse.table("journal"), warehouse.table("plans"), touches, as_of, inclusive=False)
    past = due.Past(persons.as_persons(past.journal, pairs), persons.as_persons(past.contacts, pairs))
    past = past.without(frozenset(one.name for one in documents.programs if one.service))
    window = outcomes.Window(as_of, settings.margin, documents.offers, shop_of(settings, rehearsal=False))
    learned = _learned(warehouse, past, documents.programs, window)
    experimenting.watch(settings, warehouse, documents, as_of, keep=publish)
    learned = replace(learned, experiments=experimenting.entries(settings, documents))
    if not publish:
        return learned
    path = settings.var / "learn" / f"{label(as_of)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_json(learned), indent=1), encoding="utf-8")
    return learned


def _learned(warehouse: Warehouse, past: due.Past, everything: Sequence[Program], window: outcomes.Window) -> Learned:
    programs = [one for one in everything if not one.service]
    begun = warehouse.scalar(past.journal.standing.notnull().any())
    if not begun or not programs:
        return Learned(window.as_of, tuple(lift.not_begun(one, window) for one in programs), {}, {}, {}, None)
    with warehouse.forgetting():
        sold = outcomes.priced(warehouse, past, window)
        window = replace(window, sold=sold, redeemed=outcomes.redemptions(warehouse, programs, sold))
        with warehouse.forgetting():
            entered = warehouse.keep(outcomes.rounds(past, programs, window))
            controls = mismatch.of_controls(warehouse, entered)
            lifts = lift.of_programs(warehouse, past, programs, window, entered)
            credited = touch_paths.credits_of(warehouse, past, window, entered, {one.program: _counted(one) for one in lifts})
        with warehouse.forgetting():
            drawn = warehouse.keep(stages.counted(warehouse, past, programs, window))
            draws = mismatch.of_draws(warehouse, drawn, programs)
            found = stages.of_programs(warehouse, past, programs, window, drawn)
        together = suite.suite(warehouse, past, programs, window)
        leaks = _leaks(warehouse, past, programs, window)
        kinds = economics.economics(warehouse, past, _costs(window), window.as_of)
        of_messages = funnel.funnel(warehouse, past, programs, window.as_of, sold)
        of_stages = funnel.by_stage(warehouse, past, everything, window.as_of, sold)
        steps, became = (tuple(warehouse.arrow(rows).to_pylist()) for rows in (of_messages, of_stages))
    checks = {one.name: (*((controls[one.name],) if one.name in controls else ()), *draws[one.name]) for one in programs}
    if together.check:
        checks[""] = (together.check,)
    met = {name: one for name, one in checks.items() if one}
    return Learned(window.as_of, lifts, found, met, leaks, together, steps, became, credited, kinds)


def _counted(one: lift.Lift) -> touch_paths.Counted:
    """What credit is shared over: the very rounds that a lift is of."""
    if FIRST not in one.measures:
        return touch_paths.Counted(0, CannotTell("nobody has been compared yet"))
    return touch_paths.Counted(one.maturity.window_days, in_all(one.measures[FIRST].difference, one.treated))


def _costs(window: outcomes.Window) -> dict[str, float]:
    return {name: float(window.shop.minor(cost)) for name, cost in window.shop.channel_costs.items()}


def _leaks(warehouse: Warehouse, past: due.Past, programs: list[Program], window: outcomes.Window) -> dict[str, int]:
    with warehouse.forgetting():
        rows = mismatch.leaks(warehouse, past, programs, window.as_of)
        counted = warehouse.arrow(rows.group_by("program").aggregate(messages=rows.count()).order_by("program"))
    return {row["program"]: row["messages"] for row in counted.to_pylist()}


def to_json(learned: Learned) -> dict[str, object]:
    """What was learned as JSON; margin and spend in minor units a customer."""
    return {
        "as_of": learned.as_of.instant.isoformat(),
        "srm": [as_json.check(program, one) for program, found in learned.checks.items() for one in found],
        "leaks": learned.leaks,
        "programs": [_program_json(learned, one) for one in learned.lifts],
        "experiments": [experimenting.to_json(one) for one in learned.experiments],
        "suite": as_json.suite(learned.suite) if learned.suite else None,
        "funnel": list(learned.funnel), "stage_funnel": list(learned.stage_funnel),
        "economics": {kind: asdict(one) for kind, one in learned.kinds.items()},
    }


def _program_json(learned: Learned, one: lift.Lift) -> dict[str, object]:
    found = learned.credits.get(one.program, CannotTell("nobody has been compared yet"))
    return {**as_json.lift(one, learned.stages.get(one.program, ())), "credit": credit_words.as_json(found)}
