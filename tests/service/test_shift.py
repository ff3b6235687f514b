"""One worker's shift: lanes that stall, answers of every kind, workers that stop and workers that come back late."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from rekindle.deliver.channel import Message
from rekindle.deliver.lanes import Limits
from rekindle.deliver.message import token_of
from rekindle.errors import LookAgain, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.flow import composing, retrying, shift
from rekindle.service.flow.retrying import LONGEST_WAIT, TRIES, wait
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import Touch
from rekindle.service.outbox.queries import counts
from rekindle.service.people.actions import opt_out
from rekindle.service.people.digests import digest_of
from rekindle.service.people.models import Person, Suppression
from rekindle.service.programs.actions import pause, resume
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import OneByOne, Recorder, later, meet, plan, touches

TEMPORARY = TemporaryFailure("come later", "Wait.")


class Raising(Recorder):
    """Answers with what is raised."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def hand_over(self, message: Message) -> str:
        super().hand_over(message)
        raise self.error


class Stalled(Recorder):
    """Does not answer at one domain until everybody else has been served."""

    limits = Limits(patience=30.0)

    def __init__(self, others: int) -> None:
        super().__init__()
        self.others, self.served, self.late = others, threading.Event(), 0

    def hand_over(self, message: Message) -> str:
        if message.to.endswith("@slow.example"):
            self.late += not self.served.wait(5.0)
            return ""
        taken = super().hand_over(message)
        if len(self.taken) == self.others:
            self.served.set()
        return taken


def test_a_domain_that_does_not_answer_holds_up_nobody_else(store: Settings) -> None:
    slow, fast = [f"s{number}" for number in range(230)], [f"f{number}" for number in range(100)]
    meet(slow, domain="slow.example")
    meet(fast)
    outbox.insert_touches("plan1", touches(slow, send_at=NOON.replace(tzinfo=None) - timedelta(hours=2)))
    outbox.insert_touches("plan1", touches(fast))
    outbox.ready("plan1")
    sender = Stalled(len(fast))
    assert send_due(store, NOON, senders={"email": sender}) == Sent(330, {"sent": 330}, 0)
    assert sender.late == 0, "all of the others were served while the first of the slow ones were in the air"


def test_what_waits_for_a_lane_in_trouble_goes_back(store: Settings) -> None:
    plan([f"c{number}" for number in range(30)])
    sender = Raising(TemporaryFailure("the server has gone away", "Wait.", lane=True))
    sender.limits = Limits(per_lane=2, first_rest=90.0)  # type: ignore[attr-defined]  # of this test alone
    assert send_due(store, NOON, senders={"email": sender}) == Sent(30, {}, 30)
    assert 1 <= len(sender.taken) <= 4, "the rest was not even tried"
    tried = Touch.objects.filter(attempts=1)
    assert tried.count() == len(sender.taken)
    assert set(tried.values_list("send_at", flat=True)) == {later(15)}
    back = set(Touch.objects.filter(attempts=0).values_list("send_at", "reason", "status", "owner"))
    assert {at > NOON for at, *_ in back} == {True}
    assert {at <= NOON + timedelta(seconds=91) for at, *_ in back} == {True}
    assert {tuple(rest) for _, *rest in back} == {("people.example did not answer", "planned", "")}


@pytest.mark.parametrize("service", [False, True])
@pytest.mark.parametrize(
    ("error", "marketing", "news"),
    [
        (PermanentFailure("no such user", "None."), "failed", "failed"), (TEMPORARY, "planned", "planned"),
        (OutcomeUnknown("no answer", "Wait."), "unknown", "planned"), (ValueError("a defect"), "unknown", "planned"),
    ],
)
def test_every_answer_has_its_state(store: Settings, error: Exception, marketing: str, news: str, service: bool) -> None:
    plan(["c1"], service=service, facts='{"offer_kind": "none"}' if service else touches(["c1"])["facts"][0].as_py())
    send_due(store, NOON, senders={"email": (sender := Raising(error))})
    touch = Touch.objects.get()
    assert touch.status == (news if service else marketing)
    assert (len(sender.taken), touch.attempts) == (1, 1)
    assert str(error) in touch.reason
    assert (touch.settled_at is None) == (touch.status == "planned")
    assert touch.message_id == ("" if touch.status == "planned" else sender.taken[0].id)


def test_what_the_other_side_calls_it_is_kept(store: Settings) -> None:
    class Named(Recorder):
        def hand_over(self, message: Message) -> str:
            return "queued-7"

    plan(["c1"])
    send_due(store, NOON, senders={"email": Named()})
    touch = Touch.objects.get()
    assert (touch.provider_id, touch.token) == ("queued-7", token_of(touch.key))
    assert touch.message_id == f"{touch.token}@marigold.example"


def test_it_is_tried_eight_times_with_growing_waits_and_has_failed_then(store: Settings) -> None:
    plan(["c1"], valid_until=None)
    now, waits, sender = NOON, [], Raising(TEMPORARY)
    for number in range(1, TRIES + 1):
        done = send_due(store, now, senders={"email": sender})
        assert done.planned == 1
        assert done.by_status == ({"failed": 1} if number == TRIES else {})
        touch = Touch.objects.get()
        waits.append(touch.send_at - now)
        now = max(now, touch.send_at.replace(hour=12) + timedelta(days=touch.send_at.hour >= 12))
    assert [one / timedelta(hours=1) for one in waits[:-1]] == [0.25, 0.5, 1, 2, 4, 8, 10]
    assert (len(sender.taken), Touch.objects.get().attempts) == (8, 8)
    assert "tried 8 times: come later" in Touch.objects.get().reason


def test_the_other_side_says_how_long_to_wait() -> None:
    assert [wait(number, timedelta(hours=1)) / timedelta(hours=1) for number in range(5)] == [1, 1, 1, 2, 4]
    assert wait(0, timedelta(days=3)) == LONGEST_WAIT
    assert sum((wait(number, timedelta(days=3)) for number in range(TRIES - 1)), timedelta()) <= timedelta(hours=72)


def test_an_address_that_is_gone_gets_nothing_more(store: Settings) -> None:
    plan(["c1"])
    send_due(store, NOON, senders={"email": Raising(PermanentFailure("gone", "None.", gone=True))})
    assert list(Suppression.objects.values_list("channel", "digest", "reason")) == [("email", digest_of("c1@people.example"), "gone")]
    outbox.insert_touches("plan2", touches(["c1"], stage="tailor"))
    outbox.ready("plan2")
    assert send_due(store, NOON).by_status == {"suppressed": 1}


def test_a_defect_of_one_message_stops_no_other(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    plan(["c1", "c2"])
    whole = composing.COMPOSERS["email"]

    def broken(desk: Any, touch: Touch, person: Any) -> Message:
        return 1 / 0 if touch.customer_id == "c1" else whole(desk, touch, person)  # type: ignore[return-value]  # the defect

    monkeypatch.setitem(composing.COMPOSERS, "email", broken)  # type: ignore[arg-type]  # a dict, read-only by its type
    assert send_due(store, NOON, senders={"email": Recorder()}).by_status == {"failed": 1, "sent": 1}
    assert "ZeroDivisionError" in Touch.objects.get(customer_id="c1").reason


def test_a_worker_that_is_interrupted_leaves_in_order(store: Settings) -> None:
    plan([f"c{number}" for number in range(300)])

    class Interrupted(OneByOne):
        def hand_over(self, message: Message) -> str:
            taken = super().hand_over(message)
            if len(self.taken) == 70:
                raise KeyboardInterrupt
            return taken

    with pytest.raises(KeyboardInterrupt):
        send_due(store, NOON, senders={"email": Interrupted()}, clock=lambda: NOON)
    assert counts() == {"attempting": 1, "planned": 230, "sent": 69}, "of the one that was interrupted nobody can say"
    assert set(Touch.objects.filter(status="planned").values_list("owner", "lease_until", "attempts")) == {("", None, 0)}
    assert send_due(store, later(5), senders={"email": Recorder()}, clock=lambda: later(5)).by_status == {"sent": 230, "unknown": 1}


def test_two_workers_count_each_message_once(store: Settings) -> None:
    """The second takes over what the first is too slow for; the sums of both are what there was."""
    plan([f"c{number}" for number in range(400)])
    other, results = Recorder(), []

    class Slow(Recorder):
        def hand_over(self, message: Message) -> str:
            taken = super().hand_over(message)
            if message is self.taken[0]:
                results.append(send_due(store, NOON, senders={"email": other}, clock=lambda: later(5)))
            return taken

    slow = Slow()
    results.append(send_due(store, NOON, senders={"email": slow}, clock=lambda: NOON))
    ids = [message.id for message in (*slow.taken, *other.taken)]
    assert len(ids) == len(set(ids)) == 400
    assert counts() == {"sent": 400}
    assert sum(done.planned for done in results) == 400, "what one left unknown and settled itself counts once"


@pytest.mark.parametrize("batch", [1, 2, 7, 50])
def test_never_more_than_one_batch_is_in_doubt(store: Settings, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(shift, "BATCH", batch)
    plan([f"c{number}" for number in range(120)])
    most, whole = [0], outbox.begin

    def watched(*args: Any) -> Any:
        found = whole(*args)
        most.append(Touch.objects.filter(status="attempting").count())
        return found

    monkeypatch.setattr(outbox, "begin", watched)
    assert send_due(store, NOON, senders={"email": Recorder()}).by_status == {"sent": 120}
    assert max(most) == batch


class Passing(OneByOne):
    """Every message takes a minute of the clock."""

    def __init__(self, begins: datetime, error: Exception | None = None) -> None:
        super().__init__()
        self.now, self.error = begins, error

    def hand_over(self, message: Message) -> str:
        self.now += timedelta(minutes=1)
        super().hand_over(message)
        if self.error:
            raise self.error
        return ""


def test_a_run_that_lasts_into_the_night_stops_writing(store: Settings) -> None:
    plan([f"c{number}" for number in range(120)])
    evening = NOON.replace(hour=19, minute=1)
    sender = Passing(evening)
    done = send_due(store, senders={"email": sender}, clock=lambda: sender.now)
    assert (done.planned, done.by_status["sent"] + done.postponed) == (120, 120)
    assert 50 <= len(sender.taken) <= 110, "what was begun before eight went, and no more"
    waiting = Touch.objects.filter(status="planned")
    assert set(waiting.values_list("send_at", "reason")) == {((NOON + timedelta(days=1)).replace(hour=9), "quiet hours")}


def test_what_a_long_run_writes_down_bears_the_instant_at_which_it_was(store: Settings) -> None:
    plan([f"c{number}" for number in range(5)], valid_until=None)
    sender = Passing(NOON)
    send_due(store, senders={"email": sender}, clock=lambda: sender.now)
    dates = [parsedate_to_datetime(message_from_bytes(one.wire)["Date"]) for one in sender.taken]
    assert dates == [later(number) for number in range(5)]
    settled = sorted(one for one in Touch.objects.values_list("settled_at", flat=True) if one)
    assert (settled[0] > NOON, settled[-1]) == (True, later(5))
    plan([f"d{number}" for number in range(5)], name="plan2", valid_until=None)
    again = Passing(NOON, TEMPORARY)
    send_due(store, senders={"email": again}, clock=lambda: again.now)
    waits = Touch.objects.filter(plan="plan2").order_by("send_at").values_list("send_at", flat=True)
    assert list(waits) == [later(number + 15) for number in range(1, 6)]


def test_on_a_shifted_clock_one_instant_holds(store: Settings) -> None:
    plan(["c1", "c2"])
    sender = Passing(NOON)
    send_due(store, NOON, senders={"email": sender}, clock=lambda: sender.now)
    assert set(Touch.objects.values_list("settled_at", flat=True)) == {NOON}


def test_a_pause_stops_a_run_under_way(store: Settings) -> None:
    size = 300
    plan([f"c{number}" for number in range(size)])

    class Disliked(OneByOne):
        def hand_over(self, message: Message) -> str:
            taken = super().hand_over(message)
            if len(self.taken) == 10:
                pause("win-back", "complaints", "Ada", NOON)
            return taken

    done = send_due(store, NOON, senders={"email": (sender := Disliked())})
    sent = len(sender.taken)
    assert 10 <= sent <= 10 + shift.BATCH
    assert done == Sent(size, {"sent": sent}, 0, held=size - sent)
    assert set(Touch.objects.filter(status="planned").values_list("owner", "attempts", "settled_at")) == {("", 0, None)}
    resume("win-back", "Ada", later(1))
    assert send_due(store, later(1), senders={"email": Recorder()}) == Sent(size - sent, {"sent": size - sent}, 0)


def test_a_message_that_was_looked_at_too_long_ago_is_looked_at_again(store: Settings) -> None:
    plan(["c1", "c2", "c3"])
    first: list[str] = []

    class Slow(OneByOne):
        def hand_over(self, message: Message) -> str:
            assert 0 < message.until - time.monotonic() <= shift.FRESH
            if len(first) < 2:
                first.append(message.id)
                if len(first) == 2:
                    opt_out(message.to.partition("@")[0], "email", NOON, "link")
                raise LookAgain("too late", "None.")
            return super().hand_over(message)

    done = send_due(store, NOON, senders={"email": (slow := Slow())})
    assert done == Sent(3, {"sent": 2, "suppressed": 1}, 0)
    assert first[1] not in [one.id for one in slow.taken]
    assert set(Touch.objects.filter(status="sent").values_list("attempts", flat=True)) == {1}


@pytest.mark.parametrize("service", [False, True])
def test_a_message_goes_to_the_address_that_is_known_when_it_begins(store: Settings, service: bool) -> None:
    """All are claimed at once; the last two have not begun when the first one leaves."""
    names = [f"c{number}" for number in range(shift.BATCH + 10)]
    plan(names, service=service, facts='{"offer_kind": "none"}' if service else touches(["c1"])["facts"][0].as_py())

    class Corrected(OneByOne):
        def hand_over(self, message: Message) -> str:
            if not self.taken:
                assert set(Touch.objects.filter(customer_id__in=names[-2:]).values_list("status", flat=True)) == {"claimed"}
                for name, address in zip(names[-2:], ("new@corrected.example", ""), strict=True):
                    Person.objects.filter(pk=name).update(email=address, email_lookup=address)
            return super().hand_over(message)

    done = send_due(store, NOON, senders={"email": (sender := Corrected())})
    assert done == Sent(len(names), {"sent": len(names) - 1, "suppressed": 1}, 0)
    assert [message.to for message in sender.taken] == [*(f"{name}@people.example" for name in names[:-2]), "new@corrected.example"]
    assert Touch.objects.get(customer_id=names[-1]).reason == "no address"


def test_leases_hold_as_long_as_their_worker_is_alive(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    plan([f"c{number}" for number in range(3)])
    monkeypatch.setattr(shift, "AT_MOST", 0.02)
    now = [NOON]

    class Long(OneByOne):
        def hand_over(self, message: Message) -> str:
            for _ in range(9):
                now[0] += timedelta(seconds=20)
                until = time.monotonic() + 5
                while (oldest() or now[0]) - now[0] < outbox.LEASE - shift.RENEW_AFTER and time.monotonic() < until:
                    time.sleep(0.01)
                assert outbox.recover(now[0]) == (0, 0)
            return super().hand_over(message)

    def oldest() -> datetime | None:
        return Touch.objects.exclude(lease_until=None).order_by("lease_until").values_list("lease_until", flat=True).first()

    assert send_due(store, NOON, senders={"email": Long()}, clock=lambda: now[0]).by_status == {"sent": 3}


def test_a_worker_that_is_told_to_stop_leaves_in_order(store: Settings) -> None:
    plan([f"c{number}" for number in range(300)])
    stop = threading.Event()

    class Told(OneByOne):
        def hand_over(self, message: Message) -> str:
            taken = super().hand_over(message)
            if len(self.taken) == 70:
                stop.set()
            return taken

    done = send_due(store, NOON, senders={"email": Told()}, stop=stop)
    sent = done.by_status["sent"]
    assert sent in (70, 71)
    assert counts() == {"planned": 300 - sent, "sent": sent}
    assert set(Touch.objects.filter(status="planned").values_list("owner", "lease_until", "attempts")) == {("", None, 0)}
    assert send_due(store, NOON, senders={"email": Recorder()}).by_status == {"sent": 300 - sent}


def test_leases_are_renewed_in_time(store: Settings) -> None:
    plan([f"c{number}" for number in range(120)])
    passed = [0.0]
    leases: list[tuple[datetime, datetime]] = []

    class Slow(OneByOne):
        def hand_over(self, message: Message) -> str:
            passed[0] += 1.0
            return super().hand_over(message)

    def clock() -> datetime:
        return NOON + timedelta(seconds=passed[0])

    begin: Callable[..., Any] = outbox.begin

    def seen(*args: Any) -> Any:
        found = begin(*args)
        leases.extend((clock(), one) for one in Touch.objects.filter(status="claimed").values_list("lease_until", flat=True))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "begin", seen)
        assert send_due(store, NOON, senders={"email": Slow()}, clock=clock).by_status == {"sent": 120}
    assert leases, "some were claimed ahead"
    assert all(until - at > timedelta(seconds=30) for at, until in leases)
    assert retrying.TRIES == 8
