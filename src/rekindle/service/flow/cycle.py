"""Closing the cycle: what the ledger learned becomes dated facts of history, by opaque id.

Knows nothing of decisions. Saying the same twice writes nothing; what changes in between is said the next time.
"""

from dataclasses import dataclass
from datetime import datetime

import ibis
import pyarrow as pa

from rekindle.history.append import Appended, append, next_batch, record_batch
from rekindle.history.warehouse import Warehouse
from rekindle.service.config import use_ledger
from rekindle.service.events import queries as told
from rekindle.service.events.actions import events_known, settle_late, take_events
from rekindle.service.flow import answered, placed, redeemed, visits
from rekindle.service.flow.implying import implied
from rekindle.service.flow.personal_files import visits_out
from rekindle.service.outbox.actions import settled_known, take_settled
from rekindle.service.outbox.queries import taken
from rekindle.service.people.actions import changes_known, take_changes
from rekindle.service.people.queries import consents, known_people
from rekindle.service.placements.actions import changes_known as placements_known
from rekindle.service.redemptions.actions import changes_known as redemptions_known
from rekindle.service.trust.actions import changes_known as answers_known
from rekindle.settings import Settings

LEDGER = "ledger"


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What history learned: consents and people new or changed, touches settled, visits by their links, what was told, answered, placed."""

    consents: int
    people: int
    touches: int
    visits: int = 0
    redemptions: int = 0
    placements: int = 0
    events: int = 0
    answers: int = 0


def close_cycle(settings: Settings, warehouse: Warehouse, at: datetime) -> Mirrored:
    """Records what orders imply, and mirrors consents, people, settled touches, visits, answers, bounces and complaints into history.

    Lines of visits by links of messages that the ledger does not know are taken out of their files: their customers were erased.

    A row is marked as taken, written in one transaction of history, and then marked as known: a stop in between repeats it, and
    repeating writes nothing.

    Args:
        settings: The store.
        warehouse: Its open history, which lets no other mirror in.
        at: When the batch is recorded.
    """
    use_ledger(settings)
    settle_late(at)
    implied(settings, warehouse, at)
    take_changes()
    take_settled()
    take_events()
    clicked = visits.grown(settings.var)
    tables = {"consents": consents(changed=True), "people": known_people(changed=True), "touches": taken(), "events": told.taken()}
    with warehouse.transaction():
        batch = next_batch(warehouse)
        written = {name: _append(warehouse, name, rows, batch) for name, rows in tables.items()}
        written["redemptions"] = redeemed.take_in(warehouse, batch)
        written["placements"] = placed.take_in(warehouse, batch)
        written["answers"] = answered.take_in(warehouse, batch)
        written["visits"], strangers = visits.take_in(warehouse, settings.var, clicked, batch)
        if any(written.values()):
            record_batch(warehouse, batch, LEDGER, LEDGER, at)
    changes_known()
    settled_known()
    redemptions_known()
    placements_known()
    events_known()
    answers_known()
    visits.told(settings.var, clicked)
    visits_out(settings.var, strangers)
    return Mirrored(**written)


def _append(warehouse: Warehouse, name: str, rows: pa.Table, batch: int) -> int:
    done = append(warehouse, name, ibis.memtable(rows), LEDGER, batch) if rows.num_rows else Appended(0, 0)
    return done.new + done.changed
