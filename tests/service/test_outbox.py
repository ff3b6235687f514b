from datetime import timedelta

import pytest

from rekindle.errors import BadData
from rekindle.service.flow.codes import ALPHABET, code_for
from rekindle.service.outbox import actions, queries
from rekindle.service.outbox.models import Touch
from rekindle.service.outbox.outcome import Outcome
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import later, nobody_is_judged, touches

LEDGERS = ("sqlite", "postgresql")


def test_only_ready_plans_count(store: Settings) -> None:
    assert actions.insert_touches("plan1", touches(["c1", "c2"])) == 2
    assert (queries.due(NOON), queries.counts(), actions.claim("w", NOON, NOON, 9)) == (0, {}, [])
    actions.ready("plan1")
    assert (queries.due(NOON), queries.counts(), queries.ready_plans()) == (2, {"planned": 2}, {"plan1"})


def test_a_touch_is_planned_once(store: Settings) -> None:
    actions.insert_touches("plan1", touches(["c1"]))
    actions.ready("plan1")
    assert actions.insert_touches("plan1", touches(["c1"])) == 0
    assert actions.insert_touches("plan2", touches(["c1", "c2"], arm="how_to")) == 1
    assert Touch.objects.get(customer_id="c1").arm == "reminder"


def test_a_plan_that_was_never_completed_gives_way(store: Settings) -> None:
    actions.insert_touches("broken", touches(["c1"]))
    assert actions.insert_touches("plan2", touches(["c1"])) == 1
    assert Touch.objects.get().plan_id == "plan2"
    with pytest.raises(BadData, match="broken"):
        actions.ready("broken")


def test_a_missing_column_is_named(store: Settings) -> None:
    with pytest.raises(BadData, match="episode"):
        actions.insert_touches("plan1", touches(["c1"]).drop_columns(["episode"]))


def test_a_claim_is_one_workers_until_its_lease_ends(store: Settings) -> None:
    actions.insert_touches("plan1", touches(["c1"]))
    actions.ready("plan1")
    (mine,) = actions.claim("one", NOON, NOON, 9)
    assert actions.claim("two", NOON, NOON, 9) == []
    assert actions.recover(NOON + timedelta(seconds=59)) == (0, 0)
    assert actions.recover(NOON + timedelta(seconds=60)) == (0, 1)
    (theirs,) = actions.claim("two", NOON, later(1), 9)
    assert actions.begin([mine], nobody_is_judged, later(1), NOON) == ([], {})
    assert actions.begin([theirs], nobody_is_judged, later(1), NOON) == ([theirs], {})


def test_an_attempt_is_never_taken_again_and_a_late_worker_still_knows(store: Settings) -> None:
    actions.insert_touches("plan1", touches(["c1"]))
    actions.ready("plan1")
    batch = actions.claim("one", NOON, NOON, 9)
    actions.begin(batch, nobody_is_judged, NOON, NOON)
    assert actions.recover(later(2)) == (1, 0)
    assert actions.claim("two", NOON, later(2), 9) == []
    assert queries.counts() == {"unknown": 1}
    actions.settle([(batch[0], Outcome("sent", message_id="m"))], NOON)
    assert queries.counts() == {"sent": 1}


def test_codes_are_stable_typable_and_depend_on_the_secret() -> None:
    codes = {code_for("ab" * 32, f"win-back:c{number}:o1:tailor") for number in range(5_000)}
    assert len(codes) == 5_000
    assert {len(code) for code in codes} == {10}
    assert set("".join(codes)) == set(ALPHABET)
    assert code_for("ab" * 32, "k") == code_for("ab" * 32, "k") != code_for("cd" * 32, "k")
