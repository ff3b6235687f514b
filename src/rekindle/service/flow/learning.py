"""What every program was worth so far, kept under `var/learn`.

Knows nothing of pages.
"""

import json
from dataclasses import dataclass

from rekindle.decide import due
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.learn import lift, outcomes
from rekindle.moment import AsOf
from rekindle.program.documents import Documents
from rekindle.service.flow.insights import label
from rekindle.service.flow.planning import shop_of
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Learned:
    """The lift of every program as of an instant."""

    as_of: AsOf
    lifts: tuple[lift.Lift, ...]


def learn(settings: Settings, warehouse: Warehouse, documents: Documents, as_of: AsOf, publish: bool = True) -> Learned:
    """Measures every marketing program against its control and keeps the result; a service message has no control.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved documents.
        as_of: Later facts are not seen.
        publish: Whether the result is written.
    """
    past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
    window = outcomes.Window(as_of, settings.margin, documents.offers, shop_of(settings, rehearsal=False))
    found = []
    for program in (one for one in documents.programs if not one.service):
        rows = warehouse.keep(outcomes.outcomes(warehouse, past, program, window))
        found.append(lift.measure(warehouse, rows, program.name, as_of.last_day))
    learned = Learned(as_of, tuple(found))
    if not publish:
        return learned
    path = settings.var / "learn" / f"{label(as_of)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_json(learned), indent=1), encoding="utf-8")
    return learned


def to_json(learned: Learned) -> dict[str, object]:
    """The lifts as JSON; margin and spend in minor units a customer."""
    return {"as_of": learned.as_of.instant.isoformat(), "programs": [_lift(one) for one in learned.lifts]}


def _lift(one: lift.Lift) -> dict[str, object]:
    return {
        "program": one.program, "treated": one.treated, "control": one.control, "weeks": one.weeks,
        "measures": {name: _comparison(part) for name, part in one.measures.items()},
        "cohorts": {cohort: {name: _comparison(part) for name, part in parts.items()} for cohort, parts in one.cohorts.items()},
        "detectable_margin": one.detectable.reason if isinstance(one.detectable, CannotTell) else one.detectable,
    }


def _comparison(part: lift.Comparison) -> dict[str, object]:
    found = part.difference
    shown: dict[str, object] = {"control_mean": part.control_mean, "p_value": part.p_value}
    if isinstance(found, Interval):
        return {**shown, "difference": found.estimate, "low": found.low, "high": found.high}
    return {**shown, "cannot_tell": found.reason}
