"""Where each customer stands in the program of a trial: which stage follows, and when.

Knows nothing of variants. A round is one silence of a customer: it opens with the lapse and ends with an order, an opt-out or its last
stage.
"""

from dataclasses import dataclass

import numpy as np

from rekindle.simulate.chance import Ints
from rekindle.simulate.trial_course import Course
from rekindle.simulate.trial_program import CONTEXTS
from rekindle.simulate.trial_shop import rhythm, slipping


@dataclass(slots=True)
class Rounds:
    """Where each customer stands in the program; one element per customer.

    Args:
        anchor: Orders when the last round began; 0 before any.
        stage: Number of the stage that follows; -1 out of a round.
        due_on: Day on which it is due.
        began: Day on which the round began.
    """

    anchor: Ints
    stage: Ints
    due_on: Ints
    began: Ints

    @classmethod
    def none(cls, size: int) -> "Rounds":
        """Nobody is in a round."""
        return cls(np.zeros(size, dtype=np.int64), np.full(size, -1), np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64))

    def settle(self, course: Course) -> None:
        """Ends rounds of who has ordered or opted out, then opens those of the lapsed who have none for this silence."""
        shop, world = course.shop, course.world
        over = (self.stage >= 0) & ((shop.orders != self.anchor) | shop.opted_out)
        over |= (self.stage >= 0) & (course.day - self.began > world.tried.program.caps.duration_days)
        self.stage[over] = -1
        who = slipping(world, shop, course.day)
        free = world.consent & ~world.holdout & ~world.control & ~shop.opted_out & (shop.orders != self.anchor)
        who = who[free[who]]
        self.anchor[who], self.stage[who] = shop.orders[who], 0
        self.due_on[who], self.began[who] = course.day, course.day

    def due(self, number: int, day: int) -> Ints:
        """Who is due for a stage."""
        found: Ints = np.flatnonzero((self.stage == number) & (self.due_on <= day))
        return found

    def move_on(self, course: Course, who: Ints, number: int, where: Ints, at_once: bool = False) -> None:
        """To the stage after, when its delay is over; at once where the stage was passed over."""
        steps = course.world.tried.steps
        if number + 1 == len(steps):
            self.stage[who] = -1
            return
        cohort = where % (len(CONTEXTS) // 3)
        part, least, most = steps[number + 1].delays[cohort].T
        wait = np.clip(part * rhythm(course.world, course.shop, who), least, most)
        self.stage[who] = number + 1
        self.due_on[who] = course.day if at_once else course.day + np.ceil(wait).astype(np.int64)
