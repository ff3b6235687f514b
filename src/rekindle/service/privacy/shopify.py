"""Shopify's three topics on privacy, which every app of a shop must take.

Knows nothing of how a request is done. Source: shopify.dev, "Privacy law compliance": customers/data_request, customers/redact,
shop/redact; the signature is HMAC-SHA256 over the raw body in base64, and a wrong one is answered with 401; 2026-11.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rekindle import moment
from rekindle.errors import BadData
from rekindle.service.api.errors import refusal, refused, unready
from rekindle.service.config.web import store_in_use
from rekindle.service.privacy.actions import ask
from rekindle.service.privacy.models import ACCESS, ERASURE
from rekindle.service.privacy.queries import named_by
from rekindle.settings import secret

PATH = "webhooks/shopify/privacy"
"""Below `public_url`: what is given to Shopify as the address of all three."""

SOURCE = "shopify"
TOPICS = {"customers/data_request": ACCESS, "customers/redact": ERASURE, "shop/redact": ERASURE}
_WHOLE_SHOP = "shop/redact"
_LONGEST = 254


@csrf_exempt
@require_POST
def told(request: HttpRequest) -> HttpResponse:
    """Notes what Shopify passes on; whoever is not known here has nothing that could be copied or erased."""
    try:
        body = request.body
    except RequestDataTooBig:
        return refused(BadData("too much is told at once", "Send what Shopify sends."))
    try:
        signed = _signed(body, request.headers.get("X-Shopify-Hmac-Sha256", ""))
    except BadData as error:
        return unready(error)
    if not signed:
        return refusal("Refused", "what is told is not signed by Shopify", "Check shopify.secret in rekindle.toml.", 401)
    topic = request.headers.get("X-Shopify-Topic", "")
    said = _read(body)
    if topic not in TOPICS or said is None:
        return refused(BadData("this is none of Shopify's topics on privacy", f"Send {', '.join(TOPICS)}."))
    if topic == _WHOLE_SHOP:
        ask(ERASURE, "", SOURCE, moment.now(), everyone=True)
    for customer in () if topic == _WHOLE_SHOP else _customers(said):
        ask(TOPICS[topic], customer, SOURCE, moment.now())
    return HttpResponse()


def signature(word: str, body: bytes) -> str:
    """What Shopify signs a body with."""
    return base64.b64encode(hmac.digest(word.encode(), body, hashlib.sha256)).decode("ascii")


def _signed(body: bytes, given: str) -> bool:
    store = store_in_use()
    reference = store.shopify.secret
    return bool(reference) and hmac.compare_digest(
        signature(secret(reference, store.root, "shopify.secret"), body).encode(), given.encode()
    )


def _read(body: bytes) -> Mapping[str, object] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _customers(said: Mapping[str, object]) -> list[str]:
    """The customers of ours whom the one that Shopify names may be."""
    named = said.get("customer")
    given = [str(named.get(key) or "").strip() for key in ("id", "email", "phone")] if isinstance(named, dict) else [""] * 3
    return named_by(store_in_use().shopify.source, *(one if len(one) <= _LONGEST else "" for one in given))
