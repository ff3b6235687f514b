"""What a run does of itself between two people's looks, once each, and never for an instant that is not the present."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.moment import AsOf
from rekindle.service.flow import baselines, documents, rhythm, targets
from rekindle.service.programs.actions import Submission, submit
from rekindle.settings import Settings
from tests.decide.shop import Decider
from tests.service.conftest import NOON
from tests.service.live import approve_shipped

DECEMBER = AsOf(NOON + timedelta(days=9), "UTC")


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    """A history with one plan, of November."""
    approve_shipped(store)
    with open_history(store.history, store.root) as opened:
        at = (NOON - timedelta(days=4)).replace(tzinfo=None)
        Decider(opened).remember({"customer_id": "ann", "day": 0, "program": "win-back", "as_of": at, "draw": None})
        yield opened


def test_targets_an_audit_and_the_page_of_last_month_are_made_once(store: Settings, warehouse: Warehouse) -> None:
    held = documents.approved(store)
    assert targets.published(store.var) is None
    said = rhythm.keep(store, warehouse, held, DECEMBER, DECEMBER.instant)
    page = store.var / "reviews" / "2026-11.html"
    assert [one.partition(" ")[2][:14] for one in said] == ["audit was made", "review of Nove"]
    assert said[1] == f"The review of November 2026 is written: {page}"
    assert "1 November 2026 to 30 November 2026" in page.read_text(encoding="utf-8")
    found = targets.published(store.var)
    assert found is not None
    assert [one["status"] for one in found["targets"]] == ["cannot tell"] * len(held.targets)
    assert found["targets"][0]["why"] == "nothing was measured in 2026-Q4 yet"
    assert rhythm.keep(store, warehouse, held, DECEMBER, DECEMBER.instant) == ()


def test_another_instant_than_the_present_leaves_all_as_it_is(store: Settings, warehouse: Warehouse) -> None:
    held, shifted = documents.approved(store), replace(DECEMBER, shifted=True)
    assert rhythm.keep(store, warehouse, held, shifted, NOON) == ()
    rhythm.freeze(store, warehouse, held, shifted)
    assert not (store.var / "reviews").exists()
    assert baselines.kept(store) == {}


def test_without_profiles_no_baseline_is_frozen_and_without_documents_nobody_is_paused(store: Settings, warehouse: Warehouse) -> None:
    rhythm.freeze(store, warehouse, documents.approved(store), DECEMBER)
    assert baselines.kept(store) == {}
    assert submit([Submission("targets.yaml", "targets", "targets: {}")], NOON)
    assert len(rhythm.pause_overdue(store, NOON + timedelta(days=300))) == len(baselines.needed(documents.approved(store)))
    assert rhythm.pause_overdue(store, NOON + timedelta(days=300)) == ()
