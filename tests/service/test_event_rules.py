"""What follows from each kind of event."""

import pytest

from rekindle.deliver import delivery_events as told
from rekindle.deliver.delivery_events import DeliveryEvent
from rekindle.service.events.actions import record
from rekindle.service.outbox.models import FAILED, SENT, UNKNOWN, Touch
from rekindle.service.outbox.queries import counts
from rekindle.service.people.models import Suppression
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.told import PEOPLE, event, sent, statuses
from tests.service.touches import later, plan


@pytest.fixture
def outbox(store: Settings) -> Settings:
    plan(PEOPLE)
    return store


@pytest.mark.parametrize(
    ("event_", "reason"),
    [
        (event(told.BOUNCED, permanent=True), "bounce"), (event(told.REJECTED, permanent=True), "rejection"),
        (event(told.COMPLAINED), "complaint"), (event(told.BOUNCED), None), (event(told.REJECTED), None), (event(told.DEFERRED), None),
        (event(told.DELIVERED), None), (event(told.OPENED), None), (event(told.CLICKED), None),
    ],
)
def test_an_address_is_suppressed_by_what_is_for_good_and_by_nothing_else(outbox: Settings, event_: DeliveryEvent, reason: str) -> None:
    sent()
    assert record([event_], later(6)).suppressed == bool(reason)
    held = [(one.address, one.reason, one.recorded_at) for one in Suppression.objects.all()]
    assert held == ([("c1@people.example", reason, later(5))] if reason else [])


@pytest.mark.parametrize(
    ("kinds", "status", "reason"),
    [
        ((told.ACCEPTED,), SENT, ""), ((told.DELIVERED,), SENT, ""), ((told.DEFERRED,), SENT, ""), ((told.COMPLAINED,), SENT, ""),
        ((told.OPENED, told.CLICKED), SENT, ""), ((told.BOUNCED,), FAILED, "bounced: 5.1.1 no such user"),
        ((told.REJECTED,), FAILED, "rejected: 5.1.1 no such user"), ((told.DELIVERED, told.BOUNCED), FAILED, "bounced: 5.1.1 no such user"),
        ((told.BOUNCED, told.OPENED), FAILED, "bounced: 5.1.1 no such user"),
    ],
)
def test_the_unknown_is_settled(outbox: Settings, kinds: tuple[str, ...], status: str, reason: str) -> None:
    Touch.objects.filter(customer_id="c1").update(status=UNKNOWN, settled_at=NOON, mirror="known", attempts=1)
    done = record([event(kind, detail="5.1.1 no such user") for kind in kinds], later(6))
    assert (done.settled, statuses()["c1"]) == (1, (status, reason))
    assert Touch.objects.get(customer_id="c1").mirror == "changed"
    assert sum(counts().values()) == 3
