"""What a browser gives a shop so that it may be notified: an address and two keys, checked before they are kept.

Knows nothing of whose browser it is.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

from rekindle.errors import PermanentFailure
from rekindle.service.channels.addresses import place_of

_REMEDY = "Subscribe the browser anew, and give what PushSubscription.toJSON() has."
_POINT, _AUTH = 65, 16


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser that may be notified.

    Args:
        endpoint: Where its push service takes notifications; whoever knows it could send some.
        point: The browser's public key, an uncompressed point of P-256.
        auth: The secret that the browser shares with the shop.
    """

    endpoint: str = field(repr=False)
    point: bytes = field(repr=False)
    auth: bytes = field(repr=False)

    @property
    def lookup(self) -> str:
        """What suppression knows the address by: its digest."""
        return hashlib.sha256(self.endpoint.encode()).hexdigest()

    @property
    def text(self) -> str:
        """As it is kept, and as `read` takes it."""
        p256dh, auth = (base64.urlsafe_b64encode(value).rstrip(b"=").decode() for value in (self.point, self.auth))
        keys = {"p256dh": p256dh, "auth": auth}
        return json.dumps({"endpoint": self.endpoint, "keys": keys}, separators=(",", ":"))


def read(text: str) -> Subscription:
    """Reads what a browser's `PushSubscription.toJSON()` gives.

    Raises:
        PermanentFailure: No such thing, its key is no point of the curve, or its address is not an https:// one.
    """
    try:
        given = json.loads(text)
        endpoint, point, auth = str(given["endpoint"]), _octets(given["keys"]["p256dh"]), _octets(given["keys"]["auth"])
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        sound = len(point) == _POINT and len(auth) == _AUTH and place_of(endpoint).scheme in ("https", "http")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PermanentFailure("that is not a browser's subscription", _REMEDY) from error
    if not sound:
        raise PermanentFailure("that is not a browser's subscription", _REMEDY)
    return Subscription(endpoint, point, auth)


def _octets(text: object) -> bytes:
    if not isinstance(text, str):
        raise TypeError("a key is text")
    try:
        return base64.b64decode(text.rstrip("=").encode("ascii") + b"=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("a key is base64url") from error
