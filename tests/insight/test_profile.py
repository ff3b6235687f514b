"""A profile is what plain Python makes of the same facts; later facts and the order of facts change nothing."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from rekindle.errors import CannotTell
from rekindle.insight import profile
from rekindle.insight.lapse import Scored
from rekindle.insight.models import GammaGamma
from rekindle.insight.profile import COLUMNS, Profiles, Question, build
from rekindle.moment import AsOf, parse_as_of
from tests.insight.by_hand import Hand, Row
from tests.insight.histories import Facts, Marketplace, history, order, shuffled, together

CUSTOMERS = [f"c{number:02d}" for number in range(75)]
BEGIN = datetime(2024, 1, 1)
FACTS = together(Marketplace(5, "", CUSTOMERS[:45], BEGIN, 700).tell(4.0), Marketplace(7, "early-", CUSTOMERS[45:], BEGIN, 130).tell(5.0))
"""Some come for two years, some in its first months; the instants below lie in them, so that a part of these facts is later too."""
MIDNIGHT = parse_as_of("2025-10-01", "Europe/Berlin")
TODAY = datetime(2025, 6, 14)
FACTS["orders"] += [
    order("new", "morning", TODAY.replace(hour=9), 5_000), order("old", "regular", TODAY - timedelta(days=40), 2_000),
    order("due", "regular", TODAY.replace(hour=10), 2_500), order("unseen", "regular", TODAY.replace(hour=15), 9_999),
]
SOON = {"credit_id": "soon", "customer_id": "c05", "amount": 500, "spent": 100, "issued_at": BEGIN, "expires_on": MIDNIGHT.day}
FACTS["credits"] += [SOON, {**SOON, "credit_id": "over", "expires_on": MIDNIGHT.day - timedelta(days=1)}]
UNDER_WAY = parse_as_of("2025-06-14T13:37:00+02:00", "Europe/Berlin")
WEEKS, MARGIN = 26, Decimal("0.35")


def built(folder: Path, as_of: AsOf, *parts: Facts) -> tuple[Profiles, list[Row]]:
    with history(folder, *parts) as warehouse:
        made = build(warehouse, Question(as_of, MARGIN, WEEKS))
        return made, warehouse.arrow(made.table.select(*COLUMNS).order_by("customer_id")).to_pylist()


@pytest.fixture(scope="module")
def at_midnight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Profiles, list[Row]]:
    return built(tmp_path_factory.mktemp("midnight"), MIDNIGHT, FACTS)


@pytest.fixture(scope="module")
def under_way(tmp_path_factory: pytest.TempPathFactory) -> tuple[Profiles, list[Row]]:
    return built(tmp_path_factory.mktemp("noon"), UNDER_WAY, FACTS)


@pytest.mark.parametrize(("name", "as_of"), [("at_midnight", MIDNIGHT), ("under_way", UNDER_WAY)])
def test_every_column_is_what_plain_python_makes_of_the_same_facts(request: pytest.FixtureRequest, name: str, as_of: AsOf) -> None:
    made, rows = request.getfixturevalue(name)
    assert isinstance(made.scored, Scored)
    assert isinstance(made.value, GammaGamma)
    by_hand = Hand(FACTS, as_of, 350, WEEKS, made.scored.model, made.value).profiles()
    assert [row["customer_id"] for row in rows] == sorted(by_hand)
    for row in rows:
        expected = by_hand[row["customer_id"]]
        if expected["lifecycle"] == "prospect":
            assert {key: value for key, value in row.items() if value} == {key: value for key, value in expected.items() if value}
        else:
            assert row == {key: close(value) for key, value in expected.items()}


@pytest.mark.parametrize("wanted", [{"customer_id", "lifecycle", "lapsed_cohort", "offer_product"}, {"last_product", "personas"}])
def test_of_some_columns_each_is_what_it_is_of_all(at_midnight: tuple[Profiles, list[Row]], tmp_path: Path, wanted: set[str]) -> None:
    wanted |= {"customer_id"}
    with history(tmp_path, FACTS) as warehouse:
        made = build(warehouse, Question(MIDNIGHT, MARGIN, WEEKS, columns=frozenset(wanted)))
        rows = warehouse.arrow(made.table.order_by("customer_id")).to_pylist()
    assert rows == [{name: value for name, value in row.items() if name in wanted} for row in at_midnight[1]]


def close(value: object) -> object:
    return pytest.approx(value, rel=2e-6, abs=1e-12) if isinstance(value, float) else value


def test_the_history_has_something_of_everything(at_midnight: tuple[Profiles, list[Row]]) -> None:
    """So that the comparison above means something."""
    rows = at_midnight[1]
    assert {"lapsed", "lapsing", "cooling", "prospect", "repeat", "first_time"} <= {row["lifecycle"] for row in rows}
    causes = {"late_delivery", "stockout", "return", "bad_review", "open_ticket", "price_rise"}
    assert {row["cause"] for row in rows} == {None, "unknown", *causes}
    assert {"one_bad_experience", "long_inactive", None} <= {row["lapsed_cohort"] for row in rows}
    assert {"high", "mid", "occasional"} <= {row["value_tier"] for row in rows}
    assert any(row["margin"] < 0 for row in rows)
    assert any(", " in row["cause_evidence"] for row in rows)
    assert any(row["orders"] > row["purchase_days"] for row in rows)
    assert any(row["next_threshold"] == "credit" for row in rows)
    assert any(row["category"] and row["offer_category"] not in (None, row["category"]) for row in rows)
    for name in ("credit_balance", "credit_expires_on", "offer_category", "offer_product", "seller_id"):
        assert {bool(row[name]) for row in rows if row["orders"]} == {True, False}, name
    for name in ("email_consent", "sms_consent", "open_ticket", "open_return", "detractor", "seller_promotion"):
        assert {row[name] for row in rows} == {True, False}


def test_who_has_bought_today_is_seen_and_has_no_age_below_zero(under_way: tuple[Profiles, list[Row]]) -> None:
    rows = {row["customer_id"]: row for row in under_way[1]}
    columns = ("silence_days", "age_days", "orders", "last_order_id")
    found = {name: tuple(rows[name][column] for column in columns) for name in ("morning", "regular")}
    assert found == {"morning": (0, 0, 1, "new"), "regular": (0, 40, 2, "due")}


@pytest.mark.parametrize(("name", "as_of"), [("at_midnight", MIDNIGHT), ("under_way", UNDER_WAY)])
def test_what_comes_later_changes_nothing(request: pytest.FixtureRequest, tmp_path: Path, name: str, as_of: AsOf) -> None:
    """Poison: everything that can happen, to known and to new customers, from the very instant on."""
    poison = Marketplace(6, "later-", [*CUSTOMERS, "stranger"], as_of.naive, 40).tell(3.0)
    for table, at in (("orders", "ordered_at"), ("returns", "returned_at"), ("tickets", "opened_at"), ("consents", "recorded_at")):
        poison[table][0][at] = as_of.naive  # not before the instant is not seen
    del poison["people"]
    poison["products"] = []
    poison["customers"] = [{"customer_id": "newcomer", "first_seen_at": as_of.naive, "country": "IT"}]
    _, rows = built(tmp_path, as_of, FACTS, poison)
    assert rows == request.getfixturevalue(name)[1]


def test_the_same_facts_in_another_order_are_the_same_profiles(tmp_path: Path, at_midnight: tuple[Profiles, list[Row]]) -> None:
    assert built(tmp_path, MIDNIGHT, shuffled(FACTS, 1))[1] == at_midnight[1]


def test_a_very_large_store_is_grouped_in_parts_and_comes_out_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_midnight: tuple[Profiles, list[Row]]
) -> None:
    """The customers here are called c00 to c74, so the parts are cut elsewhere: uneven, one of them empty."""
    cut = [("", "c2"), ("c2", "c3"), ("c3", "x"), ("x", "")]
    monkeypatch.setattr(profile, "parts", lambda *_: cut)
    assert built(tmp_path, MIDNIGHT, FACTS)[1] == at_midnight[1]


def test_a_shop_that_cannot_be_modelled_still_has_profiles(tmp_path: Path) -> None:
    """One customer who gave everything back: no value model, and still a row of whole numbers."""
    bought = order("o1", "c1", BEGIN, 1_000)
    returns = [{"return_id": "r1", "order_id": "o1", "customer_id": "c1", "returned_at": BEGIN + timedelta(days=3), "amount": 1_000}]
    made, (row,) = built(tmp_path, MIDNIGHT, {"orders": [bought], "returns": returns})
    assert isinstance(made.value, CannotTell)
    assert (row["margin"], row["margin_per_order"], row["expected_margin"], row["margin_at_risk"]) == (0, 0.0, 0, 0)
    assert (row["lifecycle"], row["cause"], row["open_return"]) == ("lapsing", "return", False)


def test_columns_have_their_types(at_midnight: tuple[Profiles, list[Row]]) -> None:
    assert {name: str(at_midnight[0].table[name].type()) for name in COLUMNS} == COLUMNS
    assert isinstance(at_midnight[0].scored, Scored)
    assert at_midnight[0].scored.table.schema.field("p_alive").type == pa.float64()
