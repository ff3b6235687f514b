"""The audit of history: orders, gaps, order value, categories and the answer to promotions, per segment and in all, to the cent.

Knows nothing of why. Every sum over segments is held against the orders themselves, and a difference is said.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.moment import AsOf

Floats = npt.NDArray[np.float64]
QUARTERS = (0.25, 0.5, 0.75)
SUMS = ("orders", "net", "discount", "lines_amount")
CONTROL = ("control", "holdout")
MIXED = 5
"""Categories shown of each segment, the largest."""


@dataclass(frozen=True, slots=True)
class Row:
    """One segment, or all.

    Args:
        name: Of the segment.
        customers: With an order.
        orders: That stand.
        net: Goods after discounts, minor units.
        discount: Minor units.
        lines_amount: Of their lines, minor units.
        full_price: Net of orders without a discount or a code.
        gaps: Days between purchases: first quartile, median, third; or why there are none.
        seen: Messages received, those to a control left out.
        redeemed: Orders with the code of such a message.
        mix: Categories by share of what lines cost, the largest first.
    """

    name: str
    customers: int
    orders: int
    net: int
    discount: int
    lines_amount: int
    full_price: int
    gaps: tuple[float, float, float] | CannotTell
    seen: int
    redeemed: int
    mix: tuple[tuple[str, float], ...]

    @property
    def average_order(self) -> float:
        """Net of an order, minor units; 0 without one."""
        return self.net / self.orders if self.orders else 0.0

    @property
    def discount_share(self) -> float:
        """Discounts as a share of goods before them."""
        return self.discount / (self.net + self.discount) if self.net + self.discount else 0.0

    @property
    def full_price_share(self) -> float:
        """Net of orders at full price as a share of net."""
        return self.full_price / self.net if self.net else 0.0


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit found.

    Args:
        segments: One row each.
        total: The sum of the segments.
        ledger: orders, net, discount and lines_amount of the orders themselves, counted apart from the segments.
        unlike: Orders with lines whose net is not the sum of their lines.
    """

    segments: tuple[Row, ...]
    total: Row
    ledger: dict[str, int]
    unlike: int

    @property
    def differences(self) -> dict[str, int]:
        """Sums over segments less the orders' own, where they are not the same."""
        found = {name: getattr(self.total, name) - self.ledger[name] for name in SUMS}
        return {name: difference for name, difference in found.items() if difference}


def audit(warehouse: Warehouse, segment: ir.Table, as_of: AsOf) -> Audit:
    """Audits the orders before the instant.

    Args:
        warehouse: Runs the reductions.
        segment: customer_id and segment, one row per customer.
        as_of: The instant.
    """
    orders, lines = purchases.sales(warehouse, as_of), purchases.sold_lines(warehouse, as_of)
    placed = orders.join(segment, "customer_id")
    sums = placed.group_by("segment").aggregate(
        customers=placed.customer_id.nunique(), orders=placed.count(), net=purchases.exact_sum(placed.net),
        discount=purchases.exact_sum(placed.discount), full_price=purchases.exact_sum(_full_price(placed).ifelse(placed.net, 0)),
    )
    rows = {row["segment"]: row for row in warehouse.arrow(sums.order_by("segment")).to_pylist()}
    mixes = _mixes(warehouse, lines, segment)
    gaps = _gaps(warehouse, orders, segment)
    promotions = _promotions(warehouse, orders, segment, as_of)
    found = tuple(_row(name, row, mixes.get(name, {}), gaps, promotions.get(name, (0, 0))) for name, row in rows.items())
    ledger = warehouse.row(
        orders.aggregate(orders=orders.count(), net=purchases.exact_sum(orders.net), discount=purchases.exact_sum(orders.discount))
    )
    amount = warehouse.scalar(purchases.exact_sum(lines.amount).fill_null(0))
    known = {name: int(value or 0) for name, value in {**ledger, "lines_amount": amount}.items()}
    return Audit(found, _total(found, mixes, gaps), known, _unlike(warehouse, orders, lines))


def _full_price(orders: ir.Table) -> ir.BooleanValue:
    return (orders.discount == 0) & (orders.code.fill_null("") == "")


def _row(name: str, row: dict[str, int], mix: dict[str, int], gaps: pa.Table, promotions: tuple[int, int]) -> Row:
    mine = gaps.filter(pa.array(gaps["segment"].to_numpy(zero_copy_only=False) == name)) if gaps.num_rows else gaps
    return Row(
        name, row["customers"], row["orders"], int(row["net"]), int(row["discount"]), sum(mix.values()), int(row["full_price"]),
        _quartiles(mine), *promotions, _shares(mix),
    )


def _total(rows: tuple[Row, ...], mixes: dict[str, dict[str, int]], gaps: pa.Table) -> Row:
    whole: dict[str, int] = {}
    for mix in mixes.values():
        for name, amount in mix.items():
            whole[name] = whole.get(name, 0) + amount
    sums = {name: sum(getattr(row, name) for row in rows) for name in ("customers", *SUMS, "full_price", "seen", "redeemed")}
    return Row(name="all", gaps=_quartiles(gaps), mix=_shares(whole), **sums)


def _shares(mix: dict[str, int]) -> tuple[tuple[str, float], ...]:
    whole = sum(mix.values())
    order = sorted(mix.items(), key=lambda one: (-one[1], one[0]))[:MIXED]
    return tuple((name, amount / whole) for name, amount in order) if whole else ()


def _mixes(warehouse: Warehouse, lines: ir.Table, segment: ir.Table) -> dict[str, dict[str, int]]:
    """What lines cost per segment and category."""
    products = warehouse.current("products").select("product_id", "category")
    joined = lines.join(segment, "customer_id").left_join(products, "product_id")
    named = joined.mutate(category=joined.category.fill_null("unknown"))
    summed = named.group_by("segment", "category").aggregate(amount=purchases.exact_sum(named.amount))
    mixes: dict[str, dict[str, int]] = {}
    for row in warehouse.arrow(summed.order_by("segment", "category")).to_pylist():
        mixes.setdefault(row["segment"], {})[row["category"]] = int(row["amount"])
    return mixes


def _gaps(warehouse: Warehouse, orders: ir.Table, segment: ir.Table) -> pa.Table:
    """How often each gap in days between purchase days came, per segment: segment, gap, n."""
    days = orders.select("customer_id", "purchase_day").distinct()
    following = days.mutate(next_day=days.purchase_day.lead(1).over(group_by="customer_id", order_by="purchase_day"))
    following = following.filter(following.next_day.notnull()).join(segment, "customer_id")
    gap = following.next_day.delta(following.purchase_day, unit="day").cast("int64")
    counted = following.group_by("segment", gap=gap).aggregate(n=following.count())
    return warehouse.arrow(counted.order_by("segment", "gap"))


def _quartiles(gaps: pa.Table) -> tuple[float, float, float] | CannotTell:
    """Weighted quartiles: the least gap that so many of all gaps do not exceed."""
    if not gaps.num_rows:
        return CannotTell("Nobody has ordered on two days.")
    size, count = np.asarray(gaps["gap"], dtype=np.float64), np.asarray(gaps["n"], dtype=np.float64)
    order = np.argsort(size, kind="stable")
    reached: Floats = np.cumsum(count[order])
    first, middle, third = (float(size[order][np.searchsorted(reached, part * reached[-1])]) for part in QUARTERS)
    return first, middle, third


def _promotions(warehouse: Warehouse, orders: ir.Table, segment: ir.Table, as_of: AsOf) -> dict[str, tuple[int, int]]:
    """Messages received and orders that used the code of one, per segment; what went to a control by mistake does not count."""
    touches, journal = warehouse.current("touches"), warehouse.table("journal")
    sent = touches.filter(touches.status == "sent", touches.settled_at < ibis.literal(as_of.naive))
    idle = journal.filter(journal.standing.isin(CONTROL)).select("customer_id", "program", "episode").distinct()
    sent = sent.anti_join(idle, ["customer_id", "program", "episode"])
    coded = sent.filter(sent.code.fill_null("") != "")
    codes = coded.group_by("customer_id", "code").aggregate(given_at=coded.settled_at.min())
    dated = orders.join(codes, ["customer_id", "code"])
    used = dated.filter(dated.ordered_at >= dated.given_at)
    counts: dict[str, list[int]] = {}
    for place, table in enumerate((sent, used)):
        placed = table.select("customer_id").join(segment, "customer_id")
        for row in warehouse.arrow(placed.group_by("segment").aggregate(n=placed.count())).to_pylist():
            counts.setdefault(row["segment"], [0, 0])[place] = row["n"]
    return {name: (seen, redeemed) for name, (seen, redeemed) in counts.items()}


def _unlike(warehouse: Warehouse, orders: ir.Table, lines: ir.Table) -> int:
    """Orders whose lines do not add up to what the order says."""
    summed = lines.group_by("order_id").aggregate(amount=purchases.exact_sum(lines.amount))
    both = orders.filter(orders.lines > 0).join(summed, "order_id")
    return int(warehouse.scalar(both.filter(both.net != both.amount).count()))
