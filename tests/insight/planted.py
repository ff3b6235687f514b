"""Simulated shops whose companions, rhythms, tastes and hours are known, as facts.

Knows nothing of how they are found out. All chance comes from a seed.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa

from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse

BEGIN = datetime(2025, 1, 1)


@dataclass(frozen=True, slots=True)
class Sold:
    """Order lines as columns: customer, order, day since `BEGIN`, minute of the day, product."""

    customer: np.ndarray
    order: np.ndarray
    day: np.ndarray
    minute: np.ndarray
    product: np.ndarray


def insert(warehouse: Warehouse, sold: Sold, categories: dict[str, str | None]) -> None:
    """Writes orders, lines of one piece at 10.00, and products."""
    orders, first = np.unique(sold.order, return_index=True)
    at = [BEGIN + timedelta(days=int(sold.day[row]), minutes=int(sold.minute[row])) for row in first]
    days = [one.date() for one in at]
    day_of = dict(zip(orders.tolist(), days, strict=True))
    place = {
        "order_id": [f"o{one:06}" for one in orders.tolist()], "customer_id": [f"c{sold.customer[row]:05}" for row in first],
        "ordered_at": at, "purchase_day": days, "net": [1000] * len(orders), "cancelled": [False] * len(orders), "lines": [1] * len(orders),
    }
    count = len(sold.order)
    lines = {
        "order_id": [f"o{one:06}" for one in sold.order.tolist()], "line_no": list(range(count)),
        "customer_id": [f"c{one:05}" for one in sold.customer.tolist()], "product_id": sold.product.tolist(),
        "purchase_day": [day_of[one] for one in sold.order.tolist()], "quantity": [1] * count, "amount": [1000] * count,
    }
    products = {"product_id": list(categories), "name": list(categories), "category": list(categories.values())}
    for name, columns in (("orders", place), ("order_lines", lines), ("products", products)):
        schema = FACTS[name].schema.to_pyarrow()
        rows = len(next(iter(columns.values())))
        known = {"source": ["shop"] * rows, "batch": [1] * rows, "digest": [""] * rows, **columns}
        filled = [pa.array(known[one.name], one.type) if one.name in known else pa.nulls(rows, one.type) for one in schema]
        warehouse.insert(name, pa.table(filled, schema=schema))


def companions(seed: int, customers: int = 400, visits: int = 8, *, planted: bool = True) -> tuple[Sold, dict[str, str | None]]:
    """A shop of 40 products in 4 categories. Planted: p01 brings p02, p11 brings p12; s1 and s2 are one need, filled by one of them.

    Orders are ten days apart. Products are drawn independently of each other but for the pairs.
    """
    chance = np.random.default_rng(seed)
    names = [f"p{number:02}" for number in range(40)]
    popularity = np.linspace(0.10, 0.02, 40)
    categories: dict[str, str | None] = {name: f"category {number % 4}" for number, name in enumerate(names)}
    orders = customers * visits
    inside = chance.random((orders, 40)) < popularity
    columns = {name: inside[:, number] for number, name in enumerate(names)}
    if planted:
        for one, other in (("p01", "p02"), ("p11", "p12")):
            columns[other] = columns[other] | (columns[one] & (chance.random(orders) < 0.5))
        need, which = chance.random(orders) < 0.5, chance.random(orders) < 0.5
        columns |= {"s1": need & which, "s2": need & ~which}
        categories |= {"s1": "need", "s2": "need"}
    picked = [(np.flatnonzero(column), name) for name, column in columns.items()]
    order = np.concatenate([rows for rows, _ in picked])
    product = np.concatenate([np.full(len(rows), name) for rows, name in picked])
    kept = np.argsort(order, kind="stable")
    order, product = order[kept], product[kept]
    return Sold(order // visits, order, order % visits * 10, np.full(len(order), 600), product), categories


def refills(seed: int, customers: int, days: int, spread: float = 0.35) -> tuple[Sold, dict[str, str | None]]:
    """Items that run out: a log-normal gap per item, moved for the customer and for the pair; each customer uses four of twelve items."""
    chance = np.random.default_rng(seed)
    middle = np.exp(np.linspace(np.log(12), np.log(60), 12))
    rows = []
    for customer in range(customers):
        own = chance.normal(0, 0.3)
        for item in chance.choice(12, 4, replace=False):
            centre = np.log(middle[item]) + own + chance.normal(0, 0.3)
            gaps = np.maximum(np.rint(np.exp(centre + spread * chance.standard_normal(days // 2))), 1)
            at = int(chance.integers(0, 60)) + np.cumsum(gaps) - gaps[0]
            rows += [(customer, int(day), f"i{item:02}") for day in at[at < days]]
    customer, day, product = (np.array(column) for column in zip(*rows, strict=True))
    order = np.unique(customer * 100_000 + day, return_inverse=True)[1]
    return Sold(customer, order, day, np.full(len(day), 600), product), {f"i{item:02}": f"group {item // 4}" for item in range(12)}


def hours(seed: int, customers: int, mean_orders: float, concentration: float | None) -> tuple[Sold, dict[str, str | None]]:
    """Orders at hours of the customers' own: blocks drawn around the store's with a concentration; None: everyone has the store's."""
    chance = np.random.default_rng(seed)
    store = np.array([0.02, 0.08, 0.20, 0.20, 0.20, 0.20, 0.10])
    starts, lengths = np.array([0, 6, 9, 12, 15, 18, 21]), np.array([6, 3, 3, 3, 3, 3, 3])
    count = 1 + chance.negative_binomial(0.7, 0.7 / (0.7 + mean_orders - 1), customers)
    customer = np.repeat(np.arange(customers), count)
    shares = np.tile(store, (customers, 1)) if concentration is None else chance.dirichlet(concentration * store, customers)
    drawn = (chance.random(len(customer))[:, None] > np.cumsum(shares[customer], axis=1)[:, :-1]).sum(axis=1)
    minute = (starts[drawn] + chance.random(len(customer)) * lengths[drawn]) * 60
    day = chance.integers(0, 360, len(customer))
    return Sold(customer, np.arange(len(customer)), day, minute.astype(int), np.full(len(customer), "p")), {"p": None}


def day_of(offset: int) -> date:
    """The day so many days after `BEGIN`."""
    return (BEGIN + timedelta(days=offset)).date()
