"""Where short messages go while nothing leaves this machine: one .json file a message, under the day of sending.

Knows nothing of providers. It is to SMS, browser notifications, messages in the shop and webhooks what the mailbox is to e-mail.
"""

import json
from dataclasses import dataclass, replace

from rekindle.deliver.channel import Message
from rekindle.service.channels.mailbox.channel import Mailbox
from rekindle.settings import Settings

CHANNELS = ("sms", "webpush", "inapp", "webhook")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of messages.

    Args:
        files: Writes them.
    """

    files: Mailbox

    def hand_over(self, message: Message) -> str:
        """Writes the message's file; one that is there already is the same message.

        Returns:
            Nothing: it goes by its own id.

        Raises:
            TemporaryFailure: The disk is full or not writable.
        """
        said = {"id": message.id, "to": message.to, "service": message.service, "message": message.wire.decode()}
        return self.files.hand_over(replace(message, wire=json.dumps(said, ensure_ascii=False, indent=2).encode()))


def open_channel(settings: Settings) -> Folder:
    """The store's own folder of short messages."""
    return Folder(Mailbox(settings.var / "messages", ".json"))
