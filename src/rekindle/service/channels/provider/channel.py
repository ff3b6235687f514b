"""Hands mail over to a provider, by Anymail.

Knows nothing of what providers tell later. The provider signs for the sender's domain, so that our own DKIM signature is left out.
"""

import hashlib
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message as Part
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from anymail.message import AnymailMessage
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.base import BaseEmailBackend

from rekindle.deliver.channel import Message
from rekindle.deliver.delivery_events import reason
from rekindle.deliver.lanes import Limits
from rekindle.errors import BadData, OutcomeUnknown, PermanentFailure
from rekindle.service.channels.posting import Poster
from rekindle.service.channels.provider.door import Door
from rekindle.service.channels.provider.esps import ESPS, Esp, backend_of, chosen, revealed
from rekindle.settings import Settings

CHANNELS = ("email",)

TOKEN = "rekindle"  # noqa: S105  the name of the metadata that a message's token goes by
_WRITTEN_ANEW = frozenset(
    {
        "from", "to", "reply-to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding",
        "dkim-signature",
    }
)
_FOLD = re.compile(r"\r?\n[ \t]+")
_QUOTED = re.compile(r'(["\\])')
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, NameError)
"""How Anymail fails over an answer that it did not expect."""

_TAKEN = {"sent", "queued"}
_REFUSED = {"invalid", "rejected", "failed"}


class _Thorough(BaseEmailBackend):
    """What stands behind Anymail's backends, and is given the options that none of them knows."""

    def __init__(self, **left: Any) -> None:  # noqa: ANN401  whatever the settings hold
        if left := {name: value for name, value in left.items() if name != "fail_silently"}:
            raise BadData(f"rekindle.toml: provider.options: '{min(left)}' is not an option", "docs/channels/provider.md names them.")
        super().__init__()


@dataclass(frozen=True, slots=True)
class _Line:
    """One thread's way to a provider: Anymail's backend, and what it posts by."""

    backend: Any
    door: Door


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of mail.

    Args:
        name: Of `ESPS`.
        options: Anymail's, with their secrets.
        poster: What posts.
        limits: How many messages may be on their way; it does not matter to whom, for the provider sorts them.
    """

    name: str
    options: Mapping[str, Any]
    poster: Poster
    limits: Limits = Limits(at_once=8, per_lane=8)
    _own: threading.local = field(default_factory=threading.local)

    def hand_over(self, message: Message) -> str:
        """Posts one message.

        Returns:
            What the provider calls it.

        Raises:
            TemporaryFailure: The provider was not reached, asks to wait, or refuses the account.
            PermanentFailure: The provider refuses the message or its recipient.
            OutcomeUnknown: The provider had the message and gave no answer that can be understood.
        """
        line, mail = self._line(), written_for(ESPS[self.name], message)
        line.door.posted, line.door.message = False, message
        line.backend.session.headers.update({name: message.id for name in ESPS[self.name].request_key})
        try:
            line.backend.send_messages([mail])
        except AnymailRecipientsRefused as error:
            raise PermanentFailure(f"{self.name} refuses the recipient", "Nothing: the provider's own list holds the address.") from error
        except (AnymailError, *_UNREADABLE) as error:
            if line.door.posted:
                raise OutcomeUnknown(f"{self.name} gave an answer that cannot be understood", "Its webhook settles it.") from error
            raise PermanentFailure(f"{self.name} cannot be given the message: {reason(str(error))}", "Mend what it names.") from error
        return self._named(mail.anymail_status)

    def _named(self, status: Any) -> str:  # noqa: ANN401  Anymail has no types
        said = set(status.status or ())
        if said and said <= _REFUSED:
            raise PermanentFailure(f"{self.name} did not take the message", "Look at it in the provider's console.")
        if not said or not said <= _TAKEN:
            raise OutcomeUnknown(f"{self.name} does not say what it did with the message", "Its webhook settles it.")
        return str(status.message_id or "")[:200]

    def _line(self) -> "_Line":
        """This thread's own: a session of requests is none that threads may share."""
        held: _Line | None = getattr(self._own, "line", None)
        if held is None:
            held = self._own.line = opened(self.name, self.options, self.poster)
        return held


def written_for(esp: Esp, message: Message) -> AnymailMessage:
    """The message as a provider is given it: the same text, the same headers but those that the provider writes."""
    read = message_from_bytes(message.wire)
    headers = {name: _decoded(value) for name, value in read.items() if name.lower() not in _WRITTEN_ANEW}
    token = message.id.partition("@")[0]
    headers |= {name: form.format(message.id) for name, form in esp.own_id}
    headers |= {name: str(UUID(bytes=hashlib.sha256(token.encode()).digest()[:16], version=4)) for name in esp.message_key}
    texts = {part.get_content_subtype(): _content(part) for part in read.walk() if not part.is_multipart()}
    mail = AnymailMessage(
        subject=_decoded(read.get("Subject", "")), body=texts.get("plain", ""), from_email=_mailbox(read.get("From", "")),
        to=[message.to or _mailbox(read.get("To", ""))], reply_to=[_mailbox(one) for one in read.get_all("Reply-To", [])], headers=headers,
    )
    if "html" in texts:
        mail.attach_alternative(texts["html"], "text/html")
    if esp.metadata:
        mail.metadata = {TOKEN: token}
    if esp.tracking:
        mail.track_opens = mail.track_clicks = False
    return mail


def _decoded(value: str) -> str:
    return str(make_header(decode_header(_FOLD.sub(" ", value))))


def _mailbox(value: str) -> str:
    name, address = parseaddr(_FOLD.sub(" ", value))
    quoted = _QUOTED.sub(r"\\\1", _decoded(name))
    return f'"{quoted}" <{address}>' if name else address


def _content(part: Part) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode(part.get_content_charset("utf-8")).replace("\r\n", "\n") if isinstance(payload, bytes) else ""


def opened(name: str, options: Mapping[str, Any], poster: Poster) -> _Line:
    """A new way to a provider.

    Raises:
        BadData: An option is missing, or is none of this provider's.
    """
    thorough: Any = type("Thorough", (backend_of(name), _Thorough), {})
    try:
        backend = thorough(**options)
    except ImproperlyConfigured as error:
        missing = str(error).partition("\n")[0]
        raise BadData(f"rekindle.toml: provider.options: {missing}", "docs/channels/provider.md names the options.") from error
    backend.open()
    door = Door(poster)
    for scheme in ("https://", "http://"):
        backend.session.mount(scheme, door)
    return _Line(backend, door)


def open_channel(settings: Settings) -> Provider:
    """The store's provider.

    Raises:
        BadData: It is not known, an option is none of its own or is missing, or a secret is not there.
    """
    chosen(settings)
    provider = Provider(settings.provider.esp, revealed(settings, "options"), Poster())
    opened(provider.name, provider.options, provider.poster)
    return provider
