"""What may become of a touch.

Knows nothing of how it is written down.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a touch that was taken up.

    Args:
        status: Sent, failed, suppressed, expired or unknown, or planned again.
        message_id: The name that it was handed over under.
        provider_id: What the other side calls it; empty where it goes by the message's own name.
        reason: Why, where it was not sent.
        send_at: When it is tried again, where it is planned again; None: when it was to be sent before.
        tried: Whether it was handed over, or that was attempted.
    """

    status: str
    message_id: str = ""
    provider_id: str = ""
    reason: str = ""
    send_at: datetime | None = None
    tried: bool = False
