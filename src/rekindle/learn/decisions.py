"""What followed each decision of a program: orders, their margin, what messages and redemptions cost, and how long it has been watched.

Knows nothing of policies. One row per decision, which is a draw among variants, `nothing` among them; refusals before a draw, such as a
round in the control, are none. A draw counts once, from the instant at which it was first made, whatever caps put off afterwards.
"""

import ibis
import ibis.expr.types as ir

from rekindle.decide.arms import MILLI
from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import exact_sum
from rekindle.learn import outcomes
from rekindle.learn.delay import SECONDS, Delays, Floats
from rekindle.program.documents import NOTHING, Program

MILLION = 1_000_000
"""Exposure is summed in millionths, so that the sum is exact."""

LARGEST = 3_000_000_000
"""Minor units; the margin of a decision counts for no more in squares, which are 64-bit."""

_PART = 1 << 31


def drawn(warehouse: Warehouse, past: Past, *programs: Program) -> ir.Table:
    """Every draw of a treated round: program, customer_id, episode, stage, since (the instant of the draw), and of the journal `LOGGED`.

    Args:
        warehouse: Keeps which draws came more than once, for as long as the answer is read.
        past: Ready plans before the instant.
        programs: Whose draws.
    """
    stages = [(program.name, stage.name) for program in programs for stage in program.stages]
    known = ibis.memtable({"program": [name for name, _ in stages], "stage": [stage for _, stage in stages]})
    rows = past.journal.filter(past.journal.standing == "treated", past.journal.arm.notnull(), past.journal.context != "")
    rows = rows.semi_join(known, ["program", "stage"])
    rows = rows.select("program", "customer_id", "episode", "stage", *LOGGED, "reason", since="as_of")
    key = ["program", "customer_id", "episode", "stage"]
    again = warehouse.keep(rows.filter(rows.reason.notnull()).select(key).distinct())
    if not warehouse.scalar(again.count()):
        return rows.drop("reason")
    place = ibis.row_number().over(group_by=key, order_by=["since", "plan"])
    first = rows.semi_join(again, key).mutate(place=place).filter(lambda t: t.place == 0).drop("place")
    return rows.anti_join(again, key).union(first).drop("reason")


LOGGED = ("context", "eligible", "closed", "arm", "propensity", "policy", "plan", "baseline")
"""What the journal says of a draw."""


def followed(warehouse: Warehouse, past: Past, program: Program, window: outcomes.Window) -> ir.Table:
    """What followed every decision within the program's horizon, or so far.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        program: The program.
        window: What is counted.

    Returns:
        stage, context, eligible and closed (names joined by "|"), arm, propensity, since, age (seconds until the end of the horizon or the
        instant), answer (seconds to the first order, null without one), orders, gross_margin, incentives (minor units), messages_milli
        (thousandths), kept.
    """
    rows = drawn(warehouse, past, program)
    spans = rows.mutate(until=outcomes.end_of(rows.since, program, window))
    rows = outcomes.followed(warehouse, past, (program,), spans, window)
    began = rows.since.epoch_seconds()
    age, answer = rows.until.epoch_seconds() - began, rows.first_order_at.epoch_seconds() - began
    return warehouse.keep(
        rows.select(
            "stage", "context", "eligible", "closed", "arm", "propensity", "since", "orders", "gross_margin", "incentives",
            "messages_milli",
            age=age.cast("int64"), answer=answer.cast("int64"),
        )
    )


def summed(decisions: ir.Table, weights: ir.Table, recent: ir.TimestampValue) -> ir.Table:
    """Decisions as sums by stage, context, eligible, closed and arm.

    A message's cost is spent at once, an order's margin comes later: of a decision that half of the answer should have come of, half of
    the cost is counted, so that total over exposure is what a decision brings in all.

    Args:
        decisions: From `followed`.
        weights: From `Delays.table`.
        recent: Decisions from this instant on are counted as `due`.

    Returns:
        decisions, exposure (millionths), total (thousandths of a minor unit), squares_high and squares_low (squares of whole minor units,
        for `squares`), orders (decisions that an order followed), due, purchases, margin (of all orders).
    """
    day = (decisions.age // SECONDS).cast("int64")
    rows = decisions.mutate(day=day, rest=(decisions.age - day * SECONDS) / SECONDS)
    rows = rows.join(weights, ["stage", "arm", "day"])
    share = rows.weight + rows.step * rows.rest
    spent = (rows.messages_milli * share).round().cast("int64")
    rows = rows.mutate(
        exposure=(share * MILLION).round().cast("int64"), net=(rows.gross_margin - rows.incentives) * MILLI - spent,
        ordered=rows.orders > 0, is_due=rows.since > recent,
    )
    whole = (rows.net / MILLI).round().cast("int64").clip(-LARGEST, LARGEST)
    rows = rows.mutate(square=whole * whole)
    rows = rows.mutate(high=(rows.square / _PART).floor().cast("int64"))
    return rows.group_by("stage", "context", "eligible", "closed", "arm").aggregate(
        decisions=rows.count(), exposure=exact_sum(rows.exposure), total=exact_sum(rows.net), squares_high=exact_sum(rows.high),
        squares_low=exact_sum(rows.square - rows.high * _PART), orders=rows.ordered.cast("int64").sum(),
        due=rows.is_due.cast("int64").sum(), purchases=exact_sum(rows.orders), margin=exact_sum(rows.gross_margin),
    )


def squares(high: Floats, low: Floats) -> Floats:
    """The sums of squares that `summed` took apart."""
    return high * _PART + low


def expected(past: Past, program: Program) -> ir.Table:
    """What was expected of messages when they were decided, as sums by stage, context, arm and channel.

    Returns:
        messages, cost, seller_cost, margin (thousandths of a minor unit), baseline (minor units).
    """
    rows = past.journal.filter(
        past.journal.program == program.name, past.journal.standing == "treated", past.journal.reason.isnull(),
        past.journal.arm.notnull(), past.journal.arm != NOTHING, past.journal.context != "",
    )
    return rows.group_by("stage", "context", "arm", "channel").aggregate(
        messages=rows.count(), cost=exact_sum(rows.expected_cost.fill_null(0)), seller_cost=exact_sum(rows.seller_cost.fill_null(0)),
        margin=exact_sum(rows.expected_margin.fill_null(0)), baseline=exact_sum(rows.baseline.fill_null(0)),
    )


def weights(delays: Delays, program: Program) -> ir.Table:
    """The curves of a program's variants, for `summed`."""
    return ibis.memtable(delays.table({stage.name: (*(arm.name for arm in stage.arms), NOTHING) for stage in program.stages}))
