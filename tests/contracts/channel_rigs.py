"""Every sender with an other side of its own on this machine, which takes messages, or refuses them, as it is told."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rekindle.deliver.channel import Channel, Message
from rekindle.deliver.lanes import Limits
from rekindle.service.channels.folder.channel import Folder
from rekindle.service.channels.inapp.channel import InApp
from rekindle.service.channels.inapp.models import InAppMessage
from rekindle.service.channels.mailbox.channel import Mailbox
from rekindle.service.channels.posting import Poster
from rekindle.service.channels.provider.channel import Provider
from rekindle.service.channels.sms.channel import Sms
from rekindle.service.channels.smtp.channel import Smtp
from rekindle.service.channels.smtp.pool import Timing
from rekindle.service.channels.smtp.session import Server
from rekindle.service.channels.webhook.channel import Webhook
from rekindle.service.channels.webpush.channel import WebPush
from rekindle.service.channels.webpush.subscriptions import Subscription
from rekindle.service.config import use_ledger
from rekindle.settings import Settings
from tests.faults.smtp_server import Fault, SmtpServer
from tests.service.channels.loopback import Request, Script, closed_port, serving

DAY = date(2026, 11, 23)
SOON = 0.4
LIMITS = Limits(at_once=8, spare=4, per_lane=8, patience=1.0, first_rest=1.0, longest_rest=60.0)
WELL, LATER, NEVER, SILENT, BROKEN = "well", "later", "never", "silent", "broken"
SWORDFISH = "swordfish-in-an-error-would-be-a-leak"
NUMBER, ADDRESS = "+4915123456789", "ada.l@customers.example"


@dataclass(frozen=True)
class Rig:
    """A sender and its other side.

    Args:
        channel: The sender.
        message: A number to a message with an id of its own.
        behave: Tells the other side how to: well; later: refuses for now; never: refuses for good; silent: takes it and says nothing;
            broken (over HTTP alone): fails itself.
        taken: The ids of what the other side has taken, in the order of coming.
        manners: What the other side can do beside behaving well.
        away: The same sender where nobody is at the other side, with a message for it.
    """

    channel: Channel
    message: Callable[[int], Message]
    behave: Callable[[str], None]
    taken: Callable[[], list[str]]
    manners: frozenset[str]
    away: tuple[Channel, Message] | None = None


Opening = Callable[[Settings], AbstractContextManager[Rig]]
_ALL = frozenset({LATER, NEVER, SILENT})
_STATUS = {WELL: 200, LATER: 503, NEVER: 400, BROKEN: 500}


def name_of(n: int) -> str:
    """A message's id, in the form of a touch's token."""
    return f"{n:026d}"


@contextmanager
def mailbox(store: Settings) -> Iterator[Rig]:
    folder = store.var / "mail"

    def message(n: int) -> Message:
        return Message(f"{name_of(n)}@shop.example", DAY, b"Subject: x\r\n\r\ny", "hello@shop.example", ADDRESS)

    yield Rig(Mailbox(folder), message, _blocking(folder), lambda: _files(folder), frozenset({LATER}))


@contextmanager
def folder(store: Settings) -> Iterator[Rig]:
    place = store.var / "messages"
    yield Rig(Folder(Mailbox(place, ".json")), _text, _blocking(place), lambda: _files(place), frozenset({LATER}))


def _blocking(folder: Path) -> Callable[[str], None]:
    """Puts a file where the folder should be, which no user may write over, root or not."""

    def behave(how: str) -> None:
        if how == LATER:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.write_text("in the way")
        elif folder.is_file():
            folder.unlink()

    return behave


def _files(folder: Path) -> list[str]:
    return [path.stem for path in sorted(folder.rglob("*.*")) if path.is_file()]


@contextmanager
def inapp(store: Settings) -> Iterator[Rig]:
    from django.db import connection

    use_ledger(store)

    def message(n: int) -> Message:
        return Message(name_of(n), DAY, json.dumps({"title": "Hello", "text": "x", "url": "", "last_day": None}).encode(), to="c-1")

    def behave(how: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA query_only = {'ON' if how == LATER else 'OFF'}")

    def taken() -> list[str]:
        return list(InAppMessage.objects.order_by("id").values_list("message_id", flat=True))

    yield Rig(InApp(), message, behave, taken, frozenset({LATER}))
    connection.close()


@contextmanager
def sms(store: Settings) -> Iterator[Rig]:
    def opened(url: str) -> Sms:
        return Sms(url, "+15005550006", "form", f"Basic {SWORDFISH}", Poster(private=True, exchange=SOON))

    with _web(b'{"sid": "SM1"}') as (script, url):
        nowhere = opened(f"http://127.0.0.1:{closed_port()}"), _text(0)
        yield Rig(opened(url), _text, _answering(script), lambda: _named(script, lambda one: one.headers["idempotency-key"]), _ALL, nowhere)


@contextmanager
def webhook(store: Settings) -> Iterator[Rig]:
    def opened(url: str) -> Webhook:
        return Webhook(f"{url}/hooks/rekindle", SWORDFISH.encode(), Poster(private=True, exchange=SOON))

    with _web(b"") as (script, url):
        nowhere = opened(f"http://127.0.0.1:{closed_port()}"), _text(0)
        yield Rig(opened(url), _text, _answering(script), lambda: _named(script, lambda one: one.headers["webhook-id"]), _ALL, nowhere)


@contextmanager
def webpush(store: Settings) -> Iterator[Rig]:
    browser, auth = ec.generate_private_key(ec.SECP256R1()), bytes(range(16))
    channel = WebPush(ec.generate_private_key(ec.SECP256R1()), "mailto:hello@shop.example", Poster(private=True, exchange=SOON))
    point = browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def tag(one: Request) -> str:
        read = json.loads(http_ece.decrypt(one.body, private_key=browser, auth_secret=auth))
        found: str = read["tag"]
        return found

    with _web(b"") as (script, url):

        def message(n: int, to: str = url) -> Message:
            wire = json.dumps({"title": "Hello", "body": "x", "url": "", "tag": name_of(n)}).encode()
            return Message(name_of(n), DAY, wire, to=Subscription(f"{to}/push/{SWORDFISH}", point, auth).text)

        nowhere = channel, message(0, f"http://127.0.0.1:{closed_port()}")
        yield Rig(channel, message, _answering(script, 201), lambda: _named(script, tag), _ALL, nowhere)


@contextmanager
def provider(store: Settings) -> Iterator[Rig]:
    def opened(url: str) -> Provider:
        options = {"server_token": SWORDFISH, "api_url": f"{url}/"}
        return Provider("postmark", options, Poster(private=True, exchange=SOON))

    said = b'{"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": "ada.l@customers.example"}'

    def token(one: Request) -> str:
        found: str = json.loads(one.body)["Metadata"]["rekindle"]
        return found

    with _web(said) as (script, url):
        nowhere = opened(f"http://127.0.0.1:{closed_port()}"), _mail(0)
        yield Rig(opened(url), _mail, _answering(script), lambda: _named(script, token), _ALL, nowhere)


@contextmanager
def smtp(store: Settings) -> Iterator[Rig]:
    timing = Timing(connect=1.0, answer=SOON, before_dot=SOON, after_dot=SOON, rest=0.2, longest_rest=0.4)
    faults = {
        LATER: Fault("RCPT", "reply", f"451 4.3.0 <{ADDRESS}>: try again."), NEVER: Fault("DOT", "reply", "554 5.7.1 spam."),
        SILENT: Fault("DOT", "take_and_drop"),
    }  # fmt: skip
    domain = ADDRESS.rpartition("@")[2]

    def opened(port: int) -> Smtp:
        return Smtp(Server("127.0.0.1", port, "none", "shop.example", None, "", ""), LIMITS, timing)

    with SmtpServer({domain: replace(faults[LATER], step="NONE")}) as server:

        def behave(how: str) -> None:
            server.faults = {domain: faults[how]} if how in faults else {}
            server.left = {domain: None}

        def taken() -> list[str]:
            return [name.partition("@")[0] for name, times in server.account.taken.items() for _ in range(times)]

        channel, nowhere = opened(server.port), opened(closed_port())
        yield Rig(channel, _mail, behave, taken, _ALL, (nowhere, _mail(0)))
        channel.close()
        nowhere.close()


RIGS: Mapping[str, Opening] = {
    "mailbox": mailbox, "smtp": smtp, "provider": provider, "folder": folder, "inapp": inapp, "sms": sms, "webhook": webhook,
    "webpush": webpush,
}  # fmt: skip
"""Sender, as `SENDERS` names it, to its rig."""


def _text(n: int) -> Message:
    return Message(name_of(n), DAY, b"Marigold: hello. Reply STOP to stop", to=NUMBER)


def _mail(n: int) -> Message:
    identity = f"{name_of(n)}@shop.example"
    head = f"From: Shop <hello@shop.example>\r\nTo: {ADDRESS}\r\nSubject: Hello\r\nMessage-ID: <{identity}>\r\n"
    wire = f"{head}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n".encode()
    return Message(identity, DAY, wire, "hello@shop.example", ADDRESS)


@contextmanager
def _web(body: bytes) -> Iterator[tuple[Script, str]]:
    script = Script(body=body)
    with serving(script) as url:
        yield script, url


def _answering(script: Script, well: int = 200) -> Callable[[str], None]:
    def behave(how: str) -> None:
        script.mood = "silent" if how == SILENT else "answer"
        script.status = well if how == WELL else _STATUS.get(how, well)

    return behave


def _named(script: Script, name: Callable[[Request], Any]) -> list[str]:
    return [str(name(one)) for one in script.came if one.taken]
