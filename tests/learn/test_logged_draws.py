"""Decisions as off-policy values take them: the same shop as the evidence's, each draw with its chance, added up again in plain Python."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest

from rekindle.decide import due
from rekindle.learn import off_policy, outcomes
from rekindle.learn.logged_draws import Draws, as_table, draws
from rekindle.program.documents import NOTHING
from tests.decide.shop import SHOP, documents, instant
from tests.insight.histories import history
from tests.learn.test_evidence import ARMS, CONTEXTS, DELIVERY, HORIZON, MAIL, MARGIN, NOW, PROGRAM, Row, World, told, world


@pytest.fixture(scope="module")
def made() -> World:
    """Every variant that could be had was drawn at the same chance."""
    made = world(7, 400)
    return World([{**row, "propensity": 1 / (1 + row["eligible"].count("|"))} for row in made.decisions], made.orders)


@pytest.fixture(scope="module")
def found(made: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Draws]]:
    with history(tmp_path_factory.mktemp("draws")) as warehouse:
        told(warehouse, made)
        past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), instant(NOW), inclusive=False)
        window = outcomes.Window(instant(NOW), Decimal(str(MARGIN)), documents().offers, SHOP)
        yield {one.stage: one for one in draws(warehouse, past, PROGRAM, window)}


def margin(row: Row, made: World) -> tuple[float, bool]:
    """A decision's net margin so far, and whether an order followed."""
    begin, end = float(row["day"]), min(row["day"] + HORIZON, NOW)
    mine = [(net, code) for who, day, net, code in made.orders if who == row["customer_id"] and begin <= day < end]
    others = [one for one in made.decisions if one["customer_id"] == row["customer_id"]]
    gift = any(one["arm"] == "light" for one in others)
    mails = sum(begin <= one["day"] < end and one["arm"] != NOTHING for one in others)
    return sum(net * MARGIN for net, _ in mine) - DELIVERY * sum(bool(code) and gift for _, code in mine) - mails * MAIL, bool(mine)


@pytest.mark.parametrize("stage", ARMS)
def test_every_draw_is_there_with_its_chance_and_what_followed(found: dict[str, Draws], made: World, stage: str) -> None:
    one, logged = found[stage], found[stage].logged
    assert (one.arms, one.contexts) == (ARMS[stage], CONTEXTS)
    sums = {name: np.zeros((3, len(one.arms))) for name in ("decisions", "total", "answered", "chance")}
    seen = {name: np.zeros((3, len(one.arms))) for name in sums}
    for row in (row for row in made.decisions if row["stage"] == stage):
        brought, ordered = margin(row, made)
        cell = CONTEXTS.index(row["context"]), one.arms.index(row["arm"])
        for name, value in (("decisions", 1), ("total", brought), ("answered", ordered), ("chance", row["propensity"])):
            sums[name][cell] += value
    for name in ("decisions", "total", "answered"):
        np.add.at(seen[name], (logged.context, logged.arm), getattr(logged, name))
    np.add.at(seen["chance"], (logged.context, logged.arm), logged.propensity * logged.decisions)
    for name, expected in sums.items():
        np.testing.assert_allclose(seen[name], expected, atol=1e-6, err_msg=name)


def test_the_table_that_drew_them_is_worth_what_followed(found: dict[str, Draws]) -> None:
    """Of the table that decisions were drawn by, weights are 1: the value by propensities alone is the plain mean."""
    one = found["reconnect"]
    table = as_table(one, {where: dict.fromkeys(one.arms, 1 / len(one.arms)) for where in one.contexts})
    worth = off_policy.value(one.logged, table, off_policy.IPS)
    assert isinstance(worth, off_policy.Estimate)
    assert worth.value == pytest.approx(one.logged.total.sum() / one.logged.decisions.sum())
    assert worth.overlap.mean_weight == pytest.approx(1.0)
