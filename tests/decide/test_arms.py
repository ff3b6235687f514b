"""What a variant costs and brings, in numbers worked out by hand; and who may not have it."""

from dataclasses import replace
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest

from rekindle.decide.arms import Shop, channel, option, value
from tests.decide.shop import ROWS, SHOP, TAILOR, Decider, Row, customer, documents, program

FREE = {"offer": "shipping", "prior": {"mean": 0.02, "sd": 0.01}}
COUNTS = {"price_offers": 0, "price_offers_year": 0, "last_kind": None, "last_kind_run": 0}
SCHEMA = ROWS.to_pyarrow().append(pa.field("price_offers", pa.int64())).append(pa.field("price_offers_year", pa.int64())).append(
    pa.field("last_kind", pa.string())
).append(pa.field("last_kind_run", pa.int64()))


def options(decider: Decider, arm: str, *people: Row, stage: dict[str, object] = TAILOR, shop: Shop = SHOP) -> list[Row]:
    """Each customer's option of an arm, in the order given."""
    mine = program(stages={"tailor": {**stage, "arms": {**TAILOR["arms"], "free": FREE}}})
    chosen = mine.stages[0].arm(arm)
    listed = [{**COUNTS, **one, "age_days": number} for number, one in enumerate(people)]
    table = ibis.memtable(pa.Table.from_pylist(listed, schema=SCHEMA))
    found = option(table, mine, mine.stages[0], chosen, documents().offers[chosen.offer], shop)
    names = ("eligible", "channel", "value", "ceiling", "cost", "margin", "spread", "subsidised")
    told = table.select("age_days", **{name: getattr(found, name) for name in names}).order_by("age_days")
    return decider.warehouse.arrow(told).select(names).to_pylist()


def test_a_percentage_by_hand(decider: Decider) -> None:
    """A tenth of 30.00 is 3.00. It holds 14 of 182 days, in which 0.8 x 14 / 182 orders come anyway; 7 of 10 take it.

    Cost: (0.8 x 14 / 182 + 0.025) x 0.7 x 300 + 1 = 19.173 cents; brings 0.025 x 2000 - 19.173 - 0.002 x 1600 = 27.627 cents.
    The stage allows 14 days, the offer 21: the arithmetic takes the days that the offer really holds.
    """
    (row,) = options(decider, "percent", customer("c", average_order_value=3_000))
    assert (row["value"], row["ceiling"], row["spread"]) == (300, 301_000, 40_000)
    assert (row["cost"], row["margin"], row["subsidised"]) == (19_173, 27_627, 43)
    assert (row["eligible"], row["channel"]) == (True, "email")


def test_a_delivery_by_hand(decider: Decider) -> None:
    """3.00 whoever orders; (0.8 x 14 / 182 + 0.02) x 0.8 x 300 + 1 = 20.569 cents."""
    (row,) = options(decider, "free", customer("c"))
    assert (row["value"], row["ceiling"], row["cost"], row["margin"]) == (300, 301_000, 20_569, 40_000 - 20_569 - 3_200)


def test_values_are_capped_and_a_credit_follows_what_the_customer_brings(decider: Decider) -> None:
    table = ibis.memtable(pa.table({"average_order_value": [1_234, 99_999], "expected_margin": [-50, 4_321], "n": [0, 1]}))
    offers = documents().offers
    values = {name: value(table, offers[name], SHOP) for name in ("percent", "credit", "shipping", "reminder")}
    assert decider.warehouse.arrow(table.select("n", **values)).sort_by("n").drop_columns("n").to_pylist() == [
        {"percent": 123, "credit": 0, "shipping": 300, "reminder": 0}, {"percent": 400, "credit": 432, "shipping": 300, "reminder": 0},
    ]


def test_the_floor_is_of_the_margin_that_an_order_keeps(decider: Decider) -> None:
    """List price 30.00 less 3.00: 15 % of 27.00 is 4.05, so a margin of 7.05 before the offer is just enough."""
    new = {"average_order_value": 3_000, "expected_orders": 0.0, "expected_margin": 0}
    people = [customer("c", margin_per_order=margin, **new) for margin in (705.0, 704.0, 5_000.0)]
    assert [row["eligible"] for row in options(decider, "percent", *people)] == [True, False, True]


def test_price_offers_are_few_and_what_costs_does_not_follow_itself(decider: Decider) -> None:
    people = [
        customer("first"), customer("had one", price_offers=1), customer("one this year", price_offers_year=1),
        customer("two this year", price_offers_year=2), customer("the same", last_kind="percent", last_kind_run=1),
        customer("another", last_kind="shipping", last_kind_run=1),
    ]
    assert [row["eligible"] for row in options(decider, "percent", *people)] == [True, False, True, False, False, True]
    assert [row["eligible"] for row in options(decider, "free", *people)] == [True, True, True, True, True, False]


def test_a_stage_without_price_offers_makes_none_and_keeps_its_value(decider: Decider) -> None:
    early = {**TAILOR, "offers": {"price": False, "value_at_most": 2}}
    assert [options(decider, arm, customer("c"), stage=early)[0]["eligible"] for arm in ("percent", "free")] == [False, False]
    worth_three = {**TAILOR, "offers": {"price": False, "value_at_most": 3}}
    assert options(decider, "free", customer("c"), stage=worth_three)[0]["eligible"] is True


def test_no_consent_no_channel_no_variant(decider: Decider) -> None:
    people = [customer("no", email_consent=False), customer("sms", email_consent=False, sms_consent=True)]
    assert [(row["eligible"], row["channel"]) for row in options(decider, "free", *people)] == [(False, None)] * 2
    both = replace(SHOP, channels=("email", "sms"))
    assert [(row["eligible"], row["channel"], row["ceiling"]) for row in options(decider, "free", *people, shop=both)] == [
        (False, None, 300_000), (True, "sms", 307_000),
    ]


@pytest.mark.parametrize(("wanted", "found"), [("preferred", "sms"), ("sms", "sms"), ("email", None), ("webpush", None)])
def test_a_channel_is_the_first_of_the_store_that_the_customer_consented_to(decider: Decider, wanted: str, found: str | None) -> None:
    table = ibis.memtable(pa.Table.from_pylist([customer("c", email_consent=False, sms_consent=True)], schema=ROWS.to_pyarrow()))
    shop = replace(SHOP, channels=("email", "sms"))
    assert decider.warehouse.arrow(table.select(channel=channel(table, shop, wanted)))["channel"].to_pylist() == [found]


def test_minor_units_follow_the_currency() -> None:
    assert SHOP.minor(Decimal("0.001")) == pytest.approx(0.1)
    assert replace(SHOP, currency="JPY").minor(Decimal(3)) == 3


def test_unspent_credit_comes_before_anything_new_that_costs(decider: Decider) -> None:
    people = [customer("spent"), customer("unspent", credit_balance=1_500)]
    assert [row["eligible"] for row in options(decider, "percent", *people)] == [True, False]
    assert [row["eligible"] for row in options(decider, "free", *people)] == [True, False]
