"""How likely each variant is in each context: a small immutable table.

Knows nothing of customers. Equal chance is the first policy; a learned one is another version of the same table.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.errors import BadData
from rekindle.insight.lifecycle import COHORTS
from rekindle.insight.protected import protected_words
from rekindle.insight.tiers import TIERS
from rekindle.program.documents import NOTHING, Program, Stage

CONTEXT = ("value_tier", "lapsed_cohort")
"""The columns of the profile that a context is made of: what customers did, never who they are."""

NO_COHORT = "none"
ANY = "*"
EQUAL = "equal-chance"
"""The name of the first policy, and the beginning of its versions' names."""

EXPERIMENT = "experiment"
"""The name of a table in which an experiment's stage has fixed chances, and the beginning of its versions' names."""

FLOOR = 0.02
"""The chance of a variant that came into its stage after the table was made, so that something can be learned of it."""

_CONTEXTS = frozenset(f"{tier}/{cohort}" for tier in TIERS for cohort in (*COHORTS, NO_COHORT)) | {ANY}


def context(profile: ir.Table) -> ir.StringValue:
    """The few discrete features that the table is indexed by: value tier and lapsed cohort."""
    return of_columns(profile, CONTEXT)


def of_columns(profile: ir.Table, columns: tuple[str, ...]) -> ir.StringValue:
    """A context of some columns of the profile, the first's value first.

    Raises:
        BadData: One of them says who customers are rather than what they did; no exception of rules.yaml changes that.
    """
    for name in columns:
        if words := protected_words(name):
            raise BadData(f"a context would hold {name}: {words}", "Leave it out; chances go by what customers did.")
    return ibis.literal("/").join([profile[name].fill_null(NO_COHORT) for name in columns])


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the table.

    Args:
        name: How it came about, such as `equal-chance`.
        rows: (program, stage, context or "*" for any other, arm, weight); weights of one context sum to 1.

    Raises:
        BadData: A context is none that `context` makes: of another attribute, or of values that there are not.
    """

    name: str
    rows: tuple[tuple[str, str, str, str, float], ...]

    def __post_init__(self) -> None:
        if foreign := sorted({where for _, _, where, _, _ in self.rows} - _CONTEXTS):
            remedy = f"A context is {' and '.join(CONTEXT)}, such as high/other; nothing else may enter one."
            raise BadData(f"the table of chances '{self.name}' has a context '{foreign[0]}' that no customer can have", remedy)

    @property
    def version(self) -> str:
        """Name and content hash."""
        digest = hashlib.sha256(repr(sorted(self.rows)).encode()).hexdigest()[:8]
        return f"{self.name}-{digest}"

    def chances(self, program: str, stage: Stage, where: str) -> dict[str, float]:
        """The chance of every variant of a stage and of `nothing` in a context, before renormalising over those a customer may get.

        A variant that the table does not name has the exploration floor, and the others what is left; rows of variants that the stage no
        longer has are not read. A stage without rows, or with none of its variants in them, has equal chances.

        Args:
            program: The program's name.
            stage: The stage as it is now.
            where: A context.
        """
        return _fitted(_found(self._cells(program, stage), where), _arms(stage))

    def weights(self, program: str, stage: Stage, profile: ir.Table) -> ir.Table:
        """Adds one column `weight:<arm>` per arm of a stage, `nothing` among them, by the profile's context: `chances` as columns.

        Args:
            program: The program's name.
            stage: The stage whose arms are asked for.
            profile: Has the column `context`.
        """
        arms, cells = _arms(stage), self._cells(program, stage)
        default = _fitted(cells.pop(ANY, None), arms)
        if not cells:
            return profile.mutate(**{f"weight:{arm}": ibis.literal(default[arm]) for arm in arms})
        fitted = [_fitted(cell, arms) for cell in cells.values()]
        columns: dict[str, list[object]] = {"context": list(cells)}
        table = pa.table(columns | {f"weight:{arm}": [cell[arm] for cell in fitted] for arm in arms})
        joined = profile.left_join(ibis.memtable(table), "context").drop("context_right")
        return joined.mutate(**{f"weight:{arm}": joined[f"weight:{arm}"].fill_null(default[arm]) for arm in arms})

    def contexts(self, program: str, stage: str) -> tuple[str, ...]:
        """The contexts that have rows of their own at a stage, `*` among them, in order."""
        return tuple(sorted({row[2] for row in self.rows if row[:2] == (program, stage)}))

    def _cells(self, program: str, stage: Stage) -> dict[str, dict[str, float]]:
        cells: dict[str, dict[str, float]] = {}
        for row_program, row_stage, where, arm, weight in self.rows:
            if (row_program, row_stage) == (program, stage.name):
                cells.setdefault(where, {})[arm] = weight
        return cells


def _arms(stage: Stage) -> tuple[str, ...]:
    return (NOTHING, *(arm.name for arm in stage.arms))


def _found(cells: Mapping[str, dict[str, float]], where: str) -> dict[str, float] | None:
    return cells.get(where, cells.get(ANY))


def _fitted(cell: Mapping[str, float] | None, arms: Iterable[str]) -> dict[str, float]:
    """A context's rows as the chances of the arms that there are now."""
    wanted = tuple(arms)
    equal = 1 / len(wanted)
    known = {arm: cell[arm] for arm in wanted if arm in cell} if cell else {}
    total = sum(known.values())
    if not cell or total <= 0:
        return dict.fromkeys(wanted, equal)
    if len(known) == len(wanted) == len(cell):
        return {arm: known[arm] for arm in wanted}
    new = min(FLOOR, equal)
    left = 1 - new * (len(wanted) - len(known))
    return {arm: known[arm] / total * left if arm in known else new for arm in wanted}


def fixed(policy: Policy, program: str, stage: Stage, arms: Iterable[str]) -> Policy:
    """The same table with one stage's chances fixed while an experiment runs in it: its arms and `nothing` alike, all others none.

    Args:
        policy: The table.
        program: The program's name.
        stage: Its stage.
        arms: Of the stage, those that are compared.
    """
    chosen = {NOTHING, *arms}
    rows = [row for row in policy.rows if row[:2] != (program, stage.name)]
    rows += [(program, stage.name, ANY, arm, 1 / len(chosen) if arm in chosen else 0.0) for arm in _arms(stage)]
    return Policy(EXPERIMENT, tuple(rows))


def equal_chance(programs: tuple[Program, ...]) -> Policy:
    """Every variant of a stage, doing nothing among them, has the same chance in every context."""
    rows = []
    for program in programs:
        for stage in program.stages:
            arms = _arms(stage)
            rows += [(program.name, stage.name, ANY, arm, 1 / len(arms)) for arm in arms]
    return Policy(EQUAL, tuple(rows))
