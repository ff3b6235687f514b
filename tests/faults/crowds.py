"""Customers whom every channel reaches, and touches for them."""

from collections.abc import Sequence
from datetime import timedelta

from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.actions import CHUNK, SERVICE
from rekindle.service.people.contacts import MARKETING
from rekindle.service.people.models import Consent, Person
from tests.service.conftest import NOON
from tests.service.touches import touches

BEFORE = NOON - timedelta(days=9)


def meet(customers: Sequence[str], channel: str, domains: int = 1) -> None:
    """Customers with an address of every kind who agreed to a channel."""
    emails = [f"{one}@people{number % domains}.example" for number, one in enumerate(customers)]
    Person.objects.bulk_create(
        (
            Person(
                customer_id=one, email=email, email_lookup=email, phone=f"+1202{number:07}", first_name="Ada", updated_at=BEFORE,
                push='{"endpoint": "https://push.example/1"}', push_lookup=one,
            )
            for number, (one, email) in enumerate(zip(customers, emails, strict=True))
        ),
        batch_size=CHUNK,
    )
    said = {"channel": channel, "purpose": MARKETING, "granted": True, "basis": "consent", "source": "shop", "recorded_at": BEFORE}
    Consent.objects.bulk_create((Consent(customer_id=one, **said) for one in customers), batch_size=CHUNK)


def plan(size: int, channel: str, service_every: int = 0, name: str = "plan1", domains: int = 1) -> list[str]:
    """Touches that are due at noon, each service_every-th of them about an order; the customers."""
    customers = [f"{name}-{number:05}" for number in range(size)]
    meet(customers, channel, domains)
    news = [bool(service_every) and number % service_every == 0 for number in range(size)]
    outbox.insert_touches(name, touches(customers, channel=channel, **{SERVICE: news}))
    outbox.ready(name)
    return customers
