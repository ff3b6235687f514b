import mailbox
from pathlib import Path

import pytest

from rekindle.errors import BadData, UsageError
from rekindle.service.events.actions import Recorded
from rekindle.service.events.models import DeliveryEvent
from rekindle.service.flow.returned_mail import messages, take_in
from rekindle.service.outbox.models import Touch
from rekindle.service.people.digests import digest_of
from rekindle.service.people.models import Suppression
from rekindle.settings import Settings
from tests.deliver import returned_mail as mail
from tests.service.told import PEOPLE, sent, token
from tests.service.touches import later, plan

RAW = (mail.POSTFIX, mail.ABUSE, mail.DELAYED, mail.QMAIL, mail.AWAY)


def ours(raw: bytes, customer: str) -> bytes:
    return raw.replace(mail.TOKEN.encode(), token(customer).encode()).replace(b"ada@", f"{customer}@".encode())


ALL = [ours(raw, customer) for raw, customer in zip(RAW, ("c1", "c2", "c3", "c3", "c3"), strict=True)]


def as_mbox(path: Path) -> Path:
    box = mailbox.mbox(path)
    for raw in ALL:
        box.add(raw)
    box.close()
    return path


def as_maildir(path: Path) -> Path:
    box = mailbox.Maildir(path)
    for number, raw in enumerate(ALL):
        named = mailbox.MaildirMessage(raw)
        named.set_subdir("cur" if number % 2 else "new")
        box.add(named)
    return path


def as_folder(path: Path) -> Path:
    path.mkdir()
    for number, raw in enumerate(ALL):
        (path / f"{number}.eml").write_bytes(raw)
    (path / "notes.txt").write_bytes(ALL[0])
    return path


@pytest.fixture
def outbox(store: Settings) -> Settings:
    plan(PEOPLE)
    sent()
    return store


@pytest.mark.parametrize("make", [as_mbox, as_maildir, as_folder])
def test_a_mailbox_is_taken_in_once_whatever_its_form(outbox: Settings, tmp_path: Path, make: type[Path]) -> None:
    path = make(tmp_path / "returned")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and "shop" not in file.parts}
    done = take_in([path], later(6))
    assert (done.messages, done.kinds) == (5, {"bounced": 1, "complained": 1, "deferred": 1})
    assert done.recorded == Recorded(read=3, new=3, ours=3, suppressed=2, settled=1)
    assert set(Suppression.objects.values_list("digest", "reason")) == {
        (digest_of("c1@people.example"), "bounce"), (digest_of("c2@people.example"), "complaint"),
    }
    assert dict(Touch.objects.values_list("customer_id", "status")) == {"c1": "failed", "c2": "sent", "c3": "sent"}
    again = take_in([path, path], later(7))
    assert (again.messages, again.recorded) == (10, Recorded(read=6))
    assert before == {file: file.read_bytes() for file in before}


def test_the_same_reports_in_another_form_are_the_same_events(outbox: Settings, tmp_path: Path) -> None:
    take_in([as_mbox(tmp_path / "box")], later(6))
    done = take_in([as_maildir(tmp_path / "dir"), as_folder(tmp_path / "folder")], later(7))
    assert (done.messages, done.recorded) == (10, Recorded(read=6))


def test_counting_alone_changes_nothing(outbox: Settings, tmp_path: Path) -> None:
    done = take_in([as_mbox(tmp_path / "box")], later(6), dry_run=True)
    assert (done.messages, done.kinds, done.recorded) == (5, {"bounced": 1, "complained": 1, "deferred": 1}, None)
    assert (DeliveryEvent.objects.count(), Suppression.objects.count()) == (0, 0)


def test_a_message_alone_is_a_mailbox(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(mail.POSTFIX)
    (tmp_path / "none").write_bytes(b"")
    assert list(messages(tmp_path / "one")) == [mail.POSTFIX]
    assert list(messages(tmp_path / "none")) == [b""]


def test_no_message_of_a_mailbox_is_held_whole_where_it_is_huge(tmp_path: Path) -> None:
    huge = b"From someone\n" + b"x" * 3_000_000 + b"\n\nFrom someone\nSubject: next\n\nsmall\n"
    (tmp_path / "box").write_bytes(huge)
    found = list(messages(tmp_path / "box"))
    assert [len(one) < 1_200_000 for one in found] == [True, True]
    assert found[1] == b"From someone\nSubject: next\n\nsmall\n"


def test_what_is_not_there_or_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="there is no mailbox at"):
        list(messages(tmp_path / "nowhere"))
    path = tmp_path / "locked"
    path.write_bytes(b"From x\n")

    def refuse(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadData, match="Permission denied"):
        list(messages(path))
