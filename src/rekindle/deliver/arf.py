"""What a mailbox provider says of a reader who called a message spam: feedback reports.

Knows nothing of what follows from it. Reports of other kinds, such as of failed authentication or of what is no spam after all, say
nothing here.

Source: RFC 5965; RFC 6650 (what to do with them).
"""

from datetime import datetime

from rekindle.deliver.delivery_events import COMPLAINED, UNSUBSCRIBED, DeliveryEvent, as_text, name_of, one_line, reason
from rekindle.deliver.reports import address_in, fields, instant, taken_apart, token_in

SOURCE = "arf"
_KINDS = {"abuse": COMPLAINED, "fraud": COMPLAINED, "opt-out": UNSUBSCRIBED}


def read_arf(raw: bytes, at: datetime) -> tuple[DeliveryEvent, ...]:
    """The complaint that a report makes; nothing where these octets are none.

    Args:
        raw: A message as a mailbox holds it.
        at: The instant that the event bears where the report states none, or a later one.
    """
    report = taken_apart(raw)
    content = report.content("message/feedback-report") if report else None
    if report is None or content is None:
        return ()
    told = fields(content)
    kind = _KINDS.get(told.get("feedback-type", "").partition(";")[0].strip().lower())
    if kind is None:
        return ()
    token = token_in(report, told.get("original-envelope-id", ""))
    recipient = address_in(told.get("original-rcpt-to", ""))
    said = reason(f"{told.get('feedback-type', '')} by {told.get('user-agent', 'an unnamed reporter')}")
    named = report.head.get("message-id", "") or told.get("arrival-date", "") or told.get("received-date", "")
    return (
        DeliveryEvent(
            kind=kind, source=SOURCE, event_id=name_of(token, kind, recipient, named), token=token, recipient=one_line(recipient),
            at=instant(report.head.get("date", "") or told.get("arrival-date", ""), at), detail=said, raw=as_text(raw),
        ),
    )
