"""Small histories for tests of insight: facts as plain rows, and what can befall a shop before an instant and after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse, open_history

URL = "duckdb://history.duckdb"
BEGIN_2025 = datetime(2025, 1, 1, 10)
BERLIN = ZoneInfo("Europe/Berlin")
Fact = dict[str, object]
Facts = dict[str, list[Fact]]


def write(warehouse: Warehouse, facts: Facts) -> None:
    """Inserts facts as they are, each its table's columns as far as given."""
    for name, rows in facts.items():
        schema = FACTS[name].schema.to_pyarrow()
        filled = [{**dict.fromkeys(schema.names), "source": "shop", "batch": 1, "digest": "", **row} for row in rows]
        if filled:
            warehouse.insert(name, pa.Table.from_pylist(filled, schema=schema))


@cache
def empty() -> bytes:
    """A history's file without facts: made once, because making its tables takes longer than most tests."""
    with TemporaryDirectory() as folder:
        with open_history(URL, Path(folder)):
            pass
        return (Path(folder) / "history.duckdb").read_bytes()


@contextmanager
def history(folder: Path, *parts: Facts) -> Iterator[Warehouse]:
    """A history of these facts alone."""
    folder.mkdir(exist_ok=True)
    (folder / "history.duckdb").write_bytes(empty())
    with open_history(URL, folder) as warehouse:
        for part in parts:
            write(warehouse, part)
        yield warehouse


def day_of(at: datetime) -> date:
    """The day of a naive UTC instant in the shop's time zone."""
    return at.replace(tzinfo=UTC).astimezone(BERLIN).date()


def order(order_id: str, customer: str, at: datetime, net: int, **more: object) -> Fact:
    """An order without lines unless `lines` says so."""
    usual = {"discount": 0, "shipping": 0, "tax": 0, "cancelled": False, "lines": 0}
    return {"order_id": order_id, "customer_id": customer, "ordered_at": at, "purchase_day": day_of(at), "net": net, **usual, **more}


def line(of: Fact, number: int, product: str | None, amount: int, **more: object) -> Fact:
    """A line of an order."""
    shared = {name: of[name] for name in ("order_id", "customer_id", "purchase_day")}
    return {**shared, "line_no": number, "product_id": product, "quantity": 1, "amount": amount, "discount": 0, **more}


@dataclass
class Marketplace:
    """Random facts of a marketplace in which everything happens that a profile looks at, dated from a day on.

    Args:
        seed: Of all chance.
        prefix: Of every id, so that two of them do not clash.
        customers: Who may appear.
        begin: The first instant, naive UTC.
        days: How many days long.
    """

    seed: int
    prefix: str
    customers: list[str]
    begin: datetime
    days: int
    facts: Facts = field(default_factory=lambda: {name: [] for name in FACTS})

    def tell(self, orders_each: float) -> Facts:
        """All of it."""
        chance = np.random.default_rng(self.seed)
        self.products(chance)
        for customer in self.customers:
            for number in range(int(chance.poisson(orders_each))):
                self.purchase(chance, customer, f"{self.prefix}{customer}-{number}")
            self.person(chance, customer)
        self.more(np.random.default_rng(self.seed + 1_000))
        return self.facts

    def at(self, chance: np.random.Generator) -> datetime:
        return self.begin + timedelta(minutes=int(chance.integers(0, self.days * 24 * 60)))

    def products(self, chance: np.random.Generator) -> None:
        for number in range(9):
            category = None if number == 0 else f"category {number % 4}"
            cost = None if number % 3 == 0 else int(chance.integers(100, 900))
            name = f"{self.prefix}p{number}"
            self.facts["products"].append({"product_id": name, "name": f"Product {number}", "category": category, "cost": cost})

    def purchase(self, chance: np.random.Generator, customer: str, name: str) -> None:
        count = int(chance.integers(0, 4))
        amounts = [int(chance.integers(0, 60)) * 50 for _ in range(count)]
        discount = int(chance.integers(0, 300)) if chance.random() < 0.3 else 0
        net = max(sum(amounts) - discount, 0) if count else int(chance.integers(0, 9_000))
        cancelled = bool(chance.random() < 0.1)
        made = order(name, customer, self.at(chance), net, discount=discount, cancelled=cancelled, lines=count)
        self.facts["orders"].append(made)
        for number, amount in enumerate(amounts, 1):
            product = f"{self.prefix}p{chance.integers(0, 10)}" if chance.random() < 0.9 else None  # the tenth is not in the catalogue
            cost = int(chance.integers(0, 900)) if chance.random() < 0.3 else None
            self.facts["order_lines"].append(line(made, number, product, amount, quantity=int(chance.integers(1, 4)), cost=cost))
        self.aftermath(chance, made)

    def aftermath(self, chance: np.random.Generator, made: Fact) -> None:
        name, customer, at = made["order_id"], made["customer_id"], made["ordered_at"]
        after = [at + timedelta(hours=int(chance.integers(1, 60 * 24))) for _ in range(6)]
        if chance.random() < 0.5:
            delivered = None if chance.random() < 0.1 else after[0] + timedelta(hours=int(chance.integers(-90, 30)))
            self.facts["shipments"].append(
                {"shipment_id": f"s{name}", "order_id": name, "customer_id": customer, "promised_at": after[0], "delivered_at": delivered}
            )
        if chance.random() < 0.3:
            self.facts["returns"].append(
                {
                    "return_id": f"r{name}", "order_id": name if chance.random() < 0.8 else None, "customer_id": customer,
                    "returned_at": after[1],
                    "quantity": 1, "amount": int(chance.integers(1, 3_000)), "open": bool(chance.random() < 0.3),
                }
            )
        if chance.random() < 0.3:
            rating = int(chance.integers(1, 6))
            self.facts["reviews"].append({"review_id": f"v{name}", "customer_id": customer, "rating": rating, "reviewed_at": after[2]})
        if chance.random() < 0.25:
            closed = None if chance.random() < 0.4 else after[3] + timedelta(days=9)
            self.facts["tickets"].append({"ticket_id": f"t{name}", "customer_id": customer, "opened_at": after[3], "closed_at": closed})
        if chance.random() < 0.3:
            kind = str(chance.choice(["Product Unavailable", "Product Viewed"]))
            self.facts["events"].append({"message_id": f"e{name}", "customer_id": customer, "name": kind, "occurred_at": after[4]})

    def person(self, chance: np.random.Generator, customer: str) -> None:
        at = self.at(chance)
        if chance.random() < 0.8:
            country = str(chance.choice(["DE", "FR"]))
            seen = at if chance.random() < 0.9 else None
            self.facts["customers"].append({"customer_id": customer, "first_seen_at": seen, "country": country})
        if chance.random() < 0.5:
            self.facts["people"].append({"customer_id": customer, "timezone": "Europe/Paris", "locale": "fr"})
        for channel in ("email", "sms", "push"):
            if chance.random() < 0.7:
                expires = at + timedelta(days=int(chance.integers(10, 900))) if chance.random() < 0.4 else None
                self.facts["consents"].append(
                    {
                        "consent_key": f"{self.prefix}{customer}-{channel}", "customer_id": customer, "channel": channel,
                        "purpose": "marketing" if chance.random() < 0.9 else "service", "granted": bool(chance.random() < 0.8),
                        "recorded_at": at, "expires_at": expires,
                    }
                )


    def more(self, chance: np.random.Generator) -> None:
        """What came later: sellers and stock, what was sent back or disliked by name, saved products, answers, credits and promotions."""
        for number in range(4):
            self.facts["sellers"].append({"seller_id": f"{self.prefix}s{number}", "name": f"Seller {number}", "suspended": number == 2})
        for row in self.facts["products"]:
            row["seller_id"] = f"{self.prefix}s{chance.integers(0, 4)}" if chance.random() < 0.9 else None
            row["in_stock"] = [True, None, False][int(chance.integers(0, 3))] if chance.random() < 0.4 else True
        names = [row["product_id"] for row in self.facts["products"]]
        for row in (*self.facts["returns"], *self.facts["reviews"]):
            luck = chance.random()
            row["product_id"] = str(chance.choice(names)) if luck < 0.6 else None
            if "review_id" in row and luck > 0.8:
                row["order_id"] = row["review_id"][1:]
        for number, customer in enumerate(self.customers):
            self.wishes(chance, customer, f"{self.prefix}w{number}", names)
            self.favours(chance, customer, f"{self.prefix}g{number}")
        for number, name in enumerate(names[:6]):
            self.promotion(chance, number, name)

    def wishes(self, chance: np.random.Generator, customer: str, name: str, products: list[str]) -> None:
        for number in range(int(chance.poisson(0.8))):
            saved = {"product_id": str(chance.choice(products)), "name": "Product Added to Wishlist"}
            forgot = {**saved, "name": "Product Removed from Wishlist"}
            for part, row in enumerate((saved, forgot) if chance.random() < 0.3 else (saved,)):
                met = {"message_id": f"{name}-{number}-{part}", "customer_id": customer, "occurred_at": self.at(chance)}
                self.facts["events"].append({**met, **row})
        for number in range(int(chance.poisson(9))):
            value = str(chance.choice(["0", "3", "6", "7", "9", "10", "11", "fine"]))
            met = {"message_id": f"{name}-a{number}", "customer_id": customer, "occurred_at": self.at(chance)}
            self.facts["events"].append({**met, "name": "Survey Answered", "value": value})

    def favours(self, chance: np.random.Generator, customer: str, name: str) -> None:
        for number in range(int(chance.poisson(0.8))):
            at, amount = self.at(chance), int(chance.integers(1, 9)) * 100
            ends = (at + timedelta(days=int(chance.integers(0, 400)))).date() if chance.random() < 0.8 else None
            given = {"credit_id": f"{name}-{number}", "customer_id": customer, "amount": amount, "issued_at": at, "expires_on": ends}
            self.facts["credits"].append({**given, "spent": int(chance.integers(0, 2)) * int(chance.integers(0, 9)) * 100})

    def promotion(self, chance: np.random.Generator, number: int, product: str) -> None:
        starts = self.at(chance)
        about = [{"product_id": product, "category": None}, {"product_id": None, "category": f"category {number % 4}"}]
        given = {"promotion_id": f"{self.prefix}o{number}", "seller_id": f"{self.prefix}s{number % 3}", "percent": 0.1, "starts_at": starts}
        ends = starts + timedelta(days=int(chance.integers(9, 400))) if chance.random() < 0.8 else None
        self.facts["promotions"].append({**given, "ends_at": ends, **(about[number % 2] if number < 5 else dict.fromkeys(about[0]))})


def shuffled(facts: Facts, seed: int) -> Facts:
    """The same facts in another order."""
    chance = np.random.default_rng(seed)
    return {name: [rows[at] for at in chance.permutation(len(rows))] for name, rows in facts.items()}


def together(*parts: Facts) -> Facts:
    """The facts of several."""
    return {name: [row for part in parts for row in part[name]] for name in FACTS}
