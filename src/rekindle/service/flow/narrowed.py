"""A history narrowed to one customer: what the planner asks of everyone's facts is answered from that customer's.

Knows nothing of what is asked. Each table is read once; products, sellers and promotions are everyone's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import ibis.expr.types as ir
import pyarrow as pa

from rekindle.history.warehouse import Warehouse

OF_ORDERS = ("shipments", "reviews")
"""Facts that belong to a customer by the order too."""


@dataclass(slots=True)
class Narrowed(Warehouse):
    """The warehouse of one customer; nothing is written through it but what is kept for a while.

    Args:
        backend: Of the whole history.
        path: Of the whole history.
        whole: The whole history.
        customer_id: Whose facts there are.
    """

    whole: Warehouse = field(kw_only=True)
    customer_id: str = field(kw_only=True)
    _read: dict[str, ir.Table] = field(default_factory=dict, init=False)

    def table(self, name: str) -> ir.Table:
        """Every version of the customer's facts."""
        return self._narrowed(f"every {name}", name, lambda: self.whole.table(name))

    def current(self, name: str, watermark: int | None = None) -> ir.Table:
        """The customer's facts as they are held to be true."""
        return self._narrowed(f"{name} {watermark}", name, lambda: self.whole.current(name, watermark))

    def arrow(self, expression: ir.Table) -> pa.Table:
        """As the whole history does."""
        return self.whole.arrow(expression)

    def keep(self, expression: ir.Table | pa.Table) -> ir.Table:
        """As the whole history does."""
        return self.whole.keep(expression)

    def _narrowed(self, key: str, name: str, read: Callable[[], ir.Table]) -> ir.Table:
        if key not in self._read:
            facts = read()
            self._read[key] = self.keep(facts.filter(self._mine(facts, name))) if "customer_id" in facts.columns else facts
        return self._read[key]

    def _mine(self, facts: ir.Table, name: str) -> ir.BooleanValue:
        mine = facts.customer_id == self.customer_id
        if name not in OF_ORDERS:
            return mine
        orders = self.arrow(self.current("orders").select("order_id"))["order_id"].to_pylist()
        return mine | facts.order_id.isin(orders or [""])


def narrowed(whole: Warehouse, customer_id: str) -> Narrowed:
    """The history of one customer.

    Args:
        whole: An open history.
        customer_id: Whose.
    """
    return Narrowed(whole.backend, whole.path, whole=whole, customer_id=customer_id)
