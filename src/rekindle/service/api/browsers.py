"""Browsers that a customer lets the shop notify.

Knows nothing of notifications.
"""

import json
from typing import Annotated, Self

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, model_validator

from rekindle import moment
from rekindle.service.api.access import Key
from rekindle.service.api.fields import CustomerId, Line
from rekindle.service.channels.webpush.channel import application_server_key
from rekindle.service.channels.webpush.subscriptions import Subscription, read
from rekindle.service.config.web import store_in_use
from rekindle.service.people import actions
from rekindle.service.people.contacts import MARKETING
from rekindle.service.people.models import Consent
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
    """A customer's browser; `marketing` says whether they want offers, too: a yes comes with the version of the words they saw."""

    customer: CustomerId
    subscription: Browser
    marketing: bool
    wording_version: Line = ""

    @model_validator(mode="after")
    def _worded(self) -> Self:
        if self.marketing and not self.wording_version.strip():
            raise ValueError("a yes to marketing needs the wording_version that was agreed to")
        return self


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
    """Keeps a customer's browser, in place of one from before, and what they said of marketing there: a yes, or the end of one."""
    browser, at = _read(given.subscription), moment.now()
    customer = find(given.customer, tell=False)
    actions.keep_browser(customer, browser.text, browser.lookup, at)
    if given.marketing:
        actions.consent(customer, _CHANNEL, at, "api", given.wording_version)
    elif _agreed(customer):
        actions.opt_out(customer, _CHANNEL, at, "api")
    return Status(201, PublicKey(key=application_server_key(store_in_use())))


@router.post("/unsubscribe", response=Ended, summary="A browser's subscription has ended")
def unsubscribe(request: HttpRequest, given: Browser) -> Ended:
    """Forgets a browser; whoever it belonged to gets no more notifications there."""
    return Ended(ended=actions.forget_browser(_read(given).lookup, moment.now()))


def _agreed(customer: str) -> bool:
    said = Consent.objects.filter(customer_id=customer, channel=_CHANNEL, purpose=MARKETING).in_order().last()
    return said is not None and said.granted


def _read(browser: Browser) -> Subscription:
    return read(json.dumps(browser.model_dump()))
