"""Decisions of the journal made again from their inputs: the version of their program, the table of chances and what budgets left of it.

Knows nothing of the arithmetic. Where an input is no longer held, or this version cannot read it, it cannot be told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.types as ir

from rekindle.decide.policy import Policy
from rekindle.decide.replay import Logged, arms_of, implied_scale, one_scale, replay, scales_of
from rekindle.errors import BadData
from rekindle.history.warehouse import Warehouse
from rekindle.program.documents import Program, Stage
from rekindle.program.reading import Unreadable, read
from rekindle.program.validating import validate
from rekindle.service.flow import policies
from rekindle.service.programs import queries
from rekindle.settings import Settings

SAMPLED = 200
"""Customers whose decisions a scheduled audit makes again."""

OF_EACH = 100
"""Decisions of each program of a plan from which their common scale is taken."""

_COLUMNS = (
    "plan", "as_of", "customer_id", "program", "version", "stage", "episode", "context", "eligible", "closed", "arm", "propensity", "draw",
    "policy", "scales",
)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision that was made again.

    Args:
        as_of: Of its plan, naive UTC.
        program: The program.
        stage: The stage.
        text: Whose md5 the draw is; empty where it cannot be told.
        drawn: The number in the journal.
        arm: The variant in the journal.
        same: Whether the same number, variant and chance come out; None where it cannot be told.
        why: What differs, or why it cannot be told; what budgets left of the chances otherwise.
    """

    as_of: datetime
    program: str
    stage: str
    text: str
    drawn: float
    arm: str
    same: bool | None
    why: str = ""


def of_customer(settings: Settings, warehouse: Warehouse, customer_id: str) -> tuple[Replayed, ...]:
    """A customer's decisions made again, the first first.

    Args:
        settings: The store's.
        warehouse: Its open history.
        customer_id: Whose.
    """
    drawn = _drawn(warehouse)
    return tuple(_again(_Bench(settings, warehouse), drawn.filter(drawn.customer_id == customer_id)))


def of_sample(settings: Settings, warehouse: Warehouse, since: datetime) -> tuple[Replayed, ...]:
    """The decisions of some customers who had one since an instant, made again; the same customers whenever it is asked.

    Args:
        settings: The store's.
        warehouse: Its open history.
        since: Naive UTC.
    """
    drawn = _drawn(warehouse)
    recent = drawn.filter(drawn.as_of >= ibis.literal(since)).select("customer_id").distinct()
    some = recent.order_by(recent.customer_id.hexdigest("md5")).limit(SAMPLED)
    return tuple(_again(_Bench(settings, warehouse), drawn.semi_join(some, "customer_id"), since))


def _drawn(warehouse: Warehouse) -> ir.Table:
    journal = warehouse.table("journal")
    return journal.filter(journal.draw.notnull(), journal.arm.notnull()).select(*_COLUMNS)


def _again(bench: "_Bench", rows: ir.Table, since: datetime | None = None) -> Iterator[Replayed]:
    """Decisions made again, the first first; what was decided before an instant only as far as a later decision kept it."""
    first: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in bench.warehouse.arrow(rows.order_by("as_of", "program", "stage", "customer_id")).to_pylist():
        key = (row["customer_id"], row["program"], row["stage"], row["episode"])
        before = first.get(key)
        kept = before is not None and all(before[name] == row[name] for name in ("arm", "propensity", "draw"))
        drawn = before if kept and before is not None else row
        first[key] = drawn
        if since is None or row["as_of"] >= since:
            found = bench.again(drawn)
            yield _told(row, found.text, found.same, f"drawn on {drawn['as_of']:%Y-%m-%d} and kept") if kept else found


def _told(row: Mapping[str, Any], text: str, same: bool | None, why: str) -> Replayed:
    return Replayed(row["as_of"], row["program"], row["stage"], text, row["draw"], row["arm"], same, why)


class _Bench:
    """What decisions are made again from, each read once."""

    def __init__(self, settings: Settings, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._settings = settings
        self._tables: dict[str, Policy | None] = {}
        self._agreed_on: dict[str, dict[str, float | None]] = {}

    @cached_property
    def programs(self) -> dict[str, Program]:
        """Every version of every program that was ever submitted and that this Rekindle can read, by its digest."""
        found = {}
        for document in queries.kept("programs"):
            try:
                program = validate(Program, read(document.text.encode())).entry
            except Unreadable:
                continue
            if program is not None:
                found[program.digest] = program
        return found

    def table(self, name: str) -> Policy | None:
        """A version of the table of chances; None where it is not held."""
        if name not in self._tables:
            try:
                self._tables[name] = policies.read(self._settings, name).policy
            except BadData:
                self._tables[name] = None
        return self._tables[name]

    def again(self, row: Mapping[str, Any]) -> Replayed:
        program, table = self.programs.get(row["version"]), self.table(row["policy"] or "")
        if program is None or row["stage"] not in {stage.name for stage in program.stages}:
            return _told(row, "", None, "no document of the ledger is the version of its program")
        if table is None:
            return _told(row, "", None, f"the table of chances {row['policy']} is not held")
        scales = self._scales(row, program.stage(row["stage"]))
        if scales is None:
            return _told(row, "", None, "several payers' budgets scaled its chances, and it was not written down by how much")
        found = replay(_logged(row), program, table, scales)
        if found.same:
            return _told(row, found.text, True, _left(scales))
        return _told(row, found.text, False, f"{found.arm} at {found.propensity:.6f} by {found.draw:.6f} comes out")

    def _scales(self, row: Mapping[str, Any], stage: Stage) -> Mapping[str, float] | None:
        """By variant what budgets left of its chance: as it was written down, or as the decisions of the plan and the program agree on."""
        if row["scales"] is not None:
            return arms_of(stage, 1.0) | scales_of(row["scales"])
        agreed = self._agreed(row["plan"], row["program"])
        return None if agreed is None else arms_of(stage, agreed)

    def _agreed(self, plan: str, name: str) -> float | None:
        if plan not in self._agreed_on:
            found: dict[str, list[float | None]] = {}
            with self.warehouse.forgetting():
                rows = self.warehouse.arrow(_first_drawn(self.warehouse, plan)).to_pylist()
            for row in rows:
                implied = _implied(_logged(row), self.programs.get(row["version"]), self.table(row["policy"] or ""))
                found.setdefault(row["program"], []).append(implied)
            self._agreed_on[plan] = {program: one_scale(scales) for program, scales in found.items()}
        return self._agreed_on[plan].get(name, 1.0)


def _left(scales: Mapping[str, float]) -> str:
    """What budgets left of the chances, in words; nothing where that was all."""
    lost = {name: scale for name, scale in scales.items() if scale < 1}
    if len(lost) == len(scales) and len(set(lost.values())) == 1:
        return f"budgets left {next(iter(lost.values())):.3f} of the chances"
    parts = (f"{scale:.3f} of {name.replace('_', ' ')}" for name, scale in lost.items())
    return f"budgets left {', '.join(parts)}" if lost else ""


def _first_drawn(warehouse: Warehouse, plan: str) -> ir.Table:
    """Some decisions of each program of a plan that were drawn in it, and not in an earlier one and kept."""
    drawn, key = _drawn(warehouse), ["customer_id", "program", "stage", "episode"]
    place = ibis.row_number().over(group_by="program", order_by=["customer_id", "stage", "episode"])
    some = warehouse.keep(drawn.filter(drawn.plan == plan).mutate(place=place).filter(lambda t: t.place < OF_EACH).drop("place"))
    before = drawn.filter(drawn.as_of < ibis.literal(warehouse.scalar(some.as_of.min())))
    return some.anti_join(before.semi_join(some, "customer_id"), key)


def _implied(logged: Logged, program: Program | None, table: Policy | None) -> float | None:
    if program is None or table is None or logged.stage not in {stage.name for stage in program.stages}:
        return None
    return implied_scale(logged, program, table)


def _logged(row: Mapping[str, Any]) -> Logged:
    return Logged(
        row["customer_id"], row["program"], row["stage"], row["episode"], row["context"],
        (*(row["closed"] or "").split("|")[:-1], *(row["eligible"] or "").split("|")),
        row["arm"], row["propensity"], row["draw"],
    )
