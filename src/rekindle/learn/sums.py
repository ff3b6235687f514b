"""Outcomes as sums per cell: all that any comparison needs, whatever the number of customers.

Knows nothing of what is compared. `x` is the covariate, what was expected of a customer anyway; `y` an outcome. The engine sums, and a few
thousand rows come out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rekindle.learn.measures import CATALOGUE, COLUMNS, RATIOS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
CELL = "cell"


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
        return Sums(self.names, np.column_stack([np.bincount(codes, one, size) for one in self.values.T]))


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


def numbered(rows: ir.Table, by: Sequence[str]) -> ir.Table:
    """The distinct combinations of keys, each with a number, `cell`, from 0; for `in_cells`, to be kept."""
    return rows.select(*by).distinct().mutate(cell=ibis.row_number())


def in_cells(rows: ir.Table, cells: ir.Table, *columns: str) -> ir.Table:
    """Some columns of rows, and the number of the cell that each is in.

    Args:
        rows: The columns and the keys.
        cells: From `numbered`.
        columns: Which.
    """
    keys = [name for name in cells.columns if name != CELL]
    known = cells.rename({f"{name}_known": name for name in keys})
    joined = rows.join(known, [rows[name].identical_to(known[f"{name}_known"]) for name in keys])
    return joined.select(*columns, CELL)


def read(cells: pa.Table, sums: Sequence[pa.Table], also: Sequence[str] = ()) -> Cells:
    """What the engine answered to `summed` by `cell` and further keys, part by part of the rows; a cell comes once for each part.

    Args:
        cells: From `numbered`.
        sums: Of each part.
        also: The further keys.
    """
    table = pa.concat_tables(sums)
    order = tuple(name for name in table.column_names if name not in (CELL, *also))
    values = np.column_stack([table[name].to_numpy().astype(np.float64) for name in order])
    place = np.empty(len(cells), dtype=np.int64)
    place[cells[CELL].to_numpy()] = np.arange(len(cells))
    place = place[table[CELL].to_numpy()]
    keys = {name: _text(cells[name])[place] for name in cells.column_names if name != CELL}
    return Cells({**keys, **{name: _text(table[name]) for name in also}}, Sums(order, values))


def _text(column: pa.ChunkedArray) -> NDArray[np.str_]:
    text: NDArray[np.str_] = pc.fill_null(column.cast(pa.string()), "").to_numpy().astype(str)
    return text


def folded(cells: Cells, by: Sequence[str]) -> Cells:
    """The cells that differ in none of some keys put together; the other keys are lost."""
    place = codes(*(cells.keys[name] for name in by))
    first = np.unique(place, return_index=True)[1]
    return Cells({name: cells.keys[name][first] for name in by}, cells.sums.gathered(place, len(first)))


def codes(*keys: NDArray[np.str_]) -> Ints:
    """(C,) one number for each distinct combination of keys, in their order, from 0."""
    found = np.zeros(len(keys[0]), dtype=np.int64)
    for one in keys:
        place, size = _ranked(one)
        found = _ranked(found * max(size, 1) + place)[0]
    return found


def _ranked(values: NDArray[Any]) -> tuple[Ints, int]:
    """(C,) each value's place among the distinct ones, in their order, and how many there are: of few far quicker than a sort of all."""
    told = pa.array(values).dictionary_encode()
    order = np.argsort(told.dictionary.to_numpy(zero_copy_only=False).astype(values.dtype))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[told.indices.to_numpy()], len(order)
