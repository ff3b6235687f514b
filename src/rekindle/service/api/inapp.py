"""Messages inside the shop, as its pages ask for them.

Knows nothing of how they got there.
"""

from datetime import date, datetime

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError

from rekindle import moment
from rekindle.service.api.access import Key
from rekindle.service.api.fields import CustomerId, MessageId
from rekindle.service.api.pages import After, Limit, Page, page
from rekindle.service.channels.inapp import actions
from rekindle.service.channels.inapp.models import InAppMessage
from rekindle.service.channels.inapp.queries import shown
from rekindle.service.config.web import store_in_use
from rekindle.service.people.queries import named

router = Router(auth=Key("inapp"), tags=["inapp"])


class Message(Schema):
    """One message; `text` and `title` are plain text, `last_day` is in the store's time zone."""

    id: str
    title: str
    text: str
    url: str
    service: bool
    last_day: date
    seen_at: datetime | None
    dismissed_at: datetime | None


@router.get("", response=Page[Message], summary="What a customer sees now")
def listed(request: HttpRequest, customer: CustomerId, after: After = 0, limit: Limit = 20) -> Page[Message]:
    """A customer's messages, oldest first; none where they opted out, or where nobody or more than one customer is known by the id."""
    found = named(customer)
    if len(found) != 1:
        return Page[Message](items=[], next=None)
    (mine,) = found
    rows, following = page(shown(mine, moment.now(), store_in_use().timezone), after, limit)
    return Page[Message](items=[_told(row) for row in rows], next=following)


@router.post("/{message}/seen", response=Message, summary="It was seen")
def seen(request: HttpRequest, message: MessageId) -> Message:
    """Records when a customer first saw a message."""
    return _told(actions.see(message, moment.now()))


@router.post("/{message}/dismiss", response=Message, summary="It was put away")
def dismissed(request: HttpRequest, message: MessageId) -> Message:
    """Records that a customer put a message away; it is not listed again."""
    return _told(actions.dismiss(message, moment.now()))


def _told(row: InAppMessage | None) -> Message:
    if row is None:
        raise HttpError(404, "there is no such message")
    return Message(
        id=row.message_id, title=row.title, text=row.text, url=row.url, service=row.service, last_day=row.last_day, seen_at=row.seen_at,
        dismissed_at=row.dismissed_at,
    )  # fmt: skip
