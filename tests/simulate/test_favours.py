"""Credits, promotions, saved items and answers of the marketplace: plausible, and told when they have come about and not before."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from rekindle.simulate import advance, truth
from rekindle.simulate.favours import NEVER
from rekindle.simulate.parameters import Parameters
from tests.simulate.test_world import END_SECOND, large
from tests.simulate.worlds import END, inbox, nobody

PARAMETERS = Parameters()
DAY = 86_400


@pytest.fixture(scope="module")
def market():
    return large()


def test_credits_follow_orders_and_trouble_brings_more_of_them(market):
    _, facts = market
    given, orders = facts["credits"], facts["orders"]
    troubled = np.column_stack([np.asarray(orders[one.kind]) for one in PARAMETERS.frictions]).any(axis=1)
    credited = np.isin(np.arange(troubled.size), np.asarray(given["credit"]))
    for had, share in zip((False, True), PARAMETERS.credited, strict=True):
        assert abs(credited[troubled == had].mean() - share) < 0.15 * share
    of = np.asarray(given["credit"])
    assert np.asarray(given["customer"]).tolist() == np.asarray(orders["customer"])[of].tolist()
    after = np.asarray(given["issued_at"]) - np.asarray(facts["shipments"]["delivered_at"])[of]
    assert (after.min() >= DAY, after.max() < 6 * DAY) == (True, True)
    assert set(np.unique(np.asarray(given["amount"])).tolist()) == {500, 1_000}


def test_some_credits_are_spent_on_the_next_order_and_others_expire(market):
    _, facts = market
    given, orders = facts["credits"], facts["orders"]
    spent, at = np.asarray(given["spent"]), np.asarray(given["spent_at"])
    expires = np.asarray(given["expires_on"].cast(pa.int32()))
    assert 0.1 < (spent > 0).mean() < 0.6
    assert ((spent > 0) == (at < NEVER)).all()
    assert (at[spent > 0] // DAY <= expires[spent > 0]).all()
    instants = {}
    for customer, instant in zip(orders["customer"].to_pylist(), orders["ordered_at"].to_pylist(), strict=True):
        instants.setdefault(customer, []).append(instant)
    for row in given.to_pylist():
        later = [one for one in instants[row["customer"]] if one > row["issued_at"]]
        assert row["spent_at"] in (NEVER, min(later, default=NEVER))


def test_a_credit_is_told_unspent_and_again_once_it_is_spent(world, made):
    first = inbox(world, "credits", 1)
    known = truth(made.folder).facts("credits")
    spends_soon = pc.and_(pc.greater_equal(known["spent_at"], END_SECOND), pc.less(known["spent_at"], END_SECOND + 40 * DAY))
    soon = known.filter(pc.and_(pc.less(known["issued_at"], END_SECOND), spends_soon))
    assert soon.num_rows > 0
    ids = [f"G{number:08d}" for number in soon["credit"].to_pylist()]
    before = {row["credit_id"]: row for row in first.to_pylist()}
    assert {before[name]["spent"] for name in ids} == {Decimal("0.00")}
    advance(world, 40, nobody())
    again = {row["credit_id"]: row for row in inbox(world, "credits", 2).to_pylist()}
    assert all(again[name]["spent"] == again[name]["amount"] == before[name]["amount"] for name in ids)


def test_a_parcel_that_has_not_left_is_not_told_to_have_left(made):
    known, told = truth(made.folder).facts("shipments"), inbox(made.folder, "shipments", 1)
    waiting = pc.sum(pc.and_(pc.less(known["ordered_at"], END_SECOND), pc.greater_equal(known["shipped_at"], END_SECOND))).as_py()
    assert told["shipped_at"].null_count == waiting > 0
    left, there = told["shipped_at"], told["delivered_at"]
    assert pc.all(pc.less(left, there)).as_py()


def test_promotions_run_on_a_sellers_own_goods_for_one_to_three_weeks(market):
    scene, facts = market
    told = facts["promotions"].to_pylist()
    sold = {(seller, PARAMETERS.categories[of].name) for seller, of in zip(scene.catalogue.seller, scene.catalogue.category, strict=True)}
    per_seller = len(told) / PARAMETERS.sellers / (scene.calendar.horizon / PARAMETERS.promotion_days)
    assert abs(per_seller - PARAMETERS.promoted) < 0.1
    assert {row["percent"] for row in told} == {0.10, 0.15, 0.20}
    assert all(7 * DAY <= row["ends_at"] - row["starts_at"] <= 21 * DAY for row in told)
    assert 0.1 < sum(row["category"] is None for row in told) / len(told) < 0.3
    assert len({(row["seller"], row["starts_at"]) for row in told}) == len(told)
    assert {(row["seller"], row["category"]) for row in told if row["category"]} & sold
    first = scene.calendar.first * DAY
    days = np.arange(first, first + scene.calendar.horizon * DAY, DAY)
    running = sum((days >= row["starts_at"]) & (days < row["ends_at"]) for row in told)
    assert (running[30:660] > 0).mean() > 0.8


def test_saved_items_lie_on_the_shelf_of_the_last_order_and_are_others(market):
    scene, facts = market
    events, orders = facts["events"], facts["orders"]
    saved = events.filter(pc.equal(events["name"], "Product Added to Wishlist"))
    assert abs(saved.num_rows / orders.num_rows - PARAMETERS.saved) < 0.01
    order = np.asarray(saved["event"]) - 10**9
    lead, product = np.asarray(orders["lead"])[order], np.asarray(saved["product"])
    assert (scene.catalogue.category[lead] == scene.catalogue.category[product]).all()
    assert (lead != product).all()
    assert (np.asarray(saved["occurred_at"]) > np.asarray(orders["ordered_at"])[order]).all()


def test_answers_are_worse_where_something_went_wrong(market):
    _, facts = market
    events, orders = facts["events"], facts["orders"]
    told = events.filter(pc.equal(events["name"], "Survey Answered"))
    said = np.asarray(told["value"].cast(pa.int64()))
    troubled = np.column_stack([np.asarray(orders[one.kind]) for one in PARAMETERS.frictions]).any(axis=1)
    had = troubled[np.asarray(told["event"]) - 2 * 10**9]
    assert (said.min() >= 0, said.max() <= 10) == (True, True)
    assert said[had].mean() < said[~had].mean() - 3
    assert (said[had] <= 6).mean() > 0.8
    assert (said[~had] <= 6).mean() < 0.2


def test_half_of_the_contacts_have_a_birthday(made):
    told = inbox(made.folder, "contacts", 1)["birthday"]
    assert 0.4 < 1 - told.null_count / len(told) < 0.6
    assert pc.min(told).as_py() > date(1930, 1, 1)
    assert pc.max(told).as_py() < END - timedelta(days=16 * 365)
