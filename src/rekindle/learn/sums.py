"""Outcomes as sums per cell: all that any comparison needs, whatever the number of customers.

Knows nothing of what is compared. `x` is the covariate, what was expected of a customer anyway; `y` an outcome. The engine sums, and a few
thousand rows come out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rekindle.learn.measures import CATALOGUE, COLUMNS, RATIOS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of C cells.

    Args:
        names: n, x, xx, and of each outcome y:NAME, yy:NAME, xy:NAME; of each ratio yz:NAME, the sum of its two columns' product.
        values: (C, K); a column for each name.
    """

    names: tuple[str, ...]
    values: Floats

    def __getitem__(self, name: str) -> Floats:
        """The (C,) sums of a name."""
        return self.values[:, self.names.index(name)]

    def __len__(self) -> int:
        """How many cells there are."""
        return len(self.values)

    @property
    def n(self) -> Floats:
        """(C,) how many rows each cell has."""
        return self["n"]

    def only(self, rows: Flags) -> "Sums":
        """Some of the cells."""
        return Sums(self.names, self.values[rows])

    def gathered(self, codes: Ints, size: int) -> "Sums":
        """The sums of `size` larger cells, each cell counted to the one that its code names."""
        total = np.zeros((size, self.values.shape[1]))
        np.add.at(total, codes, self.values)
        return Sums(self.names, total)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells with what they are cells of.

    Args:
        keys: Name to its (C,) values, as text; the empty text where there is none.
        sums: Of them.
    """

    keys: dict[str, NDArray[np.str_]]
    sums: Sums

    def only(self, rows: Flags) -> "Cells":
        """Some of the cells."""
        return Cells({name: one[rows] for name, one in self.keys.items()}, self.sums.only(rows))


def names(columns: Sequence[str] = COLUMNS, ratios: Iterable[str] = RATIOS) -> tuple[str, ...]:
    """The names of sums over some outcomes."""
    return ("n", "x", "xx", *(f"{kind}:{one}" for one in columns for kind in ("y", "yy", "xy")), *(f"yz:{one}" for one in ratios))


def summed(rows: ir.Table, by: Sequence[str], columns: Sequence[str] = COLUMNS, ratios: Sequence[str] = RATIOS) -> ir.Table:
    """Rows as sums per cell, as an expression.

    Args:
        rows: The keys of `by`, `baseline` and the outcomes.
        by: What tells cells apart.
        columns: The outcomes.
        ratios: Of the catalogue.
    """
    x = rows.baseline.fill_null(0).cast("float64")
    ys = {name: rows[name].cast("float64") for name in columns}
    parts: dict[str, ir.Value] = {"n": rows.count(), "x": x.sum(), "xx": (x * x).sum()}
    for name, y in ys.items():
        parts |= {f"y:{name}": y.sum(), f"yy:{name}": (y * y).sum(), f"xy:{name}": (x * y).sum()}
    for name in ratios:
        parts[f"yz:{name}"] = (ys[CATALOGUE[name].column] * ys[CATALOGUE[name].over]).sum()
    return rows.group_by(*by).aggregate(**parts)


def read(table: pa.Table, by: Sequence[str]) -> Cells:
    """What the engine answered to `summed`."""
    order = tuple(name for name in table.column_names if name not in by)
    values = np.column_stack([table[name].to_numpy().astype(np.float64) for name in order])
    keys = {name: pc.fill_null(table[name].cast(pa.string()), "").to_numpy().astype(str) for name in by}
    return Cells(keys, Sums(order, values))


def codes(*keys: NDArray[np.str_]) -> Ints:
    """(C,) one number for each distinct combination of keys, in their order, from 0."""
    found = np.zeros(len(keys[0]), dtype=np.int64)
    for one in keys:
        names, place = np.unique(one, return_inverse=True)
        found = np.unique(found * max(len(names), 1) + place.reshape(-1), return_inverse=True)[1].reshape(-1).astype(np.int64)
    return found
