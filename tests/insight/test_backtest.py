"""A backtest says what the profile would have said at each origin, from the facts before it alone, and counts what came."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import backtest, lapse, profile, purchases
from rekindle.insight.backtest import Backtest, Trial
from rekindle.insight.forecasts import Outcomes
from rekindle.insight.models import Interval, LapseTuples, MbgNbd, ParetoNbd
from rekindle.insight.models.tuples import Floats
from rekindle.insight.season import Season
from rekindle.moment import AsOf, parse_as_of
from tests.data import shared
from tests.insight.histories import Facts, history, order
from tests.insight.models.truth import histories, shop
from tests.insight.seasonal_shop import day, pace, play

END = parse_as_of(day(3 * 365).isoformat(), "UTC")


def run(warehouse: Warehouse, trial: Trial) -> Backtest:
    found = backtest.run(warehouse, trial)
    assert isinstance(found, Backtest)
    return found


@pytest.fixture(scope="module")
def seasonal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Backtest]]:
    with history(tmp_path_factory.mktemp("backtest")) as warehouse:
        play(np.random.default_rng(2), 4_000, pace(3 * 365, (0.5, 0.15))).fill(warehouse)
        yield warehouse, run(warehouse, Trial(END, 26, "mbg-nbd"))


def test_four_origins_a_quarter_apart_each_with_its_whole_horizon(seasonal: tuple[Warehouse, Backtest]) -> None:
    made = seasonal[1]
    last = END.day - timedelta(weeks=26)
    assert [one.as_of.day for one in made.origins] == [last - timedelta(weeks=13 * back) for back in (3, 2, 1, 0)]
    assert made.left_out == ()


def test_the_clock_makes_every_total_right(seasonal: tuple[Warehouse, Backtest]) -> None:
    for one in seasonal[1].origins:
        assert isinstance(one.season, Season)
        assert isinstance(one.ratio, Interval)
        assert one.ratio.low < 1.05
        assert one.ratio.high > 0.95
        assert not 0.8 < one.expected_by_calendar / one.actual < 1.25
        assert one.expected / one.actual == pytest.approx(one.ratio.estimate)


def test_the_model_tells_better_than_the_rule_even_at_its_best(seasonal: tuple[Warehouse, Backtest]) -> None:
    for one in seasonal[1].origins:
        assert one.model.brier < one.rule_at_best.brier < one.rule.brier
        assert one.model.log_loss < one.rule_at_best.log_loss < one.rule.log_loss
        assert isinstance(one.rule_learned, AsOf)
        assert one.rule_learned.day == one.as_of.day - timedelta(weeks=26)


def test_the_chances_came_true_tenth_by_tenth(seasonal: tuple[Warehouse, Backtest]) -> None:
    for one in seasonal[1].origins:
        off = [abs(tenth.predicted - tenth.actual.estimate) for tenth in one.chances]
        assert len(off) == len(one.orders) == 10
        assert max(off) < 0.1
        assert sum(tenth.customers for tenth in one.chances) == one.customers
        assert sum(tenth.customers * tenth.actual.estimate for tenth in one.orders) == pytest.approx(one.actual)
        assert sum(tenth.customers * tenth.predicted for tenth in one.orders) == pytest.approx(one.expected)


def test_outcomes_are_what_plain_python_counts(seasonal: tuple[Warehouse, Backtest]) -> None:
    warehouse, made = seasonal
    origin = made.origins[1].as_of
    days: dict[str, set[date]] = defaultdict(set)
    for row in warehouse.arrow(warehouse.table("orders").select("customer_id", "purchase_day")).to_pylist():
        days[row["customer_id"]].add(row["purchase_day"])
    counts: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for mine in days.values():
        before = sorted(one for one in mine if one < origin.day)
        later = [one for one in mine if origin.day <= one < origin.day + timedelta(weeks=26)]
        if before:
            counts[(len(before) - 1, (before[-1] - before[0]).days, (origin.last_day - before[0]).days)].append(len(later))
    customers = lapse.clocked(purchases.per_customer(purchases.sales(warehouse, origin)), origin)
    found = backtest.came(warehouse, customers, Trial(END, 26), origin.day)
    rows = [tuple(row.values()) for row in found.to_pylist()]
    assert rows == [
        (*key, len(later), sum(later), sum(n * n for n in later), sum(n > 0 for n in later)) for key, later in sorted(counts.items())
    ]
    assert (made.origins[1].customers, made.origins[1].actual) == (sum(map(len, counts.values())), sum(map(sum, counts.values())))


def test_an_origin_says_what_the_profile_said_then(tmp_path: Path) -> None:
    """The same expected orders as the profile as of the origin, though orders came after it; a cancelled order counts nowhere."""
    with history(tmp_path) as warehouse:
        play(np.random.default_rng(5), 300, pace(400, ())).fill(warehouse)
        made = run(warehouse, Trial(parse_as_of(day(400).isoformat(), "UTC"), 13, "mbg-nbd"))
        one = made.origins[1]
        built = profile.build(warehouse, profile.Question(one.as_of, Decimal("0.4"), 13, "mbg-nbd"))
        assert warehouse.scalar(built.table.expected_orders.sum()) == pytest.approx(one.expected, rel=1e-9)


def shift_of(facts: Facts, tmp_path: Path, trial: Trial) -> Backtest | CannotTell:
    with history(tmp_path, facts) as warehouse:
        return backtest.run(warehouse, trial)


def weekly(customers: int, weeks: int) -> Facts:
    """Customers who order in turn, one of them every week until the end, in a shop in Berlin."""
    begin = datetime(2025, 1, 6, 12)
    rows = [
        order(f"{who}-{week}", f"c{who}", begin + timedelta(weeks=week, hours=who), 1_000)
        for who in range(customers) for week in range(who % 5, weeks, 1 + who % 7)
    ]  # fmt: skip
    return {"orders": rows}


BERLIN = "Europe/Berlin"


def test_a_short_history_has_fewer_origins_and_says_why(tmp_path: Path) -> None:
    trial = Trial(parse_as_of("2025-08-01", BERLIN), 8, "mbg-nbd")
    made = shift_of(weekly(60, 40), tmp_path, trial)
    assert isinstance(made, Backtest)
    assert made.left_out == ("history is long enough for 3 of 4 origins, 4 weeks apart or more",)
    assert [one.as_of.day for one in made.origins] == [date(2025, 4, 11), date(2025, 5, 9), date(2025, 6, 6)]
    assert isinstance(made.origins[0].rule_learned, CannotTell)
    assert made.origins[0].rule == made.origins[0].rule_at_best
    assert made.origins[0].rule_learned.reason == (
        "nobody could be silent for 90 days 8 weeks earlier, so the rule is given its best shares"
    )


def test_no_history_is_no_backtest(tmp_path: Path) -> None:
    trial = Trial(parse_as_of("2025-05-01", BERLIN), 8)
    for facts, weeks in (({"orders": []}, 0), (weekly(3, 9), 16)):
        folder = tmp_path / str(weeks)
        assert shift_of(facts, folder, trial) == CannotTell(
            f"history covers {weeks} weeks, and a backtest needs 13 to learn from and 8 to compare with"
        )


def test_what_comes_after_the_instant_changes_nothing_and_neither_do_cancelled_orders(tmp_path: Path) -> None:
    trial = Trial(parse_as_of("2025-08-01", BERLIN), 8, "mbg-nbd")
    facts = weekly(60, 29)
    poison = [order("late", "c1", datetime(2025, 7, 31, 22), 9), order("void", "c1", datetime(2025, 7, 1), 9, cancelled=True)]
    assert shift_of(facts, tmp_path / "one", trial) == shift_of({"orders": facts["orders"] + poison}, tmp_path / "two", trial)


PARETO = (0.7, 8.0, 0.6, 12.0)


def pareto_shop(rng: np.random.Generator, customers: int, age: float, weeks: float) -> tuple[LapseTuples, Floats]:
    """Customers of the Pareto/NBD seen for `age` weeks, and how many orders each places in the coming `weeks`."""
    r, alpha, s, beta = PARETO
    rate, life = rng.gamma(r, 1 / alpha, customers), rng.exponential(1 / rng.gamma(s, 1 / beta, customers))
    seen = rng.poisson(rate * np.minimum(life, age))
    last = np.where(seen > 0, np.minimum(life, age) * rng.random(customers) ** (1 / np.maximum(seen, 1)), 0.0)
    later = rng.poisson(rate * np.clip(life - age, 0, weeks))
    return LapseTuples(seen, last, np.full(customers, age), np.ones(customers, dtype=np.int64)), later


def test_the_chance_of_another_order_is_that_of_simulated_customers() -> None:
    """Pareto/NBD, the truth's parameters: of 100,000 customers in tenths as many order as were told, within four standard errors."""
    rng = np.random.default_rng(8)
    seen, later = pareto_shop(rng, 100_000, 40.0, 26.0)
    model = ParetoNbd(*PARETO, 0.0, 1, np.eye(4), "good", "")
    matches_simulation(lapse.chance_of_order(model, seen, 26.0), later)


def test_the_chance_of_another_order_under_beta_geometric_lapse() -> None:
    """MBG/NBD, closed form: alive customers order at a gamma rate, and who has not ordered cannot have lapsed since."""
    rng = np.random.default_rng(9)
    truth = shop(rng, 40_000, (0.6, 6.0, 0.9, 1.6), 60, 1)
    model = MbgNbd(0.6, 6.0, 0.9, 1.6, 0.0, 1, np.eye(4), "good", "")
    later = rng.poisson(truth.rate * 26) * truth.alive
    chance = lapse.chance_of_order(model, truth.histories, 26.0)
    matches_simulation(chance, later)
    posterior = 1 - ((6.0 + truth.histories.age) / (6.0 + truth.histories.age + 26)) ** (0.6 + truth.histories.repeats)
    assert chance == pytest.approx(model.p_alive(truth.histories) * posterior, rel=1e-9)


def matches_simulation(chance: Floats, later: Floats) -> None:
    ones = np.ones(len(later), dtype=np.int64)
    made = Outcomes(ones, ones, later, later**2, (later > 0).astype(np.int64))
    for tenth in made.tenths_by_chance(chance):
        error = np.sqrt(tenth.predicted * (1 - tenth.predicted) / tenth.customers)
        assert abs(tenth.predicted - tenth.actual.estimate) < 4 * error


def test_a_chance_stays_one_at_the_edges() -> None:
    """Ten thousand orders, twenty years, long silences: between 0 and P(alive), and never less with a longer horizon."""
    rows = histories((10_000, 1_040.0, 1_043.0), (10_000, 3.0, 1_040.0), (0, 0.0, 0.0), (0, 0.0, 1_040.0), (1, 0.1, 1_000.0))
    for model in (ParetoNbd(*PARETO, 0.0, 1, np.eye(4), "good", ""), MbgNbd(0.6, 6.0, 0.9, 1.6, 0.0, 1, np.eye(4), "good", "")):
        chances = [lapse.chance_of_order(model, rows, weeks) for weeks in (0.0, 1.0, 26.0, 500.0)]
        assert chances[0] == pytest.approx(np.zeros(5), abs=1e-12)
        for sooner, longer in zip(chances, chances[1:], strict=False):
            assert (sooner <= longer + 1e-12).all()
            assert (longer <= model.p_alive(rows) + 1e-15).all()


def test_cdnow_is_judged_as_the_literature_judges_it(tmp_path: Path) -> None:
    """The last origin is the holdout of 1997-10-01 over 39 weeks: 1,882 orders of 2,357 customers came, the totals some 11 % low."""
    table = pq.read_table(shared("cdnow/cdnow_sample.parquet"))
    rows = [
        order(f"o{at}", str(row["sample_id"]), datetime.combine(row["date"].date(), datetime.min.time()) + timedelta(hours=12), 100)
        for at, row in enumerate(table.to_pylist())
    ]
    with history(tmp_path, {"orders": rows}) as warehouse:
        made = run(warehouse, Trial(parse_as_of("1998-07-01", "UTC"), 39))
    last = made.origins[-1]
    assert (last.as_of.day, last.customers, last.actual, len(made.origins)) == (date(1997, 10, 1), 2_357, 1_882, 4)
    assert isinstance(last.ratio, Interval)
    assert 0.88 < last.ratio.estimate < 0.89
    assert last.model.brier < last.rule_at_best.brier
