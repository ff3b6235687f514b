"""Who followed the links of messages, as facts of history: a person's visit, or a machine's.

Knows nothing of web servers. The lines under `var/clicks` stay as they were written, but for those of who was erased, so that the rules can
be revised: a visit that is judged otherwise than before replaces what history knew of it.
"""

import json
from pathlib import Path
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from rekindle.deliver.short_links import TRAP
from rekindle.history.append import append
from rekindle.history.warehouse import Warehouse
from rekindle.respond.machines import judged
from rekindle.service.outbox.queries import settled_by_number

FOLDER = "clicks"
TAKEN = "taken.json"
"""How long each file was when history was told of it."""

NAMES = {"email": "Email Link Clicked", "webpush": "Push Notification Tapped"}
"""Segment's names of what a person did, by channel; the others have none of their own."""

OTHERWISE, MACHINE = "Link Clicked", "Link Scanned"
_LINES = {
    "visit": "VARCHAR", "touch": "BIGINT", "destination": "BIGINT", "visited_at": "TIMESTAMPTZ", "agent": "VARCHAR", "network": "VARCHAR",
}


def grown(var: Path) -> dict[str, int]:
    """The files that hold more than history was told of, with how long they are."""
    folder = var / FOLDER
    sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("*.jsonl"))}
    known = _held(var)
    return {name: size for name, size in sizes.items() if size > known.get(name, 0)}


def told(var: Path, files: dict[str, int]) -> None:
    """History knows these files now, as long as they were."""
    if files:
        _keep(var, _held(var) | files)


def forget_length(var: Path, name: str) -> None:
    """A file became shorter: it is read again the next time, which writes nothing that is known."""
    held = _held(var)
    if held.pop(name, None) is not None:
        _keep(var, held)


def _held(var: Path) -> dict[str, int]:
    path = var / FOLDER / TAKEN
    held: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return held


def _keep(var: Path, lengths: dict[str, int]) -> None:
    path = var / FOLDER / TAKEN
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(lengths, indent=1), encoding="utf-8")
    draft.replace(path)


class Taken(NamedTuple):
    """How many visits were new or changed, and by links of which messages some came that the ledger does not know, as after an erasure."""

    changed: int
    unknown: frozenset[int]


def take_in(warehouse: Warehouse, var: Path, files: dict[str, int], batch: int) -> Taken:
    """Writes the visits of these files into history, each judged by the rules of today.

    Args:
        warehouse: An open history, inside a transaction.
        var: The store's `var`.
        files: From `grown`.
        batch: The batch.
    """
    found = [warehouse.read_json(var / FOLDER / name, columns=_LINES, format="newline_delimited", ignore_errors=True) for name in files]
    if not found:
        return Taken(0, frozenset())
    lines = warehouse.keep(ibis.union(*found) if len(found) > 1 else found[0])
    lines = lines.filter(lines.visit.notnull(), lines.touch.notnull(), lines.destination.notnull(), lines.visited_at.notnull())
    numbers = warehouse.arrow(lines.select("touch").distinct().order_by("touch"))["touch"].to_pylist()
    touches = settled_by_number(numbers)
    done = append(warehouse, "events", events(lines, warehouse.keep(touches)), "links", batch)
    return Taken(done.new + done.changed, frozenset(numbers) - frozenset(touches["touch"].to_pylist()))


def events(lines: ir.Table, touches: ir.Table) -> ir.Table:
    """Visits as history's `events`; looks at the pages about a message only tell who followed all of its links.

    Args:
        lines: visit, touch, destination, visited_at, agent, network.
        touches: touch, customer_id, channel, settled_at; visits of others are left out.
    """
    at = lines.visited_at.cast("timestamp('UTC')").cast("timestamp")
    visits = lines.mutate(visited_at=at, agent=lines.agent.fill_null(""), network=lines.network.fill_null(""))
    placed = judged(visits.join(touches, "touch").mutate(sent_at=lambda t: t.settled_at))
    placed = placed.filter(placed.destination >= TRAP)
    named = placed.channel.cases(*NAMES.items(), else_=OTHERWISE)
    return placed.select(
        message_id=ibis.literal("visit:") + placed.visit, customer_id=placed.customer_id, occurred_at=placed.visited_at,
        name=placed.machine.notnull().ifelse(MACHINE, named), product_id=ibis.null("string"), value=placed.machine,
    )  # fmt: skip
