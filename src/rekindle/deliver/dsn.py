"""What a mail server says of a message that it could not pass on, or not yet: delivery status notifications.

Knows nothing of what follows from it. A notice that is no such report, as qmail's are, says nothing here: guessing from its text would
silence people who can be reached.

Source: RFC 3464; RFC 3463 (status codes).
"""

import re
from dataclasses import replace
from datetime import datetime

from rekindle.deliver.delivery_events import BOUNCED, DEFERRED, DELIVERED, DeliveryEvent, as_text, name_of, one_line, reason
from rekindle.deliver.reports import Fields, Report, address_in, blocks, instant, taken_apart, token_in

SOURCE = "dsn"
_ACTIONS = {"failed": BOUNCED, "delayed": DEFERRED, "delivered": DELIVERED, "relayed": DELIVERED, "expanded": DELIVERED}
_STATUS = re.compile(r"([245])\.\d{1,3}\.\d{1,3}(?!\S)")
_WORD = re.compile(r"[a-z]+")
_RECIPIENTS = 100


def read_dsn(raw: bytes, at: datetime) -> tuple[DeliveryEvent, ...]:
    """What a notification says, a recipient each; nothing where these octets are none.

    Only `failed` with a status of class 5 is `permanent`; `delayed` never is.

    Args:
        raw: A message as a mailbox holds it.
        at: The instant that the event bears where the notification states none, or a later one.
    """
    report = taken_apart(raw)
    status = report.content("message/delivery-status", "message/global-delivery-status") if report else None
    if report is None or status is None:
        return ()
    groups = blocks(status)
    envelope = [group["original-envelope-id"] for group in groups if "original-envelope-id" in group]
    token, when = token_in(report, *envelope), instant(report.head.get("date", ""), at)
    told = (_event(report, group, token, when) for group in groups[:_RECIPIENTS] if "action" in group)
    return tuple(replace(one, raw=as_text(raw)) for one in told if one)


def _event(report: Report, group: Fields, token: str, when: datetime) -> DeliveryEvent | None:
    action = _WORD.match(group["action"].lower())
    kind = _ACTIONS.get(action[0]) if action else None
    if kind is None:
        return None
    code = _STATUS.match(group.get("status", ""))
    recipient = address_in(group.get("original-recipient", "") or group.get("final-recipient", ""))
    said = group.get("diagnostic-code", "")
    named = report.head.get("message-id", "") or f"{group.get('last-attempt-date', '')} {said}"
    return DeliveryEvent(
        kind=kind, source=SOURCE, event_id=name_of(token, kind, recipient, named), at=when, token=token, recipient=one_line(recipient),
        permanent=kind == BOUNCED and code is not None and code[1] == "5", detail=reason(f"{code[0] if code else ''} {said}"),
    )
