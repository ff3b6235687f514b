"""What store credit customers have left, and when the first of it expires.

Knows nothing of what it is spent on. How much of a credit was spent is known as it is now, not as it was at an earlier instant.
"""

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import exact_sum
from rekindle.moment import AsOf


def open_credits(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Credits given before the instant that are neither spent nor expired, per customer.

    Returns:
        customer_id, credit_balance (minor units), credit_expires_on (of the first to expire; null where none does).
    """
    given = warehouse.current("credits")
    lasting = given.expires_on.isnull() | (given.expires_on >= ibis.literal(as_of.day))
    unspent = given.filter(given.issued_at < ibis.literal(as_of.naive), given.amount > given.spent.fill_null(0), lasting)
    return unspent.group_by("customer_id").aggregate(
        credit_balance=exact_sum(unspent.amount - unspent.spent.fill_null(0)), credit_expires_on=unspent.expires_on.min()
    )
