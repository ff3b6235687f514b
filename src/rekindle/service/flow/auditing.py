"""Whether the chain of plans and the document log hold, and whether a customer's decisions come out again.

Knows nothing of how a variant is chosen. A customer who was erased can only be said to be erased.
"""

from dataclasses import dataclass

import ibis

from rekindle.errors import BadData
from rekindle.history import chain
from rekindle.history.erasing import keyed
from rekindle.history.warehouse import Warehouse
from rekindle.ingest.identity import SHOP, customer_id_of, identity_key
from rekindle.service.flow import replaying
from rekindle.service.flow.replaying import Replayed
from rekindle.service.people.queries import find
from rekindle.service.programs import log
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Args:
        links: The chain.
        unsealed: Plans of before there was a chain.
        broken: Where the document log does not hold.
        draws: Of the customer who was asked about.
        erased: Whether that customer was erased.
    """

    links: tuple[chain.Link, ...]
    unsealed: int
    broken: tuple[log.Broken, ...] = ()
    draws: tuple[Replayed, ...] = ()
    erased: bool = False


def audit(settings: Settings, warehouse: Warehouse, customer: str | None = None) -> Audit:
    """Verifies the chain of plans and the document log, and makes a customer's decisions again.

    Args:
        settings: The store's.
        warehouse: Its open history.
        customer: An id, an id in the store's files, or an e-mail address; nobody where not given.

    Raises:
        BadData: Nobody is known by it, and nobody was erased who was.
    """
    links, broken = chain.verify(warehouse), log.verify()
    plans = warehouse.scalar(warehouse.table("plans").plan.nunique())
    if customer is None:
        return Audit(links, plans - len(links), broken)
    try:
        found = find(customer)
    except BadData:
        if not _was_erased(settings, warehouse, customer):
            raise
        return Audit(links, plans - len(links), broken, erased=True)
    return Audit(links, plans - len(links), broken, replaying.of_customer(settings, warehouse, found))


def _was_erased(settings: Settings, warehouse: Warehouse, text: str) -> bool:
    key = identity_key(settings.var)
    known = [text.strip(), customer_id_of(text.strip(), SHOP, key)]
    forgotten = warehouse.table("forgotten")
    digests = [keyed("customer", ibis.literal(one), key) for one in known]
    return bool(warehouse.scalar(forgotten.filter(forgotten.digest.isin(digests)).count()))
