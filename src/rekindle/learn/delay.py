"""How much of an answer should have come by now: the time from a decision to the first order after it, by variant.

Knows nothing of margins and of policies. A decision of yesterday that no order followed says little yet; counted in full, it would make
every slow variant look bad. A curve weighs it by the share of answers that come within its age.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rekindle.errors import CannotTell
from rekindle.insight import reactivation

Floats = npt.NDArray[np.float64]

STRENGTH = 10
"""Orders that the pool counts for in a variant's curve, and an even arrival over the horizon in the pool's."""

SECONDS = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The share of a horizon's answers that come within so many days.

    Args:
        shares: [horizon + 1]; by the end of each day, from 0 for no time at all to 1 for the horizon.
        orders: Answers of its own that it was drawn from.
    """

    shares: Floats
    orders: int

    def weight(self, age_days: float | Floats) -> Floats:
        """The share that should have come after so many days, 0 to 1; between two days in proportion.

        >>> even(4).weight(np.array([0.0, 1.0, 2.5, 9.0])).tolist()
        [0.0, 0.25, 0.625, 1.0]
        """
        return np.interp(np.asarray(age_days, dtype=np.float64), np.arange(len(self.shares)), self.shares)

    def days_until(self, share: float) -> float:
        """Days until a share of the answers has come, such as 0.5."""
        return float(np.interp(share, self.shares, np.arange(len(self.shares))))


@dataclass(frozen=True, slots=True, eq=False)
class Delays:
    """The curves of a program.

    Args:
        horizon_days: Within how many days an answer counts.
        arms: By stage and variant.
        pools: By stage, of all its variants together.
    """

    horizon_days: int
    arms: Mapping[tuple[str, str], Curve]
    pools: Mapping[str, Curve]

    def of(self, stage: str, arm: str) -> Curve:
        """A variant's curve; its stage's where it has none, and an even arrival where that has none either."""
        return self.arms.get((stage, arm)) or self.pools.get(stage) or even(self.horizon_days)

    def table(self, arms: Mapping[str, tuple[str, ...]]) -> pa.Table:
        """Every curve day by day: stage, arm, day (whole days of age), weight (at its beginning), step (what the day adds).

        Args:
            arms: The variants by stage.
        """
        columns: dict[str, list[object]] = {"stage": [], "arm": [], "day": [], "weight": [], "step": []}
        for stage, names in arms.items():
            for name in names:
                shares = self.of(stage, name).shares
                columns["stage"] += [stage] * len(shares)
                columns["arm"] += [name] * len(shares)
                columns["day"] += range(len(shares))
                columns["weight"] += shares.tolist()
                columns["step"] += np.append(np.diff(shares), 0.0).tolist()
        return pa.table(columns)


def even(horizon_days: int) -> Curve:
    """What is assumed before anything is seen: answers come evenly over the horizon, as orders that no message brings do."""
    return Curve(np.linspace(0.0, 1.0, horizon_days + 1), 0)


def watched(decisions: ir.Table) -> ir.Table:
    """How long each decision has been watched, as counts: stage, arm, days, returned (ended in an order), watched (did not yet).

    An order of the n-th day after a decision counts as one of day n, once that day is over.

    Args:
        decisions: stage, arm, age (seconds from the decision until the end of its horizon or the instant) and answer (seconds from the
            decision to the first order after it, null without one).
    """
    whole = (decisions.age // SECONDS).cast("int64")
    came = (decisions.answer // SECONDS).cast("int64") + 1
    seen = (came <= whole).fill_null(False)
    rows = decisions.select("stage", "arm", days=seen.ifelse(came, whole), seen=seen.cast("int64"))
    return rows.group_by("stage", "arm", "days").aggregate(returned=rows.seen.sum(), watched=(1 - rows.seen).sum())


def measure(counts: pa.Table, horizon_days: int) -> Delays:
    """The curves from counts.

    Args:
        counts: From `watched`.
        horizon_days: Within how many days an answer counts.
    """
    stage, arm = (counts[name].to_numpy(zero_copy_only=False).astype(str) for name in ("stage", "arm"))
    days, returned, not_yet = (np.asarray(counts[name], dtype=np.float64) for name in ("days", "returned", "watched"))
    arms, pools = {}, {}
    for name in dict.fromkeys(stage.tolist()):
        mine = stage == name
        pools[name] = drawn_towards(_counted(days[mine], returned[mine], not_yet[mine], horizon_days), even(horizon_days))
        for one in dict.fromkeys(arm[mine].tolist()):
            its = mine & (arm == one)
            arms[name, one] = drawn_towards(_counted(days[its], returned[its], not_yet[its], horizon_days), pools[name])
    return Delays(horizon_days, arms, pools)


def _counted(days: Floats, returned: Floats, not_yet: Floats, horizon_days: int) -> Curve | None:
    """The curve of some counts, which may have a day several times; None where too few orders followed."""
    at, place = np.unique(days, return_inverse=True)
    came, watching = (np.bincount(place, part).astype(np.float64) for part in (returned, not_yet))
    found = reactivation.kaplan_meier(at, came, watching)
    return None if isinstance(found, CannotTell) else completed(found, horizon_days)


def completed(found: reactivation.Curve, horizon_days: int) -> Curve:
    """The share of the horizon's answers by day, of those who answer within it.

    What comes after the last day that anybody has been watched is not known. It is taken to come ever more slowly, as it did from the
    middle third of the days watched to the last: not at all more slowly where those are alike, as with orders that no message brings.
    Nobody answers who has answered already.

    Args:
        found: Kaplan-Meier's curve of the time to the first order, in days.
        horizon_days: Within how many days an answer counts.
    """
    at = np.arange(horizon_days + 1, dtype=np.float64)
    back = np.concatenate(([0.0], 1 - found.staying))
    seen = back[np.searchsorted(found.days, at, side="right")]
    last = int(min(found.followed, horizon_days))
    if 0 < last < horizon_days:
        third = last / 3
        early, middle, late = (float(np.interp(part * third, at, seen)) for part in (1, 2, 3))
        seen[last + 1:] = late + _tail(middle - early, late - middle, third, at[last + 1:] - last)
    seen = np.minimum(seen, 1.0)
    return Curve(seen / seen[-1], found.returned)


def _tail(middle: float, last: float, third: float, after: Floats) -> Floats:
    """What comes within so many days after the last third: an exponential through those of the last two thirds, never a rising one."""
    if last <= 0:
        return np.zeros_like(after)
    decay = np.log(middle / last) / third if middle > last else 0.0
    if decay * third < 1e-9:
        return last / third * after
    return np.asarray(last / np.expm1(decay * third) * -np.expm1(-decay * after), dtype=np.float64)


def drawn_towards(own: Curve | None, pool: Curve) -> Curve:
    """A curve drawn towards another, which counts for `STRENGTH` orders."""
    if own is None:
        return Curve(pool.shares, 0)
    return Curve((own.orders * own.shares + STRENGTH * pool.shares) / (own.orders + STRENGTH), own.orders)
