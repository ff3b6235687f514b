"""How likely each variant is in each context: a small immutable table.

Knows nothing of customers. Equal chance is the first policy; a learned one is another version of the same table.
"""

import hashlib
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

    def weights(self, program: str, stage: Stage, profile: ir.Table) -> ir.Table:
        """Adds one column `weight:<arm>` per arm of a stage, `nothing` among them, by the profile's context.

        Args:
            program: The program's name.
            stage: The stage whose arms are asked for.
            profile: Has the column `context`.
        """
        arms = (NOTHING, *(arm.name for arm in stage.arms))
        cells: dict[str, dict[str, float]] = {}
        for row_program, row_stage, where, arm, weight in self.rows:
            if (row_program, row_stage) == (program, stage.name):
                cells.setdefault(where, {})[arm] = weight
        default = cells.pop(ANY, {arm: 1 / len(arms) for arm in arms})
        if not cells:
            return profile.mutate(**{f"weight:{arm}": ibis.literal(default.get(arm, 0.0)) for arm in arms})
        columns: dict[str, list[object]] = {"context": list(cells)}
        table = pa.table(columns | {f"weight:{arm}": [cell.get(arm, 0.0) for cell in cells.values()] for arm in arms})
        joined = profile.left_join(ibis.memtable(table), "context").drop("context_right")
        return joined.mutate(**{f"weight:{arm}": joined[f"weight:{arm}"].fill_null(default.get(arm, 0.0)) for arm in arms})


def equal_chance(programs: tuple[Program, ...]) -> Policy:
    """Every variant of a stage, doing nothing among them, has the same chance in every context."""
    rows = []
    for program in programs:
        for stage in program.stages:
            arms = (NOTHING, *(arm.name for arm in stage.arms))
            rows += [(program.name, stage.name, ANY, arm, 1 / len(arms)) for arm in arms]
    return Policy("equal-chance", tuple(rows))
