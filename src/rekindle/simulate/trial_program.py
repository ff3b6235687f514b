"""What is tried in the known world: win-back as it ships, with what its documents assume of each variant.

Knows nothing of customers. Rules that name a value tier hold; those that name a persona tag, a credit or a threshold are left out, so that
who may get what hangs on the context, on consent and on the caps of price offers alone.
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from rekindle.decide.policy import ANY, Policy
from rekindle.insight.lifecycle import COHORTS
from rekindle.insight.tiers import TIERS
from rekindle.program.catalogue.shipped import shipped
from rekindle.program.checking import assemble
from rekindle.program.documents import NOTHING, Arm, Documents, Offer, Program, Rules
from rekindle.program.stages import Delay
from rekindle.simulate.chance import Flags, Floats
from rekindle.simulate.parameters import USUAL, Parameters

PROGRAM = "win-back"
CONTEXTS = tuple(f"{tier}/{cohort}" for tier in TIERS for cohort in COHORTS)
"""Of the lapsed, in the order of their numbers: tier times four plus cohort."""

FOR_TIERS = {
    "preview": ("high",), "light": ("mid", "occasional"), "unspent": (), "concierge": ("high",), "limited": ("high",), "bundle": ("mid",),
    "percent": ("occasional",),
}
"""Which tiers a variant is for by its rule; all where it is not named, none of `unspent`, since the trial follows no credits."""

HORIZON = 90
"""Days that an outcome counts, the goal of win-back."""


@dataclass(frozen=True, slots=True)
class Option:
    """One variant as its documents have it; money in units.

    Args:
        name: As in the program.
        number: Of the arm in the world's parameters.
        prior: Mean and standard deviation of the extra orders that a decision is assumed to bring.
        redemption: Share of orders that are assumed to use the offer.
        percent, cap, flat: What one use costs: a share of an order up to a cap, or so much.
        price: Whether it is a price offer.
        valid_days: How long it holds.
    """

    name: str
    number: int
    prior: tuple[float, float]
    redemption: float
    percent: float
    cap: float
    flat: float
    price: bool
    valid_days: int


@dataclass(frozen=True, slots=True)
class Step:
    """A stage.

    Args:
        name: As in the program.
        options: Its variants in the stage's order; `nothing` is the last arm besides.
        may: (contexts, variants); who may get what.
        delays: (cohorts, 3); part of the rhythm, least and most days after the stage before.
    """

    name: str
    options: tuple[Option, ...]
    may: Flags
    delays: Floats

    @property
    def arms(self) -> tuple[str, ...]:
        """Variants and `nothing`."""
        return (*(one.name for one in self.options), NOTHING)


@dataclass(frozen=True, slots=True)
class Tried:
    """The program of the trial.

    Args:
        program: As it ships.
        rules: As they ship: holdout, budget, floors.
        steps: Its stages.
    """

    program: Program
    rules: Rules
    steps: tuple[Step, ...]

    def weights(self, policy: Policy | None) -> tuple[Floats, ...]:
        """A table's chances by stage (contexts, arms); equal ones where it says nothing, as the planner takes them."""
        return tuple(self._weights(policy, step) for step in self.steps)

    def _weights(self, policy: Policy | None, step: Step) -> Floats:
        rows: dict[str, dict[str, float]] = {}
        for program, stage, where, arm, weight in policy.rows if policy else ():
            if (program, stage) == (PROGRAM, step.name):
                rows.setdefault(where, {})[arm] = weight
        other = rows.get(ANY, {arm: 1 / len(step.arms) for arm in step.arms})
        return np.array([[rows.get(where, other).get(arm, 0.0) for arm in step.arms] for where in CONTEXTS])


def tried(parameters: Parameters) -> Tried:
    """Win-back as it ships, in a world that knows its arms."""
    texts = shipped("Trial", "EUR", date(2026, 1, 1))
    wanted = {path: text.encode() for path, text in texts.items() if path in ("offers.yaml", "rules.yaml", f"programs/{PROGRAM}.yaml")}
    documents = assemble(wanted)
    program = documents.program(PROGRAM)
    numbers = {arm.name: number for number, arm in enumerate(parameters.every_arm)}
    steps = tuple(_step(documents, program, stage.name, numbers, parameters) for stage in program.stages)
    return Tried(program, documents.rules, steps)


def with_usual(parameters: Parameters) -> Parameters:
    """The world's parameters with the usual practice as one more arm, the last known one; as they are where it is one already."""
    if parameters.arms[-1].name == USUAL.name:
        return parameters
    return replace(parameters, arms=(*parameters.arms, USUAL))


def _step(documents: Documents, program: Program, name: str, numbers: dict[str, int], parameters: Parameters) -> Step:
    stage = program.stage(name)
    arms = [arm for arm in stage.arms if FOR_TIERS.get(arm.name, TIERS)]
    cohorts = list(COHORTS)
    given = {cohort: program.arms_for(name, cohort) for cohort in cohorts}
    may = [[arm.name in given[cohort] and tier in FOR_TIERS.get(arm.name, TIERS) for arm in arms] for tier in TIERS for cohort in cohorts]
    delays = np.array([_delay(program.delay_for(name, cohort)) for cohort in cohorts])
    options = tuple(_option(arm, documents.offers[arm.offer], numbers[arm.name], parameters) for arm in arms)
    return Step(name, options, np.array(may, dtype=bool), delays)


def _option(arm: Arm, offer: Offer, number: int, parameters: Parameters) -> Option:
    """A credit counts as the world has it, a flat amount; what an offer costs besides a price as its document says."""
    truth = parameters.every_arm[number]
    flat = truth.amount or float(offer.unit_cost or 0) * float(offer.returns_share or 1)
    return Option(
        arm.name, number, (arm.prior.mean, arm.prior.sd), offer.redemption, truth.percent, truth.cap, flat, offer.price, offer.valid_days,
    )


def _delay(delay: Delay) -> tuple[float, float, float]:
    most = delay.at_most_days
    return delay.rhythm, float(delay.at_least_days), float(10**6 if most is None else most)
