"""Who may have lapsed after a repeat order, and how many orders are to come: the BG/NBD of the literature.

Knows nothing of money. It holds every one-time buyer for alive: here to reproduce its paper, not to rank customers.
"""

from dataclasses import dataclass
from typing import ClassVar

from rekindle.errors import CannotTell
from rekindle.insight.models.beta_geometric import BetaGeometric
from rekindle.insight.models.lapse_fit import Start
from rekindle.insight.models.tuples import LapseTuples


@dataclass(frozen=True, slots=True)
class BgNbd(BetaGeometric):
    """A fitted BG/NBD: a customer may lapse after any repeat order, so one-time buyers have P(alive) = 1.

    Source: Fader, Hardie & Lee (2005), "Counting your customers" the easy way: an alternative to the Pareto/NBD model.
    """

    name: ClassVar[str] = "BG/NBD"
    first_coin: ClassVar[int] = 0


def fit_bg_nbd(tuples: LapseTuples, start: Start | None = None) -> BgNbd | CannotTell:
    """Fits the BG/NBD by maximum likelihood, leaning on a weak prior only where the data are thin.

    Args:
        tuples: Distinct purchase histories; their order does not matter.
        start: r, alpha, a and b to search from; the prior's centre if None.

    Returns:
        The model with its quality, or why there is none.
    """
    return BgNbd.fitted(tuples, start)
