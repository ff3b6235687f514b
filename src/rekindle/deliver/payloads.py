"""What goes over where a message is short: text for SMS, a JSON object for browsers, the shop itself and systems of the shop.

Knows nothing of who takes it. What each object holds is documented on its channel's page.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime

from rekindle.deliver.facts import Facts
from rekindle.deliver.variants import Short

NOTIFICATION_AT_MOST = 3_993
"""Octets of a browser notification before encryption. Source: RFC 8291 section 4, a record of 4,096 octets less header and padding."""


def sms(short: Short) -> bytes:
    """A text message.

    >>> sms(Short("", "Marigold: your lamp is here. https://m.example/a", "https://m.example")).decode()
    'Marigold: your lamp is here. https://m.example/a'
    """
    return short.text.encode("utf-8", "replace")


def webpush(short: Short, key: str) -> bytes:
    """A browser notification; a text too long for one is cut.

    Args:
        short: The message.
        key: Its id; a notification with the same one replaces the earlier.
    """
    whole = _json({"title": short.title, "body": short.text, "url": short.url, "tag": key})
    if len(whole) <= NOTIFICATION_AT_MOST:
        return whole
    return _json({"title": _cut(short.title, 200), "body": _cut(short.text, 700), "url": short.url, "tag": key})


def inapp(short: Short, last_day: date | None) -> bytes:
    """A message inside the shop.

    Args:
        short: The message.
        last_day: The last day on which it holds, where it has one.
    """
    return _json({"title": short.title, "text": short.text, "url": short.url, "last_day": last_day and last_day.isoformat()})


def webhook(short: Short, facts: Facts, *, key: str, at: datetime, customer: str, external_id: str) -> bytes:
    """A message as an event for a system of the shop.

    Args:
        short: The message.
        facts: What it states.
        key: Its id, the same on every attempt.
        at: The instant of sending.
        customer: Rekindle's id.
        external_id: What the shop's files call the customer; empty where they do not.

    Source: Standard Webhooks, section "Payload structure": type, timestamp, data.
    """
    data: dict[str, object] = {
        "id": key, "customer": customer, "external_id": external_id or None, "program": facts.program, "stage": facts.stage,
        "variant": facts.arm, "service": facts.service, "title": short.title, "text": short.text, "url": short.url,
        "offer": facts.offer_label or None, "code": facts.code or None,
        "last_day": facts.valid_until and facts.valid_until.isoformat(),
    }  # fmt: skip
    return _json({"type": "message.due", "timestamp": at.isoformat(), "data": data})


def _cut(text: str, most: int) -> str:
    """At most so many octets, of whole characters; the text is clean, so that escaping at most doubles it."""
    whole = text.encode("utf-8", "replace")
    return text if len(whole) <= most else whole[: most - 3].decode(errors="ignore") + "..."


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
