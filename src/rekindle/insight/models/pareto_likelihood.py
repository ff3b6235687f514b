"""How likely purchase histories are under Pareto/NBD lapse, and which way its four parameters should move.

Knows nothing of the search for the best ones.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import gammaln, polygamma, psi

from rekindle.insight.models.deaths import Deaths, Point, deaths
from rekindle.insight.models.fitting import Slope
from rekindle.insight.models.tuples import Floats, Ints, LapseTuples, Standing, ranked, sum_of, sums
from rekindle.insight.models.two_fates import UPPER, Fate, TwoFates


@dataclass(frozen=True, slots=True, eq=False)
class ParetoLikelihood:
    """The log-likelihood of r, alpha, s and beta in their logarithms, with gradient and exact Hessian.

    Args:
        histories: Laid out for sums over both fates.
        counts: Distinct repeats, and how many customers have them.
        end: Later than every age, weeks.

    Source: docs/models.md, equations 10 and 11; Fader & Hardie (2005), A note on deriving the Pareto/NBD model, rearranged.
    """

    histories: TwoFates
    counts: tuple[Ints, Floats]
    end: float

    @classmethod
    def of(cls, rows: LapseTuples) -> Self:
        """Lays out sorted rows."""
        x, row = ranked(rows.repeats)
        return cls(TwoFates.of(rows), (x, sums(row, rows.customers.astype(np.float64), len(x))), end_of(rows))

    def __call__(self, at: Floats) -> Slope:
        """Value and derivatives at log r, log alpha, log s, log beta."""
        r, alpha, s, beta = point = tuple(np.exp(at).tolist())
        unseen = deaths(point, self.histories.pairs, self.end)
        found = self.histories.total(*fates(point, self.histories.pairs, unseen))
        x, customers = self.counts
        count = float(customers.sum())
        height = sum_of(customers, gammaln(r + x)) + count * (r * float(at[1]) + s * float(at[3]) - float(gammaln(r)))
        by_r = r * (sum_of(customers, psi(r + x)) + count * (float(at[1]) - float(psi(r))))
        gradient = np.array([by_r, count * r, count * s * float(at[3]), count * s])
        bend = np.zeros((4, 4))
        bend[0, 0] = by_r + r * r * (sum_of(customers, polygamma(1, r + x)) - count * float(polygamma(1, r)))
        bend[0, 1] = bend[1, 0] = count * r
        bend[2, 2] = count * s * float(at[3])
        bend[2, 3] = bend[3, 2] = count * s
        return Slope(found.height + height, found.gradient + gradient, found.hessian + bend)


def end_of(rows: LapseTuples) -> float:
    """A week after the last age: where the integrals over the time of death may end."""
    return float(rows.age.max(initial=0.0)) + 1.0


def fates(point: Point, pairs: Standing, unseen: Deaths) -> tuple[Fate, Fate]:
    """Still alive at the pair's age, and dead since then unseen; the factors that depend on repeats alone apart.

    Alive until today is alive until today less dead after today unseen, because the death of who lapsed is counted up to `end`.

    Source: docs/models.md, equation 11.
    """
    r, alpha, s, beta = point
    late_order, late_death = alpha + pairs.age, beta + pairs.age
    features = np.stack([np.log(late_order), alpha / late_order, np.log(late_death), beta / late_death])
    staying = -(r + pairs.repeats) * features[0] - s * features[2]
    first, second = _moved(point, pairs, features, features[UPPER[0]] * features[UPPER[1]], dying=0)
    by_death, twice_by_death = _moved(point, pairs, unseen.mean, unseen.square, dying=1)
    share = unseen.share
    alive = Fate(staying, 1 - share, first - share * by_death, second - share * twice_by_death)
    return alive, Fate(staying + np.log(share), None, by_death, twice_by_death)


def _moved(point: Point, pairs: Standing, mean: Floats, square: Floats, dying: int) -> tuple[Floats, Floats]:
    """Derivatives of (alpha + u)^-(r + x) s^dying (beta + u)^-(s + dying) in the log-parameters, over it, from moments of u.

    Returns:
        The first [4, m] and the second, at `UPPER` [10, m].
    """
    r, _, s, _ = point
    k, t = r + pairs.repeats, s + dying
    order, early, death, young = mean
    oo, oe, od, oy, ee, ed, ey, dd, dy, yy = square
    first = np.stack([-r * order, -k * early, dying - s * death, -t * young])
    second = [
        r * (r * oo - order),
        r * (k * oe - early),
        r * (s * od - dying * order),
        r * t * oy,
        k * ((k + 1) * ee - early),
        k * (s * ed - dying * early),
        k * t * ey,
        s * (s * dd - (1 + 2 * dying) * death) + dying,
        t * (s * dy - dying * young) - s * young,
        t * ((t + 1) * yy - young),
    ]
    return first, np.stack(second)
