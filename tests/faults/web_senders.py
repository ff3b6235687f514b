"""Real senders over HTTP that can be killed in the middle of a request, and how a web server on this machine knows what they post."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from urllib3.connection import HTTPConnection

from rekindle.deliver.channel import Channel
from rekindle.service.channels.posting import Poster
from rekindle.service.channels.provider.channel import Provider
from rekindle.service.channels.sms.channel import Sms
from rekindle.service.channels.webhook.channel import Webhook
from rekindle.service.channels.webpush.channel import WebPush, own_key
from rekindle.service.channels.webpush.subscriptions import Subscription
from rekindle.service.people.models import Person
from rekindle.settings import Settings
from tests.service.channels.loopback import Request, Script

BEGUN, POSTED = "the request: begun", "the request: posted"

_BROWSER, _AUTH = ec.derive_private_key(7, ec.SECP256R1()), bytes(range(16))

OPEN: Mapping[str, Callable[[Settings, str], Channel]] = {
    "provider": lambda _, url: Provider("resend", {"api_key": "x", "api_url": f"{url}/"}, Poster(private=True)),
    "sms": lambda _, url: Sms(url, "+15005550006", "form", "Basic x", Poster(private=True)),
    "webhook": lambda _, url: Webhook(url, b"key", Poster(private=True)),
    "webpush": lambda store, _: WebPush(own_key(store), "mailto:hello@shop.example", Poster(private=True)),
}
"""Sender to the one of a store that posts to a URL; a notification goes where its browser said."""

_ANSWERS = {"provider": (200, b'{"id": "49a3999c"}'), "sms": (200, b'{"sid": "SM1"}')}
_NAMES: Mapping[str, Callable[[Request], Any]] = {
    "provider": lambda one: one.headers["idempotency-key"],
    "sms": lambda one: one.headers["idempotency-key"],
    "webhook": lambda one: one.headers["webhook-id"],
    "webpush": lambda one: json.loads(http_ece.decrypt(one.body, private_key=_BROWSER, auth_secret=_AUTH))["tag"],
}


def watch_requests(at: Callable[[str], None]) -> None:
    """Tells `at` when a request is about to be posted and when all of it has gone, in a process that ends with it."""
    post = HTTPConnection.request

    def told(line: HTTPConnection, *said: Any, **options: Any) -> None:
        at(BEGUN)
        post(line, *said, **options)
        at(POSTED)

    HTTPConnection.request = told  # type: ignore[method-assign]  # every question passes here


def script(sender: str) -> Script:
    """How the other side of a sender answers."""
    return Script(*_ANSWERS.get(sender, (201, b"")))


def names(sender: str, came: Script) -> list[str]:
    """What the messages that came are called."""
    return [str(_NAMES[sender](one)) for one in came.came]


def subscribe(url: str) -> None:
    """Every customer has the same browser, whose push service is a web server on this machine."""
    point = _BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    Person.objects.update(push=Subscription(f"{url}/push/1", point, _AUTH).text)
