"""What each variant brings more than `nothing`, context by context: means, intervals and joint draws from one stage's sums.

Knows nothing of budgets. Contexts are drawn towards the variant's effect over all of them, and that towards what the documents assume.

    y_c ~ N(b_c, D_c + R_c)    b_ca ~ N(d_a, tau^2)    d_a ~ N(prior_mean_a, prior_sd_a^2)

y_c are the differences between the means of the variants and of `nothing` in a context, D_c the variances of the former, R_c the
covariances of the latter. tau is integrated over quantiles of a half-Cauchy prior; the rest is linear algebra.
Source: Gelman et al. (2013), Bayesian Data Analysis, section 5.4; Gelman (2006), Prior distributions for variance parameters.
"""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rekindle.learn.evidence import Evidence, Floats, Rest

LEAST_ORDERS = 40
"""Orders of a variant, and of `nothing`, in a context, below which the context goes by the variant's effect over all contexts."""

TAIL_ORDERS = 20
"""Orders that the pooled variance counts for beside a variant's, or a context's, own: of heavy-tailed margins few orders tell little."""

LEAST_VARIANCE = 1e-6
"""Of the mean square of margins: the least variance that is believed."""

SPREADS = 48
"""Points that the spread between contexts is integrated over."""

IDLE_CHANCE = 0.5
"""How likely it is before any data that no variant brings an order more."""

NEGLIGIBLE = 1e-9
"""Chance of a spread below which it is left out of means."""

UNKNOWN = 1e6
"""Times everything else: the variance of what is not known."""

Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Measured:
    """What was seen of a stage's effects; C contexts, B variants (`nothing` is not among them); minor units.

    Args:
        difference: (C, B); mean margin of a decision less that of `nothing` with customers who might have got the variant.
        precision: (C, B); one over the variance of the variant's mean; 0 where it was not tried.
        rest: (C, B); variance of the mean of `nothing`; infinite where it was not drawn.
        prior_mean: (B,).
        prior_sd: (B,).
    """

    difference: Floats
    precision: Floats
    rest: Floats
    prior_mean: Floats
    prior_sd: Floats


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is known of a stage's effects over `nothing`.

    C contexts, B variants, A = B + 1 with `nothing`, S spreads. The fields are for one spread each, the methods' answers over all of them.

    Args:
        chance: (S,); how likely each spread is.
        spreads: (S,); tau, minor units.
        base: (C, B, B); eigenvectors of each context's information.
        values: (C, B); its eigenvalues.
        push: (C, B); the context's information vector in that base.
        pooled: (S, B); mean of d.
        root: (S, B, B); lower root of the covariance of d.
        opened: (C, A); whether the context may differ from the variant's effect over all contexts.
        idle: (C, B); what variants bring where none of them works: less than nothing, by their cost.
        idle_chance: How likely it is that none works, instead of all that the other fields say.
        likelihood: Log marginal likelihood where variants work, less what is the same for all hypotheses.
    """

    chance: Floats
    spreads: Floats
    base: Floats
    values: Floats
    push: Floats
    pooled: Floats
    root: Floats
    opened: NDArray[np.bool_]
    idle: Floats
    idle_chance: float
    likelihood: float

    @property
    def spread(self) -> float:
        """Expected spread between contexts, minor units."""
        return float(self.chance @ self.spreads)

    def doubted(self, idle: Floats, doubt: float = IDLE_CHANCE) -> Self:
        """The same with the doubt whether any variant works.

        Args:
            idle: (C, B); what variants bring if none does.
            doubt: How likely that is before the data; from 0 to below 1.
        """
        odds = doubt / (1 - doubt) * np.exp(np.clip(self.log_likelihood(idle) - self.likelihood, -700.0, 700.0))
        return replace(self, idle=idle, idle_chance=float(odds / (1 + odds)))

    def log_likelihood(self, effects: Floats) -> float:
        """Of certain effects, (C, B), less what is the same for all."""
        return _log_likelihood(self.values, self.base, self.push, effects)

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of every effect in its own context, each (C, A); 0 for `nothing`."""
        first, second = np.zeros(self.values.shape), np.zeros(self.values.shape)
        back, squared = self.base.transpose(0, 2, 1), self.base**2
        for chance, tau, pooled, root in zip(self.chance, self.spreads, self.pooled, self.root, strict=True):
            if chance < NEGLIGIBLE:
                continue
            held = 1 / (1 + tau**2 * self.values)
            mean = (self.base @ (held * (tau**2 * self.push + back @ pooled))[..., None])[..., 0]
            own = (squared @ (tau**2 * held)[..., None])[..., 0]
            through = (self.base * held[:, None, :]) @ (back @ root)
            first += chance * mean
            second += chance * (mean**2 + own + (through**2).sum(axis=2))
        return _with_nothing(first), _with_nothing(np.sqrt(np.maximum(second - first**2, 0.0)))

    def pooled_moments(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each variant's effect over all contexts, each (A,)."""
        mean = self.chance @ self.pooled
        second = self.chance @ (self.pooled**2 + (self.root**2).sum(axis=2))
        return _with_nothing(mean), _with_nothing(np.sqrt(np.maximum(second - mean**2, 0.0)))

    def believed(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of what a policy goes by, each (C, A); what `policy_draws` draws."""
        (own, own_sd), (over, over_sd) = self.moments(), self.pooled_moments()
        mean, sd = np.where(self.opened, own, over), np.where(self.opened, own_sd, over_sd)
        idle, none = _with_nothing(self.idle), self.idle_chance
        return (1 - none) * mean + none * idle, np.sqrt((1 - none) * (sd**2 + none * (mean - idle) ** 2))

    def policy_draws(self, chance: np.random.Generator, count: int) -> Floats:
        """Joint draws of what a policy goes by, (K, C, A): a share of them says that nothing works.

        In the others, a context that is not `opened` for a variant has the variant's effect over all contexts.

        Args:
            chance: Where they come from.
            count: How many.
        """
        found = self._drawn(chance, count, True)
        none = (np.arange(count) + chance.random()) / count < self.idle_chance
        found[chance.permutation(none)] = _with_nothing(self.idle)
        return found

    def draws(self, chance: np.random.Generator, count: int) -> Floats:
        """Joint draws of all effects, each context's own, where variants work; (K, C, A), minor units, the last column 0."""
        return self._drawn(chance, count, False)

    def _drawn(self, chance: np.random.Generator, count: int, gated: bool) -> Floats:
        contexts, arms = self.values.shape
        at = np.searchsorted(np.cumsum(self.chance), (np.arange(count) + chance.random()) / count * (1 - 1e-12))
        at = chance.permutation(np.minimum(at, len(self.spreads) - 1))
        over = self.pooled[at] + np.einsum("kij,kj->ki", self.root[at], chance.standard_normal((count, arms)))
        tau2 = self.spreads[at][:, None, None] ** 2
        held = 1 / (1 + tau2 * self.values)
        inside = (over @ self.base).transpose(1, 0, 2)
        noise = chance.standard_normal((count, contexts, arms))
        inside = held * (tau2 * self.push + inside) + np.sqrt(tau2 * held) * noise
        own = (inside.transpose(1, 0, 2) @ self.base.transpose(0, 2, 1)).transpose(1, 0, 2)
        return _with_nothing(np.where(self.opened[:, :-1], own, over[:, None, :]) if gated else own)


def measured(evidence: Evidence) -> Measured:
    """Differences and precisions of the cells.

    A mean is the margin seen over the exposure: where a half of the answers should have come by now, the other half is expected to be
    like it. Its variance is that of the margins seen, times decisions over squared exposure. Margins vary by context and by variant; the
    variance of a cell is that of its context times that of its variant over that of the stage, each drawn towards the stage's by
    `TAIL_ORDERS`.
    """
    variance, rest = _variance(evidence), rest_of(evidence)
    mean, spread = _mean(evidence.total, evidence.decisions, evidence.exposure, variance)
    other, rest_spread = _mean(rest.total, rest.decisions, rest.exposure, np.broadcast_to(variance[:, -1:], variance.shape))
    precision = np.where(np.isfinite(spread), 1 / spread, 0.0)
    return Measured(
        (mean - other)[:, :-1], precision[:, :-1], rest_spread[:, :-1], evidence.prior_mean[:-1], evidence.prior_sd[:-1]
    )


def rest_of(evidence: Evidence) -> Rest:
    """What `nothing` brought those who might have got each variant; the last column itself where all may get all."""
    if evidence.rest is not None:
        return evidence.rest
    shape = evidence.decisions.shape
    return Rest(*(np.broadcast_to(getattr(evidence, one.name)[:, -1:], shape) for one in fields(Rest)))


def posterior_of(evidence: Evidence, doubt: float = IDLE_CHANCE) -> Posterior:
    """The posterior of a stage, with contexts opened by `LEAST_ORDERS`, and the doubt whether anything works at all.

    What documents assume is a hope. Beside it stands that no variant brings an order more: that each costs its expected cost and
    nothing else. The data decides between the two.

    Args:
        evidence: The stage.
        doubt: How likely the second is before any data; from 0 to below 1.
    """
    found = fit(measured(evidence), opened=(evidence.orders >= LEAST_ORDERS) & (rest_of(evidence).orders >= LEAST_ORDERS))
    return found.doubted(-evidence.cost[:, :-1], doubt)


def fit(cells: Measured, spreads: Floats | None = None, opened: NDArray[np.bool_] | None = None) -> Posterior:
    """The posterior of all effects.

    Args:
        cells: Differences, precisions and the prior.
        spreads: Equally likely values of tau before the data, minor units; by default those of a half-Cauchy prior with half the
            root mean square of the prior's spreads as its scale.
        opened: (C, A); which contexts may differ in what; by default all.
    """
    information = _information(cells)
    values, base = np.linalg.eigh(information)
    values = np.maximum(values, 0.0)
    push = (base.transpose(0, 2, 1) @ (information @ cells.difference[..., None]))[..., 0]
    taus = half_cauchy(cells.prior_sd) if spreads is None else np.asarray(spreads, dtype=np.float64)
    given = [_pooled(values, base, push, tau, cells) for tau in taus]
    likely = np.array([one[2] for one in given])
    chance = np.exp(likely - likely.max())
    may = np.ones((len(values), values.shape[1] + 1), dtype=bool) if opened is None else opened
    evidence = float(likely.max() + np.log(chance.mean())) + _log_likelihood(values, base, push, cells.prior_mean)
    return Posterior(
        chance / chance.sum(), taus, base, values, push, np.array([one[0] for one in given]), np.array([one[1] for one in given]),
        may, np.zeros(values.shape), 0.0, evidence,
    )


def _log_likelihood(values: Floats, base: Floats, push: Floats, effects: Floats) -> float:
    """Of certain effects, (C, B) or (B,), less what is the same for all."""
    inside = np.einsum("cij,ci->cj", base, np.broadcast_to(effects, push.shape))
    return float((push * inside - 0.5 * values * inside**2).sum())


def _information(cells: Measured) -> Floats:
    """(C, B, B); inverse of D_c + R_c, of which what was not tried has none.

    Of two variants, those who might have got the one are taken to be among those who might have got the other, or the other way round:
    then the means of `nothing` share the smaller of their variances.
    """
    tried = cells.precision > 0
    scale = np.where(tried, 1 / np.where(tried, cells.precision, 1.0) + cells.difference**2, 0.0).max(initial=0.0)
    unknown = UNKNOWN * (scale + float((cells.prior_sd**2).max(initial=0.0)))
    most = cells.precision.max(axis=1, keepdims=True, initial=0.0)
    rest = np.minimum(cells.rest, np.minimum(unknown, UNKNOWN**2 / np.where(most > 0, most, 1.0)))
    root = np.sqrt(cells.precision)
    shared = np.minimum(rest[:, :, None], rest[:, None, :]) * root[:, :, None] * root[:, None, :]
    values, base = np.linalg.eigh(np.eye(root.shape[1]) + shared)
    side = root[:, :, None] * base / np.sqrt(np.maximum(values, 1.0))[:, None, :]
    return np.asarray(side @ side.transpose(0, 2, 1))


def half_cauchy(prior_sd: Floats) -> Floats:
    """Spreads between contexts, equally likely before the data: quantiles of a half-Cauchy prior; 0 alone where nothing may vary."""
    scale = float(np.sqrt(np.mean(prior_sd**2))) / 2 if prior_sd.size else 0.0
    if scale == 0:
        return np.zeros(1)
    quantiles = (np.arange(SPREADS) + 0.5) / SPREADS
    return scale * np.tan(np.pi / 2 * quantiles)


def _pooled(values: Floats, base: Floats, push: Floats, tau: float, cells: Measured) -> tuple[Floats, Floats, float]:
    """Mean of d, a root of its covariance, and the log marginal likelihood of one tau, less what is the same for all."""
    held = 1 / (1 + tau**2 * values)
    prior, sd = cells.prior_mean, cells.prior_sd
    joined = ((base * (values * held)[:, None, :]) @ base.transpose(0, 2, 1)).sum(axis=0)
    vector = (base @ (held * push)[..., None])[..., 0].sum(axis=0) - joined @ prior
    inner = np.eye(len(sd)) + sd[:, None] * joined * sd
    lower = np.linalg.cholesky((inner + inner.T) / 2)
    moved = np.linalg.solve(lower, sd * vector)
    root = sd[:, None] * np.linalg.inv(lower).T
    logs = -0.5 * np.log1p(tau**2 * values).sum() - np.log(np.diag(lower)).sum()
    rest = push - values * (base.transpose(0, 2, 1) @ prior)
    fitted = 0.5 * (tau**2 * held * rest**2).sum() + 0.5 * float(moved @ moved)
    return prior + root @ moved, root, float(logs + fitted)


def _mean(total: Floats, decisions: Floats, exposure: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Means and their variances; 0 and infinite where nothing is known."""
    known = (exposure > 0) & (decisions > 0) & (variance > 0)
    seen = np.where(known, exposure, 1.0)
    return np.where(known, total / seen, 0.0), np.where(known, variance * decisions / seen**2, np.inf)


def _variance(evidence: Evidence) -> Floats:
    """(C, A); variance of one decision's margin within its cell."""
    count = np.maximum(evidence.decisions, 1.0)
    within = np.maximum(evidence.squares - evidence.total**2 / count, 0.0)
    free, orders = np.maximum(evidence.decisions - 1, 0.0), evidence.orders
    pool = within.sum() / max(free.sum(), 1.0)
    pool = max(pool, LEAST_VARIANCE * evidence.squares.sum() / max(evidence.decisions.sum(), 1.0))
    if pool <= 0:
        return np.zeros(within.shape)

    def drawn(axis: int) -> Floats:
        own = within.sum(axis=axis, keepdims=True) / np.maximum(free.sum(axis=axis, keepdims=True), 1.0)
        seen = orders.sum(axis=axis, keepdims=True)
        return np.asarray((seen * own + TAIL_ORDERS * pool) / (seen + TAIL_ORDERS), dtype=np.float64)

    product: Floats = np.maximum(drawn(0) * drawn(1) / pool, LEAST_VARIANCE * pool)
    return product


def _with_nothing(array: Floats) -> Floats:
    """The array with a last column of zeros."""
    return np.concatenate([array, np.zeros((*array.shape[:-1], 1))], axis=-1)
