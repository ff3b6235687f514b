"""What a program needs before its messages leave this machine, and who is told what is missing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rekindle.errors import Refused
from rekindle.program.rules import Autopilot
from rekindle.service.flow import documents, going_live, plan_approving, reviews
from rekindle.service.flow.plan_approving import Waiting
from rekindle.service.outbox.models import Plan
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.live import approve_shipped, freeze_all, go_live
from tests.service.test_plan_approving import HASH, SUMMARY, real
from tests.service.touches import plan


@pytest.fixture
def shop(store: Settings) -> Settings:
    """A store with a relay, and a plan of two messages of win-back that wait."""
    return real(store)


def test_a_program_that_has_all_may_go_live(shop: Settings) -> None:
    go_live(shop)
    plan(["c1", "c2"], HASH)
    assert going_live.lacking(shop, documents.approved(shop), NOON) == ()
    plan_approving.approve(shop, Waiting(HASH, 2), 2, "Ada", NOON)
    assert Plan.objects.get().approved_by == "Ada"


def test_without_a_baseline_nothing_goes_live_but_news_of_orders(shop: Settings) -> None:
    approve_shipped(shop)
    lacking = going_live.lacking(shop, documents.approved(shop), NOON)
    assert {one.what for one in lacking} == {("it has no frozen baseline",)}
    assert {one.program for one in lacking} == {one.name for one in documents.approved(shop).programs if not one.service}
    plan(["c1", "c2"], HASH)
    with pytest.raises(Refused, match="win-back cannot go live: it has no frozen baseline") as refused:
        plan_approving.approve(shop, Waiting(HASH, 2), 2, "Ada", NOON)
    assert refused.value.remedy == "Freeze one: rekindle baseline freeze win-back"
    assert Plan.objects.get().approved_by == ""
    freeze_all(shop)
    plan_approving.approve(shop, Waiting(HASH, 2), 2, "Ada", NOON)


def test_without_a_target_for_the_quarter_it_does_not(shop: Settings) -> None:
    go_live(shop)
    held = documents.approved(shop)
    over = [one.model_copy(update={"quarter": "2026-Q3"}) if one.program == "win-back" else one for one in held.targets]
    (lacking,) = going_live.lacking(shop, replace(held, targets=tuple(over)), NOON)
    assert (lacking.program, lacking.what) == ("win-back", ("it has no target for 2026-Q4",))
    now = [one.model_copy(update={"quarter": "2026-Q4"}) for one in over]
    assert going_live.lacking(shop, replace(held, targets=tuple(now)), NOON) == ()


def test_a_review_past_its_grace_keeps_it_back_and_one_that_was_held_lets_it_go(shop: Settings) -> None:
    go_live(shop)
    held, later = documents.approved(shop), NOON + timedelta(days=38)
    assert going_live.lacking(shop, held, later - timedelta(days=1)) == ()
    found = [one for one in going_live.lacking(shop, held, later) if one.program == "win-back"]
    assert [one.what for one in found] == [("its review is past its grace",)]
    reviews.hold(held, "win-back", "Ada", later, later.date(), "all is well")
    assert [one for one in going_live.lacking(shop, held, later) if one.program == "win-back"] == []


def test_texts_with_an_error_keep_every_program_back(shop: Settings) -> None:
    go_live(shop)
    plan(["c1", "c2"], HASH)
    path = next((shop.root / "content").glob("**/*.txt"))
    path.write_text("You will regret it. Last chance!\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(Refused, match="the content has"):
        plan_approving.approve(shop, Waiting(HASH, 2), 2, "Ada", NOON)


def test_the_autopilot_lets_nothing_go_that_a_person_could_not(shop: Settings) -> None:
    approve_shipped(shop)
    plan(["c1"], HASH)
    bounds = Autopilot.model_validate({"max_touches": 5, "max_cost": "20.00"})
    assert plan_approving.by_autopilot(shop, bounds, SUMMARY, NOON) is False
    freeze_all(shop)
    assert plan_approving.by_autopilot(shop, bounds, SUMMARY, NOON) is True


def test_what_never_leaves_this_machine_needs_nothing(store: Settings) -> None:
    approve_shipped(store)
    plan(["c1"], HASH)
    assert plan_approving.by_autopilot(store, Autopilot.model_validate({"max_touches": 5, "max_cost": "20.00"}), SUMMARY, NOON) is True
