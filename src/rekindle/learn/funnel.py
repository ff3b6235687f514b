"""What became of messages, step by step: handed over, opened, clicked, ordered after; by program, customers, offer, channel, and by stage.

Knows nothing of lift. It says where messages get lost, never what they were worth: who opens and clicks would have ordered more anyway.
What machines open and follow is counted apart.
"""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Program

RECENT_DAYS = 90
"""Messages that left in the last so many days."""

ECHO_DAYS = 14
"""What comes so many days after a message counts for it."""

KEYS = ("program", "value_tier", "cohort", "offer", "channel")
EVENTS: Mapping[str, tuple[str, ...]] = {
    "opened": ("Email Opened",), "opened_by_machine": ("Email Prefetched",),
    "clicked": ("Email Link Clicked", "Link Clicked", "Push Notification Tapped"), "clicked_by_machine": ("Link Scanned",),
}
STEPS = ("planned", "handed_over", *EVENTS, "ordered")
"""The columns of a funnel: messages, each counted once in every step."""


STAGE_STEPS = ("assigned", "messages", "sent", "delivered", "clicked", "ordered")
"""The columns of a stage's funnel: decisions, each counted once in every step. What came back was sent and not delivered."""

_KEY = ["program", "customer_id", "episode", "stage"]
_CAME_BACK: Mapping[str, tuple[str, ...]] = {"came_back": ("Email Bounced",)}


def funnel(warehouse: Warehouse, past: Past, programs: Sequence[Program], as_of: AsOf, sold: ir.Table) -> ir.Table:
    """Recent messages by `KEYS`, with `STEPS`.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: Whose messages.
        as_of: Later facts are not seen.
        sold: From `outcomes.priced`.
    """
    told = _told(warehouse, _recent(past.contacts, programs, as_of, "episode", "stage", "customer_id", *KEYS), as_of, sold, EVENTS)
    counted = {step: told[step].cast("int64").sum() for step in STEPS[1:]}
    return told.group_by(*KEYS).aggregate(planned=told.count(), **counted).order_by(*KEYS)


def by_stage(warehouse: Warehouse, past: Past, programs: Sequence[Program], as_of: AsOf, sold: ir.Table) -> ir.Table:
    """Recent decisions by program and stage, with `STAGE_STEPS`; what was drawn to hear nothing is assigned and goes no further.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: Whose decisions.
        as_of: Later facts are not seen.
        sold: From `outcomes.priced`.
    """
    drawn = past.journal.filter(past.journal.arm.notnull(), past.journal.reason.isnull())
    told = _told(warehouse, _recent(drawn, programs, as_of, *_KEY, "arm"), as_of, sold, {**EVENTS, **_CAME_BACK})
    message, delivered = told.arm != NOTHING, told.handed_over
    steps = {
        "messages": message, "sent": delivered | (told.failed & told.came_back), "delivered": delivered,
        "clicked": delivered & told.clicked, "ordered": delivered & told.ordered,
    }  # fmt: skip
    counted = {step: found.cast("int64").sum() for step, found in steps.items()}
    return told.group_by("program", "stage").aggregate(assigned=told.count(), **counted).order_by("program", "stage")


def _recent(rows: ir.Table, programs: Sequence[Program], as_of: AsOf, *columns: str) -> ir.Table:
    """The rows of programs that left in the last days, or were decided then where they say not when they leave; with left_at."""
    instant, mine = ibis.literal(as_of.naive), rows.filter(rows.program.isin([one.name for one in programs]))
    found = mine.select(*columns, left_at=mine.send_at.fill_null(mine.as_of))
    return found.filter(found.left_at < instant, found.left_at >= instant - ibis.interval(days=RECENT_DAYS))


def _told(warehouse: Warehouse, rows: ir.Table, as_of: AsOf, sold: ir.Table, asked: Mapping[str, tuple[str, ...]]) -> ir.Table:
    """Rows with what became of each: handed_over, failed, ordered, and what is asked of events; true or false."""
    rows = warehouse.keep_numbered(rows, "number")
    touches = rows.select(*_KEY, "number").join(warehouse.current("touches").select(*_KEY, "status"), _KEY)
    gone = touches.group_by("number").aggregate(
        handed_over=touches.status.isin(("sent", "unknown")).any(), failed=(touches.status == "failed").any()
    )
    names = sorted(name for group in asked.values() for name in group)
    events = warehouse.current("events").select("customer_id", "name", at="occurred_at")
    met = _after(rows, events.filter(events.name.isin(names), events["at"] < ibis.literal(as_of.naive)))
    answers = met.group_by("number").aggregate(**{step: met.name.isin(group).any() for step, group in asked.items()})
    after = _after(rows, sold.select("customer_id", at="ordered_at"))
    ordered, told = after.select("number").distinct().mutate(ordered=True), rows
    for part in (gone, answers, ordered):
        told = told.left_join(part, "number").drop("number_right")
    return told.mutate(**{step: told[step].fill_null(False) for step in ("handed_over", "failed", *asked, "ordered")})


def _after(rows: ir.Table, met: ir.Table) -> ir.Table:
    """What came of customers within the echo of their messages."""
    both = rows.select("number", "customer_id", "left_at").join(met, "customer_id")
    return both.filter(both["at"] >= both.left_at, both["at"] < both.left_at + ibis.interval(days=ECHO_DAYS))
