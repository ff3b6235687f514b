"""Who may have lapsed, already after a first order, and how many orders are to come: the modified BG/NBD.

Knows nothing of money. The lapse model to take where a formula without integrals is wanted.
"""

from dataclasses import dataclass
from typing import ClassVar

from rekindle.errors import CannotTell
from rekindle.insight.models.beta_geometric import BetaGeometric
from rekindle.insight.models.lapse_fit import Start
from rekindle.insight.models.tuples import LapseTuples


@dataclass(frozen=True, slots=True)
class MbgNbd(BetaGeometric):
    """A fitted MBG/NBD: a customer may lapse after any order, the first included, so one-time buyers have P(alive) below 1.

    Source: Batislam, Denizel & Filiztekin (2007), Empirical validation and comparison of models for customer base analysis.
    """

    name: ClassVar[str] = "MBG/NBD"
    first_coin: ClassVar[int] = 1


def fit_mbg_nbd(tuples: LapseTuples, start: Start | None = None) -> MbgNbd | CannotTell:
    """Fits the MBG/NBD by maximum likelihood, leaning on a weak prior only where the data are thin.

    Args:
        tuples: Distinct purchase histories; their order does not matter.
        start: r, alpha, a and b to search from; the prior's centre if None.

    Returns:
        The model with its quality, or why there is none.
    """
    return MbgNbd.fitted(tuples, start)
