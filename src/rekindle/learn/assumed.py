"""What documents assume of each variant: what it costs, what it brings more than `nothing`, how far that may be off, and by which channel.

Knows nothing of outcomes. The planner has worked all of it out for every message that it decided, by the arithmetic of `decide.arms`; here
are the means of that. What a variant that was never sent would have had is told from what an order brings at the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from rekindle.decide.arms import MILLI, opt_out_rate
from rekindle.learn.outcomes import Window
from rekindle.program.documents import Arm, Program, Stage

Key = tuple[str, ...]


@dataclass(slots=True)
class Sums:
    """Of messages: how many, and what was expected of them; thousandths of a minor unit, the baseline minor units."""

    messages: int = 0
    cost: int = 0
    seller_cost: int = 0
    margin: int = 0
    baseline: int = 0
    channels: dict[str, int] = field(default_factory=dict)

    def add(self, row: Mapping[str, object]) -> None:
        """Adds a row of `decisions.expected`."""
        for name in ("messages", "cost", "seller_cost", "margin", "baseline"):
            setattr(self, name, getattr(self, name) + int(str(row[name])))
        channel = str(row["channel"] or "")
        self.channels[channel] = self.channels.get(channel, 0) + int(str(row["messages"]))


@dataclass(frozen=True, slots=True)
class Assumed:
    """A variant as its documents have it; minor units a decision.

    Args:
        mean: What it brings more than `nothing`.
        sd: How far that may be off.
        cost: Expected cost of one.
        costs: The same by context, where any was sent there.
        channel: The channel that most of its messages took, or would take.
    """

    mean: float
    sd: float
    cost: float
    costs: Mapping[str, float]
    channel: str


def assumed(hoped: pa.Table, program: Program, window: Window, order_margin: float) -> dict[tuple[str, str], Assumed]:
    """By stage and variant, what the documents assume.

    Args:
        hoped: Rows of `decisions.expected`.
        program: The program.
        window: Offers, and channels with their costs.
        order_margin: Margin of an order, minor units: what an extra order is taken to bring where no message has said.
    """
    sums: dict[Key, Sums] = {}
    for row in hoped.to_pylist():
        for key in ((row["stage"], row["arm"]), (row["stage"], row["arm"], row["context"])):
            sums.setdefault(key, Sums()).add(row)
    arms = [(stage, arm) for stage in program.stages for arm in stage.arms]
    worth = _worth(arms, sums, program) or order_margin
    found = {}
    for stage, arm in arms:
        key = (stage.name, arm.name)
        costs = {one[2]: part.cost / part.messages / MILLI for one, part in sums.items() if one[:2] == key and len(one) > 2}
        mine = sums.get(key)
        found[key] = _unsent(arm, program, window, worth) if mine is None else _sent(arm, program, mine, worth, costs)
    return found


def _orders_worth(part: Sums, program: Program) -> float:
    """Of E = d m - (p0 + d) r c - channel - opt-out, the sum of d m: minor units."""
    left = part.baseline * opt_out_rate(program)
    return (part.margin + part.cost - part.seller_cost) / MILLI + left


def _worth(arms: list[tuple[Stage, Arm]], sums: Mapping[Key, Sums], program: Program) -> float:
    """What an order was expected to bring, over all variants that are assumed to bring some: minor units; 0 where none was sent."""
    parts = [(arm.prior.mean, sums[stage.name, arm.name]) for stage, arm in arms if arm.prior.mean > 0 and (stage.name, arm.name) in sums]
    orders = sum(mean * part.messages for mean, part in parts)
    return max(0.0, sum(_orders_worth(part, program) for _, part in parts) / orders) if orders else 0.0


def _sent(arm: Arm, program: Program, part: Sums, worth: float, costs: Mapping[str, float]) -> Assumed:
    own = _orders_worth(part, program) / part.messages / arm.prior.mean if arm.prior.mean > 0 else worth
    channel = min(part.channels, key=lambda name: (-part.channels[name], name))
    cost = part.cost / part.messages / MILLI
    return Assumed(part.margin / part.messages / MILLI, arm.prior.sd * (own if own > 0 else worth), cost, costs, channel)


def _unsent(arm: Arm, program: Program, window: Window, worth: float) -> Assumed:
    channels = window.shop.within(program.channels).channels
    channel = arm.channel if arm.channel != "preferred" else channels[0] if channels else ""
    offer, extra = window.offers[arm.offer], arm.prior.mean
    message = window.shop.minor(window.shop.channel_costs[channel]) if channel in window.shop.channel_costs else 0.0
    cost = message + max(extra, 0.0) * offer.redemption * window.shop.minor(offer.unit_cost)
    return Assumed(extra * worth - cost, arm.prior.sd * worth, cost, {}, channel)
