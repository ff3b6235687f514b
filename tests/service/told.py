"""What sources tell of the messages of the tests of sending."""

from dataclasses import replace

from rekindle.deliver.delivery_events import DeliveryEvent
from rekindle.deliver.message import token_of
from rekindle.service.outbox.models import SENT, Touch, touch_key
from tests.service.conftest import NOON
from tests.service.touches import later

PEOPLE = ("c1", "c2", "c3")


def token(customer: str, stage: str = "reconnect") -> str:
    return token_of(touch_key("win-back", customer, "o1", stage))


def event(kind: str, customer: str = "c1", **other: object) -> DeliveryEvent:
    base = DeliveryEvent(kind=kind, source="esp", event_id=f"{kind} {customer}", at=later(5), token=token(customer))
    return replace(base, **other)


def sent(*customers: str) -> None:
    Touch.objects.filter(customer_id__in=customers or PEOPLE).update(status=SENT, settled_at=NOON, mirror="known", attempts=1)


def statuses() -> dict[str, tuple[str, str]]:
    return {touch.customer_id: (touch.status, touch.reason) for touch in Touch.objects.order_by("customer_id")}
