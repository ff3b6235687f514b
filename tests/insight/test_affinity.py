"""Taste: shares by hand, recovered from simulated customers, and no certainty from one purchase."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import lgamma
from pathlib import Path

import ibis
import numpy as np
import pytest

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import affinity
from rekindle.insight.dirichlet import Concentration, Tallies, fit_concentration
from rekindle.moment import parse_as_of
from tests.insight.histories import history, line, order, write

AS_OF = parse_as_of("2026-05-02", "UTC")
TODAY = datetime(2026, 5, 2, 10)
LIKINGS = ["bread", "cheese", "milk", "tea", "wine"]
STORE = np.array([0.35, 0.25, 0.2, 0.15, 0.05])


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def bought(rows: list[tuple[str, int, str]]) -> ibis.Table:
    """Purchases by customer, days ago and category."""
    days = [(TODAY - timedelta(days=ago)).date() for _, ago, _ in rows]
    return ibis.memtable({"customer_id": [row[0] for row in rows], "purchase_day": days, "category": [row[2] for row in rows]})


def simulated(seed: int, customers: int, concentration: float | None) -> list[tuple[str, int, str]]:
    """One category a purchase day, one to twenty days each, from shares of the customer's own."""
    chance = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        shares = STORE if concentration is None else chance.dirichlet(concentration * STORE)
        count = int(chance.integers(1, 21))
        rows += [(f"c{customer:04}", 3 * at + 1, LIKINGS[k]) for at, k in enumerate(chance.choice(5, count, p=shares))]
    return rows


@pytest.mark.parametrize("truth", [1.0, 15.0])
def test_how_far_customers_differ_is_recovered(warehouse: Warehouse, truth: float) -> None:
    taste = affinity.fit(warehouse, bought(simulated(1, 800, truth)), "category", AS_OF)
    assert isinstance(taste.weight, Concentration)
    assert taste.prior == pytest.approx(truth, rel=0.15)
    assert taste.weight.quality == "good"


def test_customers_who_do_not_differ_have_no_favourites(warehouse: Warehouse) -> None:
    taste = affinity.fit(warehouse, bought(simulated(2, 500, None)), "category", AS_OF)
    assert taste.prior == np.inf
    assert warehouse.scalar(affinity.favourites(taste).count()) == 0
    assert set(warehouse.arrow(affinity.affinities(taste).select("share").distinct())["share"].to_pylist()) <= {
        round(share, 6) for share in warehouse.arrow(taste.shares)["share"].to_pylist()
    }


def test_the_likelihood_is_the_sum_over_customers(warehouse: Warehouse) -> None:
    """Plain Python, customer by customer, without the tallies."""
    rows = simulated(3, 60, 2.0)
    taste = affinity.fit(warehouse, bought(rows), "category", AS_OF)
    tallies = affinity._tallies(warehouse, taste.votes, taste.shares)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for customer, _, liking in rows:
        counts[customer][liking] += 1
    mean = {name: sum(own[name] for own in counts.values()) / len(rows) for name in LIKINGS}

    def log_likelihood(a: float) -> float:
        return sum(
            lgamma(a) - lgamma(a + sum(own.values())) + sum(lgamma(a * mean[k] + n) - lgamma(a * mean[k]) for k, n in own.items())
            for own in counts.values()
        )

    for a in (0.3, 2.0, 50.0):
        assert tallies.log_likelihood(a) == pytest.approx(log_likelihood(a), abs=1e-4)
    best = max((log_likelihood(a), a) for a in np.exp(np.linspace(-1, 3, 400)))
    assert taste.prior == pytest.approx(best[1], rel=0.015)
    careful = max(a for a in np.exp(np.linspace(-1, 3, 400)) if log_likelihood(a) >= best[0] - 2)
    assert isinstance(taste.weight, Concentration)
    assert taste.weight.careful == pytest.approx(careful, rel=0.015)


def test_shares_by_hand_the_recent_counting_more(warehouse: Warehouse) -> None:
    """A vote of a half-life ago counts a half; several lines of a day are one vote."""
    rows = [("a", 0, "tea"), ("a", 0, "tea"), ("a", 180, "wine"), ("a", 180, "tea"), ("b", 360, "wine")]
    taste = affinity.fit(warehouse, bought(rows), "category", AS_OF)
    prior = 5.0
    fixed = affinity.Taste("category", taste.shares, CannotTell("for the test"), taste.votes)
    assert fixed.prior == prior
    found = {(row["customer_id"], row["liking"]): row["share"] for row in warehouse.arrow(affinity.affinities(fixed)).to_pylist()}
    assert found == pytest.approx(
        {
            ("a", "tea"): (1.5 + prior * 0.5) / (2.0 + prior), ("a", "wine"): (0.5 + prior * 0.5) / (2.0 + prior),
            ("b", "wine"): (0.25 + prior * 0.5) / (0.25 + prior),
        },
        abs=1e-6,
    )
    top = warehouse.arrow(affinity.favourites(fixed).order_by("customer_id")).to_pylist()
    assert [(row["customer_id"], row["category"], row["category_votes"]) for row in top] == [("a", "tea", 2), ("b", "wine", 1)]


def test_a_share_is_what_the_next_purchases_are(warehouse: Warehouse) -> None:
    """Calibrated: over customers with one purchase, and with many, the favourite's share is how often it is bought next."""
    chance = np.random.default_rng(5)
    rows, following = [], {}
    for customer in range(1_500):
        shares, name = chance.dirichlet(3.0 * STORE), f"c{customer:04}"
        count = 1 if customer % 2 else 12
        rows += [(name, 1, LIKINGS[k]) for k in chance.choice(5, 1, p=shares)]
        rows += [(name, 2 + at, LIKINGS[k]) for at, k in enumerate(chance.choice(5, count - 1, p=shares))]
        following[name] = LIKINGS[chance.choice(5, p=shares)]
    taste = affinity.fit(warehouse, bought(rows), "category", AS_OF, half_life_days=1e6)
    top = warehouse.arrow(affinity.favourites(taste)).to_pylist()
    said = {}
    for few in (True, False):
        mine = [row for row in top if (int(row["customer_id"][1:]) % 2 == 1) == few]
        said[few] = float(np.mean([row["category_share"] for row in mine]))
        came = np.mean([following[row["customer_id"]] == row["category"] for row in mine])
        assert said[few] == pytest.approx(came, abs=0.045)
    assert said[True] < said[False] < 0.7  # one purchase alone would say 1


def test_without_a_second_purchase_the_weight_is_assumed(warehouse: Warehouse) -> None:
    taste = affinity.fit(warehouse, bought([("a", 1, "tea"), ("b", 1, "wine")]), "category", AS_OF)
    assert isinstance(taste.weight, CannotTell)
    assert taste.prior == affinity.ASSUMED_WEIGHT
    assert fit_concentration(Tallies(*(np.zeros(0) for _ in range(5)))) == CannotTell(
        "Nobody has two purchases yet, so how far customers differ is unknown."
    )


def test_price_bands_are_fifths_of_the_stores_lines(warehouse: Warehouse) -> None:
    lines = ibis.memtable({"price": list(range(1, 11)), "customer_id": ["a"] * 10})
    limits = affinity.price_limits(warehouse, lines)
    assert limits == (2, 4, 6, 8)
    bands = warehouse.arrow(affinity.with_band(lines, limits).order_by("price"))["price_band"].to_pylist()
    assert bands == [band for band in affinity.BANDS for _ in range(2)]
    assert affinity.price_limits(warehouse, lines.limit(0)) == ()


def test_a_store_from_its_facts_to_its_favourites(warehouse: Warehouse) -> None:
    """Gifts, fees and what came back say nothing; a customer of them alone has no row."""
    products = [{"product_id": name, "name": name, "category": kind} for name, kind in (("tea", "Warm"), ("jam", "Sweet"))]
    products.append({"product_id": "card", "name": "Gift card", "category": "Cards"})
    orders, lines = [], []
    for number in range(40):
        customer, product = f"c{number % 8}", "tea" if number % 2 else "jam"
        made = order(f"o{number}", customer, TODAY - timedelta(days=number + 1), 10, lines=2)
        orders.append(made)
        lines += [line(made, 1, product, 900 if product == "tea" else 100), line(made, 2, "card", 5_000)]
    given = order("g", "giver", TODAY - timedelta(days=3), 10, lines=1)
    sent = order("s", "sender", TODAY - timedelta(days=3), 10, lines=1)
    returns = [{"return_id": "r", "order_id": "s", "product_id": "tea", "customer_id": "sender", "quantity": 1, "amount": 900,
                "returned_at": TODAY - timedelta(days=2)}]
    lines += [line(given, 1, "card", 5_000), line(sent, 1, "tea", 900)]
    write(warehouse, {"orders": [*orders, given, sent], "order_lines": lines, "products": products, "returns": returns})
    found = warehouse.arrow(affinity.favourite_table(warehouse, AS_OF).order_by("customer_id")).to_pylist()
    assert [(row["customer_id"], row["category"], row["price_band"]) for row in found] == [
        (f"c{number}", "Warm" if number % 2 else "Sweet", "middle" if number % 2 else "lowest") for number in range(8)
    ]
    assert all(0.7 < row["category_share"] < 1 for row in found)
