"""Which variant each candidate of a stage gets: eligible variants, exact propensities, the budget, the draw.

Knows nothing of caps over programs. All variants of a stage are columns side by side, so a cumulative sum is plain arithmetic and
the same on every engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.decide.arms import Option
from rekindle.decide.assignment import draw, salt
from rekindle.decide.policy import Policy
from rekindle.decide.replay import written
from rekindle.program.documents import NOTHING, Program, Stage


@dataclass(frozen=True, slots=True)
class Chances:
    """The candidates of one stage with the chance of each variant, before the budget's scaling.

    Args:
        program: The program.
        stage: Its stage.
        table: From `spread_chances`, kept.
    """

    program: Program
    stage: Stage
    table: ir.Table


def side_by_side(candidates: ir.Table, options: tuple[Option, ...]) -> ir.Table:
    """Every variant's eligibility, channel, costs and margin as columns of the candidates; some variants come before all others.

    Args:
        candidates: Of one stage, with `context`.
        options: From `arms.option`, over the same candidates.
    """
    columns: dict[str, ir.Value] = {}
    for one in options:
        columns |= {f"{prefix}:{one.arm.name}": getattr(one, name) for prefix, name in _PARTS.items()}
    if first := [one.eligible for one in options if one.arm.before_others]:
        later = [one for one in options if not one.arm.before_others]
        columns |= {f"can:{one.arm.name}": one.eligible & ~ibis.or_(*first) for one in later}
    return candidates.mutate(**columns)


_PARTS = {
    "can": "eligible", "channel": "channel", "ceiling": "ceiling", "cost": "cost", "margin": "margin", "spread": "spread",
    "subsidised": "subsidised", "scope": "scope", "seller": "seller_id", "theirs": "seller_cost", "worth": "offer_value",
}
"""Prefix of a column to the part of an option that it holds."""


def spread_chances(table: ir.Table, program: Program, stage: Stage, policy: Policy) -> ir.Table:
    """Renormalises the policy's weights over the variants that each candidate may get: adds `pi:<arm>`, `kept` and `draw`.

    A draw that a cap put off is kept while its variant may be had.

    Args:
        table: From `side_by_side`, kept: the arithmetic of the next steps would otherwise be written out again and again.
        program: The program.
        stage: The stage.
        policy: The table of chances.
    """
    table = policy.weights(program.name, stage, table)
    weighed = {arm.name: table[f"can:{arm.name}"].ifelse(table[f"weight:{arm.name}"], 0.0) for arm in stage.arms}
    total = ibis.literal(0.0) if program.service else table[f"weight:{NOTHING}"]
    for weight in weighed.values():
        total = total + weight
    pis = {f"pi:{name}": (weight / total.nullif(0)).fill_null(0.0) for name, weight in weighed.items()}
    kept = table.held_arm.notnull() & ibis.or_(*(((table.held_arm == name) & table[f"can:{name}"]) for name in weighed))
    number = draw(salt(program.name, stage.name, str(program.version)), table.customer_id, table.episode)
    return table.mutate(**pis, kept=kept.fill_null(False), draw=number)


def expected_costs(chances: Chances) -> ir.Table:
    """What the stage is expected to cost before scaling, thousandths of a minor unit, in one row.

    Returns:
        shop and seller of what is drawn now, held_shop and held_seller of draws that are kept: those cost what they cost.
    """
    table, whole, theirs = chances.table, ibis.literal(0), ibis.literal(0)
    names = [one.name for one in chances.stage.arms]
    for name in names:
        whole = whole + (table[f"pi:{name}"] * table[f"cost:{name}"]).round().cast("int64")
        theirs = theirs + (table[f"pi:{name}"] * table[f"theirs:{name}"]).round().cast("int64")
    held, held_theirs = (_of(table.held_arm, table, prefix, names, 0) for prefix in ("cost", "theirs"))
    fresh = ~table.kept
    return table.aggregate(
        shop=(whole - theirs).sum(where=fresh), seller=theirs.sum(where=fresh),
        held_shop=(held - held_theirs).sum(where=table.kept), held_seller=held_theirs.sum(where=table.kept),
    )


def drawn(chances: Chances, scales: Mapping[str, float]) -> ir.Table:
    """Draws one variant per candidate; scaling takes from variants and gives to `nothing`.

    Args:
        chances: Of the stage.
        scales: By variant, what budgets leave of its chance; of all candidates alike.

    The intervals are laid out in the order of the stage's variants, `nothing` last. A draw that was put off by a cap is kept.

    Returns:
        The candidates with eligible and closed (from `_among`, joined by "|"), arm, propensity, channel, offer, cost_ceiling,
        expected_cost,
        arm_margin, arm_spread, subsidised, scope, seller_id, seller_cost, offer_value, can_any, short (kept, and budgets have no room),
        scales (what budgets left of the chances, from `replay.written`; null of a draw that is kept, which has those of its day).
    """
    table = chances.table
    edge: ir.FloatingValue = ibis.literal(0.0)
    steps = []
    for one in chances.stage.arms:
        edge = edge + table[f"pi:{one.name}"] * scales[one.name]
        steps.append((table.draw < edge, one.name))
    names = [one.name for one in chances.stage.arms]
    fresh = ibis.cases(*steps, else_=NOTHING)
    kept, closed = table.kept, [name for name in names if scales[name] == 0]
    table = table.mutate(arm=kept.ifelse(table.held_arm, fresh))
    arm = table.arm
    fresh_chance = arm.cases(*((name, table[f"pi:{name}"] * scales[name]) for name in names), else_=1.0 - edge)
    offers = {one.name: one.offer for one in chances.stage.arms}
    return table.mutate(
        **_among(chances, scales), scales=kept.ifelse(ibis.null("string"), written(scales)),
        propensity=kept.ifelse(table.held_propensity, fresh_chance),
        can_any=ibis.or_(*(table[f"can:{name}"] for name in names)),
        channel=_of(arm, table, "channel", names, ibis.null("string")), offer=arm.cases(*offers.items(), else_=ibis.null("string")),
        cost_ceiling=_of(arm, table, "ceiling", names, 0), expected_cost=_of(arm, table, "cost", names, 0),
        arm_margin=_of(arm, table, "margin", names, 0), arm_spread=_of(arm, table, "spread", names, 0),
        subsidised=_of(arm, table, "subsidised", names, 0), scope=_of(arm, table, "scope", names, ibis.null("string")),
        seller_id=_of(arm, table, "seller", names, ibis.null("string")), seller_cost=_of(arm, table, "theirs", names, 0),
        offer_value=_of(arm, table, "worth", names, 0), short=kept & arm.isin(closed or [""]),
    )


def _among(chances: Chances, scales: Mapping[str, float]) -> dict[str, ir.StringValue]:
    """The variants that a candidate may get, as eligible where they have a chance and as closed where they have none."""
    table, eligible, closed = chances.table, ibis.literal(""), ibis.literal("")
    for name in (one.name for one in chances.stage.arms):
        held = (table.kept & (table.held_arm == name)).fill_null(False)
        drawable = (table[f"pi:{name}"] * scales[name] > 0) | held
        eligible = eligible + (table[f"can:{name}"] & drawable).ifelse(f"{name}|", "")
        closed = closed + (table[f"can:{name}"] & ~drawable).ifelse(f"{name}|", "")
    return {"eligible": eligible + NOTHING, "closed": closed}


def _of(arm: ir.StringValue, table: ir.Table, prefix: str, names: list[str], otherwise: ir.Value | int) -> ir.Value:
    return arm.cases(*((name, table[f"{prefix}:{name}"]) for name in names), else_=otherwise)
