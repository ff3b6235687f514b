"""What an import made of its files: how many rows, orders and customers, and why rows were not taken.

Knows nothing of how they were read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from rekindle import money


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The counts of one import; read = accepted + duplicates + the sum of rejected.

    Args:
        read: Rows in the files.
        accepted: Rows that were taken.
        duplicates: Rows that equal an earlier one of their file in every column.
        rejected: Reason (a key of `rules.REASONS`) to rows.
        orders: Orders in the accepted rows, cancelled ones too.
        returns: Returns in the accepted rows; the lines of one cancelled invoice are one.
        customers: Customers with an order in the accepted rows; where no row is of an order, customers in them.
        gross: Goods of the orders that are not cancelled, minor units.
        currency: Of `gross`.
        new: Facts that history did not hold.
        changed: Facts that replaced a version.
        parked: Files under `var/parked` with the rows that were not taken.
    """

    read: int
    accepted: int
    duplicates: int
    rejected: Mapping[str, int]
    orders: int
    returns: int
    customers: int
    gross: int
    currency: str
    new: int = 0
    changed: int = 0
    parked: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, int | str | float | Mapping[str, int] | list[str]]:
        """The report for `--json`; `gross` in units of the currency."""
        gross: Decimal = money.to_units(self.gross, self.currency)
        return {
            "read": self.read, "accepted": self.accepted, "duplicates": self.duplicates, "rejected": dict(self.rejected),
            "orders": self.orders, "returns": self.returns, "customers": self.customers, "gross": float(gross),
            "currency": self.currency, "new": self.new, "changed": self.changed, "parked": list(self.parked),
        }  # fmt: skip
