"""What orders imply: a consent to advertising for the shop's own goods, for some days, where the store relies on it.

Knows nothing of what customers said: the ledger looks at that, and it counts first.
"""

from datetime import datetime, timedelta

import ibis

from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import sales
from rekindle.moment import AsOf
from rekindle.service.people.actions import imply
from rekindle.settings import Settings


def implied(settings: Settings, warehouse: Warehouse, at: datetime) -> int:
    """Records the consents that follow from each customer's last order, and says how many are new; none unless the store asks for it.

    Args:
        settings: The store's; `consent.purchase_implied_days` is how long one holds.
        warehouse: Its open history.
        at: The present instant, aware.
    """
    lasting = timedelta(days=settings.consent.purchase_implied_days)
    if not lasting:
        return 0
    orders, asked = sales(warehouse, AsOf(at, settings.timezone)), AsOf(at - lasting, settings.timezone)
    recent = orders.filter(orders.ordered_at > ibis.literal(asked.naive))
    return imply(warehouse.arrow(recent.group_by("customer_id").aggregate(ordered_at=recent.ordered_at.max())), lasting)
