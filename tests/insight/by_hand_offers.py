"""What an offer may be about, what is left of credits, who is unhappy: a second time, from docs/insight.md, one customer after another."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from rekindle.moment import AsOf
from tests.insight.histories import Fact, Facts

Row = dict[str, object]


def told(facts: Facts, customer: str, as_of: AsOf) -> Row:
    """The columns of the profile that offers ask for."""
    goods = Goods(facts, customer, as_of)
    category, product = goods.scope()
    seller = goods.products[product].get("seller_id") if product else None
    return {
        **credit(facts, customer, as_of), "detractor": unhappy(facts, customer, as_of.naive), "offer_category": category,
        "offer_product": product, "seller_id": seller, "seller_promotion": goods.promoted(category, product, seller),
    }


def credit(facts: Facts, customer: str, as_of: AsOf) -> Row:
    open_ = [
        row for row in facts["credits"]
        if row["customer_id"] == customer and row["issued_at"] < as_of.naive and row["amount"] > row["spent"]
        and (row["expires_on"] is None or row["expires_on"] >= as_of.day)
    ]
    ends = [row["expires_on"] for row in open_ if row["expires_on"]]
    return {"credit_balance": sum(row["amount"] - row["spent"] for row in open_), "credit_expires_on": min(ends, default=None)}


def nearer(row: Row, expires_on: date | None, day: date) -> None:
    """A credit that expires within 30 days is a threshold too, where nothing else is as near."""
    if expires_on and (expires_on - day).days <= 30:
        distance = (expires_on - day).days / 30
        if row["threshold_distance"] is None or distance < row["threshold_distance"]:
            row["next_threshold"], row["threshold_distance"] = "credit", distance


def unhappy(facts: Facts, customer: str, now: datetime) -> bool:
    """The last word of the last 30 days was a bad one; of a good and a bad one at once the bad counts."""
    words = [
        (row["occurred_at"], int(row["value"]) > 6) for row in facts["events"]
        if row["customer_id"] == customer and row["name"] == "Survey Answered" and row["value"] in [str(n) for n in range(11)]
    ]
    words += [(row["reviewed_at"], row["rating"] > 2) for row in facts["reviews"] if row["customer_id"] == customer]
    words = [(at, good) for at, good in words if now - timedelta(days=30) <= at < now]
    return bool(words) and not max(words, key=lambda word: (word[0], not word[1]))[1]


class Goods:
    """What one customer bought, saved, sent back and disliked."""

    def __init__(self, facts: Facts, customer: str, as_of: AsOf) -> None:
        self.facts, self.customer, self.now = facts, customer, as_of.naive
        self.products = {row["product_id"]: row for row in facts["products"]}
        self.barred = {row["seller_id"] for row in facts["sellers"] if row["suspended"]}
        standing = {row["order_id"] for row in facts["orders"] if not row["cancelled"] and row["ordered_at"] < self.now}
        self.of_order: dict[object, list[Fact]] = defaultdict(list)
        for row in facts["order_lines"]:
            if row["product_id"]:
                self.of_order[row["order_id"]].append(row)
        self.lines = [row for row in facts["order_lines"] if row["order_id"] in standing and row["customer_id"] == customer]
        self.spoiled = self.sent_back(standing) | self.disliked()
        self.spoiled_categories = {self.category(product) for product in self.spoiled} - {None}

    def category(self, product: str) -> str | None:
        return self.products.get(product, {}).get("category")

    def sent_back(self, standing: set[object]) -> set[str]:
        found = set()
        for row in self.facts["returns"]:
            if row["returned_at"] < self.now:
                if row.get("product_id"):
                    found |= {row["product_id"]} if row["customer_id"] == self.customer else set()
                elif row["order_id"] in standing:
                    found |= {line["product_id"] for line in self.of_order[row["order_id"]] if line["customer_id"] == self.customer}
        return found

    def disliked(self) -> set[str]:
        found = set()
        for row in self.facts["reviews"]:
            if row["reviewed_at"] < self.now and row["rating"] <= 2:
                if row.get("product_id"):
                    found |= {row["product_id"]} if row["customer_id"] == self.customer else set()
                elif row.get("order_id"):
                    found |= {line["product_id"] for line in self.of_order[row["order_id"]] if line["customer_id"] == self.customer}
        return found

    def can(self, product: str | None) -> bool:
        row = self.products.get(product)
        return bool(row) and product not in self.spoiled and row.get("in_stock") is not False and row.get("seller_id") not in self.barred

    def scope(self) -> tuple[str | None, str | None]:
        spent: dict[str | None, int] = defaultdict(int)
        dearest: dict[str | None, Fact] = {}
        for row in self.lines:
            category = self.category(row["product_id"])
            if row["product_id"] in self.spoiled or category in self.spoiled_categories:
                continue
            spent[category] += row["amount"]
            if self.can(row["product_id"]):
                dearest[category] = min(row, dearest.get(category, row), key=lambda line: (-line["amount"], line["product_id"]))
        named = sorted((one for one in dearest if one), key=lambda one: (-spent[one], one))
        category = named[0] if named else None
        product = dearest[category]["product_id"] if category in dearest else None
        saved = self.saved()
        if saved and category is None and self.category(saved) not in self.spoiled_categories:
            category = self.category(saved)
        return category, saved or product

    def saved(self) -> str | None:
        last: dict[str, Fact] = {}
        for row in self.facts["events"]:
            if row["customer_id"] == self.customer and row["name"].endswith("Wishlist") and row["occurred_at"] < self.now:
                before = last.get(row["product_id"], row)
                last[row["product_id"]] = max(row, before, key=lambda one: (one["occurred_at"], one["message_id"]))
        open_ = [
            row for product, row in last.items()
            if row["name"] == "Product Added to Wishlist" and self.can(product)
            and not any(line["product_id"] == product and line["purchase_day"] >= row["occurred_at"].date() for line in self.lines)
        ]
        if not open_:
            return None
        latest = max(row["occurred_at"] for row in open_)
        return min(row["product_id"] for row in open_ if row["occurred_at"] == latest)

    def promoted(self, category: str | None, product: str | None, seller: str | None) -> bool:
        for row in self.facts["promotions"]:
            if row["starts_at"] > self.now or (row["ends_at"] and row["ends_at"] <= self.now):
                continue
            if row["product_id"]:
                runs = row["product_id"] == product
            elif row["category"]:
                ours = product is not None and row["category"] == self.category(product) and row["seller_id"] == seller
                runs = row["category"] == category or ours
            else:
                runs = row["seller_id"] == seller
            if runs:
                return True
        return False
