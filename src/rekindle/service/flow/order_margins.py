"""What one order of a customer is expected to earn, as the last published profiles have it.

Knows nothing of offers: `program.offer_contracts` compares what they cost with it.
"""

from rekindle import money
from rekindle.history.published import published
from rekindle.program.offer_contracts import Earnings
from rekindle.service.flow import snapshots
from rekindle.settings import Settings

_USUAL = 0.99


def earnings(settings: Settings) -> Earnings | None:
    """What orders are expected to earn; None where no profiles are published, or nobody's order earns anything.

    Args:
        settings: The store's.
    """
    path = snapshots.profiles(settings.var)
    if path is None:
        return None
    engine = published()
    margin = engine.read_parquet(path).margin_per_order
    most, usual = engine.scalar(margin.max()), engine.scalar(margin.quantile(_USUAL))
    if not most or most <= 0:
        return None
    return Earnings(*(money.to_units(round(one), settings.currency) for one in (most, usual)))
