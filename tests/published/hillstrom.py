"""Hillstrom's experiment: 64,000 customers of a clothes shop, each drawn for a men's mail, a women's mail or none.

Knows nothing of policies. Two weeks of outcomes: a visit, an order (conversion), what was spent (dollars).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow.parquet as pq

from tests.data import shared

ARMS = ("Mens E-Mail", "Womens E-Mail", "No E-Mail")
"""`nothing` is the last, as everywhere."""

FEATURES = ("recency", "history", "mens", "womens", "newbie", "zip_code", "channel")


@dataclass(frozen=True, slots=True, eq=False)
class Hillstrom:
    """One row per customer: the mail drawn, (N,); features, (N, F), texts as codes; outcomes by name; the file's history segment, (N,)."""

    arm: np.ndarray
    features: np.ndarray
    outcomes: dict[str, np.ndarray]
    segment: np.ndarray

    def feature(self, name: str) -> np.ndarray:
        """A column of the features."""
        return self.features[:, FEATURES.index(name)]

    def against_none(self, arm: str) -> np.ndarray:
        """Which rows had that mail or none."""
        return (self.arm == ARMS.index(arm)) | (self.arm == ARMS.index("No E-Mail"))


@cache
def hillstrom() -> Hillstrom:
    """The whole file."""
    table = pq.read_table(shared("hillstrom/hillstrom.parquet"))
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    drawn = np.array([ARMS.index(name) for name in columns["segment"]])
    numbers = [codes(columns[name]) if columns[name].dtype == object else columns[name] for name in FEATURES]
    outcomes = {name: columns[name].astype(float) for name in ("visit", "conversion", "spend")}
    return Hillstrom(drawn, np.stack(numbers, axis=1).astype(float), outcomes, codes(columns["history_segment"]))


def codes(texts: np.ndarray) -> np.ndarray:
    """Texts as numbers in the order of the alphabet."""
    return np.unique(texts.astype(str), return_inverse=True)[1]
