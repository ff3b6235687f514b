"""Which chances bring most under a budget, capacities and fairness, with a floor for every choice.

Knows nothing of how worth was estimated. What is solved for every draw is a linear programme over contexts x variants; one limit is met by
Lagrangian bisection, several that bind together by HiGHS.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from rekindle.errors import Refused
from rekindle.learn.evidence import Floats

Flags = NDArray[np.bool_]

HALVINGS = 48
"""Of the interval that the price of a unit of the budget lies in."""

FEW = 3
"""Columns of a context that a programme begins with."""

SLACK = 1e-9
"""Relative; what a limit may seem to be exceeded by, of rounding."""


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that may be used of something in a period.

    Args:
        name: As people call it.
        use: (C, A); what one customer uses who gets the variant.
        most: Over all customers.
    """

    name: str
    use: Floats
    most: float


@dataclass(frozen=True, slots=True)
class Fairness:
    """How far the expected worth of offers may differ between groups of customers.

    Args:
        shares: (G, C); the share of each context's customers that belongs to a group.
        given: (C, A); what a variant is worth to the customer who gets it.
        most: By how much the lesser of a group's mean and the others' may be below the greater, as a share of the greater.
    """

    shares: Floats
    given: Floats
    most: float

    def caps(self, size: Floats) -> tuple[Cap, ...]:
        """The same as limits: two for each group that has customers and leaves some."""
        found = []
        for share in self.shares:
            mine, others = float(size @ share), float(size @ (1 - share))
            if mine > 0 and others > 0:
                own, rest = (share / mine)[:, None] * self.given, ((1 - share) / others)[:, None] * self.given
                found += [Cap("fairness", (1 - self.most) * a - b, 0.0) for a, b in ((own, rest), (rest, own))]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an allocation has to keep.

    Args:
        allowed: (C, A); what may be given at all: eligible, and above the margin floor of its cell. The last arm, `nothing`, always may.
        budget: The most that may be spent in the period, minor units; None: no limit.
        caps: Further budgets, and capacities of channels.
        fairness: Between groups of contexts.
        floor_arm: The least chance of every variant that is allowed.
        floor_nothing: The least chance of `nothing`.
    """

    allowed: Flags
    budget: float | None = None
    caps: tuple[Cap, ...] = ()
    fairness: Fairness | None = None
    floor_arm: float = 0.02
    floor_nothing: float = 0.05

    @property
    def open(self) -> Flags:
        """What may be given, `nothing` everywhere."""
        found = self.allowed.copy()
        found[:, -1] = True
        return found

    def all_caps(self, cost: Floats, size: Floats) -> tuple[Cap, ...]:
        """Every limit, the budget first."""
        first = () if self.budget is None else (Cap("budget", cost, self.budget),)
        return (*first, *self.caps, *(self.fairness.caps(size) if self.fairness else ()))


@dataclass(frozen=True, slots=True)
class Allocation:
    """Chances of one table.

    Args:
        weights: (C, A); each row sums to 1.
        least: (C, A); the floors that are kept.
        kept: The share that is left of the floors of what a limit has no room for; 1: all floors hold in full.
        short: Names of the limits that are too small for the floors.
    """

    weights: Floats
    least: Floats
    kept: float
    short: tuple[str, ...]


def channel_caps(channels: NDArray[np.str_], capacity: dict[str, float], reach: Floats) -> tuple[Cap, ...]:
    """Capacities of channels as limits.

    Args:
        channels: (C, A); by which channel a variant goes.
        capacity: By channel, messages in the period.
        reach: (C, A); the share of customers who may get it.
    """
    return tuple(Cap(f"capacity of {name}", (channels == name) * reach, most) for name, most in sorted(capacity.items()))


def allocate(worth: Floats, cost: Floats, size: Floats, limits: Limits) -> Floats:
    """The chances, (C, A), that bring most; for `averaged` of one draw.

    >>> limits = Limits(np.ones((1, 2), dtype=bool), budget=30.0)
    >>> allocate(np.array([[5.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([100.0]), limits).round(6)
    array([[0.3, 0.7]])
    """
    return averaged(worth[None], cost, size, limits).weights


def averaged(worth: Floats, cost: Floats, size: Floats, limits: Limits) -> Allocation:
    """Every draw solved for the chances that bring most, and the mean of these.

    A mean of chances that each keep linear limits keeps them too. Floors are kept by every solution, so the mean is mixed with them.

    Args:
        worth: (K, C, A); what one customer brings who gets the variant, by draw.
        cost: (C, A); what that costs.
        size: (C,); customers in the period.
        limits: What has to be kept.

    Raises:
        Refused: No chances keep all limits, even without floors.
    """
    allowed, caps = limits.open, limits.all_caps(cost, size)
    least, kept, short = floors(cost, size, limits)
    room = 1 - least.sum(axis=1)
    left = [Cap(one.name, one.use, one.most - float((size[:, None] * least * one.use).sum())) for one in caps]
    free = _solve(np.where(allowed, worth, -np.inf), allowed, left, size * room)
    return Allocation(least + room[:, None] * free, least, kept, short)


def floors(cost: Floats, size: Floats, limits: Limits) -> tuple[Floats, float, tuple[str, ...]]:
    """The floors, of which those of what a limit has no room for give way in proportion; arguments as of `averaged`.

    Returns:
        The floors (C, A), the share of them that is kept where least is, and the names of the limits that have no room.
    """
    allowed, caps = limits.open, limits.all_caps(cost, size)
    least = np.where(allowed, limits.floor_arm, 0.0)
    least[:, -1] = limits.floor_nothing
    arms = least[:, :-1].sum(axis=1, keepdims=True)
    least[:, :-1] *= np.minimum(1.0, (1 - limits.floor_nothing) / np.where(arms > 0, arms, 1.0))
    kept = 1.0
    short: list[str] = []
    for one in caps:
        used = float((size[:, None] * least * one.use).sum())
        if (one.use >= 0).all() and used > one.most:
            share = max(one.most, 0.0) / used
            least = np.where(one.use > 0, least * share, least)
            kept, short = min(kept, share), [*short, one.name]
    if limits.fairness is not None:
        share = _fair_share(least, allowed & (cost > 0), allowed, caps, size)
        least = np.where(cost > 0, least * share, least)
        kept, short = min(kept, share), [*short, *(["fairness"] if share < 1 else [])]
    return least, kept, tuple(short)


def _fair_share(least: Floats, costly: Flags, allowed: Flags, caps: tuple[Cap, ...], size: Floats) -> float:
    """The largest share of the floors of what costs something that leaves chances within all limits; a linear programme of its own."""
    rows, columns = np.nonzero(allowed)
    moving, fixed = np.where(costly, least, 0.0), np.where(costly, 0.0, least)
    uses = [size[:, None] * one.use for one in caps]
    above = np.array([[*use[rows, columns], (use * moving).sum()] for use in uses])
    most = np.array([one.most - (use * fixed).sum() for one, use in zip(caps, uses, strict=True)])
    whole = sparse.hstack([_sums(rows, len(size)), sparse.csr_array(moving.sum(axis=1)[:, None])], format="csr")
    scale = np.maximum(np.abs(above).max(axis=1), 1e-300)
    aim = np.zeros(len(rows) + 1)
    aim[-1] = -1.0
    bounds = [*[(0.0, None)] * len(rows), (0.0, 1.0)]
    found = linprog(aim, above / scale[:, None], most / scale, whole, 1 - fixed.sum(axis=1), bounds, method="highs")
    if found.status != 0:
        raise _no_way(caps)
    share = float(found.x[-1])
    return 1.0 if share > 1 - SLACK else share * (1 - SLACK)


def _solve(worth: Floats, allowed: Flags, caps: list[Cap], size: Floats) -> Floats:
    """The mean over draws of the best chances without floors."""
    if not caps:
        return _mean(np.broadcast_to(_best(worth), worth.shape[:2]), None, np.ones(len(worth)), worth.shape[1:])
    single = [one for one in caps if (one.use >= 0).all()]
    settled, total = np.zeros(len(worth), dtype=bool), np.zeros(worth.shape[1:])
    for one in single:
        open_draws = np.flatnonzero(~settled)
        low, high, part = _priced(worth[open_draws], one, size)
        fits = np.ones(len(open_draws), dtype=bool)
        for other in caps:
            uses = part * _used(low, other.use, size) + (1 - part) * _used(high, other.use, size)
            fits &= uses <= other.most + SLACK * (abs(other.most) + float((size[:, None] * np.abs(other.use)).max(axis=1).sum()))
        total += _mean(low[fits], high[fits], part[fits], worth.shape[1:]) * fits.sum()
        settled[open_draws[fits]] = True
        if settled.all():
            break
    prices = None
    for draw in np.flatnonzero(~settled):
        weights, prices = by_highs(worth[draw], allowed, caps, size, prices)
        total += weights
    mean: Floats = total / len(worth)
    return mean


def _best(score: Floats) -> NDArray[np.intp]:
    """Index of the best choice along the last axis; of equals the last, so that `nothing` comes before what costs as much as it brings."""
    return np.asarray(score.shape[-1] - 1 - score[..., ::-1].argmax(axis=-1))


def _priced(worth: Floats, cap: Cap, size: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Each draw under one limit: what is best at a price just too low and just high enough, and the part of the first that meets it.

    The price of a unit is found by bisection; at the right price the two differ in the context at the margin alone.

    Returns:
        (K, C) choices at the lower and at the higher price, and (K,) the share of the former.
    """
    gain = worth - worth[..., -1:]
    extra = cap.use - cap.use[:, -1:]
    costly = extra > SLACK * cap.use.max()
    rate = np.where(costly & np.isfinite(gain), gain, 0.0) / np.where(costly, extra, 1.0)
    low, high = np.zeros(len(worth)), np.maximum(rate.max(axis=(1, 2)), 0.0) * (1 + 1e-6) + 1e-12
    cheap, dear = _best(worth), _best(worth - high[:, None, None] * cap.use)
    over, under = _used(cheap, cap.use, size), _used(dear, cap.use, size)
    for _ in range(HALVINGS):
        moving = np.flatnonzero((over > cap.most) & (cheap != dear).any(axis=1))
        if not len(moving):
            break
        middle = (low[moving] + high[moving]) / 2
        choice = _best(worth[moving] - middle[:, None, None] * cap.use)
        uses = _used(choice, cap.use, size)
        fits = uses <= cap.most
        down, up = moving[~fits], moving[fits]
        low[down], cheap[down], over[down] = middle[~fits], choice[~fits], uses[~fits]
        high[up], dear[up], under[up] = middle[fits], choice[fits], uses[fits]
    gap = over - under
    part = np.where(over <= cap.most, 1.0, np.clip(cap.most - under, 0.0, gap) / np.where(gap > 0, gap, 1.0))
    return cheap, dear, part


def _used(choice: NDArray[np.intp], use: Floats, size: Floats) -> Floats:
    """(K,); what choices use of a limit in all."""
    return np.asarray(use[np.arange(use.shape[0]), choice] @ size)


def _mean(low: NDArray[np.intp], high: NDArray[np.intp] | None, part: Floats, shape: tuple[int, ...]) -> Floats:
    """(C, A); the mean of the draws' choices, `low` with its part and `high` with the rest."""
    total = np.zeros(shape)
    at = np.broadcast_to(np.arange(shape[0]), low.shape)
    np.add.at(total, (at, low), np.broadcast_to(part[:, None], low.shape))
    if high is not None:
        np.add.at(total, (at, high), np.broadcast_to(1 - part[:, None], high.shape))
    return total / max(len(low), 1)


def by_highs(worth: Floats, allowed: Flags, caps: list[Cap], size: Floats, prices: Floats | None = None) -> tuple[Floats, Floats]:
    """The best chances of one draw under any limits: the linear programme itself.

    With prices to begin with, only the few columns that are best in their context at these are taken; what would bring more at the prices
    found is added until there is none (column generation, Gilmore & Gomory 1961).

    Args:
        worth: (C, A).
        allowed: (C, A).
        caps: Limits.
        size: (C,); customers.
        prices: (L,); of a unit of each limit, such as of another draw.

    Returns:
        Chances (C, A), and the price of a unit of each limit.

    Raises:
        Refused: Nothing keeps all limits.
    """
    columns = allowed
    if prices is not None and worth.shape[1] > FEW:
        score = worth - np.einsum("l,lca->ca", prices, np.array([one.use for one in caps]))
        columns = allowed & (score >= -np.sort(-score, axis=1)[:, FEW - 1 : FEW])
    while True:
        weights, found = _programme(worth, columns, caps, size)
        if weights is None and columns is allowed:
            raise _no_way(tuple(caps))
        score = worth - np.einsum("l,lca->ca", found, np.array([one.use for one in caps]))
        best = np.where(columns, score, -np.inf).max(axis=1, keepdims=True)
        missed = allowed & ~columns & (score > best + SLACK * np.abs(best))
        if weights is not None and not missed.any():
            return weights, found
        columns = allowed if weights is None else columns | missed


def _programme(worth: Floats, columns: Flags, caps: list[Cap], size: Floats) -> tuple[Floats | None, Floats]:
    """The chances of a programme over some columns, None where they keep no limits; and the price of a unit of each limit."""
    rows, places = np.nonzero(columns)
    # A context without customers uses nothing of any limit; a grain of weight lets it choose what is best all the same.
    weight = np.maximum(size, 1e-9 * max(float(size.max()), 1.0))
    aim = -weight[rows] * worth[rows, places]
    above = np.array([(size[:, None] * one.use)[rows, places] for one in caps])
    scale = np.maximum(np.abs(above).max(axis=1), 1e-300)
    slack = SLACK * np.abs(above).sum(axis=1) / scale / len(rows)
    most, unit = np.array([one.most for one in caps]) / scale + slack, max(float(np.abs(aim).max()), 1e-300)
    used = sparse.csr_array(above / scale[:, None])
    found = linprog(aim / unit, used, most, _sums(rows, len(size)), np.ones(len(size)), (0.0, None), method="highs")
    if found.status != 0:
        return None, np.zeros(len(caps))
    weights = np.zeros(worth.shape)
    weights[rows, places] = np.maximum(found.x, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights, -np.asarray(found.ineqlin.marginals) * unit / scale


def _sums(rows: NDArray[np.intp], contexts: int) -> sparse.csr_array:
    """(C, N); the chances of each context sum to what stands on the other side."""
    return sparse.csr_array((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(contexts, len(rows)))


def _no_way(caps: tuple[Cap, ...]) -> Refused:
    names = ", ".join(dict.fromkeys(one.name for one in caps))
    return Refused(f"no chances keep all limits at once ({names})", "Raise a limit, or allow a larger disparity between groups.")
