"""Hands a message over to the shop itself: a row of the ledger, which the shop's pages ask for.

Knows nothing of who sends and of who asks.
"""

import json
import time
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import Error, connection

from rekindle.deliver.channel import Message
from rekindle.errors import PermanentFailure, TemporaryFailure
from rekindle.service.channels.inapp.actions import put
from rekindle.service.channels.inapp.models import InAppMessage
from rekindle.settings import Settings

CHANNELS = ("inapp",)

SHOWN_FOR = timedelta(days=30)
"""How long a message is shown that says nothing of its last day."""


@dataclass(frozen=True, slots=True)
class InApp:
    """The ledger in use; whoever ends a thread that hands over closes its connection."""

    def hand_over(self, message: Message) -> str:
        """Puts a message into the shop for the customer `message.to`; the same message twice is one.

        Returns:
            Nothing: it goes by its own id.

        Raises:
            TemporaryFailure: The ledger cannot be written.
            PermanentFailure: The message is not the object that this channel takes.
        """
        row = _row(message)
        try:
            put(row, lambda: message.begin(time.monotonic()))
        except Error as error:
            connection.close_if_unusable_or_obsolete()
            raise TemporaryFailure(f"the ledger cannot be written: {type(error).__name__}", "Make room, or start its server.") from error
        return ""


def _row(message: Message) -> InAppMessage:
    try:
        said = json.loads(message.wire)
        last = date.fromisoformat(said["last_day"]) if said.get("last_day") else message.day + SHOWN_FOR
        title, text, url = (_storable(str(said.get(name) or "")) for name in ("title", "text", "url"))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise PermanentFailure("the message is not an object with title, text and url", "This is a defect: please report it.") from error
    return InAppMessage(
        message_id=message.id, customer_id=message.to, title=title[:300], text=text, url=url[:2000], service=message.service, last_day=last
    )


def _storable(text: str) -> str:
    """The text as any database keeps it: without NUL and half surrogate pairs."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")


def open_channel(settings: Settings) -> InApp:  # noqa: ARG001  every channel is opened alike
    """The store's own ledger, which is in use already."""
    return InApp()
