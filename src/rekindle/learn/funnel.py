"""What became of messages, step by step: planned, handed over, opened, clicked, ordered after; by program, customers, offer and channel.

Knows nothing of lift. It says where messages get lost, never what they were worth: who opens and clicks would have ordered more anyway.
What machines open and follow is counted apart.
"""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.program.documents import Program

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


def funnel(warehouse: Warehouse, past: Past, programs: Sequence[Program], as_of: AsOf, sold: ir.Table) -> ir.Table:
    """Recent messages by `KEYS`, with `STEPS`.

    Args:
        warehouse: An open history.
        past: Ready plans before the instant.
        programs: Whose messages.
        as_of: Later facts are not seen.
        sold: From `outcomes.priced`.
    """
    instant = ibis.literal(as_of.naive)
    key = ["program", "customer_id", "episode", "stage"]
    mine = past.contacts.filter(past.contacts.program.isin([one.name for one in programs]))
    left = mine.send_at.fill_null(mine.as_of)
    rows = mine.select("episode", "stage", "customer_id", *KEYS, left_at=left).filter(
        lambda t: (t.left_at < instant) & (t.left_at >= instant - ibis.interval(days=RECENT_DAYS))
    )
    rows = warehouse.keep(rows)
    touches = warehouse.current("touches")
    gone = touches.filter(touches.status.isin(("sent", "unknown"))).select(*key).distinct().mutate(handed_over=True)
    names = sorted(name for group in EVENTS.values() for name in group)
    events = warehouse.current("events").select("customer_id", "name", at="occurred_at")
    met = _after(rows, key, events.filter(events.name.isin(names), events["at"] < instant))
    answers = met.group_by(*key).aggregate(**{step: met.name.isin(group).any() for step, group in EVENTS.items()})
    told = rows
    for part in (gone, answers, _ordered(rows, key, sold)):
        told = told.left_join(part, key).drop(*(f"{name}_right" for name in key))
    counted = {step: told[step].fill_null(False).cast("int64").sum() for step in STEPS[1:]}
    return told.group_by(*KEYS).aggregate(planned=told.count(), **counted).order_by(*KEYS)


def _ordered(rows: ir.Table, key: list[str], sold: ir.Table) -> ir.Table:
    after = _after(rows, key, sold.select("customer_id", at="ordered_at"))
    return after.group_by(*key).aggregate(ordered=after.count() > 0)


def _after(rows: ir.Table, key: list[str], met: ir.Table) -> ir.Table:
    """What came of customers within the echo of their messages."""
    both = rows.select(*key, "left_at").join(met, "customer_id")
    return both.filter(both["at"] >= both.left_at, both["at"] < both.left_at + ibis.interval(days=ECHO_DAYS))
