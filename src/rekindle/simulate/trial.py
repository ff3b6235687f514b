"""What policies are truly worth over a year in the known world: the usual practice, equal chances, Rekindle and the best table there is.

Knows nothing of how any of them chooses. Worth is expected margin above contacting nobody, over everything that chance may still decide
when a touch is decided on; it counts in the week of the decision, however late the order comes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rekindle.decide.budget import RESERVE
from rekindle.learn.policies import Learning, Proposer
from rekindle.learn.policy_terms import Terms
from rekindle.simulate.chance import Floats
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.trial_course import Course, begun
from rekindle.simulate.trial_evidence import evidence
from rekindle.simulate.trial_oracle import PRICES, Oracle, best_table, floors_alone
from rekindle.simulate.trial_practices import PARTS, ByTable, Practice, Usual
from rekindle.simulate.trial_program import with_usual
from rekindle.simulate.trial_rounds import Rounds
from rekindle.simulate.trial_shop import slipping
from rekindle.simulate.trial_world import TrialWorld, trial_world

WEEKS = 52
HALF = 26
EVERY = 2
"""Weeks from one table to the next."""


@dataclass(frozen=True, slots=True)
class Year:
    """A year of one practice in one world.

    Args:
        name: The practice.
        weekly: (WEEKS, PARTS); what each week's touches are truly worth, minor units.
        lapsed: Customers who were lapsing or lapsed at some time, untouched: over the year, in its first half and in its second.
    """

    name: str
    weekly: Floats
    lapsed: tuple[int, int, int]

    def per_thousand(self, part: str = "net") -> tuple[float, float, float]:
        """Per 1,000 lapsed customers, units of currency or counts: the year, its first half, its second half."""
        column = self.weekly[:, PARTS.index(part)] / (1 if part in ("messages", "orders") else 100)
        sums = (column.sum(), column[:HALF].sum(), column[HALF:].sum())
        whole, first, second = (1000 * float(one) / max(count, 1) for one, count in zip(sums, self.lapsed, strict=True))
        return whole, first, second


def lapsed(world: TrialWorld) -> tuple[int, int, int]:
    """How many customers are lapsing or lapsed at some time if nobody is contacted: year, first half, second half."""
    course, ever = begun(world), np.zeros((2, world.size), dtype=bool)
    for week in range(WEEKS):
        ever[week // HALF, slipping(world, course.shop, course.day)] = True
        course.pass_week()
    return int(ever.any(axis=0).sum()), int(ever[0].sum()), int(ever[1].sum())


def play(world: TrialWorld, practice: Practice, renew: Callable[[Course, int], None] | None = None) -> Floats:
    """A year of a practice: (WEEKS, PARTS), minor units.

    Args:
        world: The world.
        practice: What is done.
        renew: Called before each week with its number, to exchange a table.
    """
    course, weeks = begun(world), []
    for week in range(WEEKS):
        if renew is not None:
            renew(course, week)
        weeks.append(practice.act(course))
        course.pass_week()
    return np.array(weeks)


def by_equal_chance(world: TrialWorld) -> ByTable:
    """The first policy of every shop."""
    return ByTable(world.tried.weights(None), Rounds.none(world.size))


def terms(world: TrialWorld) -> Terms:
    """What every table has to keep: the rules' budget less its reserve, and their floors."""
    exploration = world.tried.rules.exploration
    return Terms(world.budget * (1 - RESERVE), floor_arm=exploration.arm, floor_nothing=exploration.nothing)


def learning(world: TrialWorld, proposer: Proposer) -> Floats:
    """A year that begins with equal chances and takes a new table every two weeks, from the shop's own decisions."""
    practice, kept = by_equal_chance(world), terms(world)

    def renew(course: Course, week: int) -> None:
        if week and week % EVERY == 0 and practice.log:
            practice.weights = world.tried.weights(proposer.propose(evidence(course, practice.log), kept).policy)

    return play(world, practice, renew)


def oracle(world: TrialWorld, prices: tuple[float, ...] = PRICES) -> Oracle:
    """The best table found, with the truth of every decision at hand; `prices` as of `best_table`."""
    return best_table(world, terms(world), lambda weights: _played(world, weights), HALF, prices)


def _played(world: TrialWorld, weights: tuple[Floats, ...]) -> tuple[Floats, ByTable]:
    practice = ByTable(weights, Rounds.none(world.size))
    return play(world, practice), practice


def nothing_works(parameters: Parameters) -> Parameters:
    """A world in which no touch wins an order; offers are used, and customers opt out, all the same."""
    return replace(parameters, arms=tuple(replace(arm, lift=0.0) for arm in with_usual(parameters).arms))


def trial(
    customers: int, seed: int, parameters: Parameters | None = None, proposers: Mapping[str, Proposer] | None = None,
    prices: tuple[float, ...] = PRICES,
) -> tuple[Year, ...]:
    """A year of each practice in one world: usual, equal-chance, what learns, oracle, and the floors alone.

    Args:
        customers: Who arrive before the start.
        seed: Of all chance.
        parameters: The marketplace's; the usual practice's arm is added.
        proposers: What learns, by name; by default `rekindle`, as it does.
        prices: What the oracle tries; empty: there is no oracle.

    Raises:
        UsageError: The world is too small.
    """
    world = trial_world(with_usual(parameters or Parameters()), customers, seed)
    number = len(world.scene.parameters.arms) - 1
    learners = proposers or {"rekindle": Learning(seed=seed)}
    years = {
        "usual": play(world, Usual(number)), "equal-chance": play(world, by_equal_chance(world)),
        **{name: learning(world, one) for name, one in learners.items()},
        **({"oracle": oracle(world, prices).weekly} if prices else {}), "floors": _played(world, floors_alone(world, terms(world)))[0],
    }
    count = lapsed(world)
    return tuple(Year(name, weekly, count) for name, weekly in years.items())
