"""Whatever a mail server says is read within bounds, and means one thing."""

import contextlib
import smtplib
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.errors import OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.channels.smtp.replies import CONNECTION, DATA, DOT, MAIL, RCPT, queue_id, readable, refusal, taken
from rekindle.service.channels.smtp.session import Session

STEPS = (CONNECTION, MAIL, RCPT, DATA, DOT)
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"250 ok\r\n", b"250-more\r\n", b"250\r\n", b"550-no\r\n", b"\n", b"\r", b"354", b" ", b"-", b"x" * 9_000]),
)


def read(said: bytes) -> tuple[int, bytes]:
    """What a session makes of bytes after which the server hangs up."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        session = Session("shop.example", time.monotonic)
        session.deadline = time.monotonic() + 5.0
        session.sock = ours
        try:
            return session.getreply()
        finally:
            session.sock = None
            session.close()


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_any_answer_is_read_or_ends_the_connection(pieces: list[bytes]) -> None:
    with contextlib.suppress(OSError):
        code, text = read(b"".join(pieces))
        assert 0 <= code <= 999
        assert len(text) <= 75_000


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"250 ok\r\n", (250, b"ok")),
        (b"250-one\r\n250-two\r\n250 three\r\n", (250, b"one\ntwo\nthree")),
        (b"250\r\n", (250, b"")),
        (b"550 no\n", (550, b"no")),
    ],
)
def test_an_answer_is_its_code_and_its_lines(said: bytes, answer: tuple[int, bytes]) -> None:
    assert read(said) == answer


@pytest.mark.parametrize("said", [b"", b"250 ok", b"2500 ok\r\n", b"ok\r\n", b"250-more\r\n", b"25", b"\r\n"])
def test_what_is_no_answer_ends_the_connection(said: bytes) -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected):
        read(said)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STEPS), st.integers(-1, 999), st.binary(max_size=300))
def test_every_answer_means_one_thing_and_is_shown_on_one_short_line(step: str, code: int, text: bytes) -> None:
    if taken(step, code):
        assert code in (range(350, 360) if step == DATA else range(250, 260))
        return
    failure = refusal(step, code, text)
    assert isinstance(failure, PermanentFailure) <= (code // 100 == 5 and step != CONNECTION)
    assert isinstance(failure, OutcomeUnknown) <= (code // 100 not in (4, 5) and step == DOT)
    assert isinstance(failure, TemporaryFailure) or code // 100 == 5 or step == DOT
    assert failure.cause.isprintable()
    assert len(failure.cause) < 240


@given(st.binary(max_size=400))
def test_a_queue_id_is_short_and_plain(text: bytes) -> None:
    assert len(queue_id(text)) <= 100
    assert queue_id(text).isascii()
    assert readable(text).isprintable()
