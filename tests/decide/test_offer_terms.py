"""Who may have an offer, for what, until when and at whose cost: every term by hand, then all of them against plain Python."""

from dataclasses import replace
from datetime import date
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide.arms import Shop, option, valid_days
from rekindle.decide.funding import Concentration
from rekindle.decide.summary import summarise
from rekindle.program.documents import Offer
from rekindle.program.rules import SellerRules
from tests.decide.by_hand import Hand, nearest
from tests.decide.shop import ROWS, SHOP, TAILOR, Decider, Row, crowd, customer, documents, instant, program

BEFORE = {
    "price_offers": "int64", "price_offers_year": "int64", "last_kind": "string", "last_kind_run": "int64", "given": "string",
    "waits_for_offers": "boolean", "rungs": "string", "ordered_since_rung": "boolean",
}
NONE_BEFORE: Row = {"price_offers": 0, "price_offers_year": 0, "last_kind_run": 0, "given": "", "waits_for_offers": False, "rungs": ""}
SCHEMA = ibis.schema({**{name: kind for name, kind in ROWS.items() if name != "silence_days"}, **BEFORE, "silence_days": "int64"})
PRIOR = {"mean": 0.02, "sd": 0.01}
PERCENT: Row = {"kind": "percent", "label": "10 % off", "percent": 0.10, "redemption": 0.7}
SHIPPING: Row = {"kind": "shipping", "label": "Free delivery", "unit_cost": 3, "redemption": 0.8}
DAY = date(2026, 3, 2)
NAMES = (
    "eligible", "value", "ceiling", "cost", "margin", "subsidised", "scope", "seller_id", "seller_cost", "offer_value",
)  # fmt: skip


def offer(**terms: object) -> Offer:
    return Offer.model_validate({"(name)": "made", **terms})


def told(decider: Decider, made: Offer, *people: Row, shop: Shop = SHOP, stage: dict[str, object] | None = None) -> list[Row]:
    """Each customer's option of the offer, in the order given."""
    step = {**TAILOR, **(stage or {}), "arms": {"it": {"offer": "made", "prior": PRIOR}}}
    mine = program(stages={"tailor": step})
    rows = [{**NONE_BEFORE, **one, "silence_days": number} for number, one in enumerate(people)]
    table = ibis.memtable(pa.Table.from_pylist(rows, schema=SCHEMA.to_pyarrow()))
    found = option(table, mine, mine.stages[0], mine.stages[0].arms[0], made, shop)
    columns: dict[str, Any] = {name: getattr(found, name) for name in NAMES}
    listed: list[Row] = decider.warehouse.arrow(table.select("silence_days", **columns).order_by("silence_days")).to_pylist()
    return listed


def may(decider: Decider, made: Offer, *people: Row, shop: Shop = SHOP, stage: dict[str, object] | None = None) -> list[bool]:
    return [row["eligible"] for row in told(decider, made, *people, shop=shop, stage=stage)]


def sharing(collision: str, share: float = 0.5) -> Shop:
    return replace(SHOP, sellers=SellerRules.model_validate({"collision": collision, "share": share}))


def test_what_goes_back_costs_no_discount_and_a_free_return_only_where_there_is_one(shared_decider: Decider) -> None:
    """A tenth of 50.00; who sends 40 % back costs 60 % of it. A return of 5.00 costs by the customer's habit, and 0.25 at the least."""
    people = [customer("keeps", return_share=0.0), customer("sends back", return_share=0.4)]
    anyway = 0.8 * 14 / 182 + 0.02
    rows = told(shared_decider, offer(**PERCENT), *people)
    assert [row["cost"] for row in rows] == [round(1000 * (anyway * 0.7 * 500 * kept + 1)) for kept in (1.0, 0.6)]
    assert [row["ceiling"] for row in rows] == [501_000, 501_000]
    free = offer(kind="returns", label="Free returns", unit_cost=5, redemption=0.5, returns_share=0.25)
    rows = told(shared_decider, free, *people)
    assert [row["cost"] for row in rows] == [round(1000 * (anyway * 0.5 * 500 * back + 1)) for back in (0.25, 0.4)]
    assert [(row["value"], row["offer_value"]) for row in rows] == [(500, 500), (500, 500)]


def test_an_offer_for_a_category_or_a_product_needs_one(shared_decider: Decider) -> None:
    people = [customer("has", offer_category="Coffee & Tea", offer_product="P12", seller_id="S1"), customer("has none")]
    for scope, text, seller in (("category", "category:Coffee & Tea", None), ("product", "product:P12", "S1")):
        first, second = told(shared_decider, offer(**PERCENT, scope=scope), *people)
        assert (first["eligible"], first["scope"], first["seller_id"]) == (True, text, seller)
        assert (second["eligible"], second["scope"], second["seller_id"]) == (False, None, None)
    assert [row["scope"] for row in told(shared_decider, offer(**PERCENT), *people)] == [None, None]


@pytest.mark.parametrize(
    ("payer", "part"), [({"payer": "seller"}, 1.0), ({"payer": "shared", "seller_share": 0.3}, 0.3), ({"payer": "shop"}, 0.0)]
)
def test_the_shop_counts_its_own_part_alone(shared_decider: Decider, payer: dict[str, object], part: float) -> None:
    person = customer("c", offer_product="P12", seller_id="S1")
    (row,) = told(shared_decider, offer(**PERCENT, scope="product", **payer), person)
    redeemed = (0.8 * 14 / 182 + 0.02) * 0.7 * 500
    assert (row["cost"], row["seller_cost"]) == (round(1000 * (redeemed + 1)), round(1000 * redeemed * part))
    assert row["margin"] == round(1000 * (0.02 * 2_000 - redeemed * (1 - part) - 1 - 0.002 * 1_600))


def test_a_seller_who_pays_must_be_known_and_spares_the_floor(shared_decider: Decider) -> None:
    """15 % of 50.00 less 5.00 is 6.75: a margin of 7.00 does not bear the 5.00, and need not where the seller does."""
    people = [
        customer("known", offer_product="P1", seller_id="S1", margin_per_order=700.0),
        customer("unknown", offer_product="P1", margin_per_order=9_000.0),
    ]
    assert may(shared_decider, offer(**PERCENT, scope="product"), *people) == [False, True]
    assert may(shared_decider, offer(**PERCENT, scope="product", payer="seller"), *people) == [True, False]


def test_beside_a_sellers_own_promotion(shared_decider: Decider) -> None:
    """Left out, made as it is, or shared; what has no price is made all the same."""
    person = customer("c", offer_product="P1", offer_category="Tea", seller_id="S1", seller_promotion=True)
    for scope in ("order", "category", "product"):
        assert may(shared_decider, offer(**PERCENT, scope=scope), person, shop=sharing("exclude")) == [False]
        assert may(shared_decider, offer(**PERCENT, scope=scope), person, shop=sharing("stack")) == [True]
        assert may(shared_decider, offer(**PERCENT, scope=scope), person, shop=sharing("share")) == [scope == "product"]
        assert may(shared_decider, offer(**SHIPPING, scope=scope), person, shop=sharing("exclude")) == [True]
    (row,) = told(shared_decider, offer(**PERCENT, scope="product"), person, shop=sharing("share", 0.4))
    assert row["seller_cost"] == round(1000 * (0.8 * 14 / 182 + 0.02) * 0.7 * 500 * 0.4)
    (quiet,) = told(shared_decider, offer(**PERCENT, scope="product"), {**person, "seller_promotion": False}, shop=sharing("share", 0.4))
    assert (quiet["eligible"], quiet["seller_cost"]) == (True, 0)


def test_no_order_is_sold_at_a_loss_by_what_comes_with_it(shared_decider: Decider) -> None:
    """A delivery of 3.00 needs a margin of 3.00; of a free return of 5.00 a quarter is to be expected; with a floor of 10 % 5.00 more."""
    people = [customer(f"earns {margin}", margin_per_order=float(margin)) for margin in (124, 125, 299, 300, 799, 800)]
    free = offer(kind="returns", label="Free returns", unit_cost=5, redemption=0.5, returns_share=0.25)
    bare = {"offers": {"price": False}}
    assert may(shared_decider, offer(**SHIPPING), *people, stage=bare) == [False, False, False, True, True, True]
    assert may(shared_decider, free, *people, stage=bare) == [False, True, True, True, True, True]
    floored = {"offers": {"price": False, "margin_floor": 0.1}}
    assert may(shared_decider, offer(**SHIPPING), *people, stage=floored) == [False] * 5 + [True]
    assert may(shared_decider, offer(kind="education", label="How to"), *people, stage=floored) == [True] * 6


def test_a_minimum_spend_never_exceeds_the_usual_order(shared_decider: Decider) -> None:
    made = offer(**PERCENT, minimum_spend="40.00")
    people = [customer(f"orders {usual}", average_order_value=usual) for usual in (3_999, 4_000, 8_000)]
    assert may(shared_decider, made, *people) == [False, True, True]
    half = {"offers": {**TAILOR["offers"], "minimum_spend_at_most": 0.5}}
    assert may(shared_decider, made, *people, stage=half) == [False, False, True]


def test_an_offer_with_dates_holds_within_them(shared_decider: Decider) -> None:
    """It is made from its first day on, until so few days are left that it would hold for less than its minimum."""
    made = offer(**SHIPPING, valid="14d", minimum_valid="7d", valid_from="2026-03-02", valid_until="2026-03-20")
    days = {date(2026, 3, 1): False, DAY: True, date(2026, 3, 13): True, date(2026, 3, 14): False, date(2026, 4, 1): False}
    assert {day: may(shared_decider, made, customer("c"), shop=replace(SHOP, day=day))[0] for day in days} == days
    stage = program().stages[0]
    assert [valid_days(stage, made, day) for day in (None, DAY, date(2026, 3, 12), date(2026, 3, 20))] == [14, 14, 8, 0]
    (late,) = told(shared_decider, made, customer("c"), shop=replace(SHOP, day=date(2026, 3, 13)))
    assert late["cost"] == round(1000 * ((0.8 * 7 / 182 + 0.02) * 0.8 * 300 + 1)), "seven days are left to come anyway in"


def test_nothing_with_an_end_is_renewed_within_a_round(shared_decider: Decider) -> None:
    people = [customer("new"), customer("had it", given="|made|"), customer("had others", given="|madeira||remade|"),
              customer("had it among others", given="|a||made||b|")]
    assert may(shared_decider, offer(**SHIPPING), *people) == [True, False, True, False]
    assert may(shared_decider, offer(kind="reminder", label="What you had"), *people) == [True] * 4


def test_who_learned_to_wait_gets_no_price(shared_decider: Decider) -> None:
    people = [customer("waits", waits_for_offers=True), customer("does not")]
    assert may(shared_decider, offer(**PERCENT), *people) == [False, True]
    assert may(shared_decider, offer(**SHIPPING), *people) == [True, True]


def test_each_rung_comes_once_and_after_an_order(shared_decider: Decider) -> None:
    people = [
        customer("new"), customer("first given", rungs="|welcome:1|"),
        customer("and ordered", rungs="|welcome:1|", ordered_since_rung=True),
        customer("both given", rungs="|welcome:1||welcome:2|", ordered_since_rung=True),
        customer("another ladder", rungs="|other:1|", ordered_since_rung=True),
    ]  # fmt: skip
    first = offer(**PERCENT, ladder={"name": "welcome", "rung": 1})
    second = offer(kind="badge", label="A regular", ladder={"name": "welcome", "rung": 2})
    assert may(shared_decider, first, *people) == [True, False, False, False, True]
    assert may(shared_decider, second, *people) == [False, False, True, False, False]
    once = offer(**SHIPPING, once=True)
    assert may(shared_decider, once, customer("new"), customer("had it", rungs="|made|")) == [True, False]


def test_a_profile_of_before_the_columns_were_known_still_decides(shared_decider: Decider) -> None:
    mine = program(stages={"tailor": {**TAILOR, "arms": {"it": {"offer": "made", "prior": PRIOR}}}})
    lacking = ["offer_category", "offer_product", "seller_id", "seller_promotion"]
    lacking += ["given", "waits_for_offers", "rungs", "ordered_since_rung"]
    rows = [{**NONE_BEFORE, **customer("c")}]
    table = ibis.memtable(pa.Table.from_pylist(rows, schema=SCHEMA.to_pyarrow())).drop(*lacking)
    cases = (({}, True), ({"scope": "category"}, False), ({"scope": "product", "payer": "seller"}, False), ({"once": True}, True))
    for terms, expected in cases:
        found = option(table, mine, mine.stages[0], mine.stages[0].arms[0], offer(**PERCENT, **terms), SHOP)
        assert shared_decider.warehouse.arrow(table.select(may=found.eligible))["may"].to_pylist() == [expected]


def test_every_number_a_second_time_in_plain_python(shared_decider: Decider) -> None:
    """Eight offers for 200 customers at random, by the arithmetic of docs/offers.md."""
    chance = np.random.default_rng(5)
    people = [
        customer(
            f"c{number}", average_order_value=int(chance.integers(500, 20_000)), margin_per_order=float(chance.integers(100, 6_000)),
            expected_margin=int(chance.integers(-500, 9_000)), expected_orders=float(chance.random() * 3),
            return_share=float(chance.random()), orders=int(chance.integers(1, 12)), offer_product="P1", seller_id="S1",
        )
        for number in range(200)
    ]  # fmt: skip
    made = [
        offer(**PERCENT, cap=8), offer(**SHIPPING), offer(kind="gift", label="G", unit_cost=6, redemption=0.9),
        offer(kind="points", label="P", amount=2, redemption=0.4), offer(**PERCENT, scope="product", payer="shared", seller_share=0.3),
        offer(kind="extended_window", label="W", unit_cost=4, redemption=0.5, returns_share=0.3),
        offer(kind="amount", label="A", amount=5, redemption=0.5),
        offer(kind="credit", label="C", share_of_margin=0.2, cap=6, redemption=0.6),
    ]  # fmt: skip
    hand = Hand(documents(), SHOP, instant(0))
    mine = program(stages={"tailor": {**TAILOR, "arms": {"it": {"offer": "made", "prior": PRIOR}}}})
    for one in made:
        hand.documents = replace(hand.documents, offers={"made": one})
        for row, person in zip(told(shared_decider, one, *people), people, strict=True):
            terms = hand.terms(mine, mine.stages[0], mine.stages[0].arms[0], person)
            assert (row["ceiling"], row["eligible"]) == (terms.ceiling, terms.allowed)
            assert (row["cost"], row["margin"], row["subsidised"]) == pytest.approx((terms.cost, terms.margin, terms.subsidised), abs=1)
            assert row["offer_value"] == row["value"] == nearest((terms.ceiling - 1_000) / 1_000)


def with_offer(decider: Decider, **terms: object) -> Decider:
    """A shop whose only arm makes one offer, of this kind and these terms."""
    step = {**TAILOR, "arms": {"it": {"offer": "made", "prior": PRIOR}}, "delay": {"rhythm": 0.0}, "offers": {"price": True}}
    held = documents(program(stages={"tailor": step}))
    return replace(decider, documents=replace(held, offers={"made": offer(**terms)}))


def test_a_message_never_promises_beyond_the_offers_last_day(decider: Decider) -> None:
    """Decided at an evening of Berlin it leaves the next morning: fourteen days from then would be one too many."""
    made, people = with_offer(decider, **SHIPPING, valid="14d", valid_until="2026-03-16"), crowd(12)
    rows = decider.rows(made.plan(0.9, people))
    sent = [row for row in rows if row["arm"] == "it"]
    assert {(row["send_at"].date(), row["valid_until"]) for row in sent} == {(date(2026, 3, 3), date(2026, 3, 16))}
    free = with_offer(decider, **SHIPPING, valid="14d")
    late = {row["valid_until"] for row in decider.rows(free.plan(0.9, people)) if row["arm"] == "it"}
    assert late == {date(2026, 3, 17)}


def test_a_plan_writes_down_what_an_offer_is_for_and_whose_part_the_seller_bears(decider: Decider) -> None:
    made = with_offer(decider, **PERCENT, scope="product", payer="shared", seller_share=0.5)
    rows = decider.rows(made.plan(0, crowd(12, offer_product="P7", seller_id="S3")))
    sent = {(row["scope"], row["seller_id"], row["offer_value"], row["seller_cost"] * 2 + 1_000 - row["expected_cost"])
            for row in rows if row["arm"] == "it"}  # fmt: skip
    assert sent == {("product:P7", "S3", 500, 0)}
    found = summarise(decider.warehouse, made.plan(0, crowd(12, offer_product="P7", seller_id="S3")))
    cost, own = (sum(row[name] for row in rows) / 1_000 for name in ("expected_cost", "seller_cost"))
    assert found.by_seller == {"S3": (pytest.approx(cost - own), pytest.approx(own))}
    assert found.concentration == Concentration("S3", 1.0, 0.5)
    left = {(row["scope"], row["seller_id"], row["offer_value"], row["seller_cost"]) for row in rows if row["arm"] == "nothing"}
    assert left == {(None, None, 0, 0)}
