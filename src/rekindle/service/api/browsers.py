"""Browsers that a customer lets the shop notify.

Knows nothing of notifications.
"""

import json
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from rekindle import moment
from rekindle.service.api.access import Key
from rekindle.service.api.fields import CustomerId, Line
from rekindle.service.channels.webpush.channel import application_server_key
from rekindle.service.channels.webpush.subscriptions import Subscription, read
from rekindle.service.config.web import store_in_use
from rekindle.service.people import actions
from rekindle.service.people.queries import find

router = Router(auth=Key("webpush"), tags=["webpush"])

_CHANNEL = "webpush"
Octets = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_=-]+$")]


class Keys(Schema):
    """The browser's two keys, base64url."""

    p256dh: Octets
    auth: Octets


class Browser(Schema):
    """What `PushSubscription.toJSON()` gives."""

    endpoint: Annotated[str, Field(max_length=2000, pattern=r"^https://[!-~]+$")]
    keys: Keys


class Subscribing(Schema):
    """A customer's browser; `marketing` is true where they agreed to offers, too, with the version of the words they saw."""

    customer: CustomerId
    subscription: Browser
    marketing: bool
    wording_version: Line = ""


class PublicKey(Schema):
    """What a page gives to `pushManager.subscribe` as applicationServerKey."""

    key: str


class Ended(Schema):
    """Whether a subscription was known and has ended."""

    ended: bool


@router.get("/key", response=PublicKey, summary="The key that browsers subscribe for")
def key(request: HttpRequest) -> PublicKey:
    """The store's public key, base64url."""
    return PublicKey(key=application_server_key(store_in_use()))


@router.post("/subscriptions", response={201: PublicKey}, summary="A customer subscribed a browser")
def subscribe(request: HttpRequest, given: Subscribing) -> Status[PublicKey]:
    """Keeps a customer's browser, in place of one from before; and their consent to marketing there, where they gave it."""
    browser, at = _read(given.subscription), moment.now()
    customer = find(given.customer, tell=False)
    actions.keep_browser(customer, browser.text, browser.lookup, at)
    if given.marketing:
        actions.consent(customer, _CHANNEL, at, "api", given.wording_version)
    return Status(201, PublicKey(key=application_server_key(store_in_use())))


@router.post("/unsubscribe", response=Ended, summary="A browser's subscription has ended")
def unsubscribe(request: HttpRequest, given: Browser) -> Ended:
    """Forgets a browser; whoever it belonged to gets no more notifications there."""
    return Ended(ended=actions.forget_browser(_read(given).lookup, moment.now()))


def _read(browser: Browser) -> Subscription:
    return read(json.dumps(browser.model_dump()))
