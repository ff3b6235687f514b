"""A thousand messages with hostile names and texts, held against the standards of mail by a parser and a verifier that are not ours."""

import re
from collections import Counter
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses

import dkim
import pytest

from rekindle.deliver.links import verify
from rekindle.deliver.message import build
from rekindle.deliver.templates import Rendered, render
from rekindle.errors import PermanentFailure
from rekindle.service.flow.content import shipped_content
from tests.deliver.hostile import RING, STAGES, Case, cases
from tests.deliver.keys import dkim_key, dns

KEY, CONTENT = dkim_key(), shipped_content()
ALWAYS = ("DKIM-Signature", "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
STOPS = ("List-Unsubscribe", "List-Unsubscribe-Post")
BREAKS = re.compile(r"[\r\n\x00]")
STRICT = policy.SMTP.clone(raise_on_defect=True)


def written(case: Case, said: Rendered) -> bytes | None:
    """The wire; None where a name has what no header may hold, and the message is refused for it."""
    if BREAKS.search(case.envelope.from_name + case.envelope.to_name):
        with pytest.raises(PermanentFailure, match="line break or NUL"):
            build(case.envelope, said, KEY)
        return None
    return build(case.envelope, said, KEY)


def words(value: str) -> list[str]:
    """What a raw header says, its encoded words read; white space aside."""
    return str(make_header(decode_header(re.sub(r"\r?\n", "", value)))).split()


def check_lines(wire: bytes) -> None:
    head = wire.partition(b"\r\n\r\n")[0]
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", wire)
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    assert head.isascii()
    assert all(len(word) <= 75 for word in re.findall(rb"=\?[^ ]+\?=", head))


def check_headers(case: Case, said: Rendered, wire: bytes) -> None:
    marketing = case.envelope.unsubscribe_url is not None
    raw = BytesParser(policy=policy.compat32).parsebytes(wire)
    assert Counter(raw.keys()) == Counter((*ALWAYS, *(STOPS if marketing else ())))
    assert raw["Message-ID"] == f"<{case.envelope.message_id}>"
    assert words(raw["Subject"]) == said.subject.replace("\ud800", "?").split()
    for header, name, address in (
        ("From", case.envelope.from_name, case.envelope.from_address), ("To", case.envelope.to_name, case.envelope.to_address),
    ):  # fmt: skip
        ((shown, mailbox),) = getaddresses([re.sub(r"\r?\n", "", raw[header])])
        assert mailbox == address
        assert "".join(words(shown)) == "".join(name.replace("\ud800", "?").split())
    if marketing:
        assert raw["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        (link,) = re.findall(r"<([^<>]*)>", raw["List-Unsubscribe"])
        assert link.startswith("https://")
        claim = verify(RING, link.rpartition("/")[2])
        assert (claim.subject, claim.audience) == (case.envelope.to_address.partition("@")[0], "email-marketing")


def check_body(said: Rendered, wire: bytes) -> None:
    message = BytesParser(policy=STRICT).parsebytes(wire)
    assert isinstance(message, EmailMessage)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    plain, page = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    assert plain == said.text.replace("\ud800", "?")
    assert plain.strip()
    assert page == said.html
    assert "<img" not in page
    assert "<script" not in page


def tampered(wire: bytes, header: str, drawn: int) -> bytes:
    """The message with one letter more in a header's value: before a drawn one of its visible characters, or at its end."""
    line = re.search(rb"(?<=\r\n)%s:((?:[^\r]|\r\n[ \t])*)(?=\r\n)" % header.encode(), wire)
    assert line is not None
    places = [*(place for place in range(*line.span(1)) if wire[place] > ord(" ")), line.end(1)]
    place = places[drawn % len(places)]
    return wire[:place] + b"x" + wire[place:]


def check_signature(wire: bytes, drawn: int) -> str:
    """That it holds, and no longer with one of the signed headers changed; which one."""
    assert dkim.verify(wire, dnsfunc=dns(KEY))
    value = wire.partition(b"\r\nFrom: ")[0].replace(b"\r\n", b"")
    assert b"; d=shop.example;" in value
    named = Counter(re.findall(rb"[A-Za-z-]+", value.partition(b"; h=")[2].partition(b";")[0]))
    there = {name for name, times in named.items() if times > 1}
    signed = sorted(name.decode() for name in there)
    assert {*STOPS, *ALWAYS[1:]} >= set(signed) >= set(ALWAYS[1:])
    header = signed[drawn % len(signed)]
    assert not dkim.verify(tampered(wire, header, drawn // len(signed)), dnsfunc=dns(KEY)), header
    return header


def test_a_thousand_hostile_messages_keep_the_standards() -> None:
    seen: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    identities = set()
    for number, case in enumerate(cases(1_100, seed=20_261_126)):
        said = render(CONTENT, case.facts)
        wire = written(case, said)
        seen["refused" if wire is None else f"{case.facts.program}/{case.facts.stage}"] += 1
        if wire is None:
            continue
        check_lines(wire)
        check_headers(case, said, wire)
        check_body(said, wire)
        broken[check_signature(wire, number)] += 1
        identities.add(case.envelope.message_id)
    assert set(seen) == {*STAGES, "refused"}
    assert len(identities) == 1_100 - seen["refused"] >= 1_000
    assert broken.keys() == {*STOPS, *ALWAYS[1:]}
    assert min(broken.values()) >= 50, broken
