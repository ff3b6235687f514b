import time
from datetime import UTC, datetime
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import compat32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.deliver.arf import read_arf
from rekindle.deliver.delivery_events import BOUNCED, COMPLAINED, DEFERRED, DELIVERED, UNSUBSCRIBED, DeliveryEvent, stops
from rekindle.deliver.dsn import read_dsn
from rekindle.deliver.reports import taken_apart
from tests.deliver import returned_mail as mail

AT = datetime(2026, 11, 27, tzinfo=UTC)
SENT_BACK = datetime(2026, 11, 26, 9, 0, 5, tzinfo=UTC)
NAMES = ("POSTFIX", "EXIM", "EXCHANGE", "GMAIL", "SENDMAIL", "GLOBAL", "ENVELOPE_ID", "RETURN_PATH", "DELAYED", "RELAYED")
DSNS = {name: getattr(mail, name) for name in NAMES}
OTHERS = {name: getattr(mail, name) for name in ("QMAIL", "AWAY", "ABUSE")}


@pytest.mark.parametrize(
    ("name", "kind", "permanent", "detail"),
    [
        ("POSTFIX", BOUNCED, True, "5.1.1 smtp; 550 5.1.1 <...>: Recipient address rejected: User unknown in local"),
        ("EXIM", BOUNCED, True, "5.0.0 smtp; 550 No such user"),
        ("EXCHANGE", BOUNCED, True, "5.1.10 smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
        ("GMAIL", BOUNCED, False, "4.4.7 smtp; The recipient server did not accept our requests to connect."),
        ("SENDMAIL", BOUNCED, True, "5.1.1 SMTP; 550 5.1.1 <...>... User unknown"),
        ("GLOBAL", BOUNCED, True, "5.1.1 smtp; 550 5.1.1 kein Empfänger dieses Namens"),
        ("ENVELOPE_ID", BOUNCED, True, "5.7.1"),
        ("RETURN_PATH", BOUNCED, True, "5.1.10"),
        ("DELAYED", DEFERRED, False, "4.4.1 smtp; 550 5.1.1"),
        ("RELAYED", DELIVERED, False, "2.1.9"),
    ],
)
def test_what_servers_say_is_read(name: str, kind: str, permanent: bool, detail: str) -> None:
    (told,) = read_dsn(DSNS[name], AT)
    assert (told.kind, told.permanent, told.token, told.recipient) == (kind, permanent, mail.TOKEN, "ada@people.example")
    assert (told.source, told.at) == ("dsn", SENT_BACK)
    assert told.detail.startswith(detail)
    assert told.raw.replace("\r\n", "\n").startswith(DSNS[name].decode().replace("\r\n", "\n")[:200])
    assert stops(told) == ("bounce" if permanent else "")


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_what_is_no_status_notification_says_nothing(name: str) -> None:
    assert read_dsn(OTHERS[name], AT) == ()


def test_the_same_notification_in_another_mailbox_is_the_same_event() -> None:
    moved = b"From MAILER-DAEMON Thu Nov 26 09:00:05 2026\nX-Mailbox: 3\n" + mail.POSTFIX.replace(b"\r\n", b"\n")
    (first,), (second,) = read_dsn(mail.POSTFIX, AT), read_dsn(moved, AT)
    assert first.event_id == second.event_id
    assert len({read_dsn(raw, AT)[0].event_id for raw in DSNS.values()}) == len(DSNS)


def test_each_recipient_of_a_notification_has_its_event() -> None:
    second = b"\r\n\r\nFinal-Recipient: rfc822; eve@people.example\r\nAction: delayed\r\nStatus: 4.2.2\r\n\r\n--4XyZ0"
    raw = mail.POSTFIX.replace(b"\r\n\r\n--4XyZ0.1764147605/mx.people.example\r\nContent-Description: Undelivered", second + (
        b".1764147605/mx.people.example\r\nContent-Description: Undelivered"
    ))
    told = read_dsn(raw, AT)
    assert [(one.recipient, one.kind, one.permanent) for one in told] == [
        ("ada@people.example", BOUNCED, True), ("eve@people.example", DEFERRED, False),
    ]
    assert len({one.event_id for one in told}) == 2


@pytest.mark.parametrize("status", ["4.4.7", "2.0.0", "", "55.1.1", "5.1", "5.1.1x", "permanent"])
def test_only_class_five_is_for_good(status: str) -> None:
    (told,) = read_dsn(mail.POSTFIX.replace(b"Status: 5.1.1", f"Status: {status}".encode()), AT)
    assert (told.kind, told.permanent) == (BOUNCED, False)


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded", "DELAYED"])
def test_no_other_action_is_for_good_whatever_its_status(action: str) -> None:
    (told,) = read_dsn(mail.POSTFIX.replace(b"Action: failed", f"Action: {action}".encode()), AT)
    assert not told.permanent
    assert stops(told) == ""


def test_an_unknown_action_says_nothing() -> None:
    assert read_dsn(mail.POSTFIX.replace(b"Action: failed", b"Action: exploded"), AT) == ()


@pytest.mark.parametrize("raw", [mail.POSTFIX, mail.ABUSE], ids=["bounce", "complaint"])
def test_a_token_in_the_text_alone_is_none(raw: bytes) -> None:
    """Anybody can write a Message-ID into a body; a field of the report must carry it."""
    hidden = raw.replace(b"Message-ID: <" + mail.ID.encode(), b"Message-ID: <lost@elsewhere.example>\r\nX-Was: <" + mail.ID.encode())
    hidden = hidden.replace(b"\r\nHello", f"\r\nMessage-ID: <{mail.ID}>\r\nIn-Reply-To: <{mail.ID}>\r\nHello".encode())
    (told,) = [*read_dsn(hidden, AT), *read_arf(hidden, AT)]
    assert told.token == ""


def test_an_instant_ahead_or_unreadable_is_not_believed() -> None:
    for stated in ("Thu, 26 Nov 2099 10:00:05 +0100", "yesterday", "Thu, 99 Nov 2026 10:00:05 +0100", ""):
        raw = mail.POSTFIX.replace(b"Date: Thu, 26 Nov 2026 10:00:05 +0100 (CET)\r\n", f"Date: {stated}\r\n".encode())
        assert [one.at for one in read_dsn(raw, AT)] == [AT]


def test_a_complaint_is_read() -> None:
    (told,) = read_arf(mail.ABUSE, AT)
    assert (told.kind, told.token, told.recipient, told.source) == (COMPLAINED, mail.TOKEN, "ada@people.example", "arf")
    assert (told.detail, told.at) == ("abuse by SomeGenerator/1.0", datetime(2026, 11, 26, 9, 30, tzinfo=UTC))
    assert stops(told) == "complaint"
    assert [one.kind for one in read_arf(mail.LIST_OPT_OUT, AT)] == [UNSUBSCRIBED]


@pytest.mark.parametrize("raw", [mail.NO_SPAM, mail.AUTHENTICATION, mail.POSTFIX, mail.AWAY, mail.QMAIL])
def test_what_is_no_complaint_says_nothing(raw: bytes) -> None:
    assert read_arf(raw, AT) == ()


SAMPLES = [*DSNS.values(), *OTHERS.values(), mail.LIST_OPT_OUT]
PIECES = [piece + b"\r\n" for raw in SAMPLES for piece in raw.split(b"\r\n")]


def sound(told: list[DeliveryEvent]) -> bool:
    whole = [(one.kind, one.event_id, one.token, one.recipient, one.detail, one.raw) for one in told]
    texts = "".join("".join(texts) for texts in whole)
    return "\x00" not in texts and all(len(one.token) in (0, 26) and one.at <= AT and len(one.raw) <= 64_000 for one in told)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=60)), max_size=60).map(b"".join))
def test_no_octets_make_reading_fail(raw: bytes) -> None:
    head = b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
    for octets in (raw, head + raw):
        assert sound([*read_dsn(octets, AT), *read_arf(octets, AT)])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SAMPLES), st.integers(0, 4000), st.integers(0, 400), st.binary(max_size=30))
def test_a_damaged_report_is_read_or_not_but_never_fails(raw: bytes, at: int, size: int, instead: bytes) -> None:
    damaged = raw[:at] + instead + raw[at + size :]
    assert sound([*read_dsn(damaged, AT), *read_arf(damaged, AT)])


def written(actions: list[tuple[str, str]], token: str, width: int, ends: str, returned: str) -> bytes:
    """A notification as the standard library writes it."""
    outer = MIMEMultipart("report", report_type="delivery-status")
    outer["Date"], outer["Message-ID"] = "Thu, 26 Nov 2026 10:00:05 +0100", "<1@mx.people.example>"
    outer.attach(MIMEText("It could not be delivered.\n" * width))
    groups = [fields(("Reporting-MTA", "dns; mx.people.example"))]
    for number, (action, code) in enumerate(actions):
        groups.append(fields(("Final-Recipient", f"rfc822; n{number}@people.example"), ("Action", action), ("Status", code)))
    status, back = MIMENonMultipart("message", "delivery-status"), MIMENonMultipart(*returned.split("/"))
    status.set_payload(groups)
    sent = fields(("Subject", "x" * width), ("Message-ID", f"<{token}@shop.example>"))
    back.set_payload([sent] if returned == "message/rfc822" else sent.as_string())
    outer.attach(status)
    outer.attach(back)
    return outer.as_bytes(policy=compat32.clone(linesep=ends))


def fields(*named: tuple[str, str]) -> Message:
    block = Message()
    for name, value in named:
        block[name] = value
    return block


CODES = st.tuples(st.sampled_from("245"), st.integers(0, 999), st.integers(0, 999)).map(lambda code: f"{code[0]}.{code[1]}.{code[2]}")
ACTIONS = st.sampled_from(["failed", "delayed", "delivered", "relayed", "expanded"])


@settings(max_examples=100, deadline=None)
@given(
    actions=st.lists(st.tuples(ACTIONS, CODES), min_size=1, max_size=5),
    token=st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26),
    width=st.integers(1, 900), ends=st.sampled_from(["\n", "\r\n"]), returned=st.sampled_from(["message/rfc822", "text/rfc822-headers"]),
)
def test_what_another_writer_writes_is_read_as_it_was_meant(
    actions: list[tuple[str, str]], token: str, width: int, ends: str, returned: str
) -> None:
    told = read_dsn(written(actions, token, width, ends, returned), AT)
    kinds = {"failed": BOUNCED, "delayed": DEFERRED}
    assert [(one.recipient, one.kind, one.permanent, one.token) for one in told] == [
        (f"n{number}@people.example", kinds.get(action, DELIVERED), action == "failed" and code[0] == "5", token)
        for number, (action, code) in enumerate(actions)
    ]


HOSTILE = {
    "nested": b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\nContent-Type: multipart/mixed; boundary=x\n\n" * 20_000,
    "parts": b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\n" * 250_000,
    "folds": b"Content-Type: multipart/report;\n" + b" boundary=\n" * 90_000,
    "blanks": b"Content-Type: multipart/report; boundary=x\n\n--x\n" + b" " * 900_000 + b"\n--x",
    "lines": mail.POSTFIX[:1600] + b"A: b\n" * 200_000,
    "groups": mail.POSTFIX.replace(b"Final-Recipient", b"Action: failed\r\n\r\n" * 50_000 + b"Final-Recipient"),
    "quotes": b"Content-Type: multipart/report; boundary=" + b'"' * 900_000,
    "one line": b"Content-Type: multipart/report; boundary=x\n\n--x" + b"\t" * 900_000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_reports_of_a_megabyte_take_no_time(name: str) -> None:
    """Time grows with the size alone: what would be quadratic takes minutes here."""
    begun = time.perf_counter()
    assert sound([*read_dsn(HOSTILE[name], AT), *read_arf(HOSTILE[name], AT)])
    assert time.perf_counter() - begun < 3


def test_what_is_read_of_a_report_has_an_end() -> None:
    late = mail.POSTFIX.replace(b"This is a MIME", b"x" * 1_100_000)
    assert read_dsn(late, AT) == ()
    assert taken_apart(late) is not None
