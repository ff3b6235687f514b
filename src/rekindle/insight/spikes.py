"""When a store sold far more than usual, and whether a customer's orders were bunched before the silence.

Knows nothing of why: a holiday, a sale, a mention in the press.
"""

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

AFTER_DAYS = 30
"""A silence that begins within so many days of a spike follows it."""

WEEK, BEFORE = 7, 56
"""A spike is a week of orders against the eight weeks before it."""

FACTOR, DEVIATIONS = 1.5, 3.0
"""Half as many orders again as usual, and three standard deviations of chance above it (assumed)."""

OWN_FACTOR = 2
"""A customer's own spike: twice as many purchase days in the last 30 as the own mean gap makes, and at least two."""


def daily(orders: ir.Table) -> ir.Table:
    """Orders by purchase day: purchase_day, orders."""
    return orders.group_by("purchase_day").aggregate(orders=orders.count()).order_by("purchase_day")


def store_spikes(days: npt.NDArray[np.datetime64], orders: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    """The last days of weeks with far more orders than the eight weeks before.

    Args:
        days: Days with orders, sorted [n].
        orders: How many [n].

    Returns:
        Days [k], sorted; none in a store's first nine weeks, where nothing is usual yet.

    >>> quiet = np.arange("2026-01-01", "2026-04-01", dtype="datetime64[D]")
    >>> [str(day) for day in store_spikes(quiet, np.where(quiet == np.datetime64("2026-03-20"), 90, 4))][:2]
    ['2026-03-20', '2026-03-21']
    """
    if not len(days):
        return days.astype("datetime64[D]")
    first = days[0].astype("datetime64[D]")
    at = (days.astype("datetime64[D]") - first).astype(np.int64)
    total = np.concatenate(([0.0], np.cumsum(np.bincount(at, orders))))
    ends = np.arange(WEEK + BEFORE, len(total))
    week = total[ends] - total[ends - WEEK]
    usual = (total[ends - WEEK] - total[ends - WEEK - BEFORE]) * WEEK / BEFORE
    spiked = (week >= FACTOR * usual) & (week > usual + DEVIATIONS * np.sqrt(np.maximum(usual, 1.0)))
    found: npt.NDArray[np.datetime64] = first + (ends[spiked] - 1).astype("timedelta64[D]")
    return found


def after_store_spike(customers: ir.Table, spikes: npt.NDArray[np.datetime64]) -> ir.Table:
    """Adds store_spike: the last spike of the store in the 30 days up to a customer's last purchase day, null where there was none.

    Args:
        customers: last_day.
        spikes: From `store_spikes`.
    """
    after = np.arange(AFTER_DAYS + 1).astype("timedelta64[D]")
    reached = np.unique((spikes[:, None] + after).ravel())
    if not len(reached):
        return customers.mutate(store_spike=ibis.null("date"))
    latest = spikes[np.searchsorted(spikes, reached, side="right") - 1]
    table = pa.table({"last_day": pa.array(reached, pa.date32()), "store_spike": pa.array(latest, pa.date32())})
    return customers.left_join(ibis.memtable(table), "last_day").drop("last_day_right")


def own_spike(customers: ir.Table) -> ir.BooleanValue:
    """Whether a customer's last 30 days of buying held twice as many purchase days as usual, and at least two.

    Args:
        customers: recent_days (purchase days in the 30 days up to the last), repeats, recency_days.
    """
    usual_twice = OWN_FACTOR * AFTER_DAYS * customers.repeats
    return (customers.recent_days >= OWN_FACTOR) & (customers.recent_days * customers.recency_days >= usual_twice)
