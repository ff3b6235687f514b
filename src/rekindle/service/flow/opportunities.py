"""The opportunity ranking of an instant: made once, kept as it is, and held against what came.

Knows nothing of causes.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import ibis.expr.types as ir

from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import opportunity
from rekindle.insight.lifecycle import COHORTS
from rekindle.insight.opportunity import PER_MILLION, Opportunity, Ranking
from rekindle.learn.diagnosis.facts import Came, Opportunities
from rekindle.moment import AsOf
from rekindle.program.documents import Documents
from rekindle.service.flow import learning
from rekindle.service.flow.insights import label
from rekindle.settings import Settings

FILE = "opportunity.json"
USUAL = 0.015
"""Extra orders of a customer by contact where no program states a prior (assumed; the middle of the shipped programs')."""

ARMS = "Extra orders a customer are the mean prior of the first stage's variants in the approved programs."
STATED = f"Extra orders a customer are taken as {USUAL} everywhere, for no program is approved."


def opportunities(
    settings: Settings, warehouse: Warehouse, profile: ir.Table, held: Documents | None, as_of: AsOf, publish: bool
) -> Opportunities:
    """Ranks segments, keeps the first ranking of the instant, and says what came of the ranking before it.

    Raises:
        BadData: The file that holds the ranking does not have the content of its hash.
    """
    rows = warehouse.arrow(opportunity.segments(profile)).to_pylist()
    made = opportunity.rank(rows, priors(held), as_of.instant.isoformat(), ARMS if held else STATED)
    path = settings.var / "diagnosis" / label(as_of) / FILE
    on_file = read(path) if path.is_file() else None
    if on_file is None and publish:
        _write_once(path, made)
    earlier, launched, damaged = _earlier(settings, warehouse, as_of)
    came = _came(settings, warehouse, held, as_of, earlier) if earlier and held else ()
    ranking = on_file or made
    frozen = publish or on_file is not None
    return Opportunities(ranking, frozen, ranking.digest != made.digest, earlier.as_of if earlier else "", came, launched, damaged)


def priors(held: Documents | None) -> dict[str, float]:
    """Assumed extra orders of a customer by contact, by cohort."""
    if held is None:
        return dict.fromkeys(COHORTS, USUAL)
    found = {}
    for cohort in COHORTS:
        stages = [(program, stages[0]) for program in held.programs if (stages := program.stages_for(cohort))]
        means = [
            [arm.prior.mean for arm in stage.arms if arm.name in program.arms_for(stage.name, cohort)] for program, stage in stages
        ]
        found[cohort] = sum(sum(part) / len(part) for part in means if part)
    return found


def read(path: Path) -> Ranking:
    """A ranking from its file.

    Raises:
        BadData: It cannot be read, or its content is not that of its hash.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        ranking = Ranking(said["as_of"], said["source"], tuple(Opportunity(**row) for row in said["rows"]))
        digest = said["digest"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadData(f"{path} cannot be read: {error}", "Restore it from a backup; a frozen ranking is never written again.") from error
    if ranking.digest != digest:
        raise BadData(f"{path} was changed after it was frozen", "Restore it from a backup; its hash no longer fits its content.")
    return ranking


def _write_once(path: Path, ranking: Ranking) -> None:
    """Writes a ranking that appears whole or not at all; one that is there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    said = {**asdict(ranking), "digest": ranking.digest}
    partial.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not path.exists():
        partial.replace(path)


def _earlier(settings: Settings, warehouse: Warehouse, as_of: AsOf) -> tuple[Ranking | None, bool, tuple[str, ...]]:
    """The ranking that what came is held against: the last from before any launch, else the latest from before the instant.

    Returns:
        The ranking; whether the programs had decided before it; what is damaged of other instants, in words.
    """
    found, damaged = [], []
    for path in sorted((settings.var / "diagnosis").glob(f"*/{FILE}")):
        try:
            ranking = read(path) if path.parent.name != label(as_of) else None
        except BadData:
            damaged.append(f"the ranking of {path.parent.name}, for its file is damaged")
            continue
        if ranking and datetime.fromisoformat(ranking.as_of) < as_of.instant:
            found.append(ranking)
    plans = warehouse.table("plans")
    first = warehouse.scalar(plans.filter(~plans.rehearsal).as_of.min())
    instants = {one.as_of: datetime.fromisoformat(one.as_of) for one in found}
    latest = sorted(found, key=lambda one: instants[one.as_of])
    unlaunched = [one for one in latest if first is None or instants[one.as_of] <= first.replace(tzinfo=UTC)]
    candidates = unlaunched or latest
    return candidates[-1] if candidates else None, bool(latest) and not unlaunched, tuple(damaged)


def _came(settings: Settings, warehouse: Warehouse, held: Documents | None, as_of: AsOf, earlier: Ranking | None) -> tuple[Came, ...]:
    """What the ranking before assumed of each cohort, and what the programs' randomised comparison has measured."""
    if held is None or earlier is None:
        return ()
    lifts = learning.learn(settings, warehouse, held, as_of, publish=False).lifts
    found = []
    for cohort in dict.fromkeys(row.cohort for row in earlier.rows):
        mine = [row for row in earlier.rows if row.cohort == cohort]
        reachable = sum(row.reachable for row in mine)
        assumed = sum(row.order_margin * row.extra_orders for row in mine) / PER_MILLION / reachable if reachable else 0.0
        parts = [lift.cohorts[cohort]["margin"].difference for lift in lifts if cohort in lift.cohorts]
        found.append(Came(cohort, assumed, parts[0] if len(parts) == 1 else CannotTell(_why(len(parts)))))
    return tuple(found)


def _why(programs: int) -> str:
    nobody = "Nobody of the cohort has entered a program yet."
    return nobody if programs == 0 else f"{programs} programs spoke to the cohort; see each one's lift."
