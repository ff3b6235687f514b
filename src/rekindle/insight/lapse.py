"""How likely each customer is to order again, and when: models fitted on distinct histories and joined back.

Knows nothing of stages and offers. The number of distinct (repeats, last, age) decides the work, not the number of customers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

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
    orders_interval,
)
from rekindle.insight.season import Season
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
CALENDAR = CannotTell("no season was looked for")


@dataclass(frozen=True, slots=True)
class Scored:
    """Distinct histories with what the model says of each.

    Args:
        model: The fitted lapse model.
        tuples: Its input, sorted.
        table: repeats, recency_days, age_days, p_alive, expected_orders, rhythm_days.
        season: The clock that the model counts on, or why it counts calendar days.
    """

    model: LapseModel
    tuples: LapseTuples
    table: pa.Table
    season: Season | CannotTell = CALENDAR


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


def score(
    warehouse: Warehouse, customers: ir.Table, horizon_weeks: int, name: str = DEFAULT_MODEL, season: Season | CannotTell = CALENDAR
) -> Scored | CannotTell:
    """Fits the lapse model on distinct histories and scores each of them.

    Args:
        warehouse: Runs the grouping.
        customers: From `clocked`.
        horizon_weeks: How far expected orders look ahead.
        name: A key of `LAPSE_MODELS`.
        season: As of the same instant: the model counts demand where it is one, calendar days where there is none. Rhythms stay in days.
    """
    groups = _groups(warehouse, customers)
    model = LAPSE_MODELS[name](histories(groups, season))
    return model if isinstance(model, CannotTell) else _told(model, groups, season, horizon_weeks)


def score_later(warehouse: Warehouse, customers: ir.Table, horizon_weeks: int, fitted: Scored, as_of: AsOf) -> Scored:
    """Scores histories as of a later instant by a model that was fitted before, so that nothing of the time between is in it.

    Args:
        warehouse: Runs the grouping.
        customers: From `clocked`, as of the later instant.
        horizon_weeks: How far expected orders look ahead.
        fitted: From `score`.
        as_of: The later instant.
    """
    season = fitted.season if isinstance(fitted.season, CannotTell) else replace(fitted.season, last_day=as_of.last_day)
    return _told(fitted.model, _groups(warehouse, customers), season, horizon_weeks)


def _groups(warehouse: Warehouse, customers: ir.Table) -> pa.Table:
    """Distinct histories and how many customers have each, sorted."""
    return warehouse.arrow(customers.group_by(KEY).aggregate(customers=customers.count()).order_by(KEY))


def _told(model: LapseModel, groups: pa.Table, season: Season | CannotTell, horizon_weeks: int) -> Scored:
    """What a model says of distinct histories."""
    tuples, weeks = histories(groups, season), ahead(season, horizon_weeks)
    recency = groups["recency_days"].to_numpy()
    table, alive = groups.select(KEY), model.p_alive(tuples)
    for column, values in (
        ("p_alive", alive),
        ("expected_orders", alive * model.expected_orders_if_alive(tuples, weeks)),
        ("rhythm_days", rhythm_days(model, tuples.repeats, recency / WEEK)),
    ):
        table = table.append_column(column, pa.array(six_digits(values)))
    return Scored(model, tuples, table, season)


def histories(groups: pa.Table, season: Season | CannotTell) -> LapseTuples:
    """Distinct histories as a model takes them, in weeks of demand on the season's clock, else of seven days.

    Args:
        groups: repeats, recency_days, age_days, customers.
        season: As for `score`.
    """
    repeats, recency, age, count = (groups[column].to_numpy() for column in (*KEY, "customers"))
    last, whole = (recency / WEEK, age / WEEK) if isinstance(season, CannotTell) else season.histories(recency, age)
    return LapseTuples(repeats, last, whole, count)


def ahead(season: Season | CannotTell, weeks: float) -> float:
    """Weeks of mean demand in the coming `weeks`: how far a model has to look."""
    return weeks if isinstance(season, CannotTell) else season.ahead(weeks)


def chance_of_order(model: LapseModel, tuples: LapseTuples, weeks: float) -> np.ndarray:
    """Probability of at least one order in the coming `weeks` [n].

    A customer who orders nothing in them has the same history with a longer age, so P(no order) is the ratio of the two likelihoods. By the
    definition of P(alive) a likelihood is its part that is alive over P(alive), and that part falls as (alpha + T)^-(r + x), in the
    Pareto/NBD times (beta + T)^-s:

        P(no order) = P(alive at T) / P(alive at T + h)  ((alpha + T) / (alpha + T + h))^(r + x)  [((beta + T) / (beta + T + h))^s]

    Source: docs/backtest.md.
    """
    later = LapseTuples(tuples.repeats, tuples.last, tuples.age + weeks, tuples.customers)
    now, then = (np.maximum(model.p_alive(one), np.finfo(np.float64).tiny) for one in (tuples, later))
    silent = (model.r + tuples.repeats) * np.log1p(weeks / (model.alpha + tuples.age))
    if "beta" in model.parameters:
        silent += model.parameters["s"] * np.log1p(weeks / (model.parameters["beta"] + tuples.age))
    chance: np.ndarray = np.clip(-np.expm1(np.log(now) - np.log(then) - silent), 0.0, now)
    return chance


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
    return at_risk_interval(scored.model, *_weighted(warehouse, scored, slipping), ahead(scored.season, horizon_weeks))


def margin_ahead(warehouse: Warehouse, scored: Scored, customers: ir.Table, horizon_weeks: int) -> Interval:
    """The margin that the horizon will bring of these customers, as they are.

    Args:
        warehouse: Runs the grouping.
        scored: From `score`.
        customers: repeats, recency_days, age_days, margin_per_order.
        horizon_weeks: How far it looks ahead.

    Returns:
        Minor units with a 95 % interval that holds what will come, chance included.
    """
    return orders_interval(scored.model, *_weighted(warehouse, scored, customers), ahead(scored.season, horizon_weeks))


def _weighted(warehouse: Warehouse, scored: Scored, customers: ir.Table) -> tuple[LapseTuples, np.ndarray]:
    """Distinct histories and the margin per order of each, summed over its customers."""
    weight = customers.margin_per_order.cast("int64").sum()
    groups = warehouse.arrow(customers.group_by(KEY).aggregate(customers=customers.count(), weight=weight).order_by(KEY))
    return histories(groups, scored.season), groups["weight"].to_numpy().astype(np.float64)
