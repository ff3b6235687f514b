"""The relay: every way in which a hand-over can end, told apart by where it ended."""

import itertools
import re
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rekindle.deliver.channel import Message
from rekindle.deliver.lanes import Limits
from rekindle.errors import BadData, DeliveryError, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.channels.smtp.channel import Smtp, open_channel
from rekindle.service.channels.smtp.pool import Timing
from rekindle.service.channels.smtp.session import Server
from rekindle.settings import load
from tests.faults.smtp_server import FEATURES, Fault, Scale, SmtpServer

QUICK = Timing(connect=0.4, answer=0.3, before_dot=0.6, after_dot=0.4, idle=5.0, rest=0.2, longest_rest=0.4)
SLOW = Scale(stall=3.0, tick=0.05, grey=0.2)
WIRE = b"Message-ID: <%s>\r\nSubject: hello\r\n\r\n.a line that begins with a dot\r\nthe end\r\n"


def message(number: int = 1, domain: str = "a.example", wire: bytes | None = None) -> Message:
    name = f"m{number}@shop.example"
    return Message(name, date(2026, 11, 26), wire or WIRE % name.encode(), "hello@shop.example", f"c{number}@{domain}")


@contextmanager
def relay(
    server: SmtpServer, *, security: str = "none", timing: Timing = QUICK, context: ssl.SSLContext | None = None, user: str = "",
    host: str = "127.0.0.1", threads: int = 4,
) -> Iterator[Smtp]:  # fmt: skip
    where = Server(host, server.port, security, "shop.example", context or ssl.create_default_context(), user, "secret" if user else "")
    smtp = Smtp(where, Limits(at_once=threads, spare=0), timing)
    yield smtp
    smtp.close()


@dataclass(frozen=True)
class Authority:
    """A certificate for this machine, and who trusts it."""

    file: Path
    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, secret = folder / "authority.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, secret)
    return Authority(pem, server, ssl.create_default_context(cafile=str(pem)))


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
AT_ONCE, IN_TIME = 0.25, 1.3
WAYS = {
    "stalls before its banner": (Fault("BANNER", "stall"), TEMPORARY, IN_TIME),
    "drops before its banner": (Fault("BANNER", "drop"), TEMPORARY, AT_ONCE),
    "is full": (Fault("BANNER", "reply", "421 too many connections"), TEMPORARY, AT_ONCE),
    "is no mail server": (Fault("BANNER", "reply", "554 go away"), TEMPORARY, AT_ONCE),
    "speaks HTTP": (Fault("BANNER", "reply", "HTTP/1.1 400 Bad Request"), TEMPORARY, AT_ONCE),
    "trickles its banner": (Fault("BANNER", "trickle", "220 ready when you are ready, my dear"), TEMPORARY, IN_TIME),
    "stalls at EHLO": (Fault("EHLO", "stall"), TEMPORARY, IN_TIME),
    "refuses EHLO": (Fault("EHLO", "reply", "502 what"), TEMPORARY, AT_ONCE),
    "stalls at MAIL": (Fault("MAIL", "stall"), TEMPORARY, IN_TIME),
    "limits the rate": (Fault("MAIL", "reply", "451 4.7.1 slow down"), TEMPORARY, AT_ONCE),
    "wants a sign-in": (Fault("MAIL", "reply", "530 5.7.0 sign in first"), TEMPORARY, AT_ONCE),
    "refuses the sender": (Fault("MAIL", "reply", "553 5.7.1 not yours"), PERMANENT, AT_ONCE),
    "stalls at RCPT": (Fault("RCPT", "stall"), TEMPORARY, IN_TIME),
    "answers RCPT a byte at a time": (Fault("RCPT", "trickle", "250 ok, with all my heart, and more"), TEMPORARY, IN_TIME),
    "has no end at RCPT": (Fault("RCPT", "endless"), TEMPORARY, AT_ONCE),
    "has a line without end": (Fault("RCPT", "endless_line"), TEMPORARY, AT_ONCE),
    "answers nonsense at RCPT": (Fault("RCPT", "reply", "\x00\xff nonsense"), TEMPORARY, AT_ONCE),
    "answers two at once": (Fault("RCPT", "reply", "250 ok\r\n354 and go ahead"), TEMPORARY, AT_ONCE),
    "greylists": (Fault("RCPT", "reply", "450 4.2.0 come back later"), TEMPORARY, AT_ONCE),
    "shuts down": (Fault("RCPT", "reply", "421 4.3.2 shutting down"), TEMPORARY, AT_ONCE),
    "has no such mailbox": (Fault("RCPT", "reply", "550 5.1.1 no such user"), PERMANENT, AT_ONCE),
    "resets at RCPT": (Fault("RCPT", "reset"), TEMPORARY, AT_ONCE),
    "stalls at DATA": (Fault("DATA", "stall"), TEMPORARY, IN_TIME),
    "refuses DATA": (Fault("DATA", "reply", "554 5.7.1 no"), PERMANENT, AT_ONCE),
    "does not wait for DATA": (Fault("DATA", "reply", "250 thanks"), TEMPORARY, AT_ONCE),
    "stalls after the dot": (Fault("DOT", "take_and_stall"), UNKNOWN, IN_TIME),
    "drops after the dot": (Fault("DOT", "take_and_drop"), UNKNOWN, AT_ONCE),
    "drops after the dot without taking": (Fault("DOT", "drop"), UNKNOWN, AT_ONCE),
    "resets after the dot": (Fault("DOT", "reset"), UNKNOWN, AT_ONCE),
    "answers nonsense after the dot": (Fault("DOT", "take_and_reply", "354 go ahead"), UNKNOWN, AT_ONCE),
    "trickles after the dot": (Fault("DOT", "trickle", "250 ok, with all my heart, and more"), UNKNOWN, IN_TIME),
    "has no room": (Fault("DOT", "reply", "452 4.3.1 no space"), TEMPORARY, AT_ONCE),
    "shuts down after the dot": (Fault("DOT", "reply", "421 4.3.2 shutting down"), TEMPORARY, AT_ONCE),
    "refuses the message": (Fault("DOT", "reply", "554 5.7.1 spam"), PERMANENT, AT_ONCE),
}


@pytest.mark.parametrize(("fault", "kind", "within"), WAYS.values(), ids=WAYS)
def test_how_it_ended_is_told_by_where_it_ended(fault: Fault, kind: type[DeliveryError], within: float) -> None:
    with SmtpServer({"": fault}, scale=SLOW) as server, relay(server) as smtp:
        begun = time.monotonic()
        with pytest.raises(DeliveryError) as caught:
            smtp.hand_over(message())
        assert time.monotonic() - begun < within
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
        assert time.monotonic() - begun < 1.0


def test_starttls_secures_and_signs_in(authority: Authority) -> None:
    features = (*FEATURES, "AUTH PLAIN")
    secure = {"security": "starttls", "context": authority.client, "user": "ada"}
    with SmtpServer(context=authority.server, features=features) as server, relay(server, **secure) as smtp:
        smtp.hand_over(message())
    assert server.account.commands[:4] == ["ehlo shop.example", "STARTTLS", "ehlo shop.example", "AUTH PLAIN AGFkYQBzZWNyZXQ="]
    assert server.account.taken == {"m1@shop.example": 1}


def test_tls_from_the_first_byte(authority: Authority) -> None:
    secure = {"security": "tls", "context": authority.client}
    with SmtpServer(context=authority.server, implicit=True) as server, relay(server, **secure) as smtp:
        smtp.hand_over(message())
    assert server.account.taken == {"m1@shop.example": 1}


@pytest.mark.parametrize(
    ("faults", "offers", "trusts", "says"),
    [
        ({}, False, True, "offers no STARTTLS"),
        ({"": Fault("STARTTLS", "reply", "454 TLS not available")}, True, True, "454"),
        ({"": Fault("STARTTLS", "reply", "220 go ahead\r\n250 injected")}, True, True, "out of turn"),
        ({"": Fault("STARTTLS", "stall")}, True, True, "took too long|timed out"),
        ({}, True, False, "certificate is not to be trusted"),
        ({"": Fault("AUTH", "reply", "535 5.7.8 wrong password")}, True, True, "535"),
    ],
)
def test_without_a_trusted_connection_nothing_goes_and_nobody_signs_in(
    authority: Authority, faults: dict[str, Fault], offers: bool, trusts: bool, says: str
) -> None:
    context = authority.client if trusts else ssl.create_default_context()
    with SmtpServer(faults, scale=SLOW, context=authority.server if offers else None, features=(*FEATURES, "AUTH PLAIN")) as server:
        if not offers:
            server.features = [*FEATURES]
        with relay(server, security="starttls", context=context, user="ada") as smtp, pytest.raises(TemporaryFailure, match=says) as caught:
            smtp.hand_over(message())
    assert caught.value.lane
    heard = " ".join(server.account.commands)
    assert "MAIL" not in heard
    assert ("AUTH" in heard) == (says == "535")


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


def test_the_settings_say_which_server_and_how_much_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    with SmtpServer(context=authority.server, features=(*FEATURES, "AUTH LOGIN PLAIN")) as server:
        (tmp_path / "rekindle.toml").write_text(
            f'[senders]\nemail = "smtp"\n[smtp]\nhost = "127.0.0.1"\nport = {server.port}\nuser = "ada"\npassword = "env:SMTP_PASSWORD"\n'
            f'ca_file = "{authority.file}"\nconnections = 2\nper_domain = 4\nper_second = 2.5\n'
        )
        smtp = open_channel(load(tmp_path))
        smtp.hand_over(message())
        smtp.close()
    assert smtp.limits == Limits(at_once=2, spare=1, per_lane=2, per_second=2.5)
    assert server.account.taken == {"m1@shop.example": 1}


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ('host = "mail.example"\nsecurity = "none"', "this machine"),
        ('host = ""', "smtp.host is empty"),
        ('host = "mail.example"\nca_file = "nowhere.pem"', "smtp.ca_file"),
        ('host = "mail.example"\nuser = "ada"\npassword = "env:NOT_SET_ANYWHERE"', "NOT_SET_ANYWHERE"),
        ('host = "mail.example"\nuser = "ädä"\npassword = "env:HOME"', "beyond ASCII"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, lines: str, names: str) -> None:
    (tmp_path / "rekindle.toml").write_text(f"[smtp]\n{lines}\n")
    with pytest.raises(BadData, match=names):
        open_channel(load(tmp_path))
