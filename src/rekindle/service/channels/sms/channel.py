"""Hands a text message over to a provider by HTTP: as a form with Twilio's fields, or as a JSON object.

Knows nothing of what a message says and of answers to it.
"""

import base64
import json
from dataclasses import dataclass, field
from urllib.parse import urlencode

from rekindle.deliver.channel import Message
from rekindle.errors import BadData
from rekindle.service.channels.addresses import place_of
from rekindle.service.channels.posting import Answer, Poster, judge
from rekindle.settings import Settings, secret

CHANNELS = ("sms",)

_IDS = ("sid", "id", "message_id")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Sms:
    """One provider.

    Args:
        url: Where messages are posted to.
        sender: What they come from.
        shape: form or json.
        authorization: The header's value.
        poster: Posts them.
    """

    url: str
    sender: str
    shape: str
    authorization: str = field(repr=False)
    poster: Poster

    def hand_over(self, message: Message) -> str:
        """Posts one text to the number `message.to`.

        Returns:
            The provider's id: `sid`, `id` or `message_id` of its answer.

        Raises:
            TemporaryFailure, PermanentFailure, OutcomeUnknown: As `posting.judge` says.
        """
        text = message.wire.decode()
        if self.shape == "form":
            kind, body = "application/x-www-form-urlencoded", urlencode({"To": message.to, "From": self.sender, "Body": text})
        else:
            kind, body = "application/json", json.dumps({"id": message.id, "to": message.to, "from": self.sender, "text": text})
        headers = {"Content-Type": kind, "Accept": "application/json", "Authorization": self.authorization, "Idempotency-Key": message.id}
        answer = self.poster.post(self.url, body.encode(), headers, message)
        judge(answer, place_of(self.url).host, _said(answer, ("code",)), kept_apart=False)
        return _said(answer, _IDS)


def _said(answer: Answer, names: tuple[str, ...]) -> str:
    """The first of these that a JSON answer has, as a word; empty where it has none."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    found = next((document[name] for name in names if document.get(name)), "") if isinstance(document, dict) else ""
    word = str(found) if isinstance(found, str | int) else ""
    return word[:_LONGEST] if word.isascii() and word.isprintable() else ""


def open_channel(settings: Settings) -> Sms:
    """The store's provider.

    Raises:
        BadData: The address, the sender or the secret is missing.
    """
    chosen = settings.sms
    if not chosen.url or not chosen.sender or not chosen.secret:
        remedy = 'Write all three under [sms]; secret = "env:NAME" or "file:PATH".'
        raise BadData("rekindle.toml: sms has no url, no sender or no secret", remedy)
    word = secret(chosen.secret, settings.root, "sms.secret")
    basic = f"Basic {base64.b64encode(f'{chosen.user}:{word}'.encode()).decode()}"
    return Sms(chosen.url, chosen.sender, chosen.shape, basic if chosen.user else f"Bearer {word}", Poster(private=_near(chosen.url)))


def _near(url: str) -> bool:
    """A plain address can only be one of the own network; a bridge there needs no TLS."""
    return url.startswith("http://")
