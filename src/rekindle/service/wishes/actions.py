"""What changes a customer's wishes: each difference is a word of its own, and nothing that was said before is touched.

Knows nothing of pages and of programs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rekindle.decide.due import PAUSE
from rekindle.decide.wishes import TOPIC
from rekindle.insight.profile import PROFILING
from rekindle.service.people.actions import consent, opt_out
from rekindle.service.people.contacts import ALL
from rekindle.service.people.models import CHANGED, Consent, Person
from rekindle.service.wishes.queries import wishes_of
from rekindle.service.wishes.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Said:
    """How something was said.

    Args:
        at: When, aware.
        source: Where, such as "preference page".
        wording: Which words stood there.
        proven: Whether a link in a message brought them there, so that the address is known to be theirs.
    """

    at: datetime
    source: str
    wording: str = ""
    proven: bool = True


def set_wishes(customer_id: str, wanted: Wishes, said: Said) -> Wishes:
    """Makes a customer's wishes these, and gives those of before.

    Args:
        customer_id: Whose.
        wanted: From now on.
        said: How it was said.
    """
    with transaction.atomic():
        Person.objects.get_or_create(customer_id=customer_id, defaults={"updated_at": said.at})
        person = Person.objects.select_for_update().get(pk=customer_id)
        before = wishes_of(person, said.at)
        for channel in sorted(before.channels - wanted.channels):
            opt_out(customer_id, channel, said.at, said.source)
        for channel in sorted(wanted.channels - before.channels):
            consent(customer_id, channel, said.at, said.source, said.wording)
        for word in _words(customer_id, before, wanted, said):
            word.save(force_insert=True)
        Person.objects.filter(pk=customer_id).update(
            stated_channel=wanted.channel, stated_hour=wanted.hour, monthly=wanted.monthly, birthday=wanted.birthday, mirror=CHANGED,
            updated_at=said.at,
        )  # fmt: skip
        return before


def _words(customer_id: str, before: Wishes, wanted: Wishes, said: Said) -> Iterator[Consent]:
    """The words that are new, on everything but channels."""
    changed: list[tuple[str, bool, datetime | None]] = [
        (f"{TOPIC}{topic}", topic in before.refused, None) for topic in sorted(before.refused ^ wanted.refused)
    ]
    if before.scored != wanted.scored:
        changed.append((PROFILING, wanted.scored, None))
    if before.paused_until != wanted.paused_until:
        changed.append((PAUSE, wanted.paused_until is not None, wanted.paused_until))
    for purpose, granted, until in changed:
        yield Consent(
            customer_id=customer_id, channel=ALL, purpose=purpose, granted=granted, basis="consent" if granted else "objection",
            source=said.source, wording_version=said.wording, recorded_at=said.at, expires_at=until,
        )
