"""What a plan leaves for pages: counts that add up to its rows, how groups fared, and how long either is kept."""

import os
import time

import pytest

from rekindle.errors import CannotTell, Refused
from rekindle.program.documents import NOTHING
from tests.decide.shop import crowd, documents, program
from tests.decide.test_commit import SIZE, STAGE, Shop, ready_store, shop  # noqa: F401  fixtures are found by their names

from rekindle.service.flow import plan_counts  # isort: skip  Django must be configured before


def test_the_counts_of_a_plan_add_up_to_its_rows(shop: Shop) -> None:  # noqa: F811  the fixture of that name
    people = crowd(SIZE)
    people[0]["open_ticket"] = True
    planned, touches = shop.run(0, people)
    (found,) = plan_counts.counts(shop.settings.var)
    assert (found.plan, found.at, found.rehearsal, found.fairness) == (planned.plan.digest, planned.as_of.instant, False, ())
    rows = planned.plan.rows
    assert sum(one.customers for one in found.cells) == shop.warehouse.scalar(rows.count()) == SIZE
    sent = [one for one in found.cells if one.arm not in (None, NOTHING) and one.reason is None]
    assert sum(one.customers for one in sent) == touches == planned.summary.messages
    for mine, theirs in (("cost", "expected_cost"), ("ceiling", "cost_ceiling")):
        assert sum(getattr(one, mine) for one in found.cells) == pytest.approx(getattr(planned.summary, theirs), abs=0.01)
    alone = {one.reason: one.customers for one in found.cells if one.reason}
    assert alone == planned.summary.refusals
    assert alone["open_complaint"] == 1


def test_the_newest_plan_comes_first_and_others_can_be_left_out(shop: Shop) -> None:  # noqa: F811  the fixture of that name
    first, _ = shop.run(0)
    second, _ = shop.run(1)
    assert [one.plan for one in plan_counts.counts(shop.settings.var)] == [second.plan.digest, first.plan.digest]
    assert [one.plan for one in plan_counts.counts(shop.settings.var, [first.plan.digest])] == [first.plan.digest]
    assert plan_counts.counts(shop.settings.var, []) == ()


def test_how_groups_fared_is_written_down_though_the_plan_is_refused(shop: Shop) -> None:  # noqa: F811  the fixture of that name
    rules = {"fairness": {"groups": ["country"], "disparity_at_most": 0.1, "least": 20}}
    poor = {**STAGE, "arms": {"light": {**STAGE["arms"]["light"], "when": "value_tier != 'high'"}}}
    shop.documents = documents(program(stages={"reconnect": poor}), **rules)
    people = [
        {**row, "country": "DE" if number % 2 else "FR", "value_tier": "high" if number % 2 else "mid"}
        for number, row in enumerate(crowd(400))
    ]
    names = [row["customer_id"] for row in people]
    with pytest.raises(Refused, match="offers to customers with country"):
        shop.run(0, [{**row, "email_consent": True} for row in people])
    (found,) = plan_counts.counts(shop.settings.var)
    assert len(names) == 400
    assert {(one.group, one.passed) for one in found.fairness} == {("DE", False), ("FR", False)}
    assert not any(isinstance(one.disparity, CannotTell) for one in found.fairness)


def test_counts_outlive_the_rows_and_go_after_a_year(shop: Shop) -> None:  # noqa: F811  the fixture of that name
    folder = shop.settings.var / "plans"
    for name, days in (("young", 31), ("old", 401)):
        (folder / name).mkdir(parents=True)
        for file in ("decisions.parquet", "budgets.json", plan_counts.COUNTS, plan_counts.FAIRNESS):
            path = folder / name / file
            path.write_text('{"as_of": "2026-01-01T00:00:00", "rehearsal": false, "cells": []}' if file == plan_counts.COUNTS else "[]")
            written = time.time() - days * 86_400
            os.utime(path, (written, written))
    shop.run(0)
    assert not (folder / "old").exists()
    assert sorted(path.name for path in (folder / "young").iterdir()) == [plan_counts.COUNTS, plan_counts.FAIRNESS]
    assert len(plan_counts.counts(shop.settings.var)) == 2
