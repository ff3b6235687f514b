"""Links that only this store can have made: who they are about, and for which list.

Knows nothing of addresses and pages. One ring of keys per purpose, so that changing one kills no other's links.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from rekindle.errors import Refused

_FORM = re.compile(r"1\.([a-z0-9]{1,8})\.([A-Za-z0-9_.-]{1,64})~([a-z0-9-]{1,64})~([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys of one purpose.

    Args:
        purpose: What links signed with these keys may do, such as unsubscribe.
        current: The name of the key that signs.
        keys: Name to key; links signed with any of them are good.
    """

    purpose: str
    current: str
    keys: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a good token says: whom it is about (an opaque id) and for which list."""

    subject: str
    audience: str


def sign(ring: Ring, claim: Claim) -> str:
    """A token for a URL.

    Source: RFC 8058, 3.1: the URI alone identifies recipient and list, with a part that cannot be forged.

    Raises:
        ValueError: The subject or audience has a character that a token cannot carry.
    """
    body = f"1.{ring.current}.{claim.subject}~{claim.audience}"
    token = f"{body}~{_seal(ring, ring.current, body)}"
    if not _FORM.fullmatch(token):
        raise ValueError(f"cannot sign {claim}")
    return token


def verify(ring: Ring, token: str) -> Claim:
    """What a token says.

    Raises:
        Refused: It was not made with this ring; one message for every way of being wrong.
    """
    parts = _FORM.fullmatch(token)
    key = parts[1] if parts and parts[1] in ring.keys else ring.current
    good = hmac.compare_digest(_seal(ring, key, token.rpartition("~")[0]), parts[4] if parts else "")
    if parts is None or parts[1] != key or not good:
        raise Refused("this link is not one of ours, or is damaged", "Use the link of a message you got, or write to us.")
    return Claim(parts[2], parts[3])


def _seal(ring: Ring, key: str, body: str) -> str:
    digest = hmac.digest(ring.keys[key], f"{ring.purpose}|{body}".encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
