"""How an event between two systems is signed, and whether one is good.

Knows nothing of what an event says. Source: Standard Webhooks 1.0, https://www.standardwebhooks.com.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from rekindle.errors import BadData, Refused

TOLERANCE = timedelta(minutes=5)
_LEAST = 24  # octets of a secret
_REMEDY = 'Write one as whsec_ and 24 to 64 octets in base64, such as: python3 -c "import base64, os; print(\'whsec_\' + ' \
    'base64.b64encode(os.urandom(32)).decode())"'  # fmt: skip


def key_of(secret: str) -> bytes:
    """The key in a `whsec_` secret.

    Raises:
        BadData: It is no such secret, or too short.
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < _LEAST:
        raise BadData("the secret of the webhook is none", _REMEDY)
    return key


def signed(key: bytes, name: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of an event.

    Args:
        key: The secret's key.
        name: The event's id, the same on every attempt.
        at: The instant of the attempt.
        body: As it goes over.
    """
    stamp = str(int(at.timestamp()))
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{_seal(key, name, stamp, body)}"}


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a good event.

    Args:
        key: The secret's key.
        headers: Of the request; names in any case.
        body: As it came.
        now: The present instant.

    Raises:
        Refused: It is not signed with the key, or not of now; one message for every way of being wrong.
    """
    held = {name.lower(): value for name, value in headers.items()}
    name, stamp, seals = (held.get(f"webhook-{one}", "") for one in ("id", "timestamp", "signature"))
    near = stamp.isascii() and stamp.isdigit() and len(stamp) < 12 and abs(int(stamp) - now.timestamp()) <= TOLERANCE.total_seconds()
    wanted = f"v1,{_seal(key, name, stamp, body)}".encode()
    good = [hmac.compare_digest(wanted, one.encode()) for one in seals.split(" ")]
    if not (name and near and any(good)):
        raise Refused("the event is not signed by who may send it, or is old", "Check the secret on both sides, and both clocks.")
    return name


def _seal(key: bytes, name: str, stamp: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)).decode("ascii")
