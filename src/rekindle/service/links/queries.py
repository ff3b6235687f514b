"""Where a destination's number leads.

Changes nothing. Destinations never change, so what was found once is remembered by this process.
"""

from functools import lru_cache

from rekindle.service.links.models import Destination


def url_of(ledger: str, number: int) -> str | None:
    """The address of a destination; None where there is no such number.

    Args:
        ledger: Which ledger is in use: what was found in one is not taken for another's.
        number: The destination's.
    """
    try:
        return _found(ledger, number)
    except Destination.DoesNotExist:
        return None


@lru_cache(maxsize=10_000)
def _found(ledger: str, number: int) -> str:  # noqa: ARG001  the ledger is part of what is remembered
    return Destination.objects.get(pk=number).url
