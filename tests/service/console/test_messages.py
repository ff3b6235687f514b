"""The outbox as the console shows it: states, reasons, what waits, and one message as its reader sees it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rekindle import moment
from rekindle.service.console.messages import STATES
from rekindle.service.console.roles import Role
from rekindle.service.outbox import board
from rekindle.service.outbox.models import OPEN, SETTLED, Plan, Touch
from rekindle.service.programs import actions as programs
from rekindle.settings import Settings
from tests.service.touches import plan

Enter = Callable[..., Client]


def page(client: Client, address: str = "messages") -> str:
    answer = client.get(f"/console/{address}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def sent(shop: Settings) -> Settings:
    """Six messages: three wait, one was sent, two came back for reasons that are alike but for the address."""
    plan([f"customer-{number}" for number in range(6)])
    now = moment.now()
    every = list(Touch.objects.order_by("id"))
    for number, touch in enumerate(every):
        touch.send_at = now - timedelta(hours=1) if number else now + timedelta(days=2)
        touch.status = ("planned", "planned", "planned", "sent", "failed", "failed")[number]
        touch.reason = f"550 <someone{number}@people.example> unknown" if number > 3 else ""
        touch.settled_at = now if number > 2 else None
        touch.save()
    return shop


def test_every_status_of_the_outbox_is_in_one_state() -> None:
    assert sorted(status for state in STATES for status in state.statuses) == sorted({*OPEN, *SETTLED})


def test_before_any_plan_the_page_says_what_it_waits_for(shop: Settings, enter: Enter) -> None:
    assert "No messages yet" in page(enter(Role.VIEWER))


def test_what_waits_comes_first_with_when_it_is_to_go(sent: Settings, enter: Enter) -> None:
    text = page(enter(Role.EDITOR))
    assert 'aria-current="page">Waiting <span class="soft">3</span>' in text
    assert "due now" in text
    assert text.index("customer-1") < text.index("customer-2") < text.index("customer-0")
    assert "customer-3" not in text


def test_reasons_that_differ_by_an_address_alone_are_one_for_who_may_not_see_it(sent: Settings, enter: Enter) -> None:
    text = page(enter(Role.EDITOR), "messages?state=failed")
    assert '<th scope="row">550 (an address) unknown</th><td data-head="Messages" class="number">2</td>' in text
    open_text = page(enter(Role.EDITOR, privacy=True), "messages?state=failed")
    assert "someone4@people.example" in open_text
    assert "someone5@people.example" in open_text


def test_a_viewer_sees_sums_and_no_customer(sent: Settings, enter: Enter) -> None:
    text = page(enter(Role.VIEWER), "messages?state=failed")
    assert "550 (an address) unknown" in text
    assert "customer-" not in text


def test_a_paused_program_and_a_plan_without_a_yes_are_named(sent: Settings, enter: Enter) -> None:
    programs.pause("win-back", "complaints", "Ada", moment.now())
    assert "Marketing of win-back stays here until somebody resumes it" in page(enter(Role.EDITOR))


def test_pages_follow_each_other_and_nothing_is_shown_twice(sent: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "PAGE", 2)
    first = board.page(OPEN, ascending=True)
    assert len(first) == 3
    second = board.page(OPEN, (first[1].send_at, first[1].pk), ascending=True)
    assert [one.customer_id for one in (*first[:2], *second)] == ["customer-1", "customer-2", "customer-0"]
    back = board.page(("failed", "sent"))
    assert [one.customer_id for one in back] == ["customer-5", "customer-4", "customer-3"]
    assert [one.customer_id for one in board.page(("failed", "sent"), (back[1].send_at, back[1].pk))] == ["customer-3"]


def test_a_plan_that_is_being_loaded_counts_for_nothing(sent: Settings, enter: Enter) -> None:
    Plan.objects.update(ready=False)
    since = moment.now() - timedelta(days=30)
    assert set(board.counts(since).values()) == {0}
    assert board.page(OPEN) == []
    assert "No messages yet" in page(enter(Role.EDITOR))


@pytest.mark.parametrize("after", ["x", "2026-11-26T00:00:00~1", "2026-11-26T00:00:00+00:00~x", "2026-11-26T00:00:00+00:00~" + "9" * 30])
def test_an_address_that_cannot_be_read_shows_the_beginning(sent: Settings, enter: Enter, after: str) -> None:
    assert "customer-1" in page(enter(Role.EDITOR), f"messages?after={after.replace('+', '%2B')}")


def test_a_mail_is_shown_in_a_frame_that_may_do_nothing(sent: Settings, enter: Enter) -> None:
    editor, number = enter(Role.EDITOR), Touch.objects.get(status="sent").pk
    text = page(editor, f"messages/{number}")
    assert f'<iframe class="mail" src="/console/messages/{number}/mail"' in text
    assert "frame-src 'self'" in editor.get(f"/console/messages/{number}")["Content-Security-Policy"]
    mail = editor.get(f"/console/messages/{number}/mail")
    policy = mail["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "Ada" in mail.content.decode()


def test_a_message_that_cannot_be_written_says_why(sent: Settings, enter: Enter) -> None:
    Touch.objects.filter(status="sent").update(facts="[]")
    number = Touch.objects.get(status="sent").pk
    assert "It cannot be written" in page(enter(Role.EDITOR, privacy=True), f"messages/{number}")


@pytest.mark.parametrize("ascending", [True, False])
def test_pages_hold_every_message_once_and_begin_in_the_index(
    shop: Settings, monkeypatch: pytest.MonkeyPatch, ascending: bool
) -> None:
    monkeypatch.setattr(board, "PAGE", 3)
    plan([f"customer-{number}" for number in range(11)])
    for number, touch in enumerate(Touch.objects.order_by("-id")):
        Touch.objects.filter(pk=touch.pk).update(send_at=moment.now() + timedelta(days=number // 4))
    Touch.objects.filter(customer_id__in=["customer-3", "customer-8"]).update(send_at=Touch.objects.get(customer_id="customer-5").send_at)
    order = ("send_at", "id") if ascending else ("-send_at", "-id")
    every, found, begin = list(Touch.objects.order_by(*order).values_list("pk", flat=True)), list[int](), None
    with CaptureQueriesContext(connection) as asked:
        while len(rows := board.page(("planned",), begin, ascending)) > 3:
            found += [one.pk for one in rows[:3]]
            begin = rows[2].send_at, rows[2].pk
    assert found + [one.pk for one in rows] == every
    if connection.vendor == "sqlite":
        way = " ".join(str(row) for row in connection.cursor().execute(f"EXPLAIN QUERY PLAN {asked[-1]['sql']}").fetchall())
        assert f"touches_due (status=? AND send_at{'>' if ascending else '<'}?)" in way
