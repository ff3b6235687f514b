"""What the paths of a walk amount to: audience, messages by week, cost, margin, who is left alone, and whether caps held on every path.

Knows nothing of how they were decided: the caps are counted anew from the messages alone.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.decide.sums import counts, sums
from rekindle.decide.walk import WEEK, Met, Question, Walked
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.moment import start_of_day
from rekindle.program.documents import NOTHING

_CLOCK_CHANGE = 3600
"""Seconds that the change of clocks takes from the time between two messages of one hour of the day."""

ROUND = ["customer_id", "episode"]


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether a cap held.

    Args:
        cap: touches, gap, duration (of the program) or store (the rules' messages in a rolling window, counted for this program alone).
        limit: What the documents say: messages, or days.
        most: What came nearest to it or went beyond: the most messages, the shortest gap, the longest round; None where nothing did.
        broken: Paths on which it did not hold.
    """

    cap: str
    limit: int
    most: float | None
    broken: int


@dataclass(frozen=True, slots=True)
class Paths:
    """What a walk amounts to; money in minor units.

    Args:
        question: What was walked.
        audience: Customers who were due at least once.
        rounds: Rounds that began: got a standing.
        standing: Those by standing.
        reached: Customers who get a message.
        messages: All messages.
        weeks: The first day of each week, and the messages that each stage sends in it.
        by_stage, by_arm: Draws by name, `nothing` among them.
        by_offer: Messages by the name of what they give.
        longest_messages: The most messages in a round.
        longest_days: The most days from a round's beginning to its last message.
        cost_ceiling: What all messages cost if every offer is redeemed.
        expected_cost: What they are expected to cost.
        expected_margin: What they are expected to bring, from assumed priors.
        subsidised_orders: Redemptions expected in orders that would come anyway.
        left_alone: Customers of the audience who get no message, by the last reason; `nothing` where the draw was that.
        refusals: Rounds that were left alone for a reason at some time, by reason; of one that was put off and later reached too.
        kept: The caps, each with how it held.
        scale: The least that budgets left of any chance of a message.
        met: Whom plans looked at that had nobody due.
        missed: Moments that came and passed between two plans, so that no plan of the walk saw them: of late deliveries, parcels.
    """

    question: Question
    audience: int
    rounds: int
    standing: dict[str, int]
    reached: int
    messages: int
    weeks: tuple[tuple[date, dict[str, int]], ...]
    by_stage: dict[str, int]
    by_arm: dict[str, int]
    by_offer: dict[str, int]
    longest_messages: int
    longest_days: int
    cost_ceiling: float
    expected_cost: float
    expected_margin: Interval
    subsidised_orders: float
    left_alone: dict[str, int]
    refusals: dict[str, int]
    kept: tuple[Kept, ...]
    scale: float
    met: Met
    missed: int = 0


def summarise(warehouse: Warehouse, question: Question, walked: Walked) -> Paths:
    """Counts and sums of a walk."""
    rows = walked.decisions
    drawn = rows.filter(rows.arm.notnull(), rows.reason.isnull())
    sent = drawn.filter(drawn.arm != NOTHING)
    begun = rows.filter(rows.standing.notnull()).select(*ROUND, "standing").distinct()
    found = sums(warehouse, sent)
    rounds = warehouse.keep(_rounds(sent))
    most = warehouse.row(rounds.aggregate(messages=rounds.messages.max(), days=rounds.days.max()))
    standing = counts(warehouse, begun, "standing")
    return Paths(
        question=question, audience=warehouse.scalar(rows.customer_id.nunique()), rounds=sum(standing.values()), standing=standing,
        reached=warehouse.scalar(sent.customer_id.nunique()), messages=found.messages, weeks=_weeks(warehouse, question, sent),
        by_stage=counts(warehouse, drawn, "stage"), by_arm=counts(warehouse, drawn, "arm"),
        by_offer=counts(warehouse, sent, "offer"),
        longest_messages=most["messages"] or 0, longest_days=most["days"] or 0,
        cost_ceiling=found.cost_ceiling, expected_cost=found.expected_cost, expected_margin=found.expected_margin,
        subsidised_orders=found.subsidised_orders,
        left_alone=_left_alone(warehouse, rows, sent),
        refusals=counts(warehouse, rows.filter(rows.reason.notnull()).select(*ROUND, "reason").distinct(), "reason"),
        kept=_kept(warehouse, question, sent, rounds), scale=walked.scale, met=walked.met,
        missed=_missed(warehouse, question) if question.program.trigger.on == "late_delivery" else 0,
    )


def _missed(warehouse: Warehouse, question: Question) -> int:
    """Parcels that were late, and had arrived when the next plan was made: a late delivery is the one moment that passes of itself."""
    ticks = [tick.naive for tick in question.ticks]
    end = start_of_day(question.first + timedelta(days=question.days), question.timezone).replace(tzinfo=None)
    seen = ibis.memtable(pa.table({"tick": pa.array(ticks, pa.timestamp("us"))}))
    parcels = warehouse.current("shipments").select("shipment_id", "promised_at", "delivered_at")
    late = parcels.filter(parcels.promised_at >= ibis.literal(ticks[0]), parcels.promised_at < parcels.delivered_at)
    late = warehouse.keep(late.filter(late.delivered_at < ibis.literal(end)))
    met = late.join(seen, [late.promised_at < seen.tick, seen.tick <= late.delivered_at]).select("shipment_id").distinct()
    return int(warehouse.scalar(late.anti_join(met, "shipment_id").count()))


def _rounds(sent: ir.Table) -> ir.Table:
    """Rounds with a message: customer_id, episode, messages, days (whole, from the beginning to the last message's sending)."""
    found = sent.group_by(ROUND).aggregate(messages=sent.count(), began=sent.entered_at.min(), last=sent.send_at.max())
    return found.mutate(days=(found.last.epoch_seconds() - found.began.epoch_seconds()) // _A_DAY)


_A_DAY = 86_400


def _weeks(warehouse: Warehouse, question: Question, sent: ir.Table) -> tuple[tuple[date, dict[str, int]], ...]:
    """Messages of every week of the walk by stage, by the instant of their plan."""
    counted = warehouse.arrow(sent.group_by("as_of", "stage").aggregate(n=sent.count()).order_by("as_of", "stage")).to_pylist()
    at = {tick.naive: (tick.day - question.first).days // WEEK for tick in question.ticks}
    found: list[dict[str, int]] = [{} for _ in range(question.weeks)]
    for row in counted:
        week = found[at[row["as_of"]]]
        week[row["stage"]] = week.get(row["stage"], 0) + row["n"]
    return tuple((question.first + timedelta(weeks=number), week) for number, week in enumerate(found))


def _left_alone(warehouse: Warehouse, rows: ir.Table, sent: ir.Table) -> dict[str, int]:
    """Customers without any message by the last thing that was decided of them."""
    alone = rows.anti_join(sent.select("customer_id").distinct(), "customer_id")
    latest = ibis.row_number().over(group_by="customer_id", order_by=[ibis.desc("as_of"), "stage", "episode"])
    last = alone.mutate(place=latest).filter(lambda t: t.place == 0)
    return counts(warehouse, last.mutate(why=last.reason.fill_null(NOTHING)), "why")


def _kept(warehouse: Warehouse, question: Question, sent: ir.Table, rounds: ir.Table) -> tuple[Kept, ...]:
    caps = question.program.caps
    over = warehouse.row(
        rounds.aggregate(
            messages=rounds.messages.max(), days=rounds.days.max(), many=(rounds.messages > caps.touches).sum(),
            long=(rounds.days > caps.duration_days).sum(),
        )
    )
    own = (
        Kept("touches", caps.touches, over["messages"], over["many"] or 0),
        _gaps(warehouse, sent, caps.gap_days),
        Kept("duration", caps.duration_days, over["days"], over["long"] or 0),
    )
    return own if question.program.service else (*own, _store(warehouse, question, sent))


def _gaps(warehouse: Warehouse, sent: ir.Table, limit: int) -> Kept:
    """The shortest time from one sending to the next in a round, and rounds in which it is too short."""
    seconds = sent.mutate(at=sent.send_at.epoch_seconds())
    gaps = seconds.mutate(gap=seconds.at - seconds.at.lag().over(group_by=ROUND, order_by="send_at"))
    short = gaps.gap < limit * _A_DAY - _CLOCK_CHANGE
    found: dict[str, Any] = warehouse.row(gaps.aggregate(least=gaps.gap.min()))
    broken = warehouse.scalar(gaps.filter(short).select(*ROUND).distinct().count())
    least = found["least"]
    return Kept("gap", limit, None if least is None else round(least / _A_DAY, 2), broken)


def _store(warehouse: Warehouse, question: Question, sent: ir.Table) -> Kept:
    """The most messages that a customer gets in the rules' rolling window."""
    cap = question.documents.rules.caps
    at = sent.group_by("customer_id", "as_of").aggregate(messages=sent.count())
    both = at.select("customer_id", "as_of").join(at.select("customer_id", "messages", earlier="as_of"), "customer_id")
    window = ibis.interval(days=cap.per_days)
    near = both.filter(both.earlier <= both.as_of, both.earlier > both.as_of - window)
    counted = warehouse.keep(near.group_by("customer_id", "as_of").aggregate(messages=near.messages.sum()))
    over = counted.filter(counted.messages > cap.touches).select("customer_id").distinct().count()
    return Kept("store", cap.touches, warehouse.scalar(counted.messages.max()), warehouse.scalar(over))
