import importlib
from datetime import timedelta

import pytest

from rekindle.errors import BadData
from rekindle.service.flow.codes import ALPHABET, code_for
from rekindle.service.outbox import actions, queries
from rekindle.service.outbox.actions import Begun
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
    assert actions.begin([mine], nobody_is_judged, later(1), NOON) == Begun([], {}, {})
    assert actions.begin([theirs], nobody_is_judged, later(1), NOON) == Begun([theirs], {}, {})


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


def test_what_has_landed_is_settled_as_the_next_begin(store: Settings) -> None:
    actions.insert_touches("plan1", touches(["c1", "c2", "c3"]))
    actions.ready("plan1")
    first, second, lost = actions.claim("one", NOON, NOON, 9)
    assert actions.begin([first, lost], nobody_is_judged, NOON, NOON).attempted == [first, lost]
    Touch.objects.filter(pk=lost.pk).update(fence=7)
    landed = [(one, Outcome("sent", message_id="m", tried=True)) for one in (first, lost)]
    assert actions.begin([second], nobody_is_judged, NOON, later(1), landed) == Begun([second], {}, {first.id: "sent"})
    assert list(Touch.objects.order_by("id").values_list("status", "settled_at")) == [
        ("sent", later(1)), ("attempting", None), ("attempting", None),
    ]


def test_what_lands_together_is_written_down_each_as_it_ended(store: Settings) -> None:
    actions.insert_touches("plan1", touches(["c1", "c2", "c3", "c4"]))
    actions.ready("plan1")
    batch = actions.claim("one", NOON, NOON, 9)
    actions.begin(batch, nobody_is_judged, NOON, NOON)
    ended = [
        Outcome("sent", message_id="m1", provider_id="p1", tried=True),
        Outcome("failed", message_id="m2", reason="it's \"%s\" of 100 %; \u00fc"),
        Outcome("planned", reason="come later", send_at=later(15), tried=True),
        Outcome("planned", reason="quiet hours"),
    ]
    actions.settle(list(zip(batch, ended, strict=True)), later(1))
    columns = ("status", "message_id", "provider_id", "reason", "attempts", "send_at", "settled_at", "owner", "lease_until", "mirror")
    before = NOON - timedelta(hours=1)
    assert list(Touch.objects.order_by("id").values_list(*columns)) == [
        ("sent", "m1", "p1", "", 1, before, later(1), "one", None, "changed"),
        ("failed", "m2", "", ended[1].reason, 0, before, later(1), "one", None, "changed"),
        ("planned", "", "", "come later", 1, later(15), None, "", None, "changed"),
        ("planned", "", "", "quiet hours", 0, before, None, "", None, "changed"),
    ]


def test_codes_are_stable_typable_and_depend_on_the_secret() -> None:
    codes = {code_for("ab" * 32, f"win-back:c{number}:o1:tailor") for number in range(5_000)}
    assert len(codes) == 5_000
    assert {len(code) for code in codes} == {10}
    assert set("".join(codes)) == set(ALPHABET)
    assert code_for("ab" * 32, "k") == code_for("ab" * 32, "k") != code_for("cd" * 32, "k")


def attempted(name: str = "c1", **columns: object) -> Touch:
    actions.insert_touches("plan1", touches([name], **columns))
    actions.ready("plan1")
    (touch,) = actions.claim("one", NOON, NOON, 9)
    actions.begin([touch], nobody_is_judged, NOON, NOON)
    return touch


@pytest.mark.parametrize("told", ["sent", "failed"])
@pytest.mark.parametrize("by", ["token", "message_id", "provider_id"])
def test_what_is_heard_later_settles_the_unknown(store: Settings, told: str, by: str) -> None:
    touch = attempted()
    actions.settle([(touch, Outcome("unknown", message_id=f"{touch.token}@m.example", provider_id="theirs-1", tried=True))], NOON)
    names = {"token": touch.token, "message_id": f"{touch.token}@m.example", "provider_id": "theirs-1"}
    heard = {names[by]: Outcome(told, reason="bounced"), "stranger@m.example": Outcome("sent")}
    assert actions.settle_unknown(heard, later(9)) == [touch.key]
    found = Touch.objects.get()
    assert (found.status, found.reason, found.settled_at, found.mirror, found.attempts) == (told, "bounced", later(9), "changed", 1)
    assert (found.message_id, found.provider_id) == (f"{touch.token}@m.example", "theirs-1")


def test_a_message_that_came_back_has_failed_and_stays_so(store: Settings) -> None:
    touch = attempted()
    actions.settle([(touch, Outcome("sent", message_id="m"))], NOON)
    Touch.objects.update(mirror="known")
    assert actions.settle_unknown({touch.token: Outcome("sent")}, later(1)) == [], "that is known"
    assert actions.settle_unknown({touch.token: Outcome("failed", reason="mailbox full")}, later(2)) == [touch.key]
    assert actions.settle_unknown({touch.token: Outcome("sent")}, later(3)) == [], "it came back: that counts"
    assert (Touch.objects.get().status, Touch.objects.get().mirror) == ("failed", "changed")


def test_a_bounce_before_the_worker_s_own_word_counts_once(store: Settings) -> None:
    touch = attempted()
    assert actions.settle_unknown({touch.token: Outcome("failed", reason="no such user")}, NOON) == [touch.key]
    assert actions.settle([(touch, Outcome("sent", message_id="m"))], NOON) == {touch.id: "failed"}
    assert queries.counts() == {"failed": 1}


def test_news_of_an_order_that_waits_for_another_try_is_spared_it_where_it_arrived(store: Settings) -> None:
    touch = attempted(service=True)
    assert actions.recover(later(2)) == (0, 1)
    assert actions.settle_unknown({touch.token: Outcome("failed")}, later(3)) == [touch.key]
    other = attempted("c2", service=True)
    assert actions.recover(later(2)) == (0, 1)
    assert actions.settle_unknown({other.token: Outcome("sent")}, later(3)) == [other.key]
    assert dict(Touch.objects.values_list("customer_id", "status")) == {"c1": "failed", "c2": "sent"}


def test_what_was_put_back_is_claimed_and_may_begin_again(store: Settings) -> None:
    touch = attempted()
    assert actions.put_back([touch], later(0.5)) == {touch.id}
    assert queries.counts() == {"claimed": 1}
    assert actions.begin([touch], nobody_is_judged, later(1), NOON) == Begun([touch], {}, {})
    assert actions.recover(later(3)) == (1, 0)
    assert actions.put_back([touch], later(3)) == {touch.id}, "another worker called it unknown, and this one knows better"
    assert (queries.counts(), Touch.objects.get().settled_at) == ({"claimed": 1}, None)
    assert actions.recover(later(5)) == (0, 1)
    assert len(actions.claim("two", NOON, later(5), 9)) == 1
    assert actions.put_back([touch], later(5)) == set(), "another worker has taken it up"


def test_touches_of_an_older_ledger_get_their_names(store: Settings) -> None:
    from django.apps import apps

    module = importlib.import_module("rekindle.service.outbox.migrations.0003_attempts_tokens_approvals")
    actions.insert_touches("plan1", touches([f"c{number}" for number in range(5)]))
    named = dict(Touch.objects.values_list("customer_id", "token"))
    Touch.objects.update(token="")
    module.name_touches(apps, None)
    assert dict(Touch.objects.values_list("customer_id", "token")) == named
    assert len(set(named.values())) == 5
