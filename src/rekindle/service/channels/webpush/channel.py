"""Hands a notification over to the push service of the customer's browser, encrypted for the browser alone.

Knows nothing of what it says. Source: RFC 8030 (push), RFC 8291 (encryption), RFC 8292 (VAPID: who sends).
"""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

import http_ece  # type: ignore[import-untyped]  # it ships no types, 2026-11
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02  # type: ignore[import-untyped]  # it ships no types, 2026-11

from rekindle import moment
from rekindle.deliver.channel import Message
from rekindle.deliver.payloads import NOTIFICATION_AT_MOST
from rekindle.errors import PermanentFailure
from rekindle.service.channels.addresses import Place, place_of
from rekindle.service.channels.posting import Poster, judge
from rekindle.service.channels.webpush.subscriptions import read
from rekindle.service.config import load_secret
from rekindle.settings import Settings

CHANNELS = ("webpush",)

KEPT = timedelta(days=1)
"""How long a push service keeps a notification for a browser that is off."""

_GOOD_FOR = timedelta(hours=12)  # RFC 8292 section 2: at most 24 hours
_GONE = frozenset({404, 410})  # RFC 8030 section 7.3: the subscription has ended
_TOPIC = 24  # octets: 32 characters, RFC 8030 section 5.4


@dataclass(frozen=True, slots=True)
class WebPush:
    """All push services.

    Args:
        key: The store's own, which browsers subscribed for.
        contact: How a push service reaches the shop, a mailto: or https: address.
        poster: Posts notifications.
    """

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    contact: str
    poster: Poster

    def hand_over(self, message: Message) -> str:
        """Posts one notification to the subscription `message.to`.

        Returns:
            Nothing: it goes by its own id, whose digest is the topic.

        Raises:
            TemporaryFailure, PermanentFailure, OutcomeUnknown: As `posting.judge` says; a subscription that ended is gone.
        """
        browser = read(message.to)
        if len(message.wire) > NOTIFICATION_AT_MOST:
            raise PermanentFailure("the notification is too long", f"Shorten it to {NOTIFICATION_AT_MOST} octets.")
        place = place_of(browser.endpoint)
        body = http_ece.encrypt(
            message.wire, private_key=ec.generate_private_key(ec.SECP256R1()), dh=browser.point, auth_secret=browser.auth,
            version="aes128gcm", keyid=None,
        )  # fmt: skip
        answer = self.poster.post(browser.endpoint, body, self._headers(message, place), message)
        if answer.status in _GONE:
            raise PermanentFailure("the browser's subscription has ended", "Ask the customer again, on the shop's page.", gone=True)
        judge(answer, place.host, kept_apart=False)
        return ""

    def _headers(self, message: Message, place: Place) -> dict[str, str]:
        origin = f"{place.scheme}://{place.named}"
        until = int((moment.now() + _GOOD_FOR).timestamp())
        who: dict[str, str] = Vapid02(private_key=self.key).sign({"aud": origin, "exp": until, "sub": self.contact})
        topic = base64.urlsafe_b64encode(hashlib.sha256(message.id.encode()).digest()[:_TOPIC]).decode()
        return {
            **who, "Content-Type": "application/octet-stream", "Content-Encoding": "aes128gcm", "TTL": str(int(KEPT.total_seconds())),
            "Topic": topic, "Urgency": "high" if message.service else "normal",
        }  # fmt: skip


def open_channel(settings: Settings) -> WebPush:
    """The store's own key, and every push service in the world."""
    return WebPush(own_key(settings), f"mailto:{settings.sender.email}", Poster())


def own_key(settings: Settings) -> ec.EllipticCurvePrivateKey:
    """The key that browsers subscribe for, made at its first use; without it every subscription is lost."""
    drawn = int(load_secret(settings.var, "webpush"), 16)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, FIPS 186-5
    return ec.derive_private_key(drawn % (order - 1) + 1, ec.SECP256R1())


def application_server_key(settings: Settings) -> str:
    """The public half, as a page gives it to `pushManager.subscribe`."""
    point = own_key(settings).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
