"""Where a provider tells what became of messages: checked and read by Anymail, kept by `events`.

Knows nothing of what follows from it. A provider that gets another answer than 200 tells it again.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.signals import EventType, RejectReason
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rekindle import moment
from rekindle.deliver.delivery_events import (
    ACCEPTED,
    BOUNCED,
    CLICKED,
    COMPLAINED,
    DEFERRED,
    DELIVERED,
    OPENED,
    RAW_AT_MOST,
    REJECTED,
    UNSUBSCRIBED,
    DeliveryEvent,
    name_of,
    one_line,
    reason,
)
from rekindle.errors import BadData, Refused
from rekindle.service.api.errors import refused, unready
from rekindle.service.channels.provider.channel import TOKEN
from rekindle.service.channels.provider.esps import ESPS, view_of
from rekindle.service.config.web import store_in_use
from rekindle.service.events.actions import record

PATH = "webhooks/mail"
"""Below `public_url`: what is given to the provider as the address of its webhook."""

_KINDS = {
    EventType.QUEUED: ACCEPTED, EventType.SENT: ACCEPTED, EventType.DELIVERED: DELIVERED, EventType.DEFERRED: DEFERRED,
    EventType.BOUNCED: BOUNCED, EventType.REJECTED: REJECTED, EventType.FAILED: REJECTED, EventType.OPENED: OPENED,
    EventType.CLICKED: CLICKED, EventType.COMPLAINED: COMPLAINED, EventType.UNSUBSCRIBED: UNSUBSCRIBED,
}  # fmt: skip
_LISTED = (RejectReason.INVALID, RejectReason.BOUNCED, RejectReason.UNSUBSCRIBED)
"""Why a provider refuses an address of its own accord: it is on its list."""

_TOKEN = re.compile(r"[a-z2-7]{26}")
_ID_AT_MOST = 150
_UNREADABLE = (AnymailError, ImproperlyConfigured, LookupError, TypeError, ValueError, AttributeError, RecursionError)


@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def told(request: HttpRequest) -> HttpResponse:
    """Takes in what a provider tells; asking for the head alone shows a provider that somebody is there."""
    if request.method == "HEAD":
        return HttpResponse()
    store = store_in_use()
    try:
        view = view_of(store)
    except BadData as error:
        return unready(error)
    try:
        heard = _heard(view, request)
    except (Refused, BadData) as error:
        return refused(error)
    at = moment.now()
    record(events_of(store.provider.esp, heard, at), at)
    return HttpResponse()


def _heard(view: Any, request: HttpRequest) -> list[Any]:  # noqa: ANN401  Anymail has no types
    view.setup(request)
    try:
        view.run_validators(request)
        return list(view.parse_events(request))
    except AnymailWebhookValidationFailure as error:
        raise Refused("what is told is not signed by the provider", "Check provider.webhook in rekindle.toml.") from error
    except RequestDataTooBig as error:
        raise BadData("too much is told at once", "Have the provider tell less at once.") from error
    except _UNREADABLE as error:
        raise BadData("what is told is not what this provider tells", "Check provider.esp and the address in its console.") from error


def events_of(name: str, heard: Iterable[Any], at: datetime) -> list[DeliveryEvent]:
    """What Anymail read, as events; what is about no message that was sent is left out.

    Args:
        name: The provider.
        heard: Anymail's events.
        at: The present instant, for those that have none.
    """
    return [_event(name, one, _KINDS[one.event_type], at) for one in heard if one.event_type in _KINDS]


def _event(name: str, one: Any, kind: str, at: datetime) -> DeliveryEvent:  # noqa: ANN401  Anymail has no types
    token = str((one.metadata or {}).get(TOKEN, ""))
    raw = _raw(one.esp_event)
    when = one.timestamp if isinstance(one.timestamp, datetime) else None
    own = one_line(str(one.event_id))[:_ID_AT_MOST] if one.event_id else name_of(raw)
    said = " ".join(str(part) for part in (one.mta_response, one.description) if part)
    return DeliveryEvent(
        kind=kind, source=name, event_id=f"{kind}:{own}", token=token if _TOKEN.fullmatch(token) else "",
        provider_id=one_line(str(one.message_id or ""))[:200], recipient=one_line(str(one.recipient or ""))[:254],
        at=when.astimezone(UTC) if when and when.tzinfo else at, permanent=_for_good(name, one, kind), detail=reason(said),
        agent=one_line(str(one.user_agent or "")), raw=raw,
    )


def _for_good(name: str, one: Any, kind: str) -> bool:  # noqa: ANN401  Anymail has no types
    """Whether the provider says, in its own words for it, that the address is at fault."""
    said = any(_value(one.esp_event, way) in values for way, values in ESPS[name].hard)
    return (kind in (BOUNCED, REJECTED) and said) or (kind == REJECTED and one.reject_reason in _LISTED)


def _value(found: object, way: tuple[str, ...]) -> object:
    for name in way:
        found = found.get(name) if isinstance(found, Mapping | QueryDict) else None
    return found if isinstance(found, str | bool) else None


def _raw(event: object) -> str:
    shown = dict(event.lists()) if isinstance(event, QueryDict) else event
    return json.dumps(shown, default=str, ensure_ascii=True, sort_keys=True)[:RAW_AT_MOST]
