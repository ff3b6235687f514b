"""What becomes of decided rows: when each leaves, until when its offer holds, whether it is news, and what names the plan.

Knows nothing of how they were decided.
"""

import hashlib
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import numpy as np

from rekindle.decide import given, timing, wishes
from rekindle.decide.guardrails import WAITS
from rekindle.decide.inputs import Inputs
from rekindle.history.tables import JOURNAL
from rekindle.history.warehouse import Warehouse
from rekindle.program.documents import NOTHING, Documents
from rekindle.program.segments import segments_digest

OPENING = ("service", "opened_at", "opening_order", "opening_product", "opening_category", "opening_day")
"""What is carried of the program and of the fact that opened a round, for the message to speak of."""


def nobody(columns: Mapping[str, str]) -> ir.Table:
    """No row at all, of these columns: nobody is due."""
    return ibis.memtable([], schema=ibis.schema(columns))


def zones(warehouse: Warehouse, rows: ir.Table, inputs: Inputs) -> ir.Table:
    """When a message may leave in each time zone that the rows have: as `timing.send_times`."""
    names = warehouse.arrow(rows.select("timezone").distinct())["timezone"].to_pylist()
    return ibis.memtable(timing.send_times([*names, inputs.as_of.timezone], inputs.as_of, inputs.documents.rules.quiet_hours))


def seen_from(rows: ir.Table, zones: ir.Table, contacts: ir.Table, inputs: Inputs) -> ir.Table:
    """The customers' earlier messages at the times that they left, counted back from when a message of now would leave.

    A night or a quiet day moves both ends: what is kept apart is when messages leave, not when they are decided.

    Args:
        rows: Of the plan: customer_id, timezone.
        zones: From `zones`.
        contacts: Messages so far: as_of, send_at.
        inputs: Of the plan.
    """
    instant, home = ibis.literal(inputs.as_of.naive), inputs.as_of.timezone
    whose = rows.group_by("customer_id").aggregate(timezone=rows.timezone.nullif("").max().fill_null(home))
    leaves = whose.join(zones, "timezone").select("customer_id", leaves_at="send_at")
    waits = leaves.mutate(waits=leaves.leaves_at.epoch_seconds() - instant.epoch_seconds()).drop("leaves_at")
    mine = contacts.join(waits, "customer_id")
    return mine.mutate(as_of=(mine.send_at - mine.waits.as_interval("s")).fill_null(mine.as_of)).drop("waits")


def finished(rows: ir.Table, inputs: Inputs, zones: ir.Table) -> ir.Table:
    """The rows as the journal has them, and what a plan carries besides.

    Args:
        rows: Decided and refused.
        inputs: Of the plan.
        zones: From `zones`.

    A message that was put off keeps the instant from which on it may come again.
    """
    home, instant = inputs.as_of.timezone, ibis.literal(inputs.as_of.naive)
    rows = rows.rename(again_at="send_at").mutate(timezone=rows.timezone.nullif("").fill_null(home))
    timed = wishes.at_their_hour(rows.left_join(zones, "timezone").drop("timezone_right"))
    goes = timed.reason.isnull() & (timed.arm != NOTHING)
    until = (timed.local_day + timed.valid_days.as_interval("D")).cast("timestamp").cast("date")
    columns = {
        **{name: timed[name] for name in JOURNAL.names if name in timed.columns},
        "plan": ibis.literal(""),
        "segments": ibis.null("string"),
        "as_of": instant,
        "send_at": goes.ifelse(timed.service.ifelse(instant, timed.send_at), _again(timed, instant)),
        "valid_until": goes.ifelse(_within_dates(until, timed.offer, inputs.documents), ibis.null("date")),
        "expected_margin": timed.arm_margin,
        **{name: goes.ifelse(timed[name], 0) for name in ("cost_ceiling", "expected_cost", "seller_cost", "offer_value")},
        **{name: goes.ifelse(timed[name], ibis.null("string")) for name in ("channel", "offer", "scope", "seller_id")},
    }
    columns |= given.written(columns["offer"], inputs.documents.offers)
    carried = {name: goes.ifelse(timed[name], 0) for name in ("arm_spread", "subsidised")}
    carried |= {name: timed[name] for name in OPENING}
    fresh = timed.reason.isnull() | (timed.reason != timed.last_reason.fill_null(""))
    return timed.select(**{name: columns[name].cast(kind) for name, kind in JOURNAL.items()}, fresh=fresh, **carried)


def _within_dates(until: ir.DateValue, offer: ir.StringValue, documents: Documents) -> ir.DateValue:
    """The last day on which an offer holds: never after the offer's own, however late the message leaves."""
    ends = {name: ibis.literal(one.valid_until) for name, one in documents.offers.items() if one.valid_until is not None}
    return ibis.least(until, offer.cases(*ends.items(), else_=ibis.null("date")).fill_null(until)) if ends else until


def _again(rows: ir.Table, instant: ir.TimestampScalar) -> ir.TimestampValue:
    """From when on a message that was put off may come again; the next plan where nothing says later."""
    waits = rows.arm.notnull() & rows.reason.isin(WAITS)
    return waits.fill_null(False).ifelse(rows.again_at.fill_null(instant), rows.again_at)


def digest(warehouse: Warehouse, rows: ir.Table, inputs: Inputs) -> str:
    """Hash of the sorted keys, variant or reason, send time and propensity; never of estimates."""
    names = ("customer_id", "program", "stage", "episode", "arm", "reason", "send_at")
    parts = [rows[name].cast("string").fill_null("~") for name in names]
    parts.append(rows.propensity.fill_null(-1.0).round(6).cast("string"))
    lines = warehouse.arrow(rows.select(line=ibis.literal("|").join(parts).hexdigest("md5")))["line"].to_numpy(zero_copy_only=False)
    total = hashlib.sha256(f"{inputs.as_of.instant.isoformat()}|{inputs.policy.version}|{_documents_digest(inputs.documents)}".encode())
    total.update("".join(np.sort(lines.astype(str))).encode())
    return total.hexdigest()[:16]


def _documents_digest(documents: Documents) -> str:
    offers = "".join(repr(documents.offers[name]) for name in sorted(documents.offers))
    programs = "".join(sorted(program.digest for program in documents.programs))
    asks = any(rule.segments for program in documents.programs for rule in program.rules)
    segments = segments_digest(documents.segments) if asks else ""
    return hashlib.sha256(f"{programs}{documents.rules.digest}{offers}{segments}".encode()).hexdigest()
