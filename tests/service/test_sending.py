import contextlib
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from rekindle.deliver.channel import Message
from rekindle.deliver.links import verify
from rekindle.errors import Refused, TemporaryFailure
from rekindle.program.rules import QuietHours
from rekindle.service.config import load_ring, use_ledger
from rekindle.service.flow.permitting import end_of_quiet
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.flow.shift import BATCH
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import Touch
from rekindle.service.outbox.queries import counts
from rekindle.service.people.actions import opt_out
from rekindle.service.people.models import Person
from rekindle.settings import Settings
from tests.service.conftest import NOON, make_store
from tests.service.touches import FACTS, Killed, OneByOne, Recorder, later, meet, plan, touches

MANY = [f"c{number}" for number in range(120)]


def statuses() -> dict[str, str]:
    return dict(Touch.objects.values_list("customer_id", "status"))


def test_a_due_touch_becomes_a_file_that_mail_programs_read(store: Settings) -> None:
    plan(["c1"])
    assert send_due(store, NOON) == Sent(1, {"sent": 1}, 0)
    (path,) = [one for one in (store.var / "mail").rglob("*") if one.is_file()]
    touch = Touch.objects.get()
    assert path == store.var / "mail" / "2026-11-23" / f"{touch.message_id}.eml"
    assert (touch.status, touch.settled_at) == ("sent", NOON)
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert message["To"] == "c1@people.example"
    assert message["From"] == "Marigold <hello@marigold.example>"
    assert message["Subject"] == "Ada, it has been a while"
    assert message["Message-ID"] == f"<{touch.message_id}>"
    assert touch.message_id.endswith("@marigold.example")
    token = message["List-Unsubscribe"].strip("<>").rpartition("/u/")[2]
    assert verify(load_ring(store.var, "unsubscribe"), token).subject == "c1"
    assert "Lantern" in message.get_body(("plain",)).get_content()
    assert "12 Garden Row" in message.get_body(("html",)).get_content()


def test_a_second_send_sends_nothing(store: Settings) -> None:
    plan(MANY)
    assert send_due(store, NOON, senders={"email": Recorder()}).by_status == {"sent": 120}
    again = Recorder()
    assert send_due(store, later(600), senders={"email": again}) == Sent(0, {}, 0)
    assert again.taken == []


def test_what_is_not_due_waits(store: Settings) -> None:
    plan(["c1"], send_at=datetime(2026, 11, 24, 10))
    assert send_due(store, NOON) == Sent(0, {}, 0)
    assert statuses() == {"c1": "planned"}


def test_every_state_that_ends_without_a_message(store: Settings) -> None:
    names = ["expired", "optout", "silent", "stranger", "sms"]
    meet([*names[:2], "sms"])
    meet(["silent"], granted=False)
    columns = {"valid_until": [date(2026, 11, 22), *[None] * 4], "channel": [*["email"] * 4, "sms"]}
    outbox.insert_touches("plan1", touches(names, **columns))
    outbox.ready("plan1")
    opt_out("optout", "email", NOON, "link")
    sent = send_due(store, NOON, senders={"email": (recorder := Recorder())})
    assert sent == Sent(5, {"expired": 1, "failed": 1, "suppressed": 3}, 0)
    assert recorder.taken == []
    reasons = dict(Touch.objects.values_list("customer_id", "reason"))
    assert reasons == {
        "expired": "valid until 2026-11-22", "optout": "opted out", "silent": "opted out", "stranger": "no consent",
        "sms": "no sender for sms is set up",
    }


def test_an_opt_out_in_the_middle_of_a_batch_is_obeyed(store: Settings) -> None:
    plan(["c1", "c2", "c3"])

    class Leaving(OneByOne):
        def hand_over(self, message: Message) -> str:
            taken = super().hand_over(message)
            opt_out("c2", "email", NOON, "link")
            return taken

    channel = Leaving()
    assert send_due(store, NOON, senders={"email": channel}).by_status == {"sent": 2, "suppressed": 1}
    assert statuses() == {"c1": "sent", "c2": "suppressed", "c3": "sent"}
    assert b"c2@" not in b"".join(message.wire for message in channel.taken)


def test_the_customers_night_postpones(store: Settings) -> None:
    meet(["far"], zone="Asia/Tokyo")
    outbox.insert_touches("plan1", touches(["far"]))
    outbox.ready("plan1")
    assert send_due(store, NOON) == Sent(1, {}, 1)
    assert Touch.objects.get().send_at == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert send_due(store, datetime(2026, 11, 24, 0, 0, tzinfo=UTC)).by_status == {"sent": 1}


@pytest.mark.parametrize(
    ("hour", "zone", "start", "end", "expected"),
    [
        (12, "UTC", "20:00", "09:00", None),
        (20, "UTC", "20:00", "09:00", datetime(2026, 11, 24, 9, tzinfo=UTC)),
        (8, "UTC", "20:00", "09:00", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        (9, "UTC", "20:00", "09:00", None),
        (8, "Europe/Berlin", "20:00", "09:00", None),
        (12, "UTC", "11:00", "13:00", datetime(2026, 11, 23, 13, tzinfo=UTC)),
    ],
)
def test_quiet_hours(hour: int, zone: str, start: str, end: str, expected: datetime | None) -> None:
    assert end_of_quiet(NOON.replace(hour=hour), QuietHours(start=start, end=end), zone) == expected


def test_a_channel_that_cannot_now_is_asked_again_later(store: Settings) -> None:
    plan(["c1"])

    class Full:
        def hand_over(self, message: Message) -> str:
            raise TemporaryFailure("the disk is full", "Make room.")

    assert send_due(store, NOON, senders={"email": Full()}) == Sent(1, {}, 1)
    assert send_due(store, later(14)) == Sent(0, {}, 0)
    assert send_due(store, later(15)).by_status == {"sent": 1}


@pytest.mark.parametrize("facts", ["no json", "[]", '{"password": "x"}', '{"last_day": "soon"}', '{"offer_kind": "percent"}'])
def test_a_touch_whose_facts_cannot_be_told_fails_alone(store: Settings, facts: str) -> None:
    plan(["c1", "c2"], facts=[facts, json.dumps(FACTS)])
    assert send_due(store, NOON).by_status == {"failed": 1, "sent": 1}
    assert Touch.objects.get(customer_id="c1").reason


@pytest.mark.parametrize("change", [{"sender": {"email": "a@b.example"}}, {"public_url": "http://shop.example"}])
def test_a_store_that_cannot_write_lawfully_does_not_begin(store: Settings, change: dict[str, Any]) -> None:
    plan(["c1"])
    with pytest.raises(Refused):
        send_due(Settings(**{**store.model_dump(), **change}), NOON)
    assert statuses() == {"c1": "planned"}


STEPS = ("recover", "claim", "begin", "settle")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [1, 2])
def test_a_stop_at_any_step_never_hands_over_twice(
    store: Settings, monkeypatch: pytest.MonkeyPatch, step: str, after: bool, call: int
) -> None:
    plan(MANY)
    whole: Callable[..., Any] = getattr(outbox, step)
    calls = []

    def stopping(*args: Any) -> Any:
        calls.append(step)
        if len(calls) == call and not after:
            raise Killed
        result = whole(*args)
        if len(calls) == call:
            raise Killed
        return result

    channel = Recorder()
    with monkeypatch.context() as patch:
        patch.setattr(outbox, step, stopping)
        with contextlib.suppress(Killed):
            send_due(store, NOON, senders={"email": channel}, clock=lambda: NOON)
    send_due(store, NOON, senders={"email": channel}, clock=lambda: later(5))
    _nothing_twice_nothing_lost(channel)


@pytest.mark.parametrize("at", [1, 30, 50, 51, 120])
@pytest.mark.parametrize("after", [False, True])
def test_a_stop_while_handing_over(store: Settings, at: int, after: bool) -> None:
    plan(MANY)
    attempts: list[str] = []

    class Stopping(Recorder):
        def hand_over(self, message: Message) -> str:
            attempts.append(message.id)
            if len(attempts) == at and not after:
                raise Killed
            taken = super().hand_over(message)
            if len(attempts) == at:
                raise Killed
            return taken

    channel = Stopping()
    with pytest.raises(Killed):
        send_due(store, NOON, senders={"email": channel}, clock=lambda: NOON)
    send_due(store, NOON, senders={"email": channel}, clock=lambda: later(5))
    _nothing_twice_nothing_lost(channel)


def _nothing_twice_nothing_lost(channel: Recorder) -> None:
    settled = counts()
    assert sum(settled.values()) == len(MANY)
    assert set(settled) <= {"sent", "unknown"}
    assert settled.get("unknown", 0) <= BATCH
    ids = [message.id for message in channel.taken]
    assert len(ids) == len(set(ids))
    assert set(Touch.objects.filter(status="sent").values_list("message_id", flat=True)) <= set(ids)
    assert len(ids) >= settled.get("sent", 0)


def test_two_workers_share_and_the_slow_one_does_no_harm(store: Settings) -> None:
    plan(MANY)
    other = Recorder()

    class Slow(Recorder):
        def hand_over(self, message: Message) -> str:
            if not self.taken:
                send_due(store, NOON, senders={"email": other}, clock=lambda: later(5))
            return super().hand_over(message)

    slow = Slow()
    send_due(store, NOON, senders={"email": slow}, clock=lambda: NOON)
    ids = [message.id for message in [*slow.taken, *other.taken]]
    assert len(ids) == len(set(ids)) == 120
    assert counts() == {"sent": 120}


def test_messages_of_two_stores_stay_apart(tmp_path: Path) -> None:
    stores = [make_store(tmp_path / name) for name in ("one", "two")]
    for settings in stores:
        use_ledger(settings)
        plan([settings.root.name])
    for settings in stores:
        assert send_due(settings, NOON).by_status == {"sent": 1}
        (path,) = (settings.var / "mail" / "2026-11-23").iterdir()
        assert f"{settings.root.name}@people.example".encode() in path.read_bytes()


def test_hostile_names_stay_names(store: Settings) -> None:
    names = ["{{ 7*7 }}", "<script>alert(1)</script>", "Ada\r\nBcc: all@x.example", "=?utf-8?q?Eve?=", "{% raw %}", "Zoë"]
    customers = [f"c{number}" for number in range(len(names))]
    plan(customers)
    for customer, name in zip(customers, names, strict=True):
        Person.objects.filter(pk=customer).update(first_name=name)
    channel = Recorder()
    assert send_due(store, NOON, senders={"email": channel}).by_status == {"sent": len(names)}
    for message in channel.taken:
        read = BytesParser(policy=policy.default).parsebytes(message.wire)
        assert sorted(read.keys()) == [
            "Content-Type", "Date", "From", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Message-ID", "Reply-To",
            "Subject", "To",
        ]
        html, text = (read.get_body((kind,)).get_content() for kind in ("html", "plain"))
        assert "<script>" not in html
        assert not re.search(r"(src=|<link|@import|url\()", html), "a mail loads nothing from anywhere"
        assert "49" not in re.sub(r"https://\S+", "", text) + read["Subject"]
    subjects = {BytesParser(policy=policy.default).parsebytes(message.wire)["Subject"] for message in channel.taken}
    assert {"{{ 7*7 }}, it has been a while", "=?utf-8?q?Eve?=, it has been a while", "Zoë, it has been a while"} <= subjects


def test_the_mail_leaves_after_a_postponement_before_the_offer_ends(store: Settings) -> None:
    plan(["c1"], valid_until=date(2026, 11, 23))
    night = NOON.replace(hour=21)
    assert send_due(store, night) == Sent(1, {}, 1)
    assert send_due(store, night + timedelta(hours=12)).by_status == {"expired": 1}
