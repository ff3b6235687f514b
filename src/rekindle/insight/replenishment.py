"""How long an item lasts a customer, and between which days it will be bought again if it is bought again soon.

Knows nothing of stock and offers. Gaps between purchase days are log-logistic: their logarithm is the store's, moved by what the group,
the item, the customer and the customer's own gaps of the item say, each shrunk by how much such things differ.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from math import pi, sqrt
from typing import Literal

import ibis
import ibis.expr.types as ir
import numpy as np

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import exact_sum
from rekindle.insight.run_out import HORIZON_DAYS, Came, Curve, Window, calibrated, days_ahead, together
from rekindle.moment import AsOf

MILLI = 1000
LEVELS: dict[str, tuple[str, ...]] = {
    "group": ("item_group",), "item": ("item",), "customer": ("customer_id",), "own": ("customer_id", "item"),
}
"""What moves a gap away from the store's, in the order in which it is asked, by the columns that name it."""

CALIBRATE_ON = 1_000_000
"""Purchases that a window is calibrated from at most: all of a part of the customers, chosen by a hash of the id."""

CALIBRATE_AGO = (60, 90)
"""The window is calibrated on the horizons that began so many days ago; two, because shops have seasons."""

LEAST_GAPS, LEAST_PURCHASES = 30, 200
LEAST_SPREAD = 50
"""Thousandths: nobody's gaps are as even as a clock's, even where the few that were seen are."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long items last, fitted.

    Args:
        centre: Logarithm of the store's middle gap in days, thousandths.
        spread: Standard deviation of the logarithm that is left, thousandths.
        shrinkage: By level, as many gaps as its prior weighs; a level that does not differ is left out.
        effects: By level, its columns and `effect` (thousandths), kept by the warehouse.
        gaps: Gaps fitted on.
    """

    centre: int
    spread: int
    shrinkage: dict[str, float]
    effects: dict[str, ir.Table]
    gaps: int


@dataclass(frozen=True, slots=True)
class Replenishment:
    """How long items last and how wide a window holds 80 % of the purchases that come.

    Args:
        lasting: The fitted gaps.
        window: Where in the time ahead purchases fell when it was calibrated.
        quality: "good", or "weak" where fewer than 200 purchases calibrate the window and it is the curve's own.
        reason: Why, in words a person can read.
    """

    lasting: Lasting
    window: Window
    quality: Literal["good", "weak"]
    reason: str


def gaps(warehouse: Warehouse, bought: ir.Table) -> ir.Table:
    """Every gap between purchase days of an item by a customer: customer_id, item, item_group, gap (days), left (log, thousandths)."""
    before = bought.purchase_day.lag().over(group_by=["customer_id", "item"], order_by="purchase_day")
    days = bought.mutate(before=before).filter(lambda t: t.before.notnull())
    gap = days.purchase_day.delta(days.before, unit="day").cast("int64")
    found = days.select("customer_id", "item", "item_group", gap=gap)
    return warehouse.keep(found.mutate(left=_milli(found.gap.cast("float64").ln())))


def fit_lasting(warehouse: Warehouse, bought: ir.Table) -> Lasting | CannotTell:
    """Fits the gaps, level by level: what a level explains is taken off before the next is asked.

    Args:
        warehouse: Runs the counting.
        bought: customer_id, purchase_day, item, item_group; one row per customer, day and item.

    Returns:
        The fit, or why there is none.

    Source: Bhagat et al. (2018), Buy It Again, the modified Poisson-Gamma's prior per item, here on log gaps; variances by Henderson's
    method I: Searle, Casella & McCulloch (1992), Variance components, section 3.6.
    """
    left = gaps(warehouse, bought)
    sums = warehouse.row(left.aggregate(n=left.count(), total=exact_sum(left.left)))
    if sums["n"] < LEAST_GAPS:
        return CannotTell(f"Only {sums['n']} items were bought again so far, so how long they last is unknown.")
    centre = round(sums["total"] / sums["n"])
    left = left.mutate(left=left.left - centre)
    shrinkage, effects = {}, {}
    for level, names in LEVELS.items():
        found = _shrunk(warehouse, left, names)
        if found is not None:
            shrinkage[level], effects[level] = found
            left = warehouse.keep(_less(left, names, effects[level]))
    square = warehouse.scalar(exact_sum(left.left * left.left))
    return Lasting(centre, max(round(sqrt(square / sums["n"])), LEAST_SPREAD), shrinkage, effects, sums["n"])


def _shrunk(warehouse: Warehouse, left: ir.Table, names: tuple[str, ...]) -> tuple[float, ir.Table] | None:
    """How many gaps the prior of a level weighs and its effects; None where the level's means differ no more than chance has it."""
    each = left.group_by(*names).aggregate(n=left.count(), total=exact_sum(left.left), square=exact_sum(left.left * left.left))
    each = warehouse.keep(each)
    mean = (each.total * each.total / each.n).round().cast("int64")
    sums = warehouse.row(
        each.aggregate(
            groups=each.count(), n=exact_sum(each.n), total=exact_sum(each.total), square=exact_sum(each.square),
            between=exact_sum(mean), sizes=exact_sum(each.n * each.n),
        )
    )
    groups, n = sums["groups"], sums["n"]
    if groups < 2 or n - groups < 1:
        return None
    within = (sums["square"] - sums["between"]) / (n - groups)
    size = (n - sums["sizes"] / n) / (groups - 1)
    among = ((sums["between"] - sums["total"] ** 2 / n) / (groups - 1) - within) / size if size > 0 else 0.0
    if among <= 0:
        return None
    prior = float(f"{within / among:.6g}")
    return prior, warehouse.keep(each.select(*names, effect=(each.total / (each.n + prior)).round().cast("int64"), known=each.n))


def _less(left: ir.Table, names: tuple[str, ...], effects: ir.Table) -> ir.Table:
    joined = left.join(effects.select(*names, "effect"), list(names))
    return joined.mutate(left=joined.left - joined.effect).select(*left.columns)


def _milli(value: ir.FloatingValue) -> ir.IntegerValue:
    return (value * MILLI).round().cast("int64")


def held(bought: ir.Table, lasting: Lasting) -> ir.Table:
    """Every item that a customer has bought, with how long it lasts them.

    Returns:
        customer_id, item, purchases (days), last_day, centre (log of the gap, thousandths), source: what moves it off the store's
        most closely, one of `LEVELS` or "store".
    """
    pairs = bought.group_by("customer_id", "item", "item_group").aggregate(
        purchases=bought.purchase_day.count(), last_day=bought.purchase_day.max()
    )
    centre: ir.IntegerValue = ibis.literal(lasting.centre, "int64")
    source: ir.StringValue = ibis.literal("store")
    for level, effects in lasting.effects.items():
        names = list(LEVELS[level])
        pairs = pairs.left_join(effects.select(*names, **{f"by_{level}": effects.effect}), names)
        pairs = pairs.drop(*(f"{name}_right" for name in names))
    for level in lasting.effects:
        centre = centre + pairs[f"by_{level}"].fill_null(0)
        source = pairs[f"by_{level}"].notnull().ifelse(level, source)
    return pairs.mutate(centre=centre, source=source).select("customer_id", "item", "purchases", "last_day", "centre", "source")


def fit(warehouse: Warehouse, bought: ir.Table, as_of: AsOf) -> Replenishment | CannotTell:
    """Fits how long items last, and calibrates the window on the purchases after two earlier days from what was known at each.

    Args:
        warehouse: Runs the counting.
        bought: customer_id, purchase_day, item, item_group; one row per customer, day and item.
        as_of: The instant; its day is not seen.

    Source: the window is split-conformal: Lei et al. (2018), Distribution-free predictive inference for regression, section 2.2.
    """
    seen = warehouse.keep(bought.filter(bought.purchase_day < ibis.literal(as_of.day)))
    lasting = fit_lasting(warehouse, seen)
    if isinstance(lasting, CannotTell):
        return lasting
    some = _sampled(warehouse, seen)
    parts = [part for origin in _origins(as_of) if (part := _came(warehouse, some, origin)) is not None]
    purchases = sum(len(part.gap) for part in parts)
    if purchases < LEAST_PURCHASES:
        reason = f"Only {purchases} purchases could calibrate the window: it is the curve's own."
        return Replenishment(lasting, Window(0.1, 0.5, 0.9, purchases), "weak", reason)
    window = calibrated(together(parts))
    reason = f"The window is calibrated on {purchases:,} purchases of the last {CALIBRATE_AGO[-1]} days."
    return Replenishment(lasting, window, "good", reason)


def _origins(as_of: AsOf) -> list[date]:
    return [as_of.day - timedelta(days=days) for days in CALIBRATE_AGO]


def _sampled(warehouse: Warehouse, seen: ir.Table) -> ir.Table:
    """What a part of the customers bought, where they are many."""
    share = CALIBRATE_ON / max(warehouse.scalar(seen.count()), 1)
    return seen if share >= 1 else warehouse.keep(seen.filter(seen.customer_id.hexdigest("md5")[:6] < f"{round(share * 16**6):06x}"))


def _came(warehouse: Warehouse, seen: ir.Table, origin: date) -> Came | None:
    """The purchases within the horizon from an origin on, with what was known at it; None where nothing was."""
    day, end = ibis.literal(origin), ibis.literal(origin + timedelta(days=HORIZON_DAYS))
    known = seen.filter(seen.purchase_day < day)
    lasting = fit_lasting(warehouse, known)
    if isinstance(lasting, CannotTell):
        return None
    came = seen.filter(seen.purchase_day >= day, seen.purchase_day < end)
    came = came.group_by("customer_id", "item").aggregate(next_day=came.purchase_day.min())
    pairs = held(known.semi_join(came, ["customer_id", "item"]), lasting).join(came, ["customer_id", "item"])
    pairs = pairs.select("customer_id", "centre", "last_day", "next_day")
    silent = day.delta(pairs.last_day, unit="day").cast("int64") - 1
    gap = pairs.next_day.delta(pairs.last_day, unit="day").cast("int64")
    mine = pairs.customer_id.count().over(group_by="customer_id").cast("int64")
    rows = pairs.select("centre", silent=silent, gap=gap, mine=mine).order_by("centre", "silent", "gap", "mine")
    centre, silence, days, baskets = (column.to_numpy().astype(np.float64) for column in warehouse.arrow(rows).columns)
    # A customer's items come back together, in one basket: n of them are worth more than one purchase and less than n.
    return Came(Curve(centre / MILLI, np.full(len(centre), _sharpness(lasting))), silence, days, baskets**-0.5)


def _sharpness(lasting: Lasting) -> float:
    """The log-logistic's shape of a logarithm with this standard deviation."""
    return float(f"{pi / sqrt(3) / (lasting.spread / MILLI):.6g}")


def run_out(bought: ir.Table, fitted: Replenishment, as_of: AsOf) -> ir.Table:
    """When each customer will buy each of their items again, if they do within `HORIZON_DAYS`.

    Args:
        bought: As of `fit`.
        fitted: From `fit`.
        as_of: The instant.

    Returns:
        customer_id, item, purchases, last_day, lasts_days (middle gap), earliest_day, run_out_day, latest_day, source. 80 % of the
        purchases that come within the horizon come from the earliest to the latest day; none of the days has passed.
    """
    pairs = held(bought.filter(bought.purchase_day < ibis.literal(as_of.day)), fitted.lasting)
    silent = (ibis.literal(as_of.day).delta(pairs.last_day, unit="day").cast("int64") - 1).clip(lower=0)
    scale = (pairs.centre / MILLI).exp()
    sharpness, window = _sharpness(fitted.lasting), fitted.window
    days = {
        name: days_ahead(scale, sharpness, silent, share)
        for name, share in (("earliest_day", window.early), ("run_out_day", window.middle), ("latest_day", window.late))
    }
    dated = pairs.mutate(lasts_days=scale.round().cast("int64"), **days)
    # DuckDB makes a timestamp of a day and an interval, and Ibis takes a cast of it to a day for needless.
    moved = {name: (dated.last_day + dated[name].as_interval("D")).cast("timestamp").cast("date") for name in days}
    return dated.mutate(**moved).select("customer_id", "item", "purchases", "last_day", "lasts_days", *days, "source")


