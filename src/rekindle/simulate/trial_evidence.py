"""What the shop of a trial can learn from: the sums of `learn.evidence` over its own decisions and the orders that it has seen since.

Knows nothing of the truth: the worth that is logged for the oracle is never read here.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from rekindle.learn import delay
from rekindle.learn.evidence import Evidence, Rest
from rekindle.simulate.chance import Flags, Floats, Ints
from rekindle.simulate.trial_course import Course, Sums
from rekindle.simulate.trial_practices import Decided
from rekindle.simulate.trial_program import CONTEXTS, HORIZON, PROGRAM, Step
from rekindle.simulate.trial_world import WIDE

PERIOD = 30


def evidence(course: Course, log: Sequence[Decided]) -> tuple[Evidence, ...]:
    """What each stage's decisions brought by the course's day; only stages that decided something.

    Args:
        course: Its day, orders and margins.
        log: Decisions so far.
    """
    seen, steps = course.margins(), course.world.tried.steps
    parts = {number: _joined([one for one in log if one.step == number]) for number in sorted({one.step for one in log})}
    curves = _delays(course, seen, parts)
    return tuple(_of_stage(course, seen, steps[number], part, curves) for number, part in parts.items())


def _joined(parts: list[Decided]) -> tuple[Decided, Ints]:
    """A stage's decisions as one, and the day of each."""
    names = ("customer", "context", "arm", "propensity", "can", "cost", "gain", "order_margin", "baseline", "worth")
    columns = {name: np.concatenate([getattr(one, name) for one in parts]) for name in names}
    day = np.repeat([one.day for one in parts], [one.customer.size for one in parts])
    return Decided(step=parts[0].step, day=int(day.max()), **columns), day


def _delays(course: Course, seen: Sums, parts: dict[int, tuple[Decided, Ints]]) -> delay.Delays:
    """How soon orders follow, as `learn.delay` counts it; a decision is made at its day's beginning."""
    columns: dict[str, list[object]] = {"stage": [], "arm": [], "days": [], "returned": [], "watched": []}
    for number, (one, day) in parts.items():
        step = course.world.tried.steps[number]
        age = np.minimum(course.day - day, HORIZON)
        came = seen.first_order(one.customer, day) - day + 1
        back = came <= age
        code = (one.arm * WIDE + np.where(back, came, age)) * 2 + back
        for key, count in zip(*(part.tolist() for part in np.unique(code, return_counts=True)), strict=True):
            columns["stage"].append(step.name)
            columns["arm"].append(step.arms[key // 2 // WIDE])
            columns["days"].append(key // 2 % WIDE)
            columns["returned"].append(count if key % 2 else 0)
            columns["watched"].append(0 if key % 2 else count)
    return delay.measure(pa.table(columns), HORIZON)


def _of_stage(course: Course, seen: Sums, step: Step, part: tuple[Decided, Ints], curves: delay.Delays) -> Evidence:
    one, day = part
    arms, width, rows = step.arms, len(step.options), len(CONTEXTS)
    until = np.minimum(day + HORIZON, course.day)
    total = seen.within(one.customer, day, until)
    exposure = np.zeros(day.size)
    for number, name in enumerate(arms):
        mine = one.arm == number
        exposure[mine] = curves.of(step.name, name).weight((until - day)[mine].astype(np.float64))
    ordered = (seen.first_order(one.customer, day) < until).astype(np.float64)
    values = (np.ones(day.size), exposure, total, total**2, ordered)
    decisions, weighed, totals, squares, orders = (_sums(one.context * len(arms) + one.arm, value, (rows, len(arms))) for value in values)
    share, hits = _means(one.context, one.can.astype(np.float64), np.ones_like(one.can)), one.can.sum(axis=0)
    recent = one.context[day > course.day - PERIOD]
    ones = np.where(hits > 0, hits, 1)
    gain, margin = ((value * one.can).sum(axis=0) / ones for value in (one.gain, np.repeat(one.order_margin[:, None], width, axis=1)))
    spread = np.array([option.prior[1] for option in step.options]) * margin
    nothing, whole = np.zeros((rows, 1)), np.ones((rows, 1))
    return Evidence(
        PROGRAM, step.name, CONTEXTS, arms, decisions, weighed, totals, squares, orders,
        candidates=np.bincount(recent, minlength=rows).astype(np.float64),
        cost=np.append(_means(one.context, one.cost, one.can), nothing, axis=1), allowed=np.append(share, whole, axis=1),
        prior_mean=np.append(gain, 0.0), prior_sd=np.append(spread, 0.0),
        channels=(*("email" for _ in step.options), ""), rest=_rest(one, values, width),
    )


def _sums(code: Ints, value: Floats, shape: tuple[int, int]) -> Floats:
    return np.bincount(code, value, shape[0] * shape[1]).astype(np.float64).reshape(shape)


def _means(context: Ints, value: Floats, counts: Flags | Floats) -> Floats:
    """(contexts, variants); mean of the values that count."""
    found = np.zeros((2, len(CONTEXTS), value.shape[1]))
    np.add.at(found[0], context, value * counts)
    np.add.at(found[1], context, counts)
    mean: Floats = found[0] / np.where(found[1] > 0, found[1], 1.0)
    return mean


def _rest(one: Decided, values: Sequence[Floats], width: int) -> Rest:
    """What `nothing` brought those who might have got each variant, and all in the last column."""
    idle = one.arm == width
    may = np.append(one.can, np.ones((one.arm.size, 1), dtype=bool), axis=1)[idle]
    parts = []
    for value in values:
        found = np.zeros((len(CONTEXTS), width + 1))
        np.add.at(found, one.context[idle], may * value[idle][:, None])
        parts.append(found)
    return Rest(*parts)
