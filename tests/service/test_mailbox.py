from datetime import date
from pathlib import Path

import pytest

from rekindle.deliver.channel import Message
from rekindle.errors import TemporaryFailure
from rekindle.service.channels.mailbox.channel import Mailbox

MESSAGE = Message("abc@shop.example", date(2026, 11, 23), b"Subject: x\r\n\r\ny")


def test_a_message_is_one_file_under_its_day(tmp_path: Path) -> None:
    box = Mailbox(tmp_path / "mail")
    box.hand_over(MESSAGE)
    box.hand_over(MESSAGE)
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert files == ["mail/2026-11-23/abc@shop.example.eml"]
    assert next(tmp_path.rglob("*.eml")).read_bytes() == MESSAGE.wire


def test_where_nothing_can_be_written_it_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    with pytest.raises(TemporaryFailure, match="cannot write"):
        Mailbox(tmp_path / "mail").hand_over(MESSAGE)
    assert (tmp_path / "mail").is_file()
