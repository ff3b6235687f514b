"""Rounds about what will be used up: their day stands still while the customer is silent, and comes before most of the repurchases."""

from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide import openings
from rekindle.moment import parse_as_of
from tests.decide.shop import ROWS, Decider, customer, program
from tests.insight import planted

CUSTOMERS, DAYS, AHEAD = 120, 300, 7
NOW, LATER = 240, 250


def day(number: int) -> date:
    return planted.BEGIN.date() + timedelta(days=number)


Rounds = dict[str, tuple[str, str, date, date]]


@pytest.fixture(scope="module")
def shop(shared_decider: Decider) -> tuple[planted.Sold, Rounds, Rounds]:
    """What was sold, and the open rounds of two days: episode to customer, product, day it opens, day it is about."""
    sold, categories = planted.refills(7, CUSTOMERS, DAYS)
    warehouse = shared_decider.warehouse
    planted.insert(warehouse, sold, categories)

    def rounds(number: int) -> Rounds:
        people = [customer(f"c{one:05}", last_day=day(number - 1)) for one in range(CUSTOMERS)]
        profile = warehouse.keep(pa.Table.from_pylist(people, schema=ROWS.to_pyarrow()))
        refill = program(trigger={"on": "run_out", "ahead": f"{AHEAD}d"})
        found = openings.find(warehouse, profile, refill, parse_as_of(day(number).isoformat(), "UTC"))
        return {
            f"{one['customer_id']}:{one['episode']}": (
                one["customer_id"], one["opening_product"], one["opened_at"].date(), one["opening_day"],
            )
            for one in warehouse.arrow(found).to_pylist()
        }

    return sold, rounds(NOW), rounds(LATER)


def test_the_day_stands_still_while_the_customer_is_silent(shop: tuple[planted.Sold, Rounds, Rounds]) -> None:
    _, now, later = shop
    silent = now.keys() & later.keys()
    moved = np.array([(later[one][3] - now[one][3]).days for one in silent])
    assert len(silent) > 50
    assert np.abs(moved).max() <= 3, "only what was learned since may move it"
    assert np.median(moved) == 0
    assert all(opens == about - timedelta(days=AHEAD) for _, _, opens, about in now.values())


def test_a_reminder_comes_before_most_repurchases_and_a_repurchase_ends_it(shop: tuple[planted.Sold, Rounds, Rounds]) -> None:
    sold, now, later = shop
    bought: dict[tuple[str, str], list[int]] = defaultdict(list)
    for who, when, what in zip(sold.customer.tolist(), sold.day.tolist(), sold.product.tolist(), strict=True):
        bought[f"c{who:05}", what].append(when)
    coming = {one: min((at for at in bought[row[0], row[1]] if at >= NOW), default=None) for one, row in now.items()}
    known = {one: at for one, at in coming.items() if at is not None}
    in_time = [now[one][2] <= day(at) for one, at in known.items()]
    assert len(known) > 150
    assert np.mean(in_time) > 0.6
    again = {one for one, at in known.items() if at < LATER}
    assert len(again) > 30
    assert not again & later.keys()
