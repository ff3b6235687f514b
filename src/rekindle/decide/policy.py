"""How likely each variant is in each context: a small immutable table.

Knows nothing of customers. Equal chance is the first policy; a learned one is another version of the same table.
"""

import hashlib
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.program.documents import NOTHING, Program, Stage


def context(profile: ir.Table) -> ir.StringValue:
    """The few discrete features that the table is indexed by: value tier and lapsed cohort."""
    return profile.value_tier + "/" + profile.lapsed_cohort.fill_null("none")


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the table.

    Args:
        name: How it came about, such as `equal-chance`.
        rows: (program, stage, context or "*" for any other, arm, weight); weights of one context sum to 1.
    """

    name: str
    rows: tuple[tuple[str, str, str, str, float], ...]

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
        default = cells.pop("*", {arm: 1 / len(arms) for arm in arms})
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
            rows += [(program.name, stage.name, "*", arm, 1 / len(arms)) for arm in arms]
    return Policy("equal-chance", tuple(rows))
