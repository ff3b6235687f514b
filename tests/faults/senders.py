"""Real senders that can be killed in the middle of a hand-over, and what their other sides have."""

import os
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rekindle.deliver.channel import Channel, Message
from rekindle.deliver.lanes import Limits
from rekindle.service.channels.inapp.channel import InApp
from rekindle.service.channels.inapp.models import InAppMessage
from rekindle.service.channels.mailbox.channel import Mailbox
from rekindle.service.channels.smtp.channel import Smtp
from rekindle.service.channels.smtp.pool import Timing
from rekindle.service.channels.smtp.session import Server, Session
from rekindle.settings import Settings
from tests.faults.sinks import Received
from tests.faults.smtp_server import SmtpServer

At = Callable[[str], None]
BEGIN, END = "hand over: before", "hand over: after"
WRITTEN, DOT, GONE = "the file: written", "the dot: before", "the dot: gone"
MOMENTS = {
    "inapp": (BEGIN, "other: before commit", "other: after commit", END),
    "mailbox": (BEGIN, WRITTEN, END),
    "smtp": (BEGIN, DOT, GONE, END),
}
"""Sender to the moments of its hand-over; a commit by none of the outbox's verbs is the row of a message in the shop."""


@dataclass(frozen=True, slots=True)
class _Watched:
    sender: Channel
    at: At

    def hand_over(self, message: Message) -> str:
        self.at(BEGIN)
        theirs = self.sender.hand_over(message)
        self.at(END)
        return theirs


def real(store: Settings, name: str, port: int, at: At) -> Channel:
    """A sender of the product, for a process that ends with it; `at` is told at each of its moments, and may end the process.

    Args:
        store: The store.
        name: Of `MOMENTS`.
        port: The mail server's.
        at: Told.
    """
    if name == "inapp":
        return _Watched(InApp(), at)
    if name == "mailbox":
        fsync = os.fsync

        def written(file: int) -> None:
            fsync(file)
            at(WRITTEN)

        os.fsync = written  # the file is whole, under another name
        return _Watched(Mailbox(store.var / "mail"), at)
    send = Session.send

    def sent(session: Session, said: Any) -> None:
        dot = said == b".\r\n"
        if dot:
            at(DOT)
        send(session, said)
        if dot:
            at(GONE)

    Session.send = sent  # type: ignore[method-assign]  # all that is said passes here
    where = Server("127.0.0.1", port, "none", "shop.example", ssl.create_default_context())
    return _Watched(Smtp(where, Limits(), Timing()), at)


def got(store: Settings, name: str, server: SmtpServer) -> Received:
    """What the other side of a sender has, by the touch's token."""
    if name == "inapp":
        names = Counter(InAppMessage.objects.values_list("message_id", flat=True))
    elif name == "mailbox":
        names = Counter(path.stem for path in (store.var / "mail").rglob("*.eml") if not path.name.startswith("."))
    else:
        names = server.account.taken
    tokens = Counter({one.partition("@")[0]: times for one, times in names.items()})
    return Received(tokens, tokens)
