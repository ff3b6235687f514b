"""Where the provider delivers what people text back: who may, and what it is told.

Knows nothing of what a message changes. Twilio's signature for forms, Standard Webhooks' for JSON.
"""

import base64
import hashlib
import hmac
import html
import json
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rekindle import moment
from rekindle.errors import BadData, Refused
from rekindle.service.api.errors import refused, unready
from rekindle.service.channels.sms.actions import receive
from rekindle.service.channels.standard_webhooks import key_of, verify
from rekindle.service.config.web import store_in_use
from rekindle.service.people.addresses import normal_phone
from rekindle.settings import Settings, secret

PATH = "webhooks/sms"
"""Below `public_url`; the provider signs the whole address, so that it is the same for both."""

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class _Text:
    """What came: the provider's id, who wrote, what, and whether the provider itself has answered already."""

    name: str
    number: str
    words: str
    answered: bool = False


@csrf_exempt
@require_POST
def inbound(request: HttpRequest) -> HttpResponse:
    """Takes one message in and gives the answer to it, in the form that the provider sends."""
    store = store_in_use()
    try:
        key = _key(store)
    except BadData as error:
        return unready(error)
    try:
        text = _read(request, store, key)
    except (Refused, BadData) as error:
        return refused(error)
    said = receive(store, text.name, text.number, text.words, moment.now())
    return _answer("" if text.answered else said, form=store.sms.shape == "form")


def _read(request: HttpRequest, store: Settings, key: bytes) -> _Text:
    text = _form(request, store, key) if store.sms.shape == "form" else _document(request, key)
    if not 0 < len(text.name) <= _LONGEST_ID:
        raise BadData("the message has no id", "Give every message one of at most 200 characters.")
    number = _international(text.number)
    if number is None:
        raise BadData("the message comes from no phone number with its country", "Tell it as E.164, such as +4915123456789.")
    return replace(text, number=number)


def _international(number: str) -> str | None:
    """A number as E.164, whether its country stands there with a plus, with 00 or bare."""
    return normal_phone(number) or normal_phone(f"+{number.strip().removeprefix('00')}")


def _form(request: HttpRequest, store: Settings, key: bytes) -> _Text:
    given = request.POST
    query = request.META.get("QUERY_STRING", "")
    url = f"{store.public_url.rstrip('/')}/{PATH}{f'?{query}' if query else ''}"
    wanted = twilio_signature(key, url, given)
    if not hmac.compare_digest(wanted.encode(), request.headers.get("X-Twilio-Signature", "").encode()):
        raise Refused("the message is not signed by the provider", "Check sms.inbound_secret and public_url in rekindle.toml.")
    return _Text(given.get("MessageSid", ""), given.get("From", ""), given.get("Body", ""), answered="OptOutType" in given)


def twilio_signature(key: bytes, url: str, given: QueryDict) -> str:
    """What Twilio signs a form with.

    Source: Twilio, "Validating requests are coming from Twilio": HMAC-SHA1 over the address and the sorted fields, 2026-11.
    """
    fields = "".join(f"{name}{value}" for name, values in sorted(given.lists()) for value in sorted(set(map(str, values))))
    return base64.b64encode(hmac.digest(key, f"{url}{fields}".encode(), hashlib.sha1)).decode("ascii")


def _document(request: HttpRequest, key: bytes) -> _Text:
    name = verify(key, request.headers, request.body, moment.now())
    try:
        document = json.loads(request.body)
        number, words = document["from"], document["text"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadData("the message is not an object with from and text", "docs/channels/sms.md has its form.") from error
    return _Text(name, str(number), str(words))


def _key(store: Settings) -> bytes:
    """What messages are signed with.

    Raises:
        BadData: Nothing is there, or it is no key.
    """
    own = store.sms.inbound_secret
    word = secret(own or store.sms.secret, store.root, "sms.inbound_secret" if own else "sms.secret")
    return word.encode() if store.sms.shape == "form" else key_of(word)


def _answer(said: str, *, form: bool) -> HttpResponse:
    if not form:
        return JsonResponse({"reply": said or None})
    inner = f"<Message>{html.escape(said, quote=False)}</Message>" if said else ""
    return HttpResponse(f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>', content_type="application/xml")
