"""Where mail goes while nothing leaves this machine: one .eml file a message, under the day of sending.

Knows nothing of who sends. A file appears whole or not at all, and never twice.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident

from rekindle.deliver.channel import Message
from rekindle.errors import TemporaryFailure
from rekindle.settings import Settings

CHANNELS = ("email",)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A folder of messages.

    Args:
        folder: Has one folder a day.
        ending: What files' names end in.
    """

    folder: Path
    ending: str = ".eml"

    def hand_over(self, message: Message) -> str:
        """Writes the message's file; one that is there already is the same message, and stays.

        Returns:
            Nothing: it goes by its own id.

        Raises:
            TemporaryFailure: The disk is full or not writable.
        """
        path = self.folder / message.day.isoformat() / f"{message.id}{self.ending}"
        draft = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with draft.open("wb") as file:
                    file.write(message.wire)
                    file.flush()
                    os.fsync(file.fileno())
                message.begin(time.monotonic())
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise TemporaryFailure(f"cannot write {path}: {error.strerror}", "Make room, or make the folder writable.") from error
        return ""


def open_channel(settings: Settings) -> Mailbox:
    """The store's own folder of messages."""
    return Mailbox(settings.var / "mail")
