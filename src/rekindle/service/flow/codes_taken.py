"""How many of each offer's codes were sent, and how many orders took one: a small file for pages, which never open history.

Knows nothing of checkouts: an order is known by its code, however it was redeemed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import ibis

from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf

FILE = "codes.json"
SENT = ("sent", "unknown")
"""What a touch ended in whose code may have reached its customer."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an offer's codes.

    Args:
        codes: How many were sent.
        orders: How many of them an order took that stands.
        discount: What was taken off these orders, minor units.
    """

    codes: int = 0
    orders: int = 0
    discount: int = 0


def publish(var: Path, warehouse: Warehouse, as_of: AsOf) -> Path:
    """Counts the codes of every offer, and writes them down.

    Args:
        var: Where a store's files lie.
        warehouse: Its open history.
        as_of: Later orders are not seen.
    """
    key = ["customer_id", "program", "stage", "episode"]
    touches, orders = warehouse.current("touches"), warehouse.current("orders")
    sent = touches.filter(touches.code != "", touches.status.isin(SENT)).select(*key, "code")
    journal = warehouse.table("journal")
    offers = journal.filter(journal.offer.notnull()).select(*key, "offer").distinct()
    stood = orders.filter(~orders.cancelled, orders.code != "", orders.ordered_at < ibis.literal(as_of.naive))
    used = stood.group_by("customer_id", "code").aggregate(discount=stood.discount.sum())
    joined = sent.join(offers, key).left_join(used, ["customer_id", "code"])
    took = joined.discount.notnull()
    counted = joined.group_by("offer").aggregate(codes=joined.count(), orders=took.sum(), discount=joined.discount.fill_null(0).sum())
    found = {one.pop("offer"): asdict(Taken(**one)) for one in warehouse.arrow(counted.order_by("offer")).to_pylist()}
    path = var / "offers" / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"as_of": as_of.naive.isoformat(), "offers": found}, indent=1) + "\n", encoding="utf-8")
    return path


def taken(var: Path) -> Mapping[str, Taken]:
    """What was counted last, by offer; empty before the first time.

    Args:
        var: Where a store's files lie.
    """
    path = var / "offers" / FILE
    told = json.loads(path.read_text(encoding="utf-8"))["offers"] if path.is_file() else {}
    return {name: Taken(**one) for name, one in told.items()}
