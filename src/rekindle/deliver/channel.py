"""What a channel promises: to take one message, or to say why not.

Knows nothing of any channel.
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from rekindle.errors import LookAgain


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready to be handed over.

    Args:
        id: The touch's own name, the same on every attempt: an e-mail's Message-ID without angle brackets, elsewhere the idempotency key.
        day: The day of sending, in the store's time zone.
        wire: What goes over: MIME for e-mail, UTF-8 text for SMS, a JSON object for webpush, inapp and webhook.
        sender: Whom it comes from, as the channel writes it: the envelope's address for e-mail; empty where the channel has its own.
        to: Whom it goes to: an e-mail address, a number in E.164, a push subscription as JSON, a customer id, a URL.
        service: Whether it is about the customer's own order.
        until: The instant after which its first byte must not go, in seconds of the monotonic clock: by then the last look is too old.
    """

    id: str
    day: date
    wire: bytes
    sender: str = ""
    to: str = ""
    service: bool = False
    until: float = math.inf

    def begin(self, now: float) -> None:
        """Asked by every sender immediately before the first byte.

        Args:
            now: The present instant, in seconds of the monotonic clock.

        Raises:
            LookAgain: It is too late.
        """
        if now > self.until:
            raise LookAgain("looked at too long ago", "Nothing: it is looked at again.")


class Channel(Protocol):
    """A way out of the store. Several threads may call it at once; one with `limits` (deliver/lanes.py) no more than these say."""

    def hand_over(self, message: Message) -> str:
        """Gives one message away, once; `message.begin` is asked immediately before its first byte.

        Returns:
            What the other side calls it; empty where it goes by the message's own id.

        Raises:
            TemporaryFailure: Certainly not taken; it may be tried again.
            PermanentFailure: Certainly not taken; it must not be tried again.
            OutcomeUnknown: It was given away and no answer came.
        """
