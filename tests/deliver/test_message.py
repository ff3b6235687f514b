import re
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.deliver.message import Envelope, build, message_id, token_of
from rekindle.deliver.quoted_printable import encoded
from rekindle.deliver.templates import Rendered
from rekindle.errors import PermanentFailure

RENDERED = Rendered("It has been a while", "Hello", "Hello\n", encoded("<p>Hello " + "long " * 900 + "</p>"))
ONCE = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type",
)


def envelope(**change: str) -> Envelope:
    base = {
        "from_name": "Marigold", "from_address": "hello@shop.example", "to_name": "", "to_address": "ada@people.example",
        "reply_to": "care@shop.example", "message_id": "abc@shop.example", "unsubscribe_url": "https://shop.example/u/token",
    }
    return Envelope(**{**base, **change}, date=datetime(2026, 11, 23, 12, tzinfo=UTC))


def parse(wire: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(wire)
    assert isinstance(message, EmailMessage)
    return message


def test_the_headers_are_there_exactly_once() -> None:
    message = parse(build(envelope(), RENDERED))
    assert sorted(message.keys()) == sorted(ONCE)
    assert message["List-Unsubscribe"] == "<https://shop.example/u/token>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Message-ID"] == "<abc@shop.example>"
    assert message["Date"] == "Mon, 23 Nov 2026 12:00:00 +0000"


def test_both_forms_are_there_and_lines_are_short() -> None:
    wire = build(envelope(), RENDERED)
    message = parse(wire)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert message.get_body(("html",)).get_content().replace("\r\n", "\n") == RENDERED.html
    assert max(len(line) for line in wire.split(b"\r\n")) <= 78
    assert b"\n" not in wire.replace(b"\r\n", b"")


@pytest.mark.parametrize("evil", ["\r\nBcc: all@x.example", "\n", "\r", "\x00"])
@pytest.mark.parametrize("field", ["from_name", "from_address", "to_name", "to_address", "reply_to", "message_id", "unsubscribe_url"])
def test_line_breaks_and_nul_are_refused_in_every_header(field: str, evil: str) -> None:
    value = getattr(envelope(), field)
    with pytest.raises(PermanentFailure):
        build(envelope(**{field: f"{value}{evil}"}), RENDERED)


@pytest.mark.parametrize("evil", ["a\r\nBcc: x@y.example", "a\x00"])
def test_and_in_the_subject(evil: str) -> None:
    with pytest.raises(PermanentFailure):
        build(envelope(), Rendered(evil, "", "", b""))


@pytest.mark.parametrize(
    "change",
    [
        {"unsubscribe_url": "http://shop.example/u"}, {"unsubscribe_url": "https://shop.example/ü"}, {"message_id": "ü@shop.example"},
        *({"to_address": evil} for evil in ("Ada <a@b.example>", "a@b, c@d", "a,c@d.example", "g:a@d.example", ".a@d.example", "a@d.")),
    ],
)  # fmt: skip
def test_links_and_addresses_that_cannot_be_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(PermanentFailure):
        build(envelope(**change), RENDERED)


def test_a_line_that_cannot_be_short_enough_is_refused() -> None:
    with pytest.raises(PermanentFailure, match="998"):
        build(envelope(unsubscribe_url="https://shop.example/" + "x" * 1_000), RENDERED)


def test_what_looks_like_an_encoded_word_is_text() -> None:
    name = "=?utf-8?q?Eve?="
    wire = build(envelope(from_name=name), Rendered(name, "", "", b""))
    assert name.encode() not in wire
    assert parse(wire)["Subject"] == name


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Zl", "Zp")), min_size=1, max_size=120))
def test_any_name_and_subject_come_back_as_they_were(text: str) -> None:
    wire = build(envelope(from_name=text), Rendered(text, "", "", b""))
    head = wire.split(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert all(len(word) <= 75 for word in re.findall(rb"=\?\S+\?=", head))
    raw = BytesParser(policy=policy.compat32).parsebytes(wire)
    name, address = parseaddr(raw["From"].replace("\r\n", "").replace("\n", ""))
    assert address == "hello@shop.example"
    assert str(make_header(decode_header(name))).split() == text.split()
    subject = re.sub(r"\r?\n", "", raw["Subject"])
    assert str(make_header(decode_header(subject))).split() == text.split()


def test_a_message_id_is_the_touchs_own() -> None:
    assert message_id(token_of("k1"), "hello@shop.example") == f"{token_of('k1')}@shop.example" != f"{token_of('k2')}@shop.example"
    assert re.fullmatch(r"[a-z2-7]{26}@shop\.example", message_id(token_of("k1"), "hello@shop.example"))
