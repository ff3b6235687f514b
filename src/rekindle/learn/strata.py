"""Which customers may be compared with which: strata within which both groups were drawn by the same chance.

Knows nothing of outcomes. A stratum that is too small to compare is put together with the others that were drawn by the same chance.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rekindle.learn.maturity import LEAST
from rekindle.learn.sums import Cells, Floats, Ints, Sums, codes

DRAWN_BY = ("epoch", "control_share")
"""What the chance of being treated depends on: the year's draw, and the share of that day. Nothing is ever compared across them."""

_PAIR = 2
_SLACK = 1e-6


def aligned(cells: Cells, finer: Sequence[str] = (), drawn_by: Sequence[str] = DRAWN_BY) -> tuple[Sums, Sums]:
    """The sums of treated and control by stratum, in one order; what has no counterpart is left out.

    Args:
        cells: With `standing`, treated or control, and the keys below.
        finer: What strata are told apart by, as far as they are large enough.
        drawn_by: What the chance of being treated depends on.
    """
    by_chance = codes(*(cells.keys[name] for name in drawn_by))
    by_all = codes(*(cells.keys[name] for name in (*drawn_by, *finer)))
    treated = cells.keys["standing"] == "treated"
    size = int(by_all.max()) + 1 if len(by_all) else 0
    counts = np.stack([np.bincount(by_all[side], cells.sums.n[side], size) for side in (treated, ~treated)])
    small = (counts.min(axis=0) < LEAST)[by_all] if size else np.zeros(0, dtype=bool)
    stratum = np.where(small, size + by_chance, by_all)
    names, stratum = np.unique(stratum, return_inverse=True)
    sides = [cells.sums.only(side).gathered(stratum[side], len(names)) for side in (treated, ~treated)]
    whole = np.minimum(sides[0].n, sides[1].n) >= _PAIR
    return sides[0].only(whole), sides[1].only(whole)


def drawable(eligible: NDArray[np.str_], arms: NDArray[np.str_], stratum: Ints, rows: Floats, inverse: Floats) -> NDArray[np.str_]:
    """(C,) the eligible variants that had a chance: decisions of before `closed` was written down name others too.

    A variant had none where nobody of a stratum drew it and the chances of those that were drawn add up to 1.

    Args:
        eligible: (C,) names joined by "|", one text in each stratum.
        arms: (C,) what was drawn.
        stratum: (C,) within which chances are alike, from 0.
        rows: (C,) decisions.
        inverse: (C,) sum of 1 / p over these.
    """
    pair = codes(stratum.astype(str), arms)
    first = np.unique(pair, return_index=True)[1]
    chance = np.bincount(pair, rows) / np.bincount(pair, inverse)
    full = np.abs(np.bincount(stratum[first], chance) - 1) < _SLACK
    drawn: dict[int, set[str]] = {}
    for place in first[full[stratum[first]]]:
        drawn.setdefault(int(stratum[place]), set()).add(str(arms[place]))
    told = (
        "|".join(one for one in names.split("|") if one in drawn[where]) if where in drawn else names
        for names, where in zip(eligible.tolist(), stratum.tolist(), strict=True)
    )
    return np.array(list(told), dtype=str)
