"""What a lapse model needs to know of a customer: repeats, last purchase, age; and how many customers share it.

Knows nothing of who they are. A million customers are some 330,000 distinct tuples at the grain of a day.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rekindle.errors import BadData

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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

    def __len__(self) -> int:
        return len(self.repeats)

    def every(self, step: int) -> "LapseTuples":
        """Each `step`-th row: of sorted rows a stratified sample."""
        return LapseTuples(self.repeats[::step], self.last[::step], self.age[::step], self.customers[::step])

    def sorted(self) -> "LapseTuples":
        """The same rows by repeats, age and last purchase, so that sums do not depend on the order given."""
        order = np.lexsort((self.last, self.age, self.repeats))
        return LapseTuples(self.repeats[order], self.last[order], self.age[order], self.customers[order])


def sum_of(weight: Floats, value: Floats) -> float:
    """The sum of products, in one order whatever the machine: a threaded product of vectors depends on the number of threads."""
    return float(np.sum(weight * value))
