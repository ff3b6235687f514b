"""Plans, people and channels for the tests of sending."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pyarrow as pa

from rekindle.deliver.channel import Message
from rekindle.deliver.lanes import Limits
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import Touch
from rekindle.service.people import actions as people
from tests.service.conftest import NOON

FACTS = {"orders": 5, "last_day": "2026-03-03", "last_product": "LANTERN", "offer_kind": "reminder", "offer_label": "Summary"}


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Recorder:
    """A channel that remembers what it took."""

    taken: list[Message] = field(default_factory=list)

    def hand_over(self, message: Message) -> str:
        self.taken.append(message)
        return ""


class OneByOne(Recorder):
    """A channel that takes one message at a time, so that a test knows their order."""

    limits = Limits(at_once=1, spare=0, per_lane=1)


def nobody_is_judged(touches: Sequence[Touch]) -> dict[int, outbox.Outcome]:
    return {}


def meet(customers: Sequence[str], zone: str = "UTC", granted: bool = True, domain: str = "people.example") -> None:
    size = len(customers)
    people.record_contacts(
        pa.table(
            {
                "customer_id": list(customers), "source": ["shop"] * size, "external_id": list(customers),
                "email": [f"{one}@{domain}" for one in customers], "first_name": ["Ada"] * size, "timezone": [zone] * size,
                "email_consent": [granted] * size, "consent_at": [NOON - timedelta(days=9)] * size,
            }
        ),
        NOON - timedelta(days=9),
    )


def touches(customers: Sequence[str], **columns: object) -> pa.Table:
    size = len(customers)
    base: dict[str, object] = {
        "customer_id": list(customers), "program": "win-back", "version": "1", "episode": "o1", "stage": "reconnect", "arm": "reminder",
        "offer": "value_summary", "channel": "email", "send_at": NOON.replace(tzinfo=None) - timedelta(hours=1),
        "valid_until": date(2026, 12, 5), "code": "", "facts": json.dumps(FACTS), **columns,
    }
    return pa.table({name: value if isinstance(value, list) else [value] * size for name, value in base.items()})


def plan(customers: Sequence[str], name: str = "plan1", **columns: object) -> None:
    meet(customers)
    outbox.insert_touches(name, touches(customers, **columns))
    outbox.ready(name)


def later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)
