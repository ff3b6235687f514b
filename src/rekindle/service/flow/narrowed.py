"""A history narrowed to one customer: what the planner asks of everyone's facts is answered from that customer's.

Knows nothing of what is asked. Each table is read once; products, sellers and promotions are everyone's. What is kept are few rows, which
stay at hand: to count or to list them asks no engine.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.history.tables import FACTS
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
    _rows: dict[str, pa.Table] = field(default_factory=dict, init=False)

    def table(self, name: str) -> ir.Table:
        """Every version of the customer's facts."""
        return self._narrowed(f"every {name}", name, lambda: self.whole.table(name))

    def current(self, name: str, watermark: int | None = None) -> ir.Table:
        """The customer's facts as they are held to be true."""
        if watermark is None and name in FACTS and name not in self.with_old_versions():
            return self.table(name)
        return self._narrowed(f"{name} {watermark}", name, lambda: self.whole.current(name, watermark))

    def arrow(self, expression: ir.Table) -> pa.Table:
        """As the whole history does; what was kept is at hand."""
        held = self._held(expression.op())
        return self.whole.arrow(expression) if held is None else held

    def scalar(self, expression: ir.Scalar) -> Any:  # noqa: ANN401  an expression's type is known to its caller
        """As the whole history does; rows that were kept are counted where they are."""
        asked = expression.op()
        held = self._held(asked.arg) if isinstance(asked, ops.CountStar) and asked.where is None else None
        return self.whole.scalar(expression) if held is None else held.num_rows

    def keep(self, expression: ir.Table | pa.Table) -> ir.Table:
        """As the whole history does, and the rows stay at hand."""
        rows = expression if isinstance(expression, pa.Table) else self.arrow(expression)
        schema = ibis.schema(rows.schema) if isinstance(expression, pa.Table) else expression.schema()
        table = self.whole.hold(rows, schema)
        self._rows[table.get_name()] = rows
        return table

    def forget(self, *tables: ir.Table) -> None:
        """Gives nothing up: these are few rows."""

    def _held(self, asked: ops.Node) -> pa.Table | None:
        return self._rows.get(asked.name) if isinstance(asked, ops.DatabaseTable) else None

    def with_old_versions(self) -> frozenset[str]:
        """As in the whole history."""
        return self.whole.with_old_versions()

    def _narrowed(self, key: str, name: str, read: Callable[[], ir.Table]) -> ir.Table:
        if key not in self._read:
            facts = read()
            self._read[key] = self.keep(facts.filter(self._mine(facts, name))) if "customer_id" in facts.columns else facts
        return self._read[key]

    def _mine(self, facts: ir.Table, name: str) -> ir.BooleanValue:
        mine = facts.customer_id == self.customer_id
        if name not in OF_ORDERS:
            return mine
        orders = self.arrow(self.current("orders"))["order_id"].to_pylist()
        return mine | facts.order_id.isin(orders or [""])


def narrowed(whole: Warehouse, customer_id: str) -> Narrowed:
    """The history of one customer.

    Args:
        whole: An open history.
        customer_id: Whose.
    """
    return Narrowed(whole.backend, whole.path, whole=whole, customer_id=customer_id)
