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
from tests.insight.histories import Fact, Facts

Row = dict[str, object]
CHANNELS = ("email", "sms", "webpush", "inapp")


def nearest(value: float) -> int:
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


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
    """

    facts: Facts
    as_of: AsOf
    permille: int
    weeks: int
    lapse: MbgNbd
    value: GammaGamma

    def __post_init__(self) -> None:
        self.products = {row["product_id"]: row for row in self.facts["products"]}
        self.lines = defaultdict(list)
        for row in self.facts["order_lines"]:
            self.lines[row["order_id"]].append(row)
        self.void = {row["order_id"] for row in self.facts["orders"] if row["cancelled"]}

    def mine(self, name: str, customer: str, at: str) -> list[Fact]:
        """A customer's facts of a kind before the instant."""
        return [row for row in self.facts[name] if row["customer_id"] == customer and row[at] < self.as_of.naive]

    def profiles(self) -> dict[str, Row]:
        now = self.as_of.naive
        known = {row["customer_id"] for row in self.facts["customers"] if row["first_seen_at"] is None or row["first_seen_at"] < now}
        bought = {row["customer_id"]: self.bought(row["customer_id"]) for row in self.facts["orders"]}
        bought = {name: row for name, row in bought.items() if row}
        margins = [row["margin"] for row in bought.values()]
        high, mid = np.quantile(margins, 0.8), np.quantile(margins, 0.5)
        for name, row in bought.items():
            row["value_tier"] = "high" if row["margin"] >= high else "mid" if row["margin"] >= mid else "occasional"
            self.judge(name, row)
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
        }
        return row | self.expected(row)

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
            "margin_per_order": per_order,
            "expected_margin": nearest(orders * per_order), "margin_at_risk": nearest((1 - alive) / alive * orders * per_order),
            "expected_next_order_at": row["last_day"] + timedelta(days=nearest(rhythm)), "overdue": row["silence_days"] - nearest(rhythm),
        }

    def judge(self, name: str, row: Row) -> None:
        """Stage, cohort and cause."""
        days, rhythm, silence = row["days"], row["average_days_between_orders"], row["silence_days"]
        gap = (days[-1] - days[-2]).days if len(days) > 1 else None
        row["lifecycle"] = stage(row["purchase_days"], silence, rhythm, gap)
        slipping = row["lifecycle"] in ("lapsing", "lapsed")
        row["cause"], row["cause_evidence"] = self.cause(name, row["last"]["ordered_at"]) if slipping else (None, "")
        row["lapsed_cohort"] = cohort(row, gap) if slipping else None
        row |= self.last_product(row["last_day"], name) if slipping else {"last_product": None, "last_category": None}
        del row["last"], row["days"]

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
        near = [one for one in found if last - timedelta(days=30) <= one[2] < last + timedelta(days=45)]
        if not near:
            return "unknown", ""
        first = min(rank for rank, _, _ in near)
        names = ("late_delivery", "stockout", "return", "bad_review", "open_ticket")
        return names[first], ", ".join(sorted(fact for rank, fact, _ in near if rank == first))

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


def cohort(row: Row, gap: int | None) -> str:
    """The lapsed cohort, first rule that holds."""
    if row["cause"] != "unknown":
        return "one_bad_experience"
    if row["value_tier"] == "high" and gap is not None and gap <= 30:
        return "paused_high_potential"
    return "long_inactive" if row["lifecycle"] == "lapsed" or row["silence_days"] >= 365 else "other"
