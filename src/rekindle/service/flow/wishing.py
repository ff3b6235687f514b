"""A customer's wish, obeyed at once: it is written down, and what waits against it is withdrawn.

Knows nothing of pages.
"""

from dataclasses import replace

from rekindle.service.flow import documents
from rekindle.service.flow.confirming import request_opt_in
from rekindle.service.outbox.actions import withdraw
from rekindle.service.outbox.models import PLANNED, Touch
from rekindle.service.people.models import Person
from rekindle.service.programs import queries as programs
from rekindle.service.wishes.actions import Said, set_wishes
from rekindle.service.wishes.queries import wishes_of
from rekindle.service.wishes.wishes import Wishes
from rekindle.settings import Settings

WITHDRAWN = "the customer asked for something else"


def wish(settings: Settings, customer_id: str, wanted: Wishes, said: Said) -> Wishes:
    """Makes a customer's wishes these, and gives those of before.

    Where the store asks for a double opt-in, a new yes to e-mail that nothing proves is asked for by mail instead.

    Args:
        settings: The store's.
        customer_id: Whose.
        wanted: From now on.
        said: How it was said.
    """
    unproven = _unproven(settings, customer_id, wanted, said)
    before = set_wishes(customer_id, replace(wanted, channels=wanted.channels - unproven), said)
    if unproven:
        request_opt_in(settings, customer_id, said)
    waiting = Touch.objects.filter(customer_id=customer_id, status=PLANNED, service=False)
    if wanted.paused_until is None and wanted.scored:
        if not wanted.refused:
            return before
        waiting = waiting.filter(program__in=[name for name, topic in topics_of(settings).items() if topic in wanted.refused])
    withdraw(list(waiting.values_list("pk", flat=True)), WITHDRAWN, said.at)
    return before


def topics_of(settings: Settings) -> dict[str, str]:
    """What the marketing of each approved program is about, by the program's name."""
    held = documents.approved(settings).programs if programs.approved(settings) else ()
    return {program.name: program.topic for program in held}


def _unproven(settings: Settings, customer_id: str, wanted: Wishes, said: Said) -> frozenset[str]:
    """The channels that a customer has to confirm first."""
    new = settings.consent.double_opt_in and not said.proven and "email" in wanted.channels
    person = Person.objects.filter(pk=customer_id).first() if new else None
    return frozenset({"email"}) - wishes_of(person, said.at).channels if person else frozenset()
