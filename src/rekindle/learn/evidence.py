"""What the decisions of a stage have brought so far, by context and variant: sums, as the policy learns from them.

Knows nothing of policies, nor of how likely anything was. Rows of customers never leave the engine; only these sums do.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import BadData
from rekindle.program.documents import NOTHING

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one stage's decisions brought; C contexts, A arms of which `nothing` is the last. Arrays are (C, A) unless said.

    Money is in minor units. Outcomes are counted by what was drawn, and follow the decision's instant.

    Args:
        program, stage: Which.
        contexts: C names, such as `high/other`.
        arms: The stage's variants in its order, then `nothing`.
        decisions: Drawn for it.
        exposure: The same, each weighted by the share of its answer that should have come by now (the delay curve of its arm), 0 to 1.
        total: Net margin that followed within the horizon, or so far, summed.
        squares: Squares of it, summed.
        orders: Decisions that an order followed.
        candidates: (C,); customers who come due in a period of the budget.
        cost: Expected cost of one; `nothing` costs 0.
        allowed: Share of the context's candidates who may get it, 0 to 1.
        prior_mean: (A,); what the documents assume that it brings more than `nothing`, a decision.
        prior_sd: (A,); how far that may be off.
        channels: Per arm, "" for `nothing`.

    Raises:
        BadData: Shapes do not fit together, a number is not finite, a count, spread or cost is negative, or `nothing` is not the last arm.
    """

    program: str
    stage: str
    contexts: tuple[str, ...]
    arms: tuple[str, ...]
    decisions: Floats
    exposure: Floats
    total: Floats
    squares: Floats
    orders: Floats
    candidates: Floats
    cost: Floats
    allowed: Floats
    prior_mean: Floats
    prior_sd: Floats
    channels: tuple[str, ...]

    def __post_init__(self) -> None:
        contexts, arms = len(self.contexts), len(self.arms)
        one_way = {"candidates": (contexts,), "prior_mean": (arms,), "prior_sd": (arms,)}
        remedy = "Gather the evidence anew; every array has a row per context and a column per arm."
        if not contexts or not arms or self.arms[-1] != NOTHING or len(self.channels) != arms:
            raise BadData(f"the evidence of {self.program}/{self.stage} has no contexts, or arms that do not end in `{NOTHING}`", remedy)
        for one in fields(self):
            array = getattr(self, one.name)
            if not isinstance(array, np.ndarray):
                continue
            if array.shape != one_way.get(one.name, (contexts, arms)):
                raise BadData(f"{one.name} of {self.program}/{self.stage} has the shape {array.shape}", remedy)
            if not np.isfinite(array).all() or (one.name not in _SIGNED and (array < 0).any()):
                raise BadData(f"{one.name} of {self.program}/{self.stage} has a number that cannot be", remedy)


_SIGNED = {"total", "prior_mean"}
