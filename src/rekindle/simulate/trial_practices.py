"""What is done about the lapsed in a trial: nothing, the usual practice, or the program by a table of chances.

Knows nothing of how tables come about. Each practice counts what its touches are truly worth in expectation, before chance decides.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from rekindle.decide.budget import RESERVE
from rekindle.simulate.chance import Flags, Floats, Ints
from rekindle.simulate.trial_course import Course
from rekindle.simulate.trial_program import HORIZON
from rekindle.simulate.trial_rounds import Rounds
from rekindle.simulate.trial_shop import HORIZON_WEEKS, context, hopes
from rekindle.simulate.trial_truth import chance, worth

PARTS = ("messages", "orders", "margin", "subsidy", "organic", "running", "opt_outs", "net")
USUAL_DAYS = 90
YEAR = 365


class Practice(Protocol):
    """Something that a shop does about the lapsed."""

    def act(self, course: Course) -> Floats:
        """Does what is due on the course's day.

        Returns:
            What it is truly worth in expectation, by `PARTS`; minor units, orders and messages counts.
        """


@dataclass(slots=True)
class Usual:
    """15 % to all after 90 days without an order, once a silence; nobody is held out and nothing is budgeted.

    Args:
        number: Of its arm.
        written: How many orders each customer had when last written to.
    """

    number: int
    written: Ints | None = None

    def act(self, course: Course) -> Floats:
        """As of `Practice`."""
        world, shop = course.world, course.shop
        written = self.written if self.written is not None else np.zeros(world.size, dtype=np.int64)
        can = (shop.orders > 0) & (shop.orders != written) & world.consent & ~shop.opted_out
        who = np.flatnonzero(can & (course.day - shop.days[:, 0] >= USUAL_DAYS))
        could = chance(world, shop, who, self.number, course.day)
        found = worth(world, who, self.number, could)
        course.send(who, self.number, could)
        written[who] = shop.orders[who]
        self.written = written
        return np.array([who.size, *(getattr(found, name).sum() for name in PARTS[1:])])


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions of one stage on one day, one element each; minor units.

    Args:
        step: Number of the stage.
        day: When.
        customer, context: Who.
        arm: Number in the stage's arms, `nothing` last.
        propensity: Chance of that arm.
        can: (n, variants); what each might have got.
        cost: (n, variants); expected cost.
        gain: (n, variants); what the documents assume that it brings.
        order_margin: Of an order, as the shop sees it.
        baseline: Margin that was expected within the outcome's horizon without contact.
        worth: (n, variants); what each would truly be worth. For the oracle and for nobody else.
    """

    step: int
    day: int
    customer: Ints
    context: Ints
    arm: Ints
    propensity: Floats
    can: Flags
    cost: Floats
    gain: Floats
    order_margin: Floats
    baseline: Floats
    worth: Floats


@dataclass(slots=True)
class ByTable:
    """The program by a table of chances, with holdout, control, caps and budget.

    Args:
        weights: By stage, (contexts, arms), `nothing` last; may be exchanged between weeks.
        rounds: Where customers stand.
        log: Every decision so far.
    """

    weights: tuple[Floats, ...]
    rounds: Rounds
    log: list[Decided] = field(default_factory=list)

    def act(self, course: Course) -> Floats:
        """As of `Practice`."""
        self.rounds.settle(course)
        due = [self._due(course, number) for number in range(len(self.weights))]
        due = [one for one in due if one.customer.size]
        scale = self._scale(course, [(one, self._chances(one)) for one in due])
        total = np.zeros(len(PARTS))
        for one in due:
            total += self._decide(course, one, scale)
        return total

    def _due(self, course: Course, number: int) -> Decided:
        """Who is due for a stage, with all that is known of each variant; nothing is drawn yet."""
        world, shop, rounds = course.world, course.shop, self.rounds
        step = world.tried.steps[number]
        who = rounds.due(number, course.day)
        where = context(world, shop, course.tiers, who, course.day)
        skipped = ~step.may[where].any(axis=1)
        rounds.move_on(course, who[skipped], number, where[skipped], at_once=True)
        who, where = who[~skipped], where[~skipped]
        expected, minor = hopes(world, shop, who, course.day), world.scene.minor
        width = len(step.options)
        room = (course.day - shop.price_offers[who, world.tried.program.caps.price_offers_per_year - 1]) > YEAR
        can = step.may[where] & (room[:, None] | ~np.array([one.price for one in step.options], dtype=bool))
        cost = np.column_stack([expected.cost(one, minor) for one in step.options]).reshape(who.size, width)
        gain = np.column_stack([expected.gain(one, minor) for one in step.options]).reshape(who.size, width)
        nobody = np.zeros(who.size)
        return Decided(
            number, course.day, who, where, nobody.astype(np.int64), nobody, can, cost, gain, expected.margin,
            expected.orders * expected.margin * HORIZON / (7 * HORIZON_WEEKS), np.zeros((who.size, width)),
        )

    def _chances(self, one: Decided) -> Floats:
        """(n, variants); chances renormalised over what each may get."""
        weights = self.weights[one.step][one.context]
        weighed = np.where(one.can, weights[:, :-1], 0.0)
        total = weighed.sum(axis=1, keepdims=True) + weights[:, -1:]
        found: Floats = weighed / np.where(total > 0, total, 1.0)
        return found

    def _scale(self, course: Course, due: list[tuple[Decided, Floats]]) -> float:
        """What the budget leaves of every chance, as `decide.budget` has it: met in expectation, before any draw."""
        since = course.day - course.world.tried.rules.budget.per_days
        spent = sum(float(_taken(one).sum()) for one in self.log if one.day > since)
        wanted = sum(float((chances * one.cost).sum()) for one, chances in due)
        left = max(course.world.budget * (1 - RESERVE) - spent, 0.0)
        return min(1.0, left / wanted) if wanted > 0 else 1.0

    def _decide(self, course: Course, one: Decided, scale: float) -> Floats:
        """Draws, sends and counts."""
        world, who, options = course.world, one.customer, course.world.tried.steps[one.step].options
        chances = self._chances(one) * scale
        drawn = world.scene.chance.stream("trial-draw", one.step, one.day).random(world.size)[who]
        arm = (drawn[:, None] >= np.cumsum(chances, axis=1)).sum(axis=1)
        propensity = np.append(chances, 1 - chances.sum(axis=1, keepdims=True), axis=1)[np.arange(who.size), arm]
        total, value = np.zeros(len(PARTS)), np.zeros(chances.shape)
        sent = []
        for place, option in enumerate(options):
            rows = np.flatnonzero(one.can[:, place])
            could = chance(world, course.shop, who[rows], option.number, course.day)
            found = worth(world, who[rows], option.number, could)
            value[rows, place] = found.net
            part = chances[rows, place]
            total += [part.sum(), *((part * getattr(found, name)).sum() for name in PARTS[1:])]
            mine = np.flatnonzero(arm[rows] == place)
            sent.append((who[rows[mine]], option.number, could.of(mine)))
        for mine, number, could in sent:
            course.send(mine, number, could)
        self.log.append(replace(one, arm=arm, propensity=propensity, worth=value))
        self.rounds.move_on(course, who, one.step, one.context)
        return total


def _taken(one: Decided) -> Floats:
    """Expected cost of what was drawn."""
    return np.append(one.cost, np.zeros((one.arm.size, 1)), axis=1)[np.arange(one.arm.size), one.arm]
