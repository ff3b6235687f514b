"""How a mailbox's provider can tell that a message is the sender's and that nobody changed it: a DKIM signature.

Knows nothing of what a message says, of files and of the DNS.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from rekindle.errors import BadData

SIGNED = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding",
)  # fmt: skip
"""Headers that are signed, each named once more than it is there, so that nobody can add one either."""

BITS_AT_LEAST = 2048
"""Source: RFC 8301, section 3.2."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_CHUNK = 72
_MAKE_ONE = f"Make one with: openssl genrsa -out dkim.pem {BITS_AT_LEAST}"


@dataclass(frozen=True, slots=True)
class DkimKey:
    """What signs, and where its public half is published.

    Args:
        selector: Which of the domain's keys it is.
        domain: Who signs.
        private: RSA.
    """

    selector: str
    domain: str
    private: rsa.RSAPrivateKey


def read_key(selector: str, domain: str, pem: str) -> DkimKey:
    """A key from its PEM text.

    Raises:
        BadData: It is none, is of another kind or too small, or the names are not names of the DNS.
    """
    for name, value, form in (("selector", selector, _SELECTOR), ("domain", domain, _DOMAIN)):
        if not form.fullmatch(value):
            raise BadData(f"dkim.{name}: '{value}' is not a name of the DNS", "Write it in small letters, such as mail or shop.example.")
    try:
        private = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadData("dkim.key is not a private key in PEM without a password", _MAKE_ONE) from error
    if not isinstance(private, rsa.RSAPrivateKey):
        raise BadData("dkim.key is not an RSA key", _MAKE_ONE)
    if private.key_size < BITS_AT_LEAST:
        raise BadData(f"dkim.key has {private.key_size} bits, and fewer than {BITS_AT_LEAST} are refused by mailboxes", _MAKE_ONE)
    return DkimKey(selector, domain, private)


@lru_cache
def aligned(domain: str, address: str) -> bool:
    """Whether a signature of a domain speaks for an address: both are of one domain, or one's domain is below the other's.

    >>> aligned("shop.example", "hello@mail.shop.example"), aligned("shop.example", "hello@myshop.example")
    (True, False)

    Two names beside each other may be of one owner, too: only a list of all registries could tell, so they are not taken for it.

    Source: RFC 7489, section 3.1.1, relaxed.
    """
    sender = address.rpartition("@")[2]
    short, long = sorted((domain, sender), key=len)
    return short == long or ("." in short and long.endswith(f".{short}"))


def dns_record(key: DkimKey) -> tuple[str, str]:
    """What to publish: the name of a TXT record, and its text.

    Source: RFC 6376, section 3.6.1.
    """
    public = key.private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"{key.selector}._domainkey.{key.domain}", f"v=DKIM1; k=rsa; p={b64encode(public).decode('ascii')}"


def sign(key: DkimKey, fields: Sequence[tuple[str, str]], body: Sequence[bytes], at: datetime) -> str:
    """The value of a message's DKIM-Signature header, which may be folded at its spaces.

    Args:
        key: What signs.
        fields: The headers as name and value, each name once, values not folded; they may be folded at their spaces later.
        body: As it goes over the wire, in pieces; ends with exactly one CRLF.
        at: When.

    Source: RFC 6376, sections 3.4.2 (relaxed headers), 3.4.3 (simple body), 3.5, 3.7 and 5.4.2 (naming headers that are not there).
    """
    held, digest = dict(fields), hashlib.sha256()
    for piece in body:
        digest.update(piece)
    unsigned = (
        f"v=1; a=rsa-sha256; c=relaxed/simple; d={key.domain}; s={key.selector}; t={int(at.timestamp())}; "
        f"h={_named(frozenset(held))}; bh={_base64(digest.digest())}; b="
    )
    lines = [_relaxed(name, held[name]) for name in SIGNED if name in held]
    what = "\r\n".join((*lines, _relaxed("DKIM-Signature", unsigned)))
    signature = _base64(key.private.sign(what.encode("ascii"), padding.PKCS1v15(), hashes.SHA256()))
    chunks = (signature[start : start + _CHUNK] for start in range(0, len(signature), _CHUNK))
    return unsigned + " ".join(chunks)


@lru_cache
def _named(held: frozenset[str]) -> str:
    """The names of what is signed of a message with these headers."""
    return ": ".join(name for name in SIGNED for _ in range(2 if name in held else 1))


def _relaxed(name: str, value: str) -> str:
    return f"{name.lower()}:{' '.join(value.split())}"


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
