"""The audit: whether the chain of plans holds, and whether a customer's draws come out again.

Knows nothing of how a variant is chosen. A customer who was erased can only be said to be erased.
"""

from dataclasses import dataclass
from datetime import datetime

import ibis

from rekindle.decide.assignment import draw_of, salt
from rekindle.errors import BadData
from rekindle.history import chain
from rekindle.history.erasing import keyed
from rekindle.history.warehouse import Warehouse
from rekindle.ingest.identity import SHOP, customer_id_of, identity_key
from rekindle.service.flow import documents
from rekindle.service.people.queries import find
from rekindle.settings import Settings

_EXACT = 1e-12


@dataclass(frozen=True, slots=True)
class Replayed:
    """A draw that was done again.

    Args:
        as_of: Of its plan, naive UTC.
        program: The program.
        stage: The stage.
        text: Whose md5 the draw is; empty where the program's version of then is not the approved one.
        drawn: The number in the journal.
        same: Whether the text gives that number; None where it cannot be told.
    """

    as_of: datetime
    program: str
    stage: str
    text: str
    drawn: float
    same: bool | None


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Args:
        links: The chain.
        unsealed: Plans of before there was a chain.
        draws: Of the customer who was asked about.
        erased: Whether that customer was erased.
    """

    links: tuple[chain.Link, ...]
    unsealed: int
    draws: tuple[Replayed, ...] = ()
    erased: bool = False


def audit(settings: Settings, warehouse: Warehouse, customer: str | None = None) -> Audit:
    """Verifies the chain of plans, and does a customer's draws again.

    Args:
        settings: The store's.
        warehouse: Its open history.
        customer: An id, an id in the store's files, or an e-mail address; nobody where not given.

    Raises:
        BadData: Nobody is known by it, and nobody was erased who was.
    """
    links = chain.verify(warehouse)
    plans = warehouse.scalar(warehouse.table("plans").plan.nunique())
    if customer is None:
        return Audit(links, plans - len(links))
    try:
        found = find(customer)
    except BadData:
        if not _was_erased(settings, warehouse, customer):
            raise
        return Audit(links, plans - len(links), erased=True)
    return Audit(links, plans - len(links), _replayed(settings, warehouse, found))


def _was_erased(settings: Settings, warehouse: Warehouse, text: str) -> bool:
    key = identity_key(settings.var)
    known = [text.strip(), customer_id_of(text.strip(), SHOP, key)]
    forgotten = warehouse.table("forgotten")
    digests = [keyed("customer", ibis.literal(one), key) for one in known]
    return bool(warehouse.scalar(forgotten.filter(forgotten.digest.isin(digests)).count()))


def _replayed(settings: Settings, warehouse: Warehouse, customer_id: str) -> tuple[Replayed, ...]:
    versions = {program.digest: str(program.version) for program in documents.approved(settings).programs}
    journal = warehouse.table("journal")
    mine = journal.filter(journal.customer_id == customer_id, journal.draw.notnull()).order_by("as_of", "program", "stage")
    found = []
    for row in warehouse.arrow(mine.select("as_of", "program", "stage", "version", "episode", "draw")).to_pylist():
        version = versions.get(row["version"])
        text = f"{salt(row['program'], row['stage'], version)}:{customer_id}:{row['episode']}" if version else ""
        same = abs(draw_of(text) - row["draw"]) < _EXACT if text else None
        found.append(Replayed(row["as_of"], row["program"], row["stage"], text, row["draw"], same))
    return tuple(found)
