"""Hands a message over as a signed event (Standard Webhooks) to the address that the shop has given.

Knows nothing of what an event says. A receiver keeps apart what came twice by `webhook-id`, which is the message's own.
"""

from dataclasses import dataclass, field

from rekindle import moment
from rekindle.deliver.channel import Message
from rekindle.errors import BadData
from rekindle.service.channels.addresses import place_of
from rekindle.service.channels.posting import Poster, judge
from rekindle.service.channels.standard_webhooks import key_of, signed
from rekindle.settings import Settings, secret


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver.

    Args:
        key: What events are signed with.
        poster: Posts them.
    """

    key: bytes = field(repr=False)
    poster: Poster

    def hand_over(self, message: Message) -> str:
        """Posts one event to `message.to`.

        Returns:
            Nothing: it goes by its own id.

        Raises:
            TemporaryFailure, PermanentFailure, OutcomeUnknown: As `posting.judge` says.
        """
        headers = {"Content-Type": "application/json", **signed(self.key, message.id, moment.now(), message.wire)}
        judge(self.poster.post(message.to, message.wire, headers), place_of(message.to).host)
        return ""


def open_channel(settings: Settings) -> Webhook:
    """The store's receiver.

    Raises:
        BadData: The address or the secret is missing.
    """
    if not settings.webhook.url or not settings.webhook.secret:
        remedy = 'Write both under [webhook]; secret = "env:NAME" or "file:PATH".'
        raise BadData("rekindle.toml: the webhook has no url or no secret", remedy)
    return Webhook(key_of(secret(settings.webhook.secret)), Poster(private=settings.webhook.network == "private"))
