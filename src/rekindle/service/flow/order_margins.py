"""The most that an order of any customer is expected to earn, as the last published profiles have it.

Knows nothing of offers: `program.offer_contracts` compares what they cost with it.
"""

from decimal import Decimal

from rekindle import money
from rekindle.history.published import published
from rekindle.service.flow import snapshots
from rekindle.settings import Settings


def highest(settings: Settings) -> Decimal | None:
    """The highest expected margin of one order, units; None where no profiles are published, or nobody's order earns anything.

    Args:
        settings: The store's.
    """
    path = snapshots.profiles(settings.var)
    if path is None:
        return None
    engine = published()
    found = engine.scalar(engine.read_parquet(path).margin_per_order.max())
    return money.to_units(round(found), settings.currency) if found and found > 0 else None
