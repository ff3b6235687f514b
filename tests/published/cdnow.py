"""CDNOW's 1/10 sample as the literature counts it: purchase days, weeks of seven, calibration to 1997-09-30, 39 weeks of holdout.

Knows nothing of the models.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import rankdata

from rekindle.insight.forecasts import Outcomes
from rekindle.insight.models import LapseTuples
from rekindle.insight.models.tuples import Floats, Ints
from tests.data import shared

END = np.datetime64("1997-09-30", "D")


@dataclass(frozen=True, slots=True, eq=False)
class Cdnow:
    """One row per customer: history to the end, mean value of repeat purchase days, purchase days of the holdout."""

    histories: LapseTuples
    repeat_value: Floats
    holdout: Ints


@cache
def cdnow(rounded: bool = False) -> Cdnow:
    """The customers, weeks rounded to the two digits of the published summary or exact."""
    table = pq.read_table(shared("cdnow/cdnow_sample.parquet"))
    ids = np.unique(table["sample_id"].to_numpy(), return_inverse=True)[1]
    day = table["date"].to_numpy().astype("datetime64[D]")
    purchases, row = np.unique(np.stack([ids, day.astype(np.int64)]), axis=1, return_inverse=True)
    amount = np.bincount(row, table["amount"].to_numpy())
    who, when = purchases
    seen = when <= END.astype(np.int64)
    first = np.full(who.max() + 1, END.astype(np.int64))
    np.minimum.at(first, who, when)
    last = first.copy()
    np.maximum.at(last, who[seen], when[seen])
    repeats = np.bincount(who[seen]) - 1
    again = seen & (when > first[who])
    value = np.bincount(who[again], amount[again], len(first)) / np.maximum(repeats, 1)
    holdout = np.bincount(who[~seen], minlength=len(first))
    weeks = (last - first) / 7, (END.astype(np.int64) - first) / 7
    if rounded:
        repeats, *weeks = summary()
    return Cdnow(LapseTuples(repeats, *weeks, np.ones(len(repeats), dtype=np.int64)), value, holdout)


def summary() -> tuple[Ints, Floats, Floats]:
    """Frequency, recency and age as published, in weeks of two digits."""
    columns = np.loadtxt(shared("cdnow/cdnow_customers_summary.csv"), delimiter=",", skiprows=1, unpack=True)
    return columns[1].astype(np.int64), columns[2], columns[3]


def outcomes() -> tuple[LapseTuples, Outcomes]:
    """The distinct histories, in days, and what came of each in the holdout."""
    data = cdnow()
    days = np.rint(7 * np.stack([data.histories.last, data.histories.age])).astype(np.int64)
    (repeats, last, age), row = np.unique(np.stack([data.histories.repeats, *days]), axis=1, return_inverse=True)
    customers, orders, squares, again = (
        np.bincount(row, of).astype(np.int64) for of in (None, data.holdout, data.holdout**2, data.holdout > 0)
    )
    return LapseTuples(repeats, last / 7, age / 7, customers), Outcomes(age - last, customers, orders, squares, again)


def individual_errors(expected: Floats) -> tuple[float, float]:
    """Mean absolute and root mean square error of orders expected in the holdout."""
    error = expected - cdnow().holdout
    return float(np.abs(error).mean()), float(np.sqrt((error**2).mean()))


def area_under_curve(score: Floats) -> float:
    """Chance that a customer who bought in the holdout scores higher than one who did not, ties counting half."""
    bought = cdnow().holdout > 0
    ranks = rankdata(score)
    count = np.count_nonzero(bought)
    return float((ranks[bought].sum() - count * (count + 1) / 2) / (count * np.count_nonzero(~bought)))
