"""The season is found where there is one, and the clock makes the models' totals right; it stays off, with a reason, elsewhere."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from scipy.optimize import minimize

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight import lapse, purchases, season
from rekindle.insight.models import LapseTuples, MbgNbd, fit_mbg_nbd
from rekindle.insight.models.tuples import Floats
from rekindle.insight.season import Season
from rekindle.insight.week_counts import Design, WeekCounts, fit
from rekindle.moment import AsOf, parse_as_of
from tests.data import shared
from tests.insight.seasonal_shop import EPOCH, FIRST, Shop, day, pace, play

HEIGHTS = (0.5, 0.15)
"""A strong season: most orders in early December, 1.74 times the mean, fewest in spring and summer, 0.6 times."""
YEARS = 3
HORIZON = 26
WINTER, SUMMER = 730, 912


def counts_of(shop: Shop, until: int) -> WeekCounts:
    """A shop's weeks before a day, counted in NumPy."""
    seen = shop.day < until
    customer, days = shop.customer[seen], shop.day[seen]
    first = np.full(customer.max() + 1, until)
    np.minimum.at(first, customer, days)
    joined = np.unique((until - 1 - first[first < until]) // 7, return_counts=True)
    again = days > first[customer]
    pairs, orders = np.unique((until - 1 - first[customer[again]]) // 7 * until + (until - 1 - days[again]) // 7, return_counts=True)
    return WeekCounts.of(day(until - 1), joined, (pairs // until, pairs % until, orders))


def at(number: int) -> AsOf:
    return parse_as_of(day(number).isoformat(), "UTC")


@pytest.fixture(scope="module")
def shop() -> Shop:
    return play(np.random.default_rng(2), 16_000, pace(365 * YEARS + 7 * HORIZON, HEIGHTS))


@pytest.fixture(scope="module")
def warehouse(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("season")) as opened:
        shop.fill(opened)
        yield opened


def buyers(warehouse: Warehouse, as_of: AsOf) -> tuple[ir.Table, ir.Table]:
    orders = purchases.sales(warehouse, as_of)
    return orders, warehouse.keep(lapse.clocked(purchases.per_customer(orders), as_of))


@pytest.mark.parametrize("origin", [WINTER, SUMMER])
def test_totals_are_right_on_the_clock_and_wrong_without(shop: Shop, warehouse: Warehouse, origin: int) -> None:
    """Expected over actual orders of the coming half-year, which holds the low season from new year on and the high one from July on."""
    orders, customers = buyers(warehouse, at(origin))
    found = season.find(warehouse, orders, customers, at(origin))
    assert isinstance(found, Season)
    later = (shop.day >= origin) & (shop.day < origin + 7 * HORIZON)
    actual = np.isin(shop.customer[later], shop.customer[shop.day < origin]).sum()
    ratios = [ratio(warehouse, customers, clock) / actual for clock in (found, lapse.CALENDAR)]
    assert 0.95 < ratios[0] < 1.05
    assert not 0.8 < ratios[1] < 1.3


@pytest.mark.long
def test_totals_on_the_clock_are_right_shop_after_shop(tmp_path: Path) -> None:
    """Eight shops at three origins each: nearly every ratio within 0.95 to 1.05, none of those by the calendar, and no bias in the mean."""
    ratios = []
    for seed in range(8):
        shop = play(np.random.default_rng(seed), 25_000, pace(365 * YEARS + 7 * HORIZON, HEIGHTS))
        with open_history("duckdb://history.duckdb", tmp_path / str(seed)) as opened:
            shop.fill(opened)
            for origin in (WINTER, SUMMER, 365 * YEARS):
                orders, customers = buyers(opened, at(origin))
                later = (shop.day >= origin) & (shop.day < origin + 7 * HORIZON)
                actual = np.isin(shop.customer[later], shop.customer[shop.day < origin]).sum()
                clocks = (season.find(opened, orders, customers, at(origin)), lapse.CALENDAR)
                ratios.append([ratio(opened, customers, clock) / actual for clock in clocks])
    clocked, plain = np.array(ratios).T
    assert np.mean(np.abs(clocked - 1) < 0.05) > 0.95
    assert np.abs(clocked - 1).max() < 0.07
    assert np.abs(plain - 1).min() > 0.2
    assert abs(clocked.mean() - 1) < 0.015


def ratio(warehouse: Warehouse, customers: ir.Table, clock: Season | CannotTell) -> float:
    scored = lapse.score(warehouse, customers, HORIZON, "mbg-nbd", clock)
    assert isinstance(scored, lapse.Scored)
    return float(np.sum(scored.table["expected_orders"].to_numpy() * scored.tuples.customers))


def test_the_pace_is_that_of_the_truth(shop: Shop) -> None:
    found = season.found(counts_of(shop, 365 * YEARS))
    assert isinstance(found, Season)
    truth = pace(1461, HEIGHTS)
    assert np.abs(found.pace((FIRST - EPOCH).days + np.arange(1461)) / truth - 1).max() < 0.07
    assert len(found.waves) == 2
    assert abs((found.turns[1] - date(2026, 12, 1)).days) < 8
    assert found.height == pytest.approx((truth.min(), truth.max()), rel=0.05)
    assert str(found).startswith(f"on: most orders around {found.turns[1]:%d %B} (1.")
    assert found.chance < 1e-9


def test_one_wave_is_not_taken_for_two() -> None:
    seasons = [season.found(counts_of(play(np.random.default_rng(seed), 2_000, pace(700, (0.5,))), 700)) for seed in range(8)]
    waves = Counter(len(found.waves) for found in seasons if isinstance(found, Season))
    assert waves[1] >= 6
    assert waves.total() == 8


@pytest.mark.parametrize(("noise", "growth", "most"), [(0.0, 0.0, 1), (0.0, 1.0, 1), (0.15, 0.0, 2)])
def test_a_shop_without_a_season_has_none(noise: float, growth: float, most: int) -> None:
    """Of 18 shops, steady, growing from nothing, or with weeks that differ by 15 %: at a level of 1 % hardly any."""
    found = []
    for seed in range(18):
        rng = np.random.default_rng(seed)
        weekly = np.exp(noise * rng.standard_normal(100))
        found.append(season.found(counts_of(play(rng, 1_000, np.repeat(weekly, 7)[:700], growth), 700)))
    assert sum(isinstance(one, Season) for one in found) <= most


def test_one_customer_who_orders_every_day_makes_no_season() -> None:
    """A whale among customers who come once or twice: the weeks are as regular as the whale, and more of them know the others."""
    rng = np.random.default_rng(0)
    others = np.unique((1 + np.arange(500)) * 1_100 + rng.integers(0, 1_100, 500))
    whale = Shop(np.concatenate([np.zeros(1_050, dtype=int), others // 1_100]), np.concatenate([np.arange(1_050), others % 1_100]))
    for until in (600, 645, 800, 1_050):
        assert isinstance(season.found(counts_of(whale, until)), CannotTell)


def test_a_boom_that_does_not_return_is_no_season() -> None:
    """Two winters and two summers; only the first winter had a boom."""
    truth = np.ones(900)
    truth[300:400] = 3.0
    found = season.found(counts_of(play(np.random.default_rng(3), 4_000, truth), 900))
    assert isinstance(found, CannotTell)
    boom_and_return = np.ones(900)
    boom_and_return[300:400] = boom_and_return[665:765] = 3.0
    assert isinstance(season.found(counts_of(play(np.random.default_rng(3), 4_000, boom_and_return), 900)), Season)


def test_a_year_that_is_not_covered_is_named(warehouse: Warehouse, shop: Shop) -> None:
    for until, reason in (
        (400, "history covers 57 weeks, and a season shows only in a whole year after the first 13: 65 weeks"),
        (0, "history covers 0 weeks, and a season shows only in a whole year after the first 13: 65 weeks"),
    ):
        assert season.find(warehouse, *buyers(warehouse, at(until)), at(until)) == CannotTell(reason)
    pioneers = np.concatenate([[0, 1], 2 + shop.customer[shop.day >= 500]]), np.concatenate([[0, 5], shop.day[shop.day >= 500]])
    found = season.found(counts_of(Shop(*pioneers), 730))
    assert isinstance(found, CannotTell)
    assert found.reason.startswith("a season shows only once each of the 13 four-week parts of a year has room for 5 repeat orders; ")


def test_cdnow_and_online_retail_say_why_they_have_none(warehouse: Warehouse) -> None:
    """39 weeks, and 53 of which the first hold orders of old customers as if they were first ones."""
    cdnow = pq.read_table(shared("cdnow/cdnow_sample.parquet"))
    days = ibis.memtable(pa.table([cdnow["sample_id"].cast(pa.string()), cdnow["date"].cast(pa.date32())], ["customer_id", "purchase_day"]))
    retail = ibis.memtable(pq.read_table(shared("online_retail.parquet")))
    bought = retail.filter(retail.CustomerID.notnull(), retail.Quantity > 0, retail.UnitPrice > 0)
    bought = bought.select(customer_id=bought.CustomerID.cast("string"), purchase_day=bought.InvoiceDate.cast("date"))
    for orders, until, reason in (
        (days, "1997-10-01", "history covers 38 weeks, and "), (days, "1998-07-01", "repeat orders do not rise and fall with the year "),
        (bought, "2011-12-10", "history covers 53 weeks, and "),
    ):  # fmt: skip
        as_of = parse_as_of(until, "UTC")
        seen = orders.filter(orders.purchase_day < ibis.literal(as_of.day))
        found = season.find(warehouse, seen, seen.group_by("customer_id").aggregate(first_day=seen.purchase_day.min()), as_of)
        assert isinstance(found, CannotTell)
        assert found.reason.startswith(reason)


def test_weeks_are_counted_as_plain_python_counts_them(warehouse: Warehouse, shop: Shop) -> None:
    last = day(499)
    found = season.count(warehouse, *buyers(warehouse, at(500)), last)
    first: dict[int, int] = {}
    pairs = [(int(who), int(when)) for who, when in zip(shop.customer, shop.day, strict=True) if when < 500]
    for who, when in pairs:
        first[who] = min(first.get(who, when), when)
    joined = Counter((499 - when) // 7 for when in first.values())
    again = Counter(((499 - first[who]) // 7, (499 - when) // 7) for who, when in pairs if when > first[who])
    cells = list(zip(found.joined.tolist(), found.week.tolist(), strict=True))
    assert cells == [(back, week) for back in sorted(joined) for week in range(min(back, 71 - 12))]
    assert found.orders.tolist() == [again[cell] for cell in cells]
    assert found.customers.tolist() == [joined[back] for back, _ in cells]


def test_of_many_customers_a_sample_that_their_ids_choose(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(season, "SAMPLE", 1_000)
    orders, customers = buyers(warehouse, at(SUMMER))
    one, other = (season.count(warehouse, orders, rows, day(911)) for rows in (customers, customers.order_by(ibis.desc("customer_id"))))
    assert (one.orders.tolist(), one.customers.tolist()) == (other.orders.tolist(), other.customers.tolist())
    assert 850 < sum(one.customers[one.week == 0]) < 1_150
    assert isinstance(season.found(one), Season)


def test_the_counting_can_be_asked_of_spark(warehouse: Warehouse) -> None:
    asked = []

    class Asked(Warehouse):
        def arrow(self, expression: ir.Table) -> pa.Table:
            asked.append(PySparkCompiler().to_sqlglot(expression.unbind()).sql("spark"))
            return super().arrow(expression)

    season.count(Asked(warehouse.backend), *buyers(warehouse, at(500)), day(499))
    assert [words.count("DATEDIFF") > 0 for words in asked[-2:]] == [True, True]


def test_the_fit_is_the_most_likely_one(shop: Shop) -> None:
    """A second search, by scipy and without derivatives of ours, ends at the same waves."""
    counts = counts_of(shop, 600)
    design = Design.of(counts, counts.calendar_ages(), 1)

    totals = np.bincount(counts.joined, counts.orders)[counts.joined]

    def minus(point: Floats) -> tuple[float, Floats]:
        weight = np.exp(design.columns @ point)
        share = weight / np.bincount(counts.joined, weight)[counts.joined]
        return float(-np.sum(counts.orders * np.log(share))), design.columns.T @ (totals * share - counts.orders)

    found = minimize(minus, np.zeros(design.columns.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-3})
    mine = fit(design, counts)
    assert np.array(mine.waves[0]) == pytest.approx(found.x[-2:], abs=2e-3)
    assert np.bincount(counts.joined, mine.expected) == pytest.approx(np.bincount(counts.joined, counts.orders))


CLOCK = Season(date(2026, 3, 31), ((0.4, -0.3), (0.1, 0.05)), 100, 0.0)


def test_a_week_is_a_week_on_average_and_a_year_a_year() -> None:
    assert CLOCK.pace(np.arange(5_000, 5_000 + 1461)).mean() == pytest.approx(1, abs=1e-12)
    assert CLOCK.ahead(4 * 1461 / 7 / 4) == pytest.approx(1461 / 7, rel=1e-9)
    assert Season(date(2026, 3, 31), ((0.0, 0.0),), 1, 0.0).ahead(26) == pytest.approx(26)


def test_spans_are_whole_days_of_demand_between_dates() -> None:
    """Second implementation: the demand of the days after a date to the end, day by day, rounded; spans are differences."""
    rows = [(0, 0), (0, 40), (30, 40), (40, 40), (700, 900), (900, 900)]
    last, whole = CLOCK.histories(*(np.array(column) for column in zip(*rows, strict=True)))
    end = (date(2026, 3, 31) - EPOCH).days
    pace = {number: float(CLOCK.pace(np.array([number]))[0]) for number in range(end - 900, end + 22)}

    def left(begin: int) -> int:
        return round(sum(pace[number] for number in range(begin + 1, end + 1)))

    assert whole.tolist() == pytest.approx([left(end - age) / 7 for _, age in rows])
    assert last.tolist() == pytest.approx([(left(end - age) - left(end - age + recency)) / 7 for recency, age in rows])
    assert CLOCK.ahead(3) == pytest.approx(sum(pace[number] for number in range(end + 1, end + 22)) / 7)


def test_whole_days_of_demand_do_not_bias_the_fit(shop: Shop) -> None:
    """Against spans that are not rounded: the same parameters to a thousandth and the same expected orders to a few in ten thousand."""
    until = 365 * YEARS
    found = season.found(counts_of(shop, until))
    assert isinstance(found, Season)
    customer, days = shop.customer[shop.day < until], shop.day[shop.day < until]
    ends = np.sort(customer * until + days)
    begins = np.flatnonzero(np.diff(ends // until, prepend=-1))
    first, last, repeats = ends[begins] % until, ends[[*(begins[1:] - 1), -1]] % until, np.diff([*begins, len(ends)]) - 1
    demand = np.concatenate(([0.0], np.cumsum(found.pace((FIRST - EPOCH).days + np.arange(until))))) / 7
    exact = demand[last + 1] - demand[first + 1], demand[until] - demand[first + 1]
    fitted = []
    for recency, age in (exact, found.histories(last - first, until - 1 - first)):
        tuples = LapseTuples.grouped(repeats, recency, age)
        model = fit_mbg_nbd(tuples)
        assert isinstance(model, MbgNbd)
        fitted.append([*model.parameters.values(), float(np.sum(tuples.customers * model.expected_orders(tuples, HORIZON)))])
    assert fitted[1][:4] == pytest.approx(fitted[0][:4], rel=1e-3)
    assert fitted[1][4] == pytest.approx(fitted[0][4], rel=5e-4)


def test_there_are_as_many_histories_as_by_the_calendar_and_rhythms_stay_in_days(warehouse: Warehouse) -> None:
    """The engine groups and joins by calendar days as before: a pair of spans on the clock is a pair of dates."""
    orders, customers = buyers(warehouse, at(WINTER))
    found = season.find(warehouse, orders, customers, at(WINTER))
    one, other = (lapse.score(warehouse, customers, HORIZON, "mbg-nbd", clock) for clock in (found, lapse.CALENDAR))
    assert isinstance(one, lapse.Scored)
    assert isinstance(other, lapse.Scored)
    assert one.table.select(lapse.KEY) == other.table.select(lapse.KEY)
    assert not np.allclose(one.tuples.age, other.tuples.age)
    days = 7 * (one.model.alpha + other.tuples.last) / (one.model.r + one.tuples.repeats)
    assert one.table["rhythm_days"].to_pylist() == pytest.approx(days.tolist(), rel=1e-5)
    weighed = customers.mutate(margin_per_order=ibis.literal(1_000))
    risks = [lapse.margin_at_risk(warehouse, scored, weighed, HORIZON).estimate for scored in (one, other)]
    ahead = found.ahead(HORIZON)
    lapsed = 1_000 * (1 - one.model.p_alive(one.tuples)) * one.model.expected_orders_if_alive(one.tuples, ahead)
    assert risks[0] == pytest.approx(float(np.sum(lapsed * one.tuples.customers)), rel=1e-9)
    assert ahead < HORIZON * 0.85
    assert risks[0] != pytest.approx(risks[1], rel=1e-3)


def test_the_models_parameters_on_the_clock_are_those_of_the_truth(warehouse: Warehouse) -> None:
    """Mean rate r / alpha and mean chance to lapse a / (a + b), by three years of orders."""
    orders, customers = buyers(warehouse, at(365 * YEARS))
    scored = lapse.score(warehouse, customers, HORIZON, "mbg-nbd", season.find(warehouse, orders, customers, at(365 * YEARS)))
    assert isinstance(scored, lapse.Scored)
    model = scored.model
    assert model.r / model.alpha == pytest.approx(0.8 / 8.0, rel=0.05)
    assert model.a / (model.a + model.b) == pytest.approx(0.8 / 3.8, rel=0.06)
    assert timedelta(days=1) + scored.season.last_day == day(365 * YEARS)
