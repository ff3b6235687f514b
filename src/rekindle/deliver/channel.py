"""What a channel promises: to take one message, or to say why not.

Knows nothing of any channel.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready to be handed over.

    Args:
        id: Its Message-ID without angle brackets.
        day: The day of sending, in the store's time zone.
        wire: Its bytes.
    """

    id: str
    day: date
    wire: bytes


class Channel(Protocol):
    """A way out of the store."""

    def hand_over(self, message: Message) -> None:
        """Gives one message away, once.

        Raises:
            TemporaryFailure: Certainly not taken; it may be tried again.
            PermanentFailure: Certainly not taken; it must not be tried again.
        """
