"""Everything known and decided about one customer, and what every program would do about them now, taken apart.

Knows nothing of other customers, nor of the words in which it is told.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir

from rekindle import money
from rekindle.decide import explanation, openings
from rekindle.decide.assignment import salt
from rekindle.decide.explanation import Question, Verdict
from rekindle.decide.inputs import Inputs
from rekindle.errors import BadData
from rekindle.history.warehouse import Warehouse, unmerged
from rekindle.moment import AsOf
from rekindle.program.documents import Documents
from rekindle.service.events import queries as events
from rekindle.service.flow import documents, insights, plan_files, planning, policies
from rekindle.service.flow.insights import label
from rekindle.service.flow.narrowed import Narrowed, narrowed
from rekindle.service.flow.plan_files import PlanFiles
from rekindle.service.outbox import queries
from rekindle.service.people.queries import find, has_contacts
from rekindle.settings import Settings

OF_EVERYONE = ("run_out",)
"""Triggers whose rounds take everyone's facts to find: of one customer they are read from the last plan's file."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One customer.

    Args:
        customer_id: The opaque id.
        as_of: The instant of the profile.
        profile: The profile's row.
        verdicts: Every program's, in the order of the documents; empty where no documents are approved.
        plan: The plan of this very instant; None where there is none, or its files are gone.
        decided: Its rows of this customer: what was decided then.
        rehearsal: Whether everyone counts as agreed, because nobody could be written to.
        journal: Journal rows of ready plans, oldest first.
        touches: What became of messages: program, stage, arm, channel, status, settled_at.
        told: What servers and providers told of them: kind, source, detail, occurred_at.
        salts: (program, stage) to the salt of its draw.
    """

    customer_id: str
    as_of: AsOf
    profile: dict[str, Any]
    verdicts: tuple[Verdict, ...] = ()
    plan: str | None = None
    decided: tuple[dict[str, Any], ...] = ()
    rehearsal: bool = False
    journal: tuple[dict[str, Any], ...] = ()
    touches: tuple[dict[str, Any], ...] = ()
    told: tuple[dict[str, Any], ...] = ()
    salts: Mapping[tuple[str, str], str] | None = None


def explain(settings: Settings, warehouse: Warehouse, customer: str, as_of: AsOf) -> Explanation:
    """Looks one customer up by any id or e-mail; the profile comes from the published snapshot where there is one.

    Args:
        settings: The store's.
        warehouse: Its open history; nothing is written to it.
        customer: An id, the id in another system, or an e-mail address.
        as_of: The instant.

    Raises:
        BadData: Nobody is known by it.
        UsageError: Several are.
    """
    with _in_haste():
        return _explained(settings, warehouse, customer, as_of)


@contextmanager
def _in_haste() -> Iterator[None]:
    """What takes time for one customer is not the facts but writing statements about them.

    Expressions are very many small objects, hardly any of them garbage: looking for it takes a fifth of the time of an answer, and merging
    steps into one select another.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        with unmerged():
            yield
    finally:
        if collected:
            gc.enable()


def _explained(settings: Settings, warehouse: Warehouse, customer: str, as_of: AsOf) -> Explanation:
    customer_id = _who(customer)
    profile = _profile(settings, warehouse, customer_id, as_of)
    mine, held = narrowed(warehouse, customer_id), documents.approved(settings)
    rows = warehouse.arrow(profile).to_pylist()
    if not rows:
        raise BadData(f"'{customer}' is known, but not as of {as_of.day}", "Give a later --as-of.")
    files, rehearsal = _files(settings, warehouse, as_of), not has_contacts()
    planned = _planned(warehouse, files, customer_id)
    shop = planning.shop_of(settings, rehearsal, held.rules, as_of.day)
    table = policies.of_plan(settings, warehouse, held, as_of)
    question = Question(
        Inputs(profile, held, table, shop, as_of), partial(money.show, currency=settings.currency),
        _of_everyone(mine, held, planned), files.scales if files else None,
    )
    decided = [] if planned is None else warehouse.arrow(planned.order_by("program", "stage")).to_pylist()
    return Explanation(
        customer_id, as_of, rows[0], explanation.explain(mine, question), files.plan if files else None, tuple(decided), rehearsal,
        _journal(mine, as_of), tuple(queries.of_customer(customer_id)), tuple(events.of_customer(customer_id)), _salts(held),
    )


def _who(customer: str) -> str:
    try:
        return find(customer)
    except BadData as error:
        raise BadData(error.cause, f"{error.remedy} Nothing is known any more of who was erased.") from error


def _profile(settings: Settings, warehouse: Warehouse, customer_id: str, as_of: AsOf) -> ir.Table:
    """The profile's row, kept; the insight of the instant is made where it is not there."""
    snapshot = settings.var / "insight" / label(as_of) / "profile.parquet"
    if not snapshot.is_file():
        insights.profiles(settings, warehouse, as_of)
    table = warehouse.read_parquet(snapshot)
    return warehouse.keep(table.filter(table.customer_id == customer_id))


def _files(settings: Settings, warehouse: Warehouse, as_of: AsOf) -> PlanFiles | None:
    plans = warehouse.table("plans")
    ready = warehouse.arrow(plans.filter(plans.as_of == ibis.literal(as_of.naive)).select("plan"))["plan"].to_pylist()
    return plan_files.of_instant(settings.var, as_of, frozenset(ready))


def _planned(warehouse: Warehouse, files: PlanFiles | None, customer_id: str) -> ir.Table | None:
    """The customer's rows of the plan of the instant, kept."""
    if files is None:
        return None
    rows = warehouse.read_parquet(files.rows)
    return warehouse.keep(rows.filter(rows.customer_id == customer_id))


def _of_everyone(mine: Narrowed, held: Documents, planned: ir.Table | None) -> dict[str, ir.Table | None]:
    """Open rounds of the triggers of `OF_EVERYONE`, as the plan of the instant found them; None without one."""
    found: dict[str, ir.Table | None] = {}
    for program in held.programs:
        if program.trigger.on in OF_EVERYONE:
            found[program.name] = None if planned is None else mine.keep(_rounds(planned, program.name))
    return found


def _rounds(planned: ir.Table, program: str) -> ir.Table:
    rows = planned.filter(planned.program == program)
    known = {"later_order": ibis.literal(False), "reviewed": ibis.literal(False)}
    columns = {name: known[name] if name in known else rows[name] for name in openings.COLUMNS}
    return rows.select(**{name: columns[name].cast(kind) for name, kind in openings.COLUMNS.items()}).distinct()


def _journal(mine: Narrowed, as_of: AsOf) -> tuple[dict[str, Any], ...]:
    rows = mine.table("journal")
    seen = rows.filter(rows.as_of <= ibis.literal(as_of.naive)).semi_join(mine.table("plans"), "plan")
    return tuple(mine.arrow(seen.order_by("as_of", "program", "stage")).to_pylist())


def _salts(held: Documents) -> dict[tuple[str, str], str]:
    stages = [(program, stage.name) for program in held.programs for stage in program.stages]
    return {(program.name, stage): salt(program.name, stage, str(program.version)) for program, stage in stages}


def to_json(found: Explanation) -> dict[str, object]:
    """The explanation as JSON: money in minor units, thousandths of them where a name of `terms` says so; instants are UTC."""
    return {
        "customer_id": found.customer_id, "as_of": found.as_of.instant, "rehearsal": found.rehearsal, "profile": found.profile,
        "programs": [asdict(one) for one in found.verdicts], "plan": found.plan, "decided": list(found.decided),
        "journal": list(found.journal), "touches": list(found.touches), "told": list(found.told),
    }
