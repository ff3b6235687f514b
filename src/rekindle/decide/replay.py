"""A logged decision made again from its inputs: draw, propensity and variant, in plain arithmetic that needs no engine.

Knows nothing of where decisions are kept. The inputs are what the journal says of a decision, the version of its program and the version of
the table of chances that it names, and what budgets left of the chances; of decisions of before that was written down the last is what
the decisions of a plan and a program agree on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rekindle.decide.assignment import draw_of, salt
from rekindle.decide.policy import Policy
from rekindle.program.documents import NOTHING, Program, Stage

EXACT = 1e-9
"""Engines and Python add in another order at most."""


@dataclass(frozen=True, slots=True)
class Logged:
    """What the journal says of a decision.

    Args:
        customer_id, program, stage, episode: Whose and of what.
        context: Which row of the table.
        eligible: The variants that the customer could get, those of the journal's `closed` among them.
        arm: The variant drawn.
        propensity: Its chance.
        draw: The number drawn.
    """

    customer_id: str
    program: str
    stage: str
    episode: str
    context: str
    eligible: tuple[str, ...]
    arm: str
    propensity: float
    draw: float


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision made again.

    Args:
        text: Whose md5 the draw is.
        draw: What it gives.
        arm: The variant that follows.
        propensity: Its chance.
        same: Whether it is the decision that was logged.
    """

    text: str
    draw: float
    arm: str
    propensity: float
    same: bool


def replay(logged: Logged, program: Program, table: Policy, scales: Mapping[str, float]) -> Replay:
    """Makes a decision again.

    Args:
        logged: The decision.
        program: Its version of then; it has the stage.
        table: The table of chances of then.
        scales: By variant, what budgets left of its chance; those that are not named kept theirs.
    """
    text = f"{salt(program.name, logged.stage, str(program.version))}:{logged.customer_id}:{logged.episode}"
    number, edge = draw_of(text), 0.0
    arm, chance = "", 0.0
    for name, share in shares(logged, program, table).items():
        part = share * scales.get(name, 1.0)
        edge += part
        if not arm and number < edge:
            arm, chance = name, part
    if not arm:
        arm, chance = NOTHING, 1.0 - edge
    same = arm == logged.arm and abs(number - logged.draw) < EXACT and abs(chance - logged.propensity) < EXACT
    return Replay(text, number, arm, chance, same)


def shares(logged: Logged, program: Program, table: Policy) -> dict[str, float]:
    """The chance of each variant before budgets, by name and in the stage's order; `nothing` has the rest.

    Args:
        logged: The decision.
        program: Its version of then.
        table: The table of chances of then.
    """
    stage = program.stage(logged.stage)
    chances = table.chances(program.name, stage, logged.context)
    may = {arm.name: chances[arm.name] if arm.name in logged.eligible else 0.0 for arm in stage.arms}
    total = (0.0 if program.service else chances[NOTHING]) + sum(may.values())
    return {name: weight / total if total else 0.0 for name, weight in may.items()}


def implied_scale(logged: Logged, program: Program, table: Policy) -> float | None:
    """What budgets left of the chances, by a decision's own propensity where all variants are scaled alike; None where it is silent."""
    before = shares(logged, program, table)
    if logged.arm == NOTHING:
        return (1.0 - logged.propensity) / sum(before.values()) if sum(before.values()) else None
    return logged.propensity / before[logged.arm] if before.get(logged.arm) else None


def one_scale(found: Iterable[float | None]) -> float | None:
    """The scale that the decisions of a plan and a program agree on; None where they do not, as with several payers.

    >>> one_scale([0.25, None, 0.25]), one_scale([0.25, 0.5]), one_scale([])
    (0.25, None, 1.0)
    """
    known = [one for one in found if one is not None]
    if not known:
        return 1.0
    agreed = max(known) - min(known) < EXACT and -EXACT <= known[0] <= 1.0 + EXACT
    return known[0] if agreed else None


def written(scales: Mapping[str, float]) -> str:
    """What budgets left of the chances of variants as the journal has it: those that lost something, in the order given.

    >>> written({"plain": 1.0, "light": 0.415, "percent": 0.0}), written({"plain": 1.0})
    ('light=0.415|percent=0.0', '')
    """
    return "|".join(f"{name}={scale!r}" for name, scale in scales.items() if scale != 1.0)


def scales_of(text: str) -> dict[str, float]:
    """What budgets left, by variant, from the journal's text; those that are not named lost nothing.

    >>> scales_of("light=0.415|percent=0.0"), scales_of("")
    ({'light': 0.415, 'percent': 0.0}, {})
    """
    parts = (one.partition("=") for one in text.split("|") if one)
    return {name: float(scale) for name, _, scale in parts}


def arms_of(stage: Stage, scale: float) -> dict[str, float]:
    """The same scale for every variant of a stage."""
    return {arm.name: scale for arm in stage.arms}
