"""Hands a message over as a signed event (Standard Webhooks) to the address that the shop has given.

Knows nothing of what an event says. A receiver keeps apart what came twice by `webhook-id`, which is the message's own. It may stand in
for the sender of any channel: the event then says whom the message is for, and holds what would have gone over.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

from rekindle import moment
from rekindle.deliver.channel import Message
from rekindle.errors import BadData
from rekindle.service.channels.addresses import place_of
from rekindle.service.channels.posting import Poster, judge
from rekindle.service.channels.standard_webhooks import key_of, signed
from rekindle.settings import Settings, secret

CHANNELS = ("email", "sms", "webpush", "inapp", "webhook")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver.

    Args:
        url: Where it is.
        key: What events are signed with.
        poster: Posts them.
    """

    url: str
    key: bytes = field(repr=False)
    poster: Poster

    def hand_over(self, message: Message) -> str:
        """Posts one event.

        Returns:
            Nothing: it goes by its own id.

        Raises:
            TemporaryFailure, PermanentFailure, OutcomeUnknown: As `posting.judge` says.
        """
        now = moment.now()
        body = message.wire if message.to == self.url else _wrapped(message, now)
        headers = {"Content-Type": "application/json", **signed(self.key, message.id, now, body)}
        judge(self.poster.post(self.url, body, headers, message), place_of(self.url).host)
        return ""


def _wrapped(message: Message, at: datetime) -> bytes:
    """A message of another channel, as an event."""
    data = {"id": message.id, "to": message.to, "service": message.service, "message": message.wire.decode()}
    return json.dumps({"type": "message.ready", "timestamp": at.isoformat(), "data": data}, ensure_ascii=False).encode()


def open_channel(settings: Settings) -> Webhook:
    """The store's receiver.

    Raises:
        BadData: The address or the secret is missing.
    """
    if not settings.webhook.url or not settings.webhook.secret:
        remedy = 'Write both under [webhook]; secret = "env:NAME" or "file:PATH".'
        raise BadData("rekindle.toml: the webhook has no url or no secret", remedy)
    key = key_of(secret(settings.webhook.secret, settings.root, "webhook.secret"))
    return Webhook(settings.webhook.url, key, Poster(private=settings.webhook.network == "private"))
