"""Histories become (x, t, T) and come back scored: on CDNOW those of the literature, from the file on."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.ingest import import_files
from rekindle.insight import lapse, profile
from rekindle.insight.models import GammaGamma
from rekindle.moment import parse_as_of
from rekindle.settings import Settings
from tests.data import shared

MAPPING = """
sources:
  - kind: orders
    columns: {customer_id: sample_id, ordered_at: date, total: amount}
    currency: USD
    timezone: UTC
"""
OCTOBER = parse_as_of("1997-10-01", "UTC")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("lapse")) as opened:
        yield opened


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """CDNOW's sample, through the import that a shop would use."""
    file, root = shared("cdnow/cdnow_sample.parquet"), tmp_path_factory.mktemp("cdnow")
    mapping = root / "cdnow.yaml"
    mapping.write_text(MAPPING)
    settings = Settings(root=root, currency="USD")
    with open_history(settings.history, root) as opened:
        import_files(settings, opened, [file], mapping=mapping, recorded_at=datetime(2026, 11, 22, tzinfo=UTC))
        yield opened


def profiles(warehouse: Warehouse, model: str) -> profile.Profiles:
    return profile.build(warehouse, profile.Question(OCTOBER, Decimal("0.4"), 39, model))


@pytest.fixture(scope="module")
def bought(cdnow: Warehouse) -> profile.Profiles:
    return profiles(cdnow, "mbg-nbd")


def test_cdnow_has_the_histories_of_the_literature(cdnow: Warehouse, bought: profile.Profiles) -> None:
    """Every customer's x, t and T as the published summary prints them, in weeks of two digits."""
    table = cdnow.arrow(bought.table.select("repeats", "recency_days", "age_days"))
    histories = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
    found = Counter((x, round(t / 7, 2), round(age / 7, 2)) for x, t, age in histories)
    with shared("cdnow/cdnow_customers_summary.csv").open(newline="") as file:
        published = Counter((int(row["frequency"]), float(row["recency"]), float(row["T"])) for row in csv.DictReader(file))
    assert found == published
    assert found.total() == 2_357


def test_cdnow_has_the_published_mbg_parameters(bought: profile.Profiles) -> None:
    """SCIENCE.md's row of the modified BG/NBD, measured there and in `tests/published/test_batislam_2007.py`."""
    assert isinstance(bought.scored, lapse.Scored)
    model = bought.scored.model
    assert (round(model.r, 4), round(model.alpha, 4), round(model.a, 4), round(model.b, 3)) == (0.5248, 6.1831, 0.8914, 1.614)
    assert (round(model.log_likelihood, 3), model.customers, model.quality) == (-9582.136, 2_357, "good")


def test_cdnow_has_the_published_bg_parameters(cdnow: Warehouse) -> None:
    """Fader, Hardie & Lee (2005), table 2; one-time buyers are alive for certain there, and only there."""
    made = profiles(cdnow, "bg-nbd")
    assert isinstance(made.scored, lapse.Scored)
    model = made.scored.model
    assert (round(model.r, 3), round(model.alpha, 3), round(model.a, 3), round(model.b, 3)) == (0.243, 4.414, 0.793, 2.426)
    assert round(model.log_likelihood, 3) == -9582.429
    once = made.table.filter(made.table.purchase_days == 1)
    assert cdnow.row(once.aggregate(low=once.p_alive.min(), n=once.count())) == {"low": 1.0, "n": 1_411}


def test_cdnow_one_time_buyers_may_have_lapsed_and_the_total_is_the_models(cdnow: Warehouse, bought: profile.Profiles) -> None:
    once = bought.table.filter(bought.table.purchase_days == 1)
    assert cdnow.scalar(once.p_alive.max()) < 1
    scored = bought.scored
    assert isinstance(scored, lapse.Scored)
    expected = float(np.sum(scored.model.expected_orders(scored.tuples, 39) * scored.tuples.customers))
    assert cdnow.scalar(bought.table.expected_orders.sum()) == pytest.approx(expected, rel=1e-5)


def test_cdnow_orders_and_money_are_all_there(cdnow: Warehouse, bought: profile.Profiles) -> None:
    orders = cdnow.table("orders").filter(ibis._.ordered_at < OCTOBER.naive)
    assert cdnow.row(bought.table.aggregate(n=bought.table.orders.sum(), spend=bought.table.spend.sum())) == cdnow.row(
        orders.aggregate(n=orders.count(), spend=orders.net.sum())
    )


def test_days_are_whole_and_end_the_day_before_the_instant(warehouse: Warehouse) -> None:
    rows = [
        ("a", 1, date(1997, 9, 30), date(1997, 9, 30), None), ("b", 3, date(1997, 1, 1), date(1997, 6, 1), date(1997, 5, 30)),
        ("today", 2, date(1997, 9, 1), date(1997, 10, 1), date(1997, 9, 1)),  # possible where the instant is not a midnight
    ]
    names = ("customer_id", "purchase_days", "first_day", "last_day", "previous_day")
    table = ibis.memtable(pa.table(list(map(pa.array, zip(*rows, strict=True))), names=names))
    found = warehouse.arrow(lapse.clocked(table, OCTOBER).order_by("customer_id")).select(
        ["repeats", "recency_days", "age_days", "silence_days", "previous_gap_days"]
    )
    assert [tuple(row.values()) for row in found.to_pylist()] == [(0, 0, 0, 0, None), (2, 151, 272, 121, 2), (1, 30, 30, 0, 30)]


def test_each_history_is_scored_once_and_in_order(warehouse: Warehouse) -> None:
    chance = np.random.default_rng(1)
    repeats = chance.integers(0, 4, 500)
    recency = np.where(repeats > 0, chance.integers(1, 9, 500) * 7, 0)
    customers = pa.table({"repeats": repeats, "recency_days": recency, "age_days": recency + chance.integers(0, 30, 500)})
    scored = lapse.score(warehouse, ibis.memtable(customers), 26)
    assert isinstance(scored, lapse.Scored)
    keys = list(zip(*(scored.table[name].to_pylist() for name in lapse.KEY), strict=True))
    assert keys == sorted(set(zip(*(customers[name].to_pylist() for name in lapse.KEY), strict=True)))
    assert scored.tuples.customers.sum() == 500
    assert scored.table["p_alive"].to_pylist() == pytest.approx(scored.model.p_alive(scored.tuples), rel=1e-5)


@given(value=st.floats(1e-250, 1e250) | st.floats(-1e250, -1e-250))
def test_six_significant_digits(value: float) -> None:
    assert lapse.six_digits(np.array([value]))[0] == pytest.approx(float(f"{value:.6g}"), rel=1.1e-6)


def test_six_digits_swallow_the_last_bits() -> None:
    sums = np.array([0.1 + 0.2, 0.3])
    assert len(set(lapse.six_digits(sums).tolist())) == 1
    assert lapse.six_digits(np.array([0.0])).tolist() == [0.0]


def test_value_per_order_is_shrunk_towards_everyones_and_falls_back_to_ones_own(warehouse: Warehouse) -> None:
    """(p v + p x m) / (p x + q - 1): with p 6, q 4, v 1000 two orders of 4000 are (6000 + 48000) / 15."""
    table = ibis.memtable(pa.table({"n": [0, 1, 2], "purchase_days": [2, 1, 3], "margin": [8_000, -50, 1_000]}))
    model = GammaGamma(6.0, 4.0, 1_000.0, 0.0, 3, np.eye(3), "good", "")
    for chosen, expected in ((model, [3_600.0, 667.0, 571.0]), (CannotTell("no model"), [4_000.0, 0.0, 333.0])):
        per_order = lapse.value_per_order(chosen, table.purchase_days, table.margin)
        assert warehouse.arrow(table.select("n", v=per_order).order_by("n"))["v"].to_pylist() == expected


def test_the_value_model_sees_who_ever_made_a_margin(warehouse: Warehouse) -> None:
    chance = np.random.default_rng(4)
    margins = [*chance.gamma(4, 500, 300).astype(int).tolist(), 0, -700]
    names, days = [f"c{n}" for n in range(302)], [1 + n % 3 for n in range(302)]
    table = ibis.memtable(pa.table({"customer_id": names, "purchase_days": days, "margin": margins}))
    fitted = lapse.fit_value(warehouse, table)
    assert isinstance(fitted, GammaGamma)
    assert fitted.customers == sum(margin > 0 for margin in margins)


def test_a_large_shop_is_fitted_on_a_sample_that_its_ids_choose(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lapse, "VALUE_SAMPLE", 200)
    chance = np.random.default_rng(4)
    margins = chance.gamma(4, 500, 1_000).astype(int).tolist()
    columns = {"customer_id": [f"c{n}" for n in range(1_000)], "purchase_days": [1] * 1_000, "margin": margins}
    fitted = [lapse.fit_value(warehouse, ibis.memtable(pa.table(columns).take(chance.permutation(1_000)))) for _ in range(2)]
    assert fitted[0] == fitted[1]
    assert isinstance(fitted[0], GammaGamma)
    assert 130 < fitted[0].customers < 270


def test_nothing_is_at_risk_where_nobody_slips_away(cdnow: Warehouse, bought: profile.Profiles) -> None:
    assert isinstance(bought.scored, lapse.Scored)
    none = lapse.margin_at_risk(cdnow, bought.scored, bought.table.filter(bought.table.orders < 0), 39)
    assert (none.low, none.estimate, none.high) == (0.0, 0.0, 0.0)
    slipping = bought.table.filter(bought.table.lifecycle.isin(["lapsing", "lapsed"]))
    found = lapse.margin_at_risk(cdnow, bought.scored, slipping, 39)
    assert found.low < found.estimate < found.high
    assert cdnow.scalar(slipping.margin_at_risk.sum()) == pytest.approx(found.estimate, rel=1e-3)
