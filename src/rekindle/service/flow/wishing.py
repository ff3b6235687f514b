"""A customer's wish, obeyed at once: it is written down, and what waits against it is withdrawn.

Knows nothing of pages.
"""

from rekindle.service.flow import documents
from rekindle.service.outbox.actions import withdraw
from rekindle.service.outbox.models import PLANNED, Touch
from rekindle.service.programs import queries as programs
from rekindle.service.wishes.actions import Said, set_wishes
from rekindle.service.wishes.wishes import Wishes
from rekindle.settings import Settings

WITHDRAWN = "the customer asked for something else"


def wish(settings: Settings, customer_id: str, wanted: Wishes, said: Said) -> Wishes:
    """Makes a customer's wishes these, and gives those of before.

    Args:
        settings: The store's.
        customer_id: Whose.
        wanted: From now on.
        said: How it was said.
    """
    before = set_wishes(customer_id, wanted, said)
    waiting = Touch.objects.filter(customer_id=customer_id, status=PLANNED, service=False)
    if wanted.paused_until is None and wanted.scored:
        if not wanted.refused or not programs.approved(settings):
            return before
        topics = {program.name: program.topic for program in documents.approved(settings).programs}
        waiting = waiting.filter(program__in=[name for name, topic in topics.items() if topic in wanted.refused])
    withdraw(list(waiting.values_list("pk", flat=True)), WITHDRAWN, said.at)
    return before
