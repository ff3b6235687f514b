"""What a lapse model needs to know of a customer: repeats, last purchase, age; and how many customers share it.

Knows nothing of who they are. A million customers are some 330,000 distinct tuples at the grain of a day.
"""

from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from rekindle.errors import BadData

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
Number = TypeVar("Number", np.int64, np.float64)

WIDEST = 2**62              # keys of three ranks are whole numbers below this
NARROW = 2**31              # keys below this sort as half as wide numbers
SLOTS = 8                   # table slots a value up to which a look-up is quicker than sorting
DAYS = 7                    # in a week


@dataclass(frozen=True, slots=True, eq=False)
class LapseTuples:
    """Distinct sufficient statistics of purchase histories, one row each.

    Args:
        repeats: Purchase days after the first, count [n].
        last: First to last purchase, weeks [n]; 0 where there is no repeat.
        age: First purchase to the last whole day seen, weeks [n]; at least `last`.
        customers: How many customers have this history, count [n]; at least 1.

    Raises:
        BadData: Lengths differ, or a row says what cannot be.
    """

    repeats: Ints
    last: Floats
    age: Floats
    customers: Ints

    def __post_init__(self) -> None:
        if len({len(self.repeats), len(self.last), len(self.age), len(self.customers)}) > 1:
            raise BadData("The columns of the purchase histories differ in length", "Give one value of each per distinct history.")
        fits = (self.repeats >= 0) & (self.last >= 0) & (self.last <= self.age) & np.isfinite(self.age) & (self.customers >= 1)
        fits &= (self.repeats > 0) | (self.last == 0)
        if not fits.all():
            raise BadData(
                f"{np.count_nonzero(~fits)} purchase histories say what cannot be, the first in row {int(np.argmin(fits))}",
                "Ages are finite and not before the last purchase, counts are not negative, and who has no repeat has last = 0.",
            )

    @classmethod
    def grouped(cls, repeats: Ints, last: Floats, age: Floats) -> Self:
        """The distinct histories of customers, sorted, with how many customers share each.

        >>> tuples = LapseTuples.grouped(np.array([1, 0, 1]), np.array([2.0, 0.0, 2.0]), np.array([5.0, 4.0, 5.0]))
        >>> tuples.repeats.tolist(), tuples.last.tolist(), tuples.age.tolist(), tuples.customers.tolist()
        ([0, 1], [0.0, 2.0], [4.0, 5.0], [1, 2])

        Args:
            repeats: Purchase days after the first, one a customer [n].
            last: First to last purchase, weeks [n].
            age: First purchase to the last whole day seen, weeks [n].
        """
        each = cls(repeats, last, age, np.ones(len(repeats), dtype=np.int64))
        key, columns = each._keys()
        if key is None:
            ordered = each.sorted()
            new = np.ones(len(each), dtype=bool)
            new[1:] = _rises(ordered.repeats) | _rises(ordered.age) | _rises(ordered.last)
            begins = np.flatnonzero(new)
            counts = np.diff(np.append(begins, len(each)))
            return cls(ordered.repeats[begins], ordered.last[begins], ordered.age[begins], counts)
        key = np.sort(key.astype(np.int32) if len(key) and key.max() < NARROW else key).astype(np.int64)
        begins = np.flatnonzero(np.concatenate([[True], _rises(key)])[: len(key)])
        key, counts = key[begins], np.diff(np.append(begins, len(key)))
        x, ages, lasts = columns
        pair, which_last = np.divmod(key, max(len(lasts), 1))
        which_x, which_age = np.divmod(pair, max(len(ages), 1))
        return cls(x[which_x], lasts[which_last], ages[which_age], counts.astype(np.int64, copy=False))

    def __len__(self) -> int:
        return len(self.repeats)

    def every(self, step: int) -> "LapseTuples":
        """Each `step`-th row: of sorted rows a stratified sample."""
        return LapseTuples(self.repeats[::step], self.last[::step], self.age[::step], self.customers[::step])

    def sorted(self) -> "LapseTuples":
        """The same rows by repeats, age and last purchase, so that sums do not depend on the order given."""
        key, _ = self._keys()
        if key is not None and not (key[1:] < key[:-1]).any():
            return self
        order = np.lexsort((self.last, self.age, self.repeats)) if key is None else np.argsort(key, kind="stable")
        return LapseTuples(self.repeats[order], self.last[order], self.age[order], self.customers[order])

    def _keys(self) -> tuple[Ints | None, tuple[Ints, Floats, Floats]]:
        """A whole number a row that sorts as repeats, age, last do, if one is wide enough; and the distinct values of the three."""
        (x, x_row), (ages, age_row), (lasts, last_row) = ranked(self.repeats), ranked(self.age), ranked(self.last)
        columns = x, ages, lasts
        if len(x) * len(ages) * len(lasts) >= WIDEST:
            return None, columns
        return np.asarray((x_row * len(ages) + age_row) * len(lasts) + last_row, dtype=np.int64), columns


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How a customer stood at some age: distinct pairs of repeats until then and that age (weeks), sorted by both."""

    repeats: Ints
    age: Floats

    def __len__(self) -> int:
        return len(self.repeats)


def standings(tuples: LapseTuples) -> tuple[Standing, Rows]:
    """How customers stand today, and which of the distinct pairs each tuple has [n]."""
    return _pairs(tuples.repeats, tuples.age)


def silences(tuples: LapseTuples) -> tuple[Standing, Rows, Rows]:
    """How customers stood when their silence began and how they stand today, and which of the pairs each tuple has of either [n]."""
    pairs, row = _pairs(tuples.repeats, np.concatenate([tuples.last, tuples.age]))
    return pairs, row[: len(tuples)], row[len(tuples) :]


def _pairs(repeats: Ints, age: Floats) -> tuple[Standing, Rows]:
    """Distinct pairs of repeats and age, and which of them each age has; `age` may hold several columns of `repeats` one after another."""
    (x, x_row), (ages, age_row) = ranked(repeats), ranked(age)
    x_row = np.tile(x_row, len(age) // max(len(repeats), 1))
    keys, row = ranked(np.asarray(x_row * len(ages) + age_row, dtype=np.int64))
    which_x, which_age = np.divmod(keys, max(len(ages), 1))
    return Standing(x[which_x], ages[which_age]), row


def ranked(values: npt.NDArray[Number]) -> tuple[npt.NDArray[Number], Rows]:
    """The distinct values, sorted, and which of them each value is; quick where they are whole numbers or whole days in weeks.

    >>> [found.tolist() for found in ranked(np.array([3.5, 1.5, 3.5]))]
    [[1.5, 3.5], [1, 0, 1]]
    """
    if not len(values):
        return values, np.zeros(0, dtype=np.intp)
    whole = np.rint(values * DAYS) if values.dtype.kind == "f" else values
    low, high = int(whole.min()), int(whole.max())
    if high - low < SLOTS * len(values) and (values.dtype.kind != "f" or bool((whole / DAYS == values).all())):
        place = (whole - low).astype(np.intp)
        seen = np.zeros(high - low + 1, dtype=bool)
        seen[place] = True
        distinct = np.empty(np.count_nonzero(seen), dtype=values.dtype)
        row = (np.cumsum(seen) - 1)[place]
        distinct[row] = values
        return distinct, row
    distinct, row = np.unique(values, return_inverse=True)
    return distinct, row


def _rises(column: npt.NDArray[Number]) -> npt.NDArray[np.bool_]:
    """Where a column differs from the row before."""
    return np.asarray(column[1:] != column[:-1])


def sums(row: Rows, weight: Floats, length: int) -> Floats:
    """Sums of weights by the row they belong to [length]."""
    return np.bincount(row, weight, length).astype(np.float64, copy=False)


def sum_of(weight: Floats, value: Floats) -> float:
    """The sum of products, in one order whatever the machine: a threaded product of vectors depends on the number of threads."""
    return float(np.sum(weight * value))
