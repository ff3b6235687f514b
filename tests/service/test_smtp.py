"""The relay: every way in which a hand-over can end, told apart by where it ended."""

import itertools
import re
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest

from rekindle.deliver.channel import Message
from rekindle.deliver.lanes import Limits
from rekindle.errors import DeliveryError, LookAgain, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.channels.smtp.channel import Smtp
from rekindle.service.channels.smtp.pool import Timing
from rekindle.service.channels.smtp.session import Server
from tests.faults.smtp_server import Fault, Scale, SmtpServer
from tests.service.relays import QUICK, SLOW, WIRE, message, relay


def test_a_message_goes_over_as_it_is_and_the_connection_is_kept() -> None:
    with SmtpServer(keep=True) as server, relay(server) as smtp:
        said = [smtp.hand_over(message(number)) for number in range(3)]
    assert said == ["4X00000001", "4X00000002", "4X00000003"]
    assert server.account.connections == 1
    assert server.account.wires[0] == (WIRE % b"m0@shop.example").replace(b"\r\n.a", b"\r\n..a")
    assert server.account.commands[:4] == [
        "ehlo shop.example", "MAIL FROM:<hello@shop.example> SIZE=90 RET=HDRS ENVID=m0@shop.example", "RCPT TO:<c0@a.example>", "DATA",
    ]  # fmt: skip
    assert "RSET" not in server.account.commands


@pytest.mark.parametrize(
    ("wire", "seen"),
    [
        (b".\r\n.\r\n..\r\n", b"..\r\n..\r\n...\r\n"),
        (b"Subject: x\r\n\r\nno end of line", b"Subject: x\r\n\r\nno end of line\r\n"),
        (b"a.b\r\n.c\r\n\r\n.", b"a.b\r\n..c\r\n\r\n..\r\n"),
    ],
)
def test_a_line_that_begins_with_a_dot_does_not_end_the_message(wire: bytes, seen: bytes) -> None:
    with SmtpServer(keep=True) as server, relay(server) as smtp:
        smtp.hand_over(message(wire=wire))
    assert server.account.wires == [seen]


TEMPORARY, PERMANENT, UNKNOWN = TemporaryFailure, PermanentFailure, OutcomeUnknown
WITHIN = 2.5
"""Seconds: less than what a server that stalls or trickles takes, more than what this machine needs when it is busy."""

WAYS = {
    "stalls before its banner": (Fault("BANNER", "stall"), TEMPORARY),
    "drops before its banner": (Fault("BANNER", "drop"), TEMPORARY),
    "is full": (Fault("BANNER", "reply", "421 too many connections"), TEMPORARY),
    "is no mail server": (Fault("BANNER", "reply", "554 go away"), TEMPORARY),
    "speaks HTTP": (Fault("BANNER", "reply", "HTTP/1.1 400 Bad Request"), TEMPORARY),
    "trickles its banner": (Fault("BANNER", "trickle", "220 ready when you are ready, my dear"), TEMPORARY),
    "stalls at EHLO": (Fault("EHLO", "stall"), TEMPORARY),
    "refuses EHLO": (Fault("EHLO", "reply", "502 what"), TEMPORARY),
    "stalls at MAIL": (Fault("MAIL", "stall"), TEMPORARY),
    "limits the rate": (Fault("MAIL", "reply", "451 4.7.1 slow down"), TEMPORARY),
    "wants a sign-in": (Fault("MAIL", "reply", "530 5.7.0 sign in first"), TEMPORARY),
    "refuses the sender": (Fault("MAIL", "reply", "553 5.7.1 not yours"), PERMANENT),
    "stalls at RCPT": (Fault("RCPT", "stall"), TEMPORARY),
    "answers RCPT a byte at a time": (Fault("RCPT", "trickle", "250 ok, with all my heart, and more"), TEMPORARY),
    "has no end at RCPT": (Fault("RCPT", "endless"), TEMPORARY),
    "has a line without end": (Fault("RCPT", "endless_line"), TEMPORARY),
    "answers nonsense at RCPT": (Fault("RCPT", "reply", "\x00\xff nonsense"), TEMPORARY),
    "answers two at once": (Fault("RCPT", "reply", "250 ok\r\n354 and go ahead"), TEMPORARY),
    "greylists": (Fault("RCPT", "reply", "450 4.2.0 come back later"), TEMPORARY),
    "shuts down": (Fault("RCPT", "reply", "421 4.3.2 shutting down"), TEMPORARY),
    "has no such mailbox": (Fault("RCPT", "reply", "550 5.1.1 no such user"), PERMANENT),
    "resets at RCPT": (Fault("RCPT", "reset"), TEMPORARY),
    "stalls at DATA": (Fault("DATA", "stall"), TEMPORARY),
    "refuses DATA": (Fault("DATA", "reply", "554 5.7.1 no"), PERMANENT),
    "does not wait for DATA": (Fault("DATA", "reply", "250 thanks"), TEMPORARY),
    "stalls after the dot": (Fault("DOT", "take_and_stall"), UNKNOWN),
    "drops after the dot": (Fault("DOT", "take_and_drop"), UNKNOWN),
    "drops after the dot without taking": (Fault("DOT", "drop"), UNKNOWN),
    "resets after the dot": (Fault("DOT", "reset"), UNKNOWN),
    "answers nonsense after the dot": (Fault("DOT", "take_and_reply", "354 go ahead"), UNKNOWN),
    "trickles after the dot": (Fault("DOT", "trickle", "250 ok, with all my heart, and more"), UNKNOWN),
    "has no room": (Fault("DOT", "reply", "452 4.3.1 no space"), TEMPORARY),
    "shuts down after the dot": (Fault("DOT", "reply", "421 4.3.2 shutting down"), TEMPORARY),
    "refuses the message": (Fault("DOT", "reply", "554 5.7.1 spam"), PERMANENT),
}


@pytest.mark.parametrize(("fault", "kind"), WAYS.values(), ids=WAYS)
def test_how_it_ended_is_told_by_where_it_ended(fault: Fault, kind: type[DeliveryError]) -> None:
    with SmtpServer({"": fault}, scale=SLOW) as server, relay(server) as smtp:
        begun = time.monotonic()
        with pytest.raises(DeliveryError) as caught:
            smtp.hand_over(message())
        assert time.monotonic() - begun < WITHIN
    assert type(caught.value) is kind
    if kind is not UNKNOWN:
        assert not server.account.taken


@pytest.mark.parametrize(
    "fault", [Fault("RCPT", "reply", "550 no"), Fault("RCPT", "reply", "450 later"), Fault("DOT", "reply", "554 spam")]
)
def test_a_refused_message_leaves_the_connection_to_the_next(fault: Fault) -> None:
    with SmtpServer({"bad.example": fault}) as server, relay(server) as smtp:
        with pytest.raises(DeliveryError):
            smtp.hand_over(message(1, "bad.example"))
        smtp.hand_over(message(2))
    assert (server.account.connections, server.account.taken) == (1, {"m2@shop.example": 1})
    assert server.account.commands.count("RSET") == 1


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        ("550 5.1.1 <c1@a.example>: no such user", True),
        ("550 5.2.1 mailbox disabled", True),
        ("556 5.1.10 the domain takes no mail", True),
        ("550 5.7.1 your network is on our list", False),
        ("552 5.2.2 mailbox full", False),
        ("550 no such user", False),
    ],
)
def test_only_a_mailbox_that_the_server_says_is_no_more_is_gone(answer: str, gone: bool) -> None:
    with SmtpServer({"": Fault("RCPT", "reply", answer)}) as server, relay(server) as smtp, pytest.raises(PermanentFailure) as caught:
        smtp.hand_over(message())
    assert caught.value.gone == gone


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        ("450 4.2.0 greylisted", timedelta(minutes=5)),
        ("451 4.7.1 try again in 90 seconds", timedelta(seconds=90)),
        ("451 please come back in 10 minutes", timedelta(minutes=10)),
        ("450 wait 99999 minutes", timedelta(hours=4)),
        ("452 4.2.2 mailbox full", None),
        ("421 4.7.0 deferred, wait 60s", timedelta(seconds=60)),
    ],
)
def test_it_waits_as_long_as_it_is_asked_to(answer: str, wait: timedelta | None) -> None:
    with SmtpServer({"": Fault("RCPT", "reply", answer)}) as server, relay(server) as smtp, pytest.raises(TemporaryFailure) as caught:
        smtp.hand_over(message())
    assert (caught.value.wait, caught.value.lane) == (wait, answer.startswith("421"))


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("250 2.0.0 Ok: queued as 4XyZ12abcd", "4XyZ12abcd"),
        ("250 OK id=1tFabc-0000Xy-2L", "1tFabc-0000Xy-2L"),
        ("250 Ok 0102019a2b-5f3c-000000", "0102019a2b-5f3c-000000"),
        ("250 2.6.0 <x@y> Queued mail for delivery", ""),
        ("250 ok", ""),
    ],
)
def test_the_name_that_the_server_gives_a_message_is_kept(answer: str, name: str) -> None:
    with SmtpServer({"": Fault("DOT", "take_and_reply", answer)}) as server, relay(server) as smtp:
        assert smtp.hand_over(message()) == name


@pytest.mark.parametrize("action", ["drop", "stall", "reset"])
def test_a_kept_connection_that_the_server_has_closed_is_replaced_without_a_word(action: str) -> None:
    with SmtpServer(scale=SLOW) as server, relay(server, timing=replace(QUICK, before_dot=5.0)) as smtp:
        smtp.hand_over(message(1))
        server.faults, server.left = {"": Fault("MAIL", action, times=1)}, {"": 1}
        smtp.hand_over(message(2))
    assert server.account.taken == {"m1@shop.example": 1, "m2@shop.example": 1}
    assert server.account.connections == 2


def test_a_server_that_takes_its_time_all_along_is_left_before_the_final_dot() -> None:
    patient = Timing(connect=2.0, answer=2.0, before_dot=0.5, after_dot=2.0)
    with SmtpServer({"": Fault("RCPT", "trickle", "250 slow but sure")}, scale=SLOW) as server, relay(server, timing=patient) as smtp:
        pytest.raises(TemporaryFailure, smtp.hand_over, message())
    assert not server.account.dots


def test_a_look_that_grows_old_while_the_connection_is_opened_is_repeated_over_the_same() -> None:
    with SmtpServer(scale=Scale(stall=3.0, tick=0.1, grey=0.2, far=0.1)) as server, relay(server) as smtp:
        with pytest.raises(LookAgain):
            smtp.hand_over(replace(message(), until=time.monotonic() + 0.05))
        assert server.account.commands == ["ehlo shop.example"]
        smtp.hand_over(replace(message(), until=time.monotonic() + 0.05))
    assert server.account.connections == 1
    assert list(server.account.taken.values()) == [1]


def test_a_final_dot_that_would_go_too_late_does_not_go() -> None:
    """The clock jumps at every instant at which it is asked, one after the other."""
    endings = []
    with SmtpServer() as server:
        where = Server("127.0.0.1", server.port, "none", "shop.example", ssl.create_default_context())
        for number in range(60):
            looks = itertools.chain([0.0] * number, itertools.repeat(30.1))
            smtp = Smtp(where, Limits(), Timing(connect=60.0, answer=60.0), looks.__next__)
            try:
                smtp.hand_over(message(number))
                ending = "taken"
            except TemporaryFailure as failure:
                ending = failure.cause
            smtp.close()
            assert server.account.dots[f"m{number}@shop.example"] == (ending == "taken")
            endings.append(ending)
    assert "lost the mail server at DATA: the server took too long" in endings
    assert endings[-1] == "taken"


def test_a_message_that_nobody_reads_is_left() -> None:
    wire = WIRE % b"m1@shop.example" + b"x" * 70 + b"\r\n"
    wire += (b"y" * 70 + b"\r\n") * 60_000
    with SmtpServer({"": Fault("BODY", "read_slowly")}, scale=SLOW, features=("mail.example",)) as server, relay(server) as smtp:
        begun = time.monotonic()
        with pytest.raises(TemporaryFailure):
            smtp.hand_over(message(wire=wire))
        assert time.monotonic() - begun < WITHIN


def test_no_new_connection_is_tried_while_the_server_rests() -> None:
    with SmtpServer({"": Fault("BANNER", "drop", times=1)}) as server, relay(server) as smtp:
        for _ in range(5):
            with pytest.raises(TemporaryFailure) as caught:
                smtp.hand_over(message())
            assert caught.value.wait <= timedelta(seconds=QUICK.rest)
        assert server.account.connections == 1
        time.sleep(QUICK.rest)
        smtp.hand_over(message())
    assert server.account.connections == 2


def test_a_server_that_is_not_there_is_named() -> None:
    with SmtpServer() as server:
        pass
    with relay(server) as smtp, pytest.raises(TemporaryFailure, match=f"127.0.0.1:{server.port}: .*refused"):
        smtp.hand_over(message())


def test_many_threads_share_few_connections() -> None:
    with SmtpServer() as server, relay(server, threads=3) as smtp, ThreadPoolExecutor(12) as threads:
        list(threads.map(smtp.hand_over, [message(number) for number in range(150)]))
    assert sorted(server.account.taken.values()) == [1] * 150
    assert server.account.most_at_once == 3
    assert server.account.connections <= 6


def test_where_the_server_wants_fewer_connections_messages_wait_for_those_that_it_takes() -> None:
    patient = replace(QUICK, before_dot=10.0)
    with SmtpServer(most=2) as server, relay(server, threads=6, timing=patient) as smtp, ThreadPoolExecutor(6) as threads:
        list(threads.map(smtp.hand_over, [message(number) for number in range(60)]))
    assert sorted(server.account.taken.values()) == [1] * 60


def test_a_connection_is_given_up_after_a_hundred_messages() -> None:
    with SmtpServer() as server, relay(server) as smtp:
        for number in range(101):
            smtp.hand_over(message(number))
    assert server.account.connections == 2


@pytest.mark.parametrize(
    ("to", "wire"),
    [
        ("ada@a.example>\r\nRCPT TO:<bob@b.example", None),
        ("ada lovelace@a.example", None),
        ("adä@a.example", None),
        ("<ada@a.example>", None),
        ("", None),
        ("ada@a.example", b"Subject: x\r\n\r\nhello\n.\nMAIL FROM:<evil@a.example>\r\n"),
        ("ada@a.example", b"Subject: x\r\n\r\nhello\r.\r\n"),
    ],
)
def test_nothing_is_smuggled_into_the_conversation(to: str, wire: bytes | None) -> None:
    with SmtpServer() as server, relay(server) as smtp, pytest.raises(PermanentFailure):
        smtp.hand_over(Message("m1@shop.example", date(2026, 11, 26), wire or WIRE % b"m", "hello@shop.example", to))
    assert server.account.connections == 0


@pytest.mark.parametrize(
    ("features", "wire", "ends"),
    [
        (("mail.example", "SIZE 50"), WIRE % b"m", "takes 50 octets"),
        (("mail.example",), WIRE % b"m" + "ü\r\n".encode(), "octets over 127"),
    ],
)
def test_what_the_server_cannot_take_is_not_begun(features: tuple[str, ...], wire: bytes, ends: str) -> None:
    with SmtpServer(features=features) as server, relay(server) as smtp, pytest.raises(PermanentFailure, match=ends):
        smtp.hand_over(message(wire=wire))
    assert not any(re.match("MAIL|DATA", command) for command in server.account.commands)
