"""A profile a second time: one customer after another in plain Python, from docs/insight.md and not from the code.

Models are taken as fitted: their parameters are the input, their formulas are here again.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from rekindle.insight.models import GammaGamma, LapseTuples, MbgNbd
from rekindle.moment import AsOf
from tests.insight import by_hand_habits as habits
from tests.insight import by_hand_offers as offers
from tests.insight.by_hand_habits import nearest
from tests.insight.histories import Fact, Facts, day_of

Row = dict[str, object]
CHANNELS = ("email", "sms", "webpush", "inapp")


def unit(line: Fact) -> int:
    """What one piece cost before discounts, ten-thousandths of a minor unit."""
    return (line["amount"] + (line["discount"] or 0)) * 10_000 // line["quantity"]


def six(value: float) -> float:
    return float(f"{value:.6g}")


@dataclass
class Hand:
    """Profiles of a history's facts.

    Args:
        facts: What is held to be true, later facts too.
        as_of: The instant.
        permille: The store's margin on goods of unknown cost.
        weeks: The horizon.
        lapse: The fitted lapse model.
        value: The fitted value model.
        shipping: Orders of so much ship free, minor units.
        tier_days: Margin counts over so many days for a tier.
    """

    facts: Facts
    as_of: AsOf
    permille: int
    weeks: int
    lapse: MbgNbd
    value: GammaGamma
    shipping: int = 0
    tier_days: int = 730

    def __post_init__(self) -> None:
        self.products = {row["product_id"]: row for row in self.facts["products"]}
        self.lines = defaultdict(list)
        for row in self.facts["order_lines"]:
            self.lines[row["order_id"]].append(row)
        self.void = {row["order_id"] for row in self.facts["orders"] if row["cancelled"]}
        now = self.as_of.naive
        self.standing = [row for row in self.facts["orders"] if not row["cancelled"] and row["ordered_at"] < now]
        self.ranks = habits.price_ranks(self.facts["products"], [line for row in self.standing for line in self.lines[row["order_id"]]])

    def mine(self, name: str, customer: str, at: str) -> list[Fact]:
        """A customer's facts of a kind before the instant."""
        return [row for row in self.facts[name] if row["customer_id"] == customer and row[at] < self.as_of.naive]

    def profiles(self) -> dict[str, Row]:
        now = self.as_of.naive
        known = {row["customer_id"] for row in self.facts["customers"] if row["first_seen_at"] is None or row["first_seen_at"] < now}
        bought = {row["customer_id"]: self.bought(row["customer_id"]) for row in self.facts["orders"]}
        bought = {name: row for name, row in bought.items() if row}
        margins = [row["tier_margin"] for row in bought.values()]
        high, mid = (math.ceil(np.quantile(margins, share)) for share in (0.8, 0.5))
        habits.rhythms(bought.values())
        habits.personas(bought.values())
        potential = math.ceil(np.quantile([row["potential"] for row in bought.values()], 0.8))
        spikes = habits.store_spikes(row["purchase_day"] for row in self.standing)
        for name, row in bought.items():
            row["value_tier"] = "high" if row["tier_margin"] >= high else "mid" if row["tier_margin"] >= mid else "occasional"
            habits.thresholds(row, high, mid, (5, 10, 25), self.shipping)
            offers.nearer(row, offers.credit(self.facts, name, self.as_of)["credit_expires_on"], self.as_of.day)
            self.judge(name, row, potential, spikes)
        everyone = {name: bought.get(name) or {"lifecycle": "prospect"} for name in known | bought.keys()}
        return {name: {"customer_id": name, **row, **self.person(name)} for name, row in everyone.items()}

    def bought(self, customer: str) -> Row | None:
        orders = [row for row in self.mine("orders", customer, "ordered_at") if not row["cancelled"]]
        if not orders:
            return None
        days = sorted({row["purchase_day"] for row in orders})
        end = max(self.as_of.last_day, days[-1])
        last = max((row for row in orders if row["purchase_day"] == days[-1]), key=lambda row: (row["ordered_at"], row["order_id"]))
        spend, discount = (sum(row[name] for row in orders) for name in ("net", "discount"))
        back = sum(row["amount"] for row in self.mine("returns", customer, "returned_at") if row["order_id"] not in self.void)
        row: Row = {
            "orders": len(orders), "purchase_days": len(days), "first_day": days[0], "last_day": days[-1],
            "last_order_id": last["order_id"],
            "silence_days": (end - days[-1]).days, "age_days": (end - days[0]).days, "spend": spend, "margin": self.margin(orders, back),
            "average_order_value": nearest(spend / len(orders)),
            "discount_share": discount / (spend + discount) if spend + discount else 0.0,
            "return_share": min(back / spend, 1.0) if spend else 0.0, "last": last, "days": days, **self.favourite(orders),
            "tier_margin": self.tier_margin(customer, orders),
            "discounted_orders": sum(one["discount"] > 0 or bool(one.get("code")) for one in orders),
            "single_item_orders": sum(one["lines"] == 1 for one in orders), "lined": sum(one["lines"] > 0 for one in orders),
            "previous_gap_days": (days[-1] - days[-2]).days if len(days) > 1 else None,
        }
        ranked = [line for one in orders for line in self.lines[one["order_id"]] if line["product_id"] in self.ranks]
        row["ranked"] = sum(line["amount"] for line in ranked)
        row["rank_sum"] = sum(line["amount"] * self.ranks[line["product_id"]] for line in ranked)
        return row | self.expected(row)

    def tier_margin(self, customer: str, orders: list[Fact]) -> int:
        """The margin of the last `tier_days` alone: what was ordered and what came back on those days."""
        since = self.as_of.day - timedelta(days=self.tier_days)
        back = [
            row["amount"] for row in self.mine("returns", customer, "returned_at")
            if row["order_id"] not in self.void and day_of(row["returned_at"]) >= since
        ]
        return self.margin([row for row in orders if row["purchase_day"] >= since], sum(back))

    def margin(self, orders: list[Fact], back: int) -> int:
        """What is known is known; the rest, less what came back, earns the store's rate, rounded down."""
        settled = unknown = 0
        for row in orders:
            lines = self.lines[row["order_id"]]
            settled += row["net"] - sum(line["amount"] for line in lines) if row["lines"] else 0
            unknown += 0 if row["lines"] else row["net"]
            for line in lines:
                cost = self.cost(line)
                settled += 0 if cost is None else line["amount"] - cost
                unknown += line["amount"] if cost is None else 0
        return settled + math.floor((unknown - back) * self.permille / 1000)

    def cost(self, line: Fact) -> int | None:
        if line.get("cost") is not None:
            return line["cost"]
        unit = self.products.get(line["product_id"], {}).get("cost")
        return None if unit is None else unit * line["quantity"]

    def favourite(self, orders: list[Fact]) -> Row:
        """Most money wins, then the first by name; lines without a category count in the whole."""
        spent: dict[str | None, int] = defaultdict(int)
        for row in orders:
            for line in self.lines[row["order_id"]]:
                spent[self.products.get(line["product_id"], {}).get("category")] += line["amount"]
        whole, named = sum(spent.values()), {name: amount for name, amount in spent.items() if name is not None}
        if not named:
            return {"category": None, "category_share": 0.0}
        best = min(named, key=lambda name: (-named[name], name))
        return {"category": best, "category_share": named[best] / whole if whole else 0.0}

    def expected(self, row: Row) -> Row:
        repeats, recency, age = row["purchase_days"] - 1, (row["last_day"] - row["first_day"]).days, row["age_days"]
        tuples = LapseTuples(np.array([repeats]), np.array([recency / 7]), np.array([age / 7]), np.array([1]))
        alive, orders = six(self.lapse.p_alive(tuples)[0]), six(self.lapse.expected_orders(tuples, self.weeks)[0])
        rhythm = six(7 * (self.lapse.alpha + recency / 7) / (self.lapse.r + repeats))
        own, days = max(row["margin"], 0) / row["purchase_days"], row["purchase_days"]
        per_order = nearest(self.value.p * (self.value.v + days * own) / (self.value.p * days + self.value.q - 1))
        return {
            "repeats": repeats, "recency_days": recency, "p_alive": alive, "expected_orders": orders, "average_days_between_orders": rhythm,
            "margin_per_order": per_order, "churn_probability": 1 - alive, "potential": nearest(orders / alive * per_order),
            "expected_margin": nearest(orders * per_order), "predicted_clv": nearest(orders * per_order),
            "margin_at_risk": nearest((1 - alive) * (orders / alive) * per_order),
            "prediction_quality": "weak" if repeats == 0 and self.lapse.quality == "good" else self.lapse.quality,
        }

    def judge(self, name: str, row: Row, potential: int, spikes: list[date]) -> None:
        """Stage, cohort and cause."""
        rhythm, silence, gap = row["average_days_between_orders"], row["silence_days"], row["previous_gap_days"]
        row["lifecycle"] = stage(row["purchase_days"], silence, rhythm, gap)
        slipping = row["lifecycle"] in ("lapsing", "lapsed")
        row["cause"], row["cause_evidence"] = self.cause(name, row["last"]["ordered_at"]) if slipping else (None, "")
        row["open_ticket"] = bool(self.open_tickets(name))
        row["lapsed_cohort"], row["cohort_evidence"] = habits.cohort(row, potential, spikes) if slipping else (None, "")
        row |= self.last_product(row["last_day"], name) if slipping else {"last_product": None, "last_category": None}
        for spent in ("last", "days", "lined", "ranked", "rank_sum", "potential"):
            del row[spent]

    def last_product(self, day: date, customer: str) -> Row:
        orders = [row for row in self.mine("orders", customer, "ordered_at") if not row["cancelled"] and row["purchase_day"] == day]
        lines = [line for row in orders for line in self.lines[row["order_id"]] if line["product_id"]]
        if not lines:
            return {"last_product": None, "last_category": None}
        best = min(lines, key=lambda line: (-line["amount"], line["product_id"]))["product_id"]
        return {"last_product": best, "last_category": self.products.get(best, {}).get("category")}

    def cause(self, customer: str, last: datetime) -> tuple[str, str]:
        now = self.as_of.naive
        found: list[tuple[int, str, datetime]] = []
        for row in self.mine("shipments", customer, "promised_at"):
            if row["delivered_at"] is None or row["delivered_at"] >= now or row["delivered_at"] > row["promised_at"]:
                found.append((0, f"shipment {row['shipment_id']}", row["promised_at"]))
        found += [
            (1, f"event {row['message_id']}", row["occurred_at"])
            for row in self.mine("events", customer, "occurred_at") if row["name"] == "Product Unavailable"
        ]
        found += [(2, f"return {row['return_id']}", row["returned_at"]) for row in self.mine("returns", customer, "returned_at")]
        reviews = self.mine("reviews", customer, "reviewed_at")
        found += [(3, f"review {row['review_id']}", row["reviewed_at"]) for row in reviews if row["rating"] <= 2]
        found += [(4, f"ticket {row['ticket_id']}", row["opened_at"]) for row in self.open_tickets(customer)]
        found += [(5, f"product {product}", datetime.combine(day, datetime.min.time())) for product, day in self.rises(customer)]
        near = [one for one in found if last - timedelta(days=30) <= one[2] < last + timedelta(days=45)]
        if not near:
            return "unknown", ""
        first = min(rank for rank, _, _ in near)
        names = ("late_delivery", "stockout", "return", "bad_review", "open_ticket", "price_rise")
        return names[first], ", ".join(sorted(fact for rank, fact, _ in near if rank == first))

    def rises(self, customer: str) -> list[tuple[str, date]]:
        """What the customer bought and all buyers of the month after, three or more, paid a tenth more for; with that month's first day."""
        sold: dict[tuple[object, int], list[Fact]] = defaultdict(list)
        mine = []
        for row in self.facts["orders"]:
            if not row["cancelled"] and row["ordered_at"] < self.as_of.naive:
                for line in self.lines[row["order_id"]]:
                    if line["product_id"] and line["quantity"] > 0 and line["amount"] > 0:
                        month = line["purchase_day"].year * 12 + line["purchase_day"].month
                        sold[line["product_id"], month].append(line)
                        mine += [(line, month)] if row["customer_id"] == customer else []
        found = set()
        for line, month in mine:
            later = sold[line["product_id"], month + 1]
            if len(later) >= 3 and all(unit(other) * 10 >= unit(line) * 11 for other in later):
                found.add((line["purchase_day"], line["product_id"], min(other["purchase_day"] for other in later)))
        return [(product, day) for _, product, day in sorted(found)]

    def open_tickets(self, customer: str) -> list[Fact]:
        rows = self.mine("tickets", customer, "opened_at")
        return [row for row in rows if row["closed_at"] is None or row["closed_at"] >= self.as_of.naive]

    def person(self, customer: str) -> Row:
        """What is known of who never bought too."""
        now = self.as_of.naive
        live = {
            row["channel"] for row in self.mine("consents", customer, "recorded_at")
            if row["purpose"] == "marketing" and row["granted"] and (row["expires_at"] is None or row["expires_at"] > now)
        }
        people = next((row for row in self.facts["people"] if row["customer_id"] == customer), {})
        seen = [
            row for row in self.facts["customers"]
            if row["customer_id"] == customer and (row["first_seen_at"] is None or row["first_seen_at"] < now)
        ]
        bought = self.bought(customer) is not None
        return {
            **offers.told(self.facts, customer, self.as_of),
            **{f"{channel}_consent": channel in live for channel in CHANNELS}, "timezone": people.get("timezone"),
            "locale": people.get("locale"),
            "country": seen[0]["country"] if seen else None, "open_ticket": bought and bool(self.open_tickets(customer)),
            "open_return": bought and any(row["open"] for row in self.mine("returns", customer, "returned_at")),
        }


def stage(purchase_days: int, silence: int, rhythm: float, gap: int | None) -> str:
    """The lifecycle stage, first rule that holds."""
    if purchase_days == 0:
        return "prospect"
    for name, rhythms, least in (("lapsed", 4, 28), ("lapsing", 2, 28), ("cooling", 1, 14)):
        if silence / rhythm > rhythms and silence >= least:
            return name
    if gap is not None and gap > 4 * rhythm and silence < 180:
        return "probation" if silence < 60 else "reactivated"
    return next(name for name, least in (("advocate", 8), ("mid_tenure", 4), ("repeat", 2), ("first_time", 1)) if purchase_days >= least)
