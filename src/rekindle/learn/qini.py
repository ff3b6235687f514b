"""How well a score sorts customers by what a message changes: Qini's coefficient.

Knows nothing of how the score came about. Customers are taken from the highest score down, those of one score together.

    gain(k) = answers of the treated among the first k - answers of the control among them x treated / control among them
    Qini    = area between the gain and the straight line to its end, over that area of the best order there is

The best order has treated customers who answered first and control customers who answered last. 1 is that order, 0 is chance.
Source: Radcliffe (2007), Using control groups to target on predicted lift, Direct Marketing Analytics Journal 3; normalised as
scikit-uplift's `qini_auc_score` with negative effects.
"""

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import BadData, CannotTell
from rekindle.learn.evidence import Floats

Flags = NDArray[np.bool_]


def curve(answered: Flags, score: Floats, treated: Flags) -> tuple[Floats, Floats]:
    """How many customers have been taken, and what has been gained by then; both begin at 0.

    Args:
        answered: (N,); whether the customer answered.
        score: (N,); the highest is taken first.
        treated: (N,); whether the customer was drawn for the message.

    Raises:
        BadData: The columns differ in length, or a score is no number.
    """
    if not len(answered) == len(score) == len(treated) or not np.isfinite(score).all():
        raise BadData("columns differ in length, or a score is no number", "Give an answer, a score and a group for every customer.")
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)[: len(order)]
    taken = np.arange(1, len(order) + 1)[last]
    mine, yes = treated[order], answered[order]
    sums = [np.cumsum(one)[last].astype(float) for one in (mine, yes & mine, yes & ~mine)]
    control = taken - sums[0]
    share = np.divide(sums[0], control, out=np.zeros(len(taken)), where=control > 0)
    return np.append(0.0, taken), np.append(0.0, sums[1] - sums[2] * share)


def qini(answered: Flags, score: Floats, treated: Flags) -> float | CannotTell:
    """The coefficient: 1 for the best order there is, 0 for chance, below 0 for worse than chance.

    >>> yes, group = np.array([True, False, True, False, False, True]), np.array([True, True, False, False, True, False])
    >>> qini(yes, np.array([3.0, 2.0, 1.0, 3.0, 2.0, 1.0]), group)
    0.9230769230769231
    >>> qini(yes, np.zeros(6), group)
    0.0
    """
    if treated.all() or not treated.any():
        return CannotTell("everybody is in one group; a gain is of treated customers over a control")
    if answered.all() or not answered.any():
        return CannotTell("nobody answered, or everybody did: every order is as good")
    best = answered.astype(float) * np.where(treated, 1.0, -1.0)
    most = _above_the_line(*curve(answered, best, treated))
    if most <= 0:
        return CannotTell("no order is better than another")
    return _above_the_line(*curve(answered, score, treated)) / most


def _above_the_line(taken: Floats, gain: Floats) -> float:
    return float(np.trapezoid(gain, taken) - taken[-1] * gain[-1] / 2)
