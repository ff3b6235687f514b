"""What comes from outside is read or refused, and nothing else happens: tokens, templates, addresses."""

import contextlib
import re
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from email.utils import getaddresses

from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.exceptions import LiquidError

from rekindle.deliver.links import Claim, Ring, sign, verify
from rekindle.deliver.message import Envelope, build, message_id, token_of
from rekindle.deliver.quoted_printable import encoded
from rekindle.deliver.sandbox import parse
from rekindle.deliver.skeleton import fill, prepare
from rekindle.deliver.templates import Rendered
from rekindle.errors import PermanentFailure, Refused

RING = Ring("unsubscribe", "a", {"a": b"key"})
SUBJECTS = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True)
LISTS = st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True)
LIQUID = st.lists(
    st.sampled_from(
        [
            "{{", "}}", "{%", "%}", "{%-", "-}}", " ", "\n", "name", "items", "nobody", "if", "elsif", "else", "endif", "for x in items",
            "endfor", "case name", "when 'a'", "endcase", "assign y = name", "capture z", "endcapture", "comment", "endcomment", "|",
            "append: 'b'", "first", "divided_by: 0", "round: 99999", "==", "!=", ">", "and", "or", "'", '"', "1", "0", "-5", "1.5", "nil",
            "(1..3)", "[", "]", ".", "break", "raw", "#", "contains", "x", "é", "\x00", "forloop.index",
        ]
    ),
    max_size=25,
).map(" ".join)  # fmt: skip
SAID = {"name": "Ada", "items": ("a", "b")}
NAMES = st.text(max_size=30) | st.sampled_from(["Ada, Bob", "a@b.example", "<x@y.example>", '"', "\\", "(c)", ":;", "=?utf-8?q?a?="])
ADDRESSES = st.text(max_size=30) | st.from_regex(r"[!-~]{0,12}@[a-z.-]{0,12}", fullmatch=True) | st.emails(domains=st.just("b.example"))


@settings(max_examples=150, deadline=None)
@given(SUBJECTS, LISTS, st.data())
def test_a_token_says_what_was_signed_and_no_other_does(subject: str, audience: str, data: st.DataObject) -> None:
    token = sign(RING, Claim(subject, audience))
    assert verify(RING, token) == Claim(subject, audience)
    other = data.draw(st.text(max_size=120) | st.text("1.a~" + token, min_size=len(token), max_size=len(token)))
    with contextlib.suppress(Refused):
        assert verify(RING, other) == Claim(subject, audience)
        assert other == token


@settings(max_examples=300, deadline=None)
@given(LIQUID | st.text(max_size=60), st.booleans())
def test_a_template_is_filled_in_or_refused(source: str, escaping: bool) -> None:
    with contextlib.suppress(LiquidError):
        template = parse(source, escaping=escaping)
        assert isinstance("".join(fill(prepare(template, str), SAID)), str)


@settings(max_examples=300, deadline=None)
@given(NAMES, ADDRESSES)
def test_an_address_stands_alone_in_its_header_or_is_refused(name: str, address: str) -> None:
    envelope = Envelope(
        "Marigold", "hello@shop.example", name, address, "care@shop.example", "a@shop.example", None, datetime(2026, 11, 24, tzinfo=UTC)
    )
    try:
        wire = build(envelope, Rendered("Hello", "", "Hello\n", encoded("<p>")))
    except PermanentFailure:
        return
    raw = BytesParser(policy=policy.compat32).parsebytes(wire)
    ((_, mailbox),) = getaddresses([re.sub(r"\r?\n", "", raw["To"])])
    assert mailbox == address
    assert len(raw.keys()) == 8


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_a_touchs_token_is_its_own_and_tells_nothing(one: str, other: str) -> None:
    assert re.fullmatch(r"[a-z2-7]{26}", token_of(one))
    assert (token_of(one) == token_of(other)) == (one == other)
    assert message_id(token_of(one), "hello@shop.example") == f"{token_of(one)}@shop.example"
