"""A message that was decided, shown again to whom it went: itself, and what it was decided by.

Knows nothing of pages. Changes nothing.
"""

from dataclasses import replace
from datetime import date

from rekindle import moment
from rekindle.deliver.facts import Facts, with_frozen
from rekindle.deliver.templates import render
from rekindle.service.flow.composing import open_desk, untracked
from rekindle.service.flow.linking import campaign
from rekindle.service.outbox.models import Touch
from rekindle.service.people.contacts import MARKETING
from rekindle.service.people.models import Consent, Person
from rekindle.settings import Settings


def decided(settings: Settings, touch: Touch) -> Facts:
    """What a message was decided by: the facts that its touch froze, without what the shop registered."""
    return replace(with_frozen(Facts(stage=touch.stage), touch.facts, day_of(settings, touch)), service=touch.service)


def again(settings: Settings, touch: Touch, person: Person) -> str:
    """An e-mail's page as it was sent, written again; its links to the shop are plain, for who looks at it again is no new visit.

    Raises:
        RekindleError: It cannot be written any more: its template is gone, or the store's settings are others.
    """
    desk = open_desk(settings, touch.settled_at or touch.send_at)
    facts = untracked(desk, touch, person)
    shop = campaign(facts.shop_url, touch.channel, touch.program, f"{touch.stage}.{touch.arm}")
    return render(desk.templates, replace(facts, shop_url=shop, view_url="")).html


def agreed(touch: Touch) -> Consent | None:
    """The yes that a message went by: the customer's latest to its channel when it left; None for news of an order."""
    if touch.service:
        return None
    said = Consent.objects.filter(customer_id=touch.customer_id, channel=touch.channel, purpose=MARKETING, granted=True)
    return said.filter(recorded_at__lte=touch.settled_at or touch.send_at).order_by("-recorded_at").first()


def day_of(settings: Settings, touch: Touch) -> date:
    """The store's day on which a message left."""
    return moment.local_day(touch.settled_at or touch.send_at, settings.timezone)
