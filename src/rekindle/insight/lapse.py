"""How likely each customer is to order again, and when: models fitted on distinct histories and joined back.

Knows nothing of stages and offers. The number of distinct (repeats, last, age) decides the work, not the number of customers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import (
    GammaGamma,
    Interval,
    LapseModel,
    LapseTuples,
    at_risk_interval,
    fit_bg_nbd,
    fit_gamma_gamma,
    fit_mbg_nbd,
    fit_pareto_nbd,
)
from rekindle.moment import AsOf

WEEK = 7.0
LAPSE_MODELS: dict[str, Callable[[LapseTuples], LapseModel | CannotTell]] = {
    "pareto-nbd": fit_pareto_nbd,
    "mbg-nbd": fit_mbg_nbd,
    "bg-nbd": fit_bg_nbd,
}
DEFAULT_MODEL = "pareto-nbd"
VALUE_SAMPLE = 200_000
"""Customers that the value model is fitted on at most; chosen by a hash of the id."""

KEY = ["repeats", "recency_days", "age_days"]


@dataclass(frozen=True, slots=True)
class Scored:
    """Distinct histories with what the model says of each.

    Args:
        model: The fitted lapse model.
        tuples: Its input, sorted.
        table: repeats, recency_days, age_days, p_alive, expected_orders, rhythm_days.
    """

    model: LapseModel
    tuples: LapseTuples
    table: pa.Table


def clocked(customers: ir.Table, as_of: AsOf) -> ir.Table:
    """Adds whole-day ages: repeats, recency_days (first to last purchase day), age_days and silence_days.

    They run to the last whole day; for who has bought on the day that is under way, to that day.
    """
    end = ibis.greatest(ibis.literal(as_of.last_day), customers.last_day)
    return customers.mutate(
        repeats=(customers.purchase_days - 1).cast("int64"),
        recency_days=_days(customers.last_day, customers.first_day),
        age_days=_days(end, customers.first_day),
        silence_days=_days(end, customers.last_day),
        previous_gap_days=_days(customers.last_day, customers.previous_day),
    )


def _days(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    return later.delta(earlier, unit="day").cast("int64")


def score(warehouse: Warehouse, customers: ir.Table, horizon_weeks: int, name: str = DEFAULT_MODEL) -> Scored | CannotTell:
    """Fits the lapse model on distinct histories and scores each of them.

    Args:
        warehouse: Runs the grouping.
        customers: From `clocked`.
        horizon_weeks: How far expected orders look ahead.
        name: A key of `LAPSE_MODELS`.
    """
    groups = warehouse.arrow(customers.group_by(KEY).aggregate(customers=customers.count()).order_by(KEY))
    repeats, recency, age, count = (groups[column].to_numpy() for column in (*KEY, "customers"))
    tuples = LapseTuples(repeats, recency / WEEK, age / WEEK, count)
    model = LAPSE_MODELS[name](tuples)
    if isinstance(model, CannotTell):
        return model
    table = pa.table(
        {
            "repeats": repeats,
            "recency_days": recency,
            "age_days": age,
            "p_alive": six_digits(model.p_alive(tuples)),
            "expected_orders": six_digits(model.expected_orders(tuples, horizon_weeks)),
            "rhythm_days": six_digits(rhythm_days(model, tuples.repeats, tuples.last)),
        }
    )
    return Scored(model, tuples, table)


def rhythm_days(model: LapseModel, repeats: np.ndarray, last: np.ndarray) -> np.ndarray:
    """A customer's own rhythm: days per order while a customer, shrunk to the population's.

    The inverse of the posterior mean rate at the last purchase, (alpha + t_x) / (r + x), in days.
    """
    rhythm: np.ndarray = WEEK * (model.alpha + last) / (model.r + repeats)
    return rhythm


def six_digits(values: np.ndarray) -> np.ndarray:
    """Rounds to six significant digits, so that the last bits of a fit never change a plan.

    >>> six_digits(np.array([0.12345678, 0.0, 1234567.8])).tolist()
    [0.123457, 0.0, 1234570.0]
    """
    scale = 10.0 ** (5 - np.floor(np.log10(np.abs(np.where(values == 0, 1.0, values)))))
    rounded: np.ndarray = np.where(values == 0, 0.0, np.round(values * scale) / scale)
    return rounded


def fit_value(warehouse: Warehouse, customers: ir.Table) -> GammaGamma | CannotTell:
    """Fits margin per purchase day on customers who ever made one.

    Args:
        warehouse: Runs the grouping.
        customers: customer_id, purchase_days, margin (minor units).
    """
    positive = customers.filter(customers.margin > 0)
    total = warehouse.scalar(positive.count())
    if total > VALUE_SAMPLE:
        share = round(VALUE_SAMPLE / total * 16**6)
        positive = positive.filter(positive.customer_id.hexdigest("md5")[:6] < f"{share:06x}")
    mean = (positive.margin / positive.purchase_days).round().cast("int64")
    groups = warehouse.arrow(
        positive.group_by(purchase_days="purchase_days", mean=mean).aggregate(customers=positive.count()).order_by("purchase_days", "mean")
    )
    return fit_gamma_gamma(
        groups["purchase_days"].to_numpy(), groups["mean"].to_numpy().astype(np.float64), groups["customers"].to_numpy()
    )


def value_per_order(model: GammaGamma | CannotTell, purchase_days: ir.IntegerValue, margin: ir.IntegerValue) -> ir.FloatingValue:
    """Expected margin of one order in minor units: Gamma-Gamma, or the customer's own mean where the model cannot tell."""
    own = margin.clip(lower=0) / purchase_days
    if isinstance(model, CannotTell):
        return own.round(0)
    weight = model.p * purchase_days + model.q - 1
    return (model.p * (model.v + purchase_days * own) / weight).round(0)


def margin_at_risk(warehouse: Warehouse, scored: Scored, slipping: ir.Table, horizon_weeks: int) -> Interval:
    """The margin that the horizon would bring if everyone slipping away were still a customer, and is not expected.

    Args:
        warehouse: Runs the grouping.
        scored: From `score`.
        slipping: repeats, recency_days, age_days, margin_per_order of the customers who slip away.
        horizon_weeks: How far it looks ahead.

    Returns:
        Minor units with a 95 % interval.
    """
    groups = warehouse.arrow(
        slipping.group_by(KEY).aggregate(customers=slipping.count(), weight=slipping.margin_per_order.cast("int64").sum()).order_by(KEY)
    )
    repeats, recency, age, count, weight = (groups[column].to_numpy() for column in (*KEY, "customers", "weight"))
    tuples = LapseTuples(repeats, recency / WEEK, age / WEEK, count)
    return at_risk_interval(scored.model, tuples, weight.astype(np.float64), horizon_weeks)
