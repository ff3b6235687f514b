"""How long lapsed customers take to come back, with those who have not yet come back counted for as long as they were watched.

Knows nothing of why. Kaplan-Meier's estimate on counts by day; a curve describes, it does not say that a category or a message brought
anybody back: only a randomised comparison does.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import ndtri

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.moment import AsOf

Floats = npt.NDArray[np.float64]
_LEVEL = 0.95
LEAST = 5
"""Returns below which no curve is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The share who have not come back, by day.

    Args:
        days: On which somebody came back, rising.
        staying: Share still away just after each [n].
        low, high: 95 % limits [n].
        spells: Lapses watched.
        returned: Of them, that ended in an order.
        followed: The last day on which anybody was watched.
        median: Days until half are back, with limits; or why it cannot be told.
    """

    days: Floats
    staying: Floats
    low: Floats
    high: Floats
    spells: int
    returned: int
    followed: float
    median: Interval | CannotTell

    def back_by(self, day: float) -> Interval | CannotTell:
        """The share who are back by a day, with its interval; not beyond the last day watched, unless all are back by then."""
        if day > self.followed and self.staying[-1] > 0:
            return CannotTell(f"Followed for {self.followed:.0f} days so far.")
        at = int(np.searchsorted(self.days, day, side="right")) - 1
        if at < 0:
            return Interval(0.0, 0.0, 0.0)
        return Interval(1 - float(self.high[at]), 1 - float(self.staying[at]), 1 - float(self.low[at]))


def kaplan_meier(days: Floats, returned: Floats, watched: Floats) -> Curve | CannotTell:
    """The curve from counts.

    Args:
        days: Lengths of spells, distinct, in days [n].
        returned: Spells of that length that ended in an order [n].
        watched: Spells of that length that had not ended when they were last seen [n].

    Returns:
        The curve, or why there is none. Source: Kaplan & Meier (1958); Greenwood's variance with limits on the log-log scale
        (Kalbfleisch & Prentice 2002, section 1.4). Who was last seen on a day was at risk on it.
    """
    if returned.sum() < LEAST:
        return CannotTell(f"Only {int(returned.sum())} came back; {LEAST} are needed.")
    order = np.argsort(days)
    days, returned, gone = days[order], returned[order], (returned + watched)[order]
    followed = float(days[gone > 0].max())
    at_risk = gone[::-1].cumsum()[::-1]
    some = returned > 0
    days, returned, at_risk = days[some], returned[some], at_risk[some]
    staying = np.cumprod(1 - returned / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(returned / (at_risk * (at_risk - returned)))
        wide = ndtri(1 - (1 - _LEVEL) / 2) * np.sqrt(greenwood) / np.abs(np.log(staying))
        low, high = staying ** np.exp(wide), staying ** np.exp(-wide)
    nobody = staying <= 0
    low, high = np.where(nobody, 0.0, low), np.where(nobody, np.concatenate(([1.0], high[:-1])), high)
    return Curve(days, staying, low, high, int(gone.sum()), int(returned.sum()), followed, _median(days, staying, low, high))


def _median(days: Floats, staying: Floats, low: Floats, high: Floats) -> Interval | CannotTell:
    """The first day on which at most half are still away; its limits are where the limits of the curve cross one half."""
    below = [np.flatnonzero(part <= 0.5) for part in (low, staying, high)]
    if not below[1].size:
        return CannotTell("Fewer than half have come back so far.")
    ends = [float(days[part[0]]) if part.size else float("inf") for part in below]
    return Interval(ends[0], ends[1], ends[2])


def spells(followed: ir.Table, as_of: AsOf) -> ir.Table:
    """Every lapse that began before the instant, by the category of the purchase before it.

    Args:
        followed: From `friction_orders.followed`.
        as_of: The instant.

    Returns:
        group (the category), days (from the beginning of the lapse to the next order, or to the instant), returned.
    """
    lapsed = followed.filter(followed.lapsed)
    away = _days(ibis.literal(as_of.last_day), lapsed.day)
    returned = lapsed.gap.notnull()
    days = returned.ifelse(lapsed.gap, away) - lapsed.horizon
    return lapsed.select(group=lapsed.category.fill_null("unknown"), days=days, returned=returned)


def reduced(spells: ir.Table) -> ir.Table:
    """Spells as counts: group, days, returned, watched."""
    return spells.group_by("group", "days").aggregate(
        returned=spells.returned.ifelse(1, 0).sum(), watched=spells.returned.ifelse(0, 1).sum()
    ).order_by("group", "days")


def curves(counts: pa.Table) -> dict[str, Curve | CannotTell]:
    """A curve for each group of `reduced`, the largest group first."""
    group = counts["group"].to_numpy(zero_copy_only=False)
    numbers = [np.asarray(counts[name], dtype=np.float64) for name in ("days", "returned", "watched")]
    sizes = {name: float((numbers[1] + numbers[2])[group == name].sum()) for name in dict.fromkeys(group.tolist())}
    order = sorted(sizes, key=lambda name: (-sizes[name], name))
    return {name: kaplan_meier(*(part[group == name] for part in numbers)) for name in order}


def after_offers(made: ir.Table, bought: ir.Table, as_of: AsOf) -> ir.Table:
    """Time to the next order after a message, by the kind of its offer.

    Args:
        made: customer_id, group (the kind), day: messages sent, or rounds drawn to hear nothing.
        bought: customer_id and day of every purchase.
        as_of: The instant.

    Returns:
        group, days (0 for a message of the day under way), returned.
    """
    later = made.join(bought.select("customer_id", bought_day="day"), "customer_id")
    later = later.filter(later.bought_day > later.day)
    following = later.group_by("customer_id", "group", "day").aggregate(next_day=later.bought_day.min())
    whole = made.distinct().left_join(following, ["customer_id", "group", "day"])
    whole = whole.select("group", "day", "next_day")
    returned = whole.next_day.notnull()
    end = whole.next_day.fill_null(ibis.literal(as_of.last_day))
    watched = _days(end, whole.day)
    return whole.select("group", days=(watched > 0).ifelse(watched, 0), returned=returned)


def _days(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    return later.delta(earlier, unit="day").cast("int64")
