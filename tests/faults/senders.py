"""Real senders that can be killed in the middle of a hand-over, and what their other sides have."""

import os
import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rekindle.deliver.channel import Channel, Message
from rekindle.deliver.lanes import Limits
from rekindle.service.channels.folder import channel as folder
from rekindle.service.channels.inapp.channel import InApp
from rekindle.service.channels.inapp.models import InAppMessage
from rekindle.service.channels.mailbox import channel as mailbox
from rekindle.service.channels.smtp.channel import Smtp
from rekindle.service.channels.smtp.pool import Timing
from rekindle.service.channels.smtp.session import Server, Session
from rekindle.settings import Settings
from tests.faults import web_senders
from tests.faults.sinks import Received
from tests.faults.smtp_server import SmtpServer
from tests.service.channels.loopback import serving

At = Callable[[str], None]
BEGIN, END = "hand over: before", "hand over: after"
WRITTEN, DOT, GONE = "the file: written", "the dot: before", "the dot: gone"
_OF_A_FILE = (BEGIN, WRITTEN, END)
MOMENTS = {
    "inapp": (BEGIN, "other: before commit", "other: after commit", END),
    "mailbox": _OF_A_FILE,
    "folder": _OF_A_FILE,
    "smtp": (BEGIN, DOT, GONE, END),
    **dict.fromkeys(web_senders.OPEN, (BEGIN, web_senders.BEGUN, web_senders.POSTED, END)),
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
        port: Its other side's.
        at: Told.
    """
    if name in web_senders.OPEN:
        web_senders.watch_requests(at)
        return _Watched(web_senders.OPEN[name](store, f"http://127.0.0.1:{port}"), at)
    if name == "inapp":
        return _Watched(InApp(), at)
    if name == "smtp":
        _watch_dots(at)
        where = Server("127.0.0.1", port, "none", "shop.example", ssl.create_default_context())
        return _Watched(Smtp(where, Limits(), Timing()), at)
    _watch_files(at)
    return _Watched({"mailbox": mailbox, "folder": folder}[name].open_channel(store), at)


def _watch_files(at: At) -> None:
    fsync = os.fsync

    def written(file: int) -> None:
        fsync(file)
        at(WRITTEN)

    os.fsync = written  # the file is whole, under another name


def _watch_dots(at: At) -> None:
    send = Session.send

    def sent(session: Session, said: Any) -> None:
        dot = said == b".\r\n"
        if dot:
            at(DOT)
        send(session, said)
        if dot:
            at(GONE)

    Session.send = sent  # type: ignore[method-assign]  # all that is said passes here


@dataclass(frozen=True, slots=True)
class OtherSide:
    """What takes a sender's messages.

    Args:
        port: Where it listens; 0 where it is on this machine's disk.
        names: What the messages that it has are called.
    """

    port: int
    names: Callable[[], Iterable[str]]

    def got(self) -> Received:
        """What it has, by the touch's token."""
        tokens = Counter(one.partition("@")[0] for one in self.names())
        return Received(tokens, tokens)


@contextmanager
def other_side(store: Settings, name: str) -> Iterator[OtherSide]:
    """The other side of a sender of `MOMENTS`, as long as the block runs."""
    if name in web_senders.OPEN:
        script = web_senders.script(name)
        with serving(script) as url:
            web_senders.subscribe(url)
            yield OtherSide(int(url.rpartition(":")[2]), lambda: web_senders.names(name, script))
    elif name == "smtp":
        with SmtpServer({}) as server:
            yield OtherSide(server.port, server.account.taken.elements)
    elif name == "inapp":
        yield OtherSide(0, lambda: InAppMessage.objects.values_list("message_id", flat=True))
    else:
        files = store.var / {"mailbox": "mail", "folder": "messages"}[name]
        yield OtherSide(0, lambda: [path.stem for path in files.rglob("*.*") if path.is_file() and not path.name.startswith(".")])
