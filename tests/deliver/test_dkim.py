import re
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from rekindle.deliver.dkim import SIGNED, aligned, dns_record, read_key
from rekindle.deliver.message import Envelope, build
from rekindle.deliver.quoted_printable import encoded
from rekindle.deliver.templates import Rendered
from rekindle.errors import BadData, Refused
from tests.deliver.keys import dkim_key, dns, pem

KEY = dkim_key()
SAID = Rendered("Something nice: öfter", "Hello", "Hello\n\n\n", encoded("<p>Hello " + "long " * 900 + "</p>"))
MIME = ("MIME-Version", "Content-Type")
TOLD = ("From", "Subject", "Date", "To", "Reply-To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", *MIME)


def envelope(stop: str | None = "https://shop.example/u/token", sender: str = "hello@shop.example") -> Envelope:
    return Envelope(
        'Mia "Marigold" Müller', sender, "Ada", "ada@people.example", "care@shop.example", "abc@shop.example", stop,
        datetime(2026, 11, 23, 12, tzinfo=UTC),
    )  # fmt: skip


WIRE = build(envelope(), SAID, KEY)


def verified(wire: bytes) -> bool:
    found: bool = dkim.verify(wire, dnsfunc=dns(KEY))
    return found


@pytest.mark.parametrize("stop", ["https://shop.example/u/" + "x" * 300, None])
def test_a_verifier_that_is_not_ours_accepts_the_signature(stop: str | None) -> None:
    assert verified(build(envelope(stop), SAID, KEY))


def test_only_the_headers_value_is_added() -> None:
    plain = build(envelope(), SAID)
    assert WIRE.endswith(plain)
    assert re.fullmatch(rb"DKIM-Signature: (?:[^\r\n]+\r\n )*[^\r\n]+\r\n", WIRE[: -len(plain)])


def test_every_header_is_named_once_more_than_it_is_there() -> None:
    value = WIRE.split(b"\r\nFrom:")[0].replace(b"\r\n", b"")
    named = re.search(rb"h=([^;]*)", value)
    assert named is not None
    names = named[1].decode().replace(" ", "").split(":")
    assert {name: names.count(name) for name in names} == {name: 1 + (name in TOLD) for name in SIGNED}
    assert b"a=rsa-sha256" in value
    assert b"d=shop.example" in value
    assert b" l=" not in value


@pytest.mark.parametrize("name", TOLD)
def test_a_header_that_was_changed_taken_or_added_breaks_it(name: str) -> None:
    line = re.search(rb"\r\n%s: ((?:[^\r\n]+\r\n )*[^\r\n]*)" % name.encode(), WIRE)
    assert line is not None
    changed = WIRE.replace(line[0], line[0][:-2] + bytes([line[0][-2] ^ 1]) + line[0][-1:])
    assert changed != WIRE
    assert not verified(changed)
    assert not verified(WIRE.replace(line[0], b"", 1))
    assert not verified(b"%s: evil\r\n%s" % (name.encode(), WIRE))
    assert not verified(WIRE.replace(line[0], line[0] + line[0], 1))


def test_what_is_not_there_cannot_be_added() -> None:
    service = build(envelope(stop=None), SAID, KEY)
    assert verified(service)
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "Content-Transfer-Encoding"):
        assert not verified(b"%s: <https://evil.example>\r\n%s" % (name.encode(), service))


def test_a_body_that_was_changed_breaks_it() -> None:
    assert not verified(WIRE.replace(b"Hello", b"Hallo"))
    assert not verified(WIRE + b"more\r\n")
    assert verified(WIRE.replace(b"\r\nSubject: ", b"\r\nSUBJECT:   "))


def test_another_key_of_the_same_name_does_not_verify() -> None:
    other = read_key("mail", "shop.example", pem(2_049))
    assert not dkim.verify(WIRE, dnsfunc=dns(other))


@pytest.mark.parametrize(
    ("domain", "address", "whether"),
    [
        ("shop.example", "hello@shop.example", True), ("shop.example", "hello@mail.shop.example", True),
        ("mail.shop.example", "hello@shop.example", True), ("shop.example", "hello@myshop.example", False),
        ("shop.example", "hello@shop.example.evil.example", False), ("example", "hello@shop.example", False),
        ("a.shop.example", "hello@b.shop.example", False), ("shop.example", "hello@example", False), ("shop.example", "", False),
    ],
)  # fmt: skip
def test_a_domain_speaks_for_its_own_addresses(domain: str, address: str, whether: bool) -> None:
    assert aligned(domain, address) == whether


def test_a_key_of_another_domain_signs_nothing() -> None:
    with pytest.raises(Refused, match="other.example is of another"):
        build(envelope(sender="hello@other.example"), SAID, KEY)


def test_a_small_key_is_refused() -> None:
    with pytest.raises(BadData, match="1024 bits, and fewer than 2048"):
        read_key("mail", "shop.example", pem(1_024))


def test_what_is_no_rsa_key_is_refused() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(BadData, match="not an RSA key"):
        read_key("mail", "shop.example", edwards.decode())
    locked = serialization.load_pem_private_key(pem().encode(), None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    for text in ("", "x", locked.decode(), KEY.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()):  # fmt: skip
        with pytest.raises(BadData, match="without a password"):
            read_key("mail", "shop.example", text)


@pytest.mark.parametrize(
    ("selector", "domain"), [("", "shop.example"), ("a b", "shop.example"), ("m;", "shop.example"), ("m", "Shop"), ("m", "")]
)
def test_names_are_names_of_the_dns(selector: str, domain: str) -> None:
    with pytest.raises(BadData, match="not a name of the DNS"):
        read_key(selector, domain, pem())


def test_the_record_to_publish_is_named_by_selector_and_domain() -> None:
    name, text = dns_record(KEY)
    assert name == "mail._domainkey.shop.example"
    assert re.fullmatch(r"v=DKIM1; k=rsa; p=[A-Za-z0-9+/]{390,}=*", text)
