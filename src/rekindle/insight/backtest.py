"""How right the predictions would have been: made as of earlier instants, and compared with what happened after each.

Knows nothing of files and pages. An origin is such an instant; facts at or after it are only looked at to judge what was said before.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import pyarrow as pa

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import lapse, purchases, season
from rekindle.insight.forecasts import Decile, Forecast, Outcomes, expected_over_actual, silence_shares
from rekindle.insight.models import Interval
from rekindle.insight.season import Season
from rekindle.moment import AsOf, start_of_day

ORIGINS = 4
APART = 13                  # weeks between origins, so that four of them lie in every part of a year
CLOSEST = 4                 # weeks; closer ones would be the same question asked again
LEARNING = 13               # weeks of history before the first origin
RULE_DAYS = 90
"""The fixed-day rule that the models are held against: no order for so many days."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What was predicted at one origin, and what came.

    Args:
        as_of: The origin.
        customers: Who had ordered before it.
        expected: Purchase days expected of them in the horizon.
        expected_by_calendar: The same without the season's clock; equal where the season is off.
        actual: Purchase days that came.
        ratio: Expected over actual with a 95 % interval, or why it cannot be told.
        season: The clock used, or why none was.
        model: How well the chance of another order was told.
        rule: The same of the fixed-day rule with the shares that it could have learned one horizon earlier.
        rule_learned: When it learned them, or why it is given those at its best.
        rule_at_best: The same of the rule with the shares of this very horizon, which nobody could have known.
        chances: By tenths of customers by their chance of another order: that chance, and the share who ordered.
        orders: By tenths of customers by expected orders: those, and the orders that came.
    """

    as_of: AsOf
    customers: int
    expected: float
    expected_by_calendar: float
    actual: int
    ratio: Interval | CannotTell
    season: Season | CannotTell
    model: Forecast
    rule: Forecast
    rule_learned: AsOf | CannotTell
    rule_at_best: Forecast
    chances: tuple[Decile, ...]
    orders: tuple[Decile, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """Predictions at several origins against what came.

    Args:
        as_of: The instant; nothing at or after it is seen.
        horizon_weeks: How far each prediction looked ahead.
        model: The lapse model's name, as in `LAPSE_MODELS`.
        origins: The oldest first.
        left_out: Why there are not four, one reason each; empty where there are.
    """

    as_of: AsOf
    horizon_weeks: int
    model: str
    origins: tuple[Origin, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked at every origin.

    Args:
        as_of: The instant that the outcomes end before.
        horizon_weeks: How far predictions look ahead.
        model: The lapse model's name.
    """

    as_of: AsOf
    horizon_weeks: int
    model: str = lapse.DEFAULT_MODEL


def run(warehouse: Warehouse, trial: Trial) -> Backtest | CannotTell:
    """Predicts at up to four origins and compares with what happened.

    Args:
        warehouse: An open history.
        trial: What is asked.

    Returns:
        The comparison, or why none can be made.
    """
    first = warehouse.scalar(purchases.sales(warehouse, trial.as_of).purchase_day.min())
    days = origins(first, trial)
    if isinstance(days, CannotTell):
        return days
    enough = f"history is long enough for {len(days)} of {ORIGINS} origins, {CLOSEST} weeks apart or more"
    left_out = [] if len(days) == ORIGINS else [enough]
    made = []
    for day in days:
        one = _origin(warehouse, trial, day, first)
        if isinstance(one, CannotTell):
            left_out.append(f"{day}: {one.reason}")
        else:
            made.append(one)
    if not made:
        return CannotTell("no origin has a model: " + "; ".join(left_out))
    return Backtest(trial.as_of, trial.horizon_weeks, trial.model, tuple(made), tuple(left_out))


def origins(first: date | None, trial: Trial) -> tuple[date, ...] | CannotTell:
    """The days of the origins, the oldest first: equally far apart, a quarter at most, each with its whole horizon behind it.

    Args:
        first: Day of the first order; None where there is none.
        trial: What is asked.

    >>> instant = AsOf(start_of_day(date(2026, 1, 1), "UTC"), "UTC")
    >>> [day.isoformat() for day in origins(date(2024, 1, 1), Trial(instant, 26))]
    ['2024-10-03', '2025-01-02', '2025-04-03', '2025-07-03']
    """
    last = trial.as_of.day - timedelta(weeks=trial.horizon_weeks)
    room = -1 if first is None else ((last - first).days // 7) - LEARNING
    if first is None or room < 0:
        weeks = 0 if first is None else (trial.as_of.day - first).days // 7
        needed = f"a backtest needs {LEARNING} to learn from and {trial.horizon_weeks} to compare with"
        return CannotTell(f"history covers {weeks} weeks, and {needed}")
    count = min(ORIGINS, room // CLOSEST + 1)
    apart = min(APART, room // (count - 1)) if count > 1 else 0
    return tuple(last - timedelta(weeks=apart * back) for back in reversed(range(count)))


def _origin(warehouse: Warehouse, trial: Trial, day: date, first: date) -> Origin | CannotTell:
    """Predicts as the profile does, on the facts before the origin alone, and compares."""
    as_of = _at(trial, day)
    orders = purchases.sales(warehouse, as_of)
    customers = warehouse.keep(lapse.clocked(purchases.per_customer(orders), as_of))
    clock = season.find(warehouse, orders, customers, as_of)
    scored = lapse.score(warehouse, customers, trial.horizon_weeks, trial.model, clock)
    if isinstance(scored, CannotTell):
        return scored
    plain = scored if isinstance(clock, CannotTell) else lapse.score(warehouse, customers, trial.horizon_weeks, trial.model)
    outcomes = Outcomes.of(came(warehouse, customers, trial, day))
    expected = scored.table["expected_orders"].to_numpy()
    by_calendar = expected if isinstance(plain, CannotTell) else plain.table["expected_orders"].to_numpy()
    chance = lapse.chance_of_order(scored.model, scored.tuples, lapse.ahead(clock, trial.horizon_weeks))
    learned, shares = _learned(warehouse, trial, day, first)
    at_best = silence_shares(outcomes, RULE_DAYS)
    return Origin(
        as_of=as_of, customers=outcomes.total, expected=outcomes.weighed(expected), expected_by_calendar=outcomes.weighed(by_calendar),
        actual=outcomes.ordered, ratio=expected_over_actual(outcomes, expected), season=clock, model=outcomes.forecast(chance),
        rule=outcomes.forecast(outcomes.by_silence(shares or at_best, RULE_DAYS)), rule_learned=learned,
        rule_at_best=outcomes.forecast(outcomes.by_silence(at_best, RULE_DAYS)),
        chances=outcomes.tenths_by_chance(chance), orders=outcomes.tenths_by_orders(expected),
    )  # fmt: skip


def _at(trial: Trial, day: date) -> AsOf:
    return AsOf(start_of_day(day, trial.as_of.timezone), trial.as_of.timezone, shifted=True)


def _learned(warehouse: Warehouse, trial: Trial, day: date, first: date) -> tuple[AsOf | CannotTell, tuple[float, float] | None]:
    """The rule's shares as they were known at an origin: from a horizon earlier, what the horizon up to the origin brought."""
    earlier = day - timedelta(weeks=trial.horizon_weeks)
    if (earlier - first).days <= RULE_DAYS:
        why = f"nobody could be silent for {RULE_DAYS} days {trial.horizon_weeks} weeks earlier, so the rule is given its best shares"
        return CannotTell(why), None
    as_of = _at(trial, earlier)
    customers = lapse.clocked(purchases.per_customer(purchases.sales(warehouse, as_of)), as_of)
    return as_of, silence_shares(Outcomes.of(came(warehouse, customers, trial, earlier)), RULE_DAYS)


def came(warehouse: Warehouse, customers: ir.Table, trial: Trial, day: date) -> pa.Table:
    """What the horizon from a day on brought, by distinct history.

    Args:
        warehouse: Runs the grouping.
        customers: From `lapse.clocked`, as of the day.
        trial: What is asked.
        day: The origin's.

    Returns:
        repeats, recency_days, age_days, customers, orders (their purchase days in the horizon), squares (the sum of each customer's
        squared), again (customers with one or more); sorted by the first three, as `lapse.score` sorts.
    """
    end = _at(trial, day + timedelta(weeks=trial.horizon_weeks))
    orders = purchases.sales(warehouse, end)
    later = orders.filter(orders.ordered_at >= _at(trial, day).naive)
    days = later.group_by("customer_id").aggregate(later=later.purchase_day.nunique())
    joined = customers.select("customer_id", *lapse.KEY).left_join(days, "customer_id").drop("customer_id_right")
    joined = joined.mutate(later=joined.later.fill_null(0).cast("int64"))
    groups = joined.group_by(lapse.KEY).aggregate(
        customers=joined.count(),
        orders=purchases.exact_sum(joined.later),
        squares=purchases.exact_sum(joined.later * joined.later),
        again=purchases.exact_sum((joined.later > 0).cast("int64")),
    )
    return warehouse.arrow(groups.order_by(lapse.KEY))
