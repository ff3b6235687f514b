from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.service.config import use_ledger
from rekindle.service.outbox.models import Touch
from rekindle.service.programs.queries import paused, pauses
from rekindle.settings import load
from tests.cli.terminal import done, typed
from tests.deliver import returned_mail as mail
from tests.service.told import PEOPLE, sent, token
from tests.service.touches import plan


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    from django.db import connection

    done("init", tmp_path / "shop", "--name", "Corner")
    use_ledger(load(tmp_path / "shop"))
    plan(PEOPLE)
    sent()
    yield tmp_path / "shop"
    connection.close()


def test_a_bounce_is_taken_in(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bounce.eml").write_bytes(mail.POSTFIX.replace(mail.TOKEN.encode(), token("c1").encode()))
    counted = done("--store", folder, "events", tmp_path / "bounce.eml", "--dry-run")
    assert counted.lines == ["Read           1 message: bounced 1"]
    assert Touch.objects.filter(status="sent").count() == 3
    answer = done("--store", folder, "events", tmp_path / "bounce.eml", "--json")
    assert answer.json == {
        "messages": 1, "kinds": {"bounced": 1}, "new": 1, "ours": 1, "suppressed": 1, "opted_out": 0, "settled": 1, "paused": [],
    }
    again = done("--store", folder, "events", tmp_path / "bounce.eml")
    assert again.lines == [
        "Read           1 message: bounced 1", "New            0 events, 0 about messages of this store",
        "Followed       0 suppressed, 0 opted out, 0 settled",
    ]


def test_a_mailbox_that_is_not_there_is_wrong_usage(folder: Path) -> None:
    answer = typed("--store", folder, "events", folder / "nowhere")
    assert (answer.code, "there is no mailbox at" in answer.err) == (2, True)


def test_a_program_is_paused_and_resumed(folder: Path) -> None:
    tried = done("--store", folder, "pause", "win-back", "--dry-run")
    assert (tried.lines, paused()) == (["Program        win-back would be paused"], frozenset())
    assert done("--store", folder, "pause", "win-back", "--reason", "wrong text", "--by", "Ada").lines == [
        "Program        win-back is paused"
    ]
    assert done("--store", folder, "pause", "win-back").lines == ["Program        win-back is paused already"]
    assert paused() == {"win-back"}
    assert done("--store", folder, "resume", "win-back", "--by", "Eve", "--json").json == {
        "program": "win-back", "state": "running", "changed": True,
    }
    assert [(one.reason, one.by, one.resumed_by) for one in pauses()] == [("wrong text", "Ada", "Eve")]
    assert done("--store", folder, "resume", "win-back").lines == ["Program        win-back is running already"]


def test_only_an_approved_program_can_be_paused(folder: Path) -> None:
    answer = typed("--store", folder, "pause", "pigeons")
    assert (answer.code, "there is no approved program 'pigeons'" in answer.err, "win-back" in answer.err) == (2, True, True)
