"""A simulated store and its marketplace: what was sent goes to the world, and the world's truth comes back beside the estimate.

Knows nothing of real stores.
"""

from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from rekindle import moment, simulate
from rekindle.learn.lift import Lift
from rekindle.service.outbox import queries
from rekindle.service.people.queries import external_ids
from rekindle.settings import Settings


def is_simulated(settings: Settings) -> bool:
    """Whether the store folder holds a marketplace whose truth is known."""
    return (settings.var / "truth").is_dir()


def clock(settings: Settings) -> datetime | None:
    """The present of a simulated marketplace, the start of its day; None for a real store."""
    return moment.start_of_day(simulate.clock(settings.root), settings.timezone) if is_simulated(settings) else None


def sent_touches() -> pa.Table:
    """What was really sent, by the customers' ids in the marketplace."""
    rows = queries.sent()
    names = external_ids(set(rows["customer_id"].to_pylist()))
    return _renamed(rows, [names[customer] for customer in rows["customer_id"].to_pylist()])


def _renamed(rows: pa.Table, customers: list[str]) -> pa.Table:
    return rows.set_column(rows.column_names.index("customer_id"), "customer_id", pa.array(customers, pa.string()))


def advance(settings: Settings, days: int) -> simulate.Advanced:
    """Moves the marketplace's clock forward; what was sent has its effect in the files that the next import reads.

    Args:
        settings: The store's.
        days: How far.
    """
    return simulate.advance(settings.root, days, sent_touches())


def true_worth(settings: Settings, lift: Lift, entered: dict[date, list[str]]) -> float | None:
    """The true incremental margin a treated customer within the window that a lift is counted over, minor units; None without anybody.

    Args:
        settings: The store's.
        lift: The estimate that it stands beside.
        entered: Day of entry, UTC, to the ids of customers assigned to the program then; all as old as the window.
    """
    customers = sum(map(len, entered.values()))
    if not customers:
        return None
    names, sent = external_ids({one for ids in entered.values() for one in ids}), sent_touches()
    mine, total = sent.filter(pc.equal(sent["program"], lift.program)), 0.0
    for day, ids in sorted(entered.items()):
        over = pa.array([names[one] for one in ids])
        effect = simulate.true_effect(settings.root, mine, over, day, day + timedelta(days=lift.maturity.window_days))
        total += len(ids) * (effect.expected_margin_per_customer - effect.expected_waived_per_customer)
    return total / customers
