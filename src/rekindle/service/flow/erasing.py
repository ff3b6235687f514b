"""Erasure: a customer goes from history, ledger and files, and a receipt says what was done.

Knows nothing of who asks. A stop in between leaves the request open, and the next run does it over. The order: nothing more is sent,
files, history, ledger, receipt; so that what is needed to find the rest goes last.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from rekindle.errors import Refused
from rekindle.history import erasing as history
from rekindle.history.warehouse import open_history
from rekindle.ingest.identity import identity_key
from rekindle.service.config import ledger_named
from rekindle.service.config.emptying import empty
from rekindle.service.flow import personal_files
from rekindle.service.privacy import actions, queries
from rekindle.service.privacy.models import ERASURE, Receipt
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    Args:
        receipts: One for each request.
        customers: How many customers went.
        history: Table to how many rows went.
        ledger: Table to how many rows went.
        files: What became of files.
        still_named: Files of the shop's own that name one of them still.
    """

    receipts: tuple[Receipt, ...]
    customers: int
    history: dict[str, int]
    ledger: dict[str, int]
    files: dict[str, int]
    still_named: tuple[Path, ...]


def erase_asked(settings: Settings, at: datetime, say: Callable[[str], None] = lambda _: None) -> Erased | None:
    """Does every erasure that was asked for; None where none was.

    Args:
        settings: The store's; its ledger is in use, and nobody in this process has its history open.
        at: The instant, aware.
        say: Told what it waits for.

    Raises:
        Refused: A message to one of the customers is being handed over.
        StoreUnavailable: A file, history or the ledger cannot be written anew; the requests stay open.
    """
    asked = list(queries.open_requests(ERASURE))
    if not asked:
        return None
    with ledger_named(settings):
        return _erase(settings, asked, at, say)


def _erase(settings: Settings, asked: Sequence[Receipt], at: datetime, say: Callable[[str], None]) -> Erased:
    with open_history(settings.history, settings.root, on_wait=say) as warehouse:
        customers = sorted({one.customer_id for one in asked if one.customer_id})
        if any(one.everyone for one in asked):
            customers = sorted({*customers, *queries.everyone(), *history.everyone(warehouse)})
        warehouse.compact()  # an engine that cannot take rows away says so before anything is changed
        actions.stop(customers, at)
        if queries.being_handed_over(customers):
            raise Refused("a message to one of these customers is being handed over", "Repeat the command in two minutes.")
        who = pa.table({"customer_id": pa.array(customers, pa.string())})
        traces = queries.traces(customers, history.orders_of(warehouse, who))
        files = personal_files.take_out(settings.var, traces)
        rows = dict(history.forget(warehouse, who, identity_key(settings.var), at))
    gone = actions.forget(traces, at)
    empty([model._meta.db_table for model in (*queries.personal(), queries.told_and_printed())])
    receipts = tuple(actions.finish(one, {"history": rows, "ledger": gone, "files": files}, at) for one in asked)
    named = tuple(personal_files.still_naming(settings.root, traces))
    return Erased(receipts, len(customers), rows, gone, files, named)
