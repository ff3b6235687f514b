"""Which variant each candidate of a stage gets: eligible variants, exact propensities, the budget, the draw.

Knows nothing of caps over programs. All variants of a stage are columns side by side, so a cumulative sum is plain arithmetic and
the same on every engine.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.decide.arms import Option
from rekindle.decide.assignment import draw, salt
from rekindle.decide.policy import Policy
from rekindle.program.documents import NOTHING, Program, Stage


@dataclass(frozen=True, slots=True)
class Chances:
    """The candidates of one stage with the chance of each variant, before and after the budget's scaling.

    Args:
        program: The program.
        stage: Its stage.
        options: Its variants; `nothing` is implied.
        table: The candidates with `pi:<arm>`, `can:<arm>`, `cost:<arm>`, and so on, for every variant.
    """

    program: Program
    stage: Stage
    options: tuple[Option, ...]
    table: ir.Table


def spread_chances(candidates: ir.Table, program: Program, stage: Stage, options: tuple[Option, ...], policy: Policy) -> Chances:
    """Renormalises the policy's weights over the variants that each candidate may get.

    Args:
        candidates: From `due.candidates`, with `context`; only this stage's.
        program: The program.
        stage: The stage.
        options: From `arms.option`, over the same candidates.
        policy: The table.
    """
    columns = {}
    for one in options:
        columns |= {
            f"can:{one.arm.name}": one.eligible, f"channel:{one.arm.name}": one.channel, f"ceiling:{one.arm.name}": one.ceiling,
            f"cost:{one.arm.name}": one.cost, f"margin:{one.arm.name}": one.margin, f"spread:{one.arm.name}": one.spread,
            f"subsidised:{one.arm.name}": one.subsidised,
        }
    table = policy.weights(program.name, stage, candidates.mutate(**columns))
    names = [one.arm.name for one in options]
    weighed = {name: table[f"can:{name}"].ifelse(table[f"weight:{name}"], 0.0) for name in names}
    total = table[f"weight:{NOTHING}"]
    for name in names:
        total = total + weighed[name]
    table = table.mutate(**{f"pi:{name}": weighed[name] / total for name in names})
    return Chances(program, stage, options, table)


def expected_cost(chances: Chances) -> ir.IntegerScalar:
    """What the stage is expected to cost before scaling, thousandths of a minor unit."""
    per_row = ibis.literal(0)
    for one in chances.options:
        per_row = per_row + (chances.table[f"pi:{one.arm.name}"] * chances.table[f"cost:{one.arm.name}"]).round().cast("int64")
    return per_row.sum()


def drawn(chances: Chances, scale: float, version: str) -> ir.Table:
    """Draws one variant per candidate; scaling takes from every variant alike and gives to `nothing`.

    The intervals are laid out in the order of the stage's variants, `nothing` last. A draw that was put off by a cap is kept.

    Returns:
        The candidates with eligible (names joined by "|"), arm, propensity, draw, channel, offer, cost_ceiling, expected_cost,
        arm_margin, arm_spread, subsidised, can_any.
    """
    table = chances.table
    number = draw(salt(chances.program.name, chances.stage.name, version), table.customer_id, table.episode)
    edge: ir.FloatingValue = ibis.literal(0.0)
    steps = []
    for one in chances.options:
        edge = edge + table[f"pi:{one.arm.name}"] * scale
        steps.append((number < edge, one.arm.name))
    names = [one.arm.name for one in chances.options]
    fresh = ibis.cases(*steps, else_=NOTHING)
    kept = table.held_arm.notnull() & ibis.or_(*(((table.held_arm == name) & table[f"can:{name}"]) for name in names))
    arm = kept.ifelse(table.held_arm, fresh)
    contact = sum((table[f"pi:{name}"] for name in names), ibis.literal(0.0)) * scale
    fresh_chance = arm.cases(*((name, table[f"pi:{name}"] * scale) for name in names), else_=1.0 - contact)
    eligible = ibis.literal("")
    for name in names:
        eligible = eligible + table[f"can:{name}"].ifelse(f"{name}|", "")
    offers = {one.arm.name: one.arm.offer for one in chances.options}
    return table.mutate(
        draw=number, arm=arm, propensity=kept.ifelse(table.held_propensity, fresh_chance), eligible=eligible + NOTHING,
        can_any=ibis.or_(*(table[f"can:{name}"] for name in names)),
        channel=_of(arm, table, "channel", names, ibis.null("string")), offer=arm.cases(*offers.items(), else_=ibis.null("string")),
        cost_ceiling=_of(arm, table, "ceiling", names, 0), expected_cost=_of(arm, table, "cost", names, 0),
        arm_margin=_of(arm, table, "margin", names, 0), arm_spread=_of(arm, table, "spread", names, 0),
        subsidised=_of(arm, table, "subsidised", names, 0),
    )


def _of(arm: ir.StringValue, table: ir.Table, prefix: str, names: list[str], otherwise: ir.Value | int) -> ir.Value:
    return arm.cases(*((name, table[f"{prefix}:{name}"]) for name in names), else_=otherwise)
