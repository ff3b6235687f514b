"""The first plan of a shop a second time, for one customer after another in plain Python, from docs/decide.md and not from the code."""

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rekindle.decide.arms import Shop
from rekindle.moment import AsOf
from rekindle.program.documents import Arm, Documents, Offer, Program, Stage

Row = dict[str, object]


def number(text: str) -> float:
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:13], 16) / 2**52


def nearest(value: float) -> int:
    """Half away from zero, as money is rounded."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


@dataclass
class Terms:
    """What one arm would cost and bring one customer, in thousandths of a cent."""

    arm: Arm
    allowed: bool
    ceiling: int
    cost: int
    margin: int
    spread: int
    subsidised: int


@dataclass
class Hand:
    documents: Documents
    shop: Shop
    as_of: AsOf
    scale: float = 1.0

    def decide(self, program: Program, row: Row) -> Row | None:
        """The row of a customer who was never in the program; None where not due."""
        if row["lifecycle"] not in ("lapsing", "lapsed") or row["overdue"] <= 0:
            return None
        stage = program.stages_for(row["lapsed_cohort"])[0]
        standing = self.standing(program, row["customer_id"])
        due = {
            "customer_id": row["customer_id"], "program": program.name, "stage": stage.name, "episode": row["last_order_id"],
            "version": program.digest, "context": f"{row['value_tier']}/{row['lapsed_cohort']}", "baseline": row["expected_margin"],
            "cohort": row["lapsed_cohort"], "as_of": self.as_of.naive,
        }
        reason = self.reason(row, standing)
        put_off = reason in ("no_consent", "open_complaint", "open_return")
        due |= {"standing": None if put_off else standing, "entered_at": None if put_off else self.as_of.naive, "reason": reason}
        return due | (self.nobody() if reason else self.drawn(program, stage, row))

    def standing(self, program: Program, customer: object) -> str:
        year = self.as_of.day.year
        if number(f"holdout:{year}:{customer}") < self.documents.rules.holdout:
            return "holdout"
        return "control" if number(f"control:{program.name}:{year}:{customer}") < program.control else "treated"

    @staticmethod
    def reason(row: Row, standing: str) -> str | None:
        rules = {
            "no_consent": not row["email_consent"], "open_complaint": row["open_ticket"], "open_return": row["open_return"],
            "held_out": standing == "holdout", "control": standing == "control",
        }
        return next((name for name, holds in rules.items() if holds), None)

    @staticmethod
    def nobody() -> Row:
        nulls = dict.fromkeys(("eligible", "arm", "propensity", "draw", "channel", "offer", "send_at", "valid_until"))
        return nulls | dict.fromkeys(("cost_ceiling", "expected_cost", "expected_margin", "arm_spread", "subsidised"), 0)

    def drawn(self, program: Program, stage: Stage, row: Row) -> Row:
        terms = [self.terms(program, stage, arm, row) for arm in stage.arms]
        can = [one for one in terms if one.allowed]
        u = number(f"{program.name}:{stage.name}:{program.version}:{row['customer_id']}:{row['last_order_id']}")
        eligible = "|".join([*(one.arm.name for one in can), "nothing"])
        if not can:
            return self.nobody() | {"reason": "no_variant", "eligible": eligible, "draw": u}
        each = self.scale / (len(can) + 1)
        place = int(u / each)
        if place >= len(can):
            return self.nobody() | {"eligible": eligible, "draw": u, "arm": "nothing", "propensity": 1 - len(can) * each}
        taken = can[place]
        send_at = self.send_at(str(row["timezone"] or self.as_of.timezone))
        return {
            "eligible": eligible, "draw": u, "arm": taken.arm.name, "propensity": each, "channel": "email", "offer": taken.arm.offer,
            "cost_ceiling": taken.ceiling, "expected_cost": taken.cost, "expected_margin": taken.margin, "arm_spread": taken.spread,
            "subsidised": taken.subsidised, "send_at": send_at.astimezone(UTC).replace(tzinfo=None),
            "valid_until": send_at.date() + timedelta(days=self.valid(stage, self.documents.offers[taken.arm.offer])),
        }

    @staticmethod
    def valid(stage: Stage, offer: Offer) -> int:
        return min(offer.valid_days, stage.offers.valid_days or 10_000)

    def send_at(self, zone: str) -> datetime:
        """Quiet from eight to nine; the instant is a midnight, UTC."""
        local = self.as_of.instant.astimezone(ZoneInfo(zone))
        if time(9) <= local.time() < time(20):
            return local
        day = local.date() + timedelta(days=1 if local.time() >= time(20) else 0)
        return datetime.combine(day, time(9), ZoneInfo(zone))

    def expected_spend(self, program: Program, row: Row) -> int:
        """What a customer is expected to cost before scaling."""
        stage = program.stages_for(row["lapsed_cohort"])[0]
        if self.reason(row, self.standing(program, row["customer_id"])):
            return 0
        can = [one for one in (self.terms(program, stage, arm, row) for arm in stage.arms) if one.allowed]
        return sum(nearest(one.cost / (len(can) + 1)) for one in can)

    def terms(self, program: Program, stage: Stage, arm: Arm, row: Row) -> Terms:
        offer = self.documents.offers[arm.offer]
        value = self.value(offer, row)
        message = self.shop.minor(self.shop.channel_costs["email"])
        anyway = row["expected_orders"] * min(1, self.valid(stage, offer) / (7 * self.shop.horizon_weeks))
        redeemed = (anyway + arm.prior.mean) * offer.redemption * value * self.due(offer, row)
        cost = redeemed + message
        margin = arm.prior.mean * row["margin_per_order"] - (redeemed - redeemed * self.sellers(offer)) - message
        margin -= 0.002 * row["expected_margin"]
        return Terms(
            arm, self.allowed(program, stage, arm, row), nearest(1000 * (value + message)), nearest(1000 * cost), nearest(1000 * margin),
            nearest(1000 * row["margin_per_order"] * arm.prior.sd), nearest(1000 * anyway * offer.redemption) if value else 0,
        )

    @staticmethod
    def value(offer: Offer, row: Row) -> int:
        """What one redemption costs at the most, whoever pays."""
        if offer.kind == "percent":
            raw = row["average_order_value"] * offer.percent
        elif offer.share_of_margin is not None:
            raw = max(row["expected_margin"], 0) * offer.share_of_margin
        else:
            raw = float(offer.amount or offer.unit_cost) * 100
        return nearest(min(raw, float(offer.cap or 10**9) * 100))

    @staticmethod
    def due(offer: Offer, row: Row) -> float:
        """The share of it that falls due: a price is not lowered on what goes back, a free return costs only where there is one."""
        if offer.kind in ("percent", "amount", "points"):
            return 1 - (row["return_share"] or 0.0)
        return max(row["return_share"] or 0.0, offer.returns_share) if offer.kind in ("returns", "extended_window") else 1.0

    @staticmethod
    def sellers(offer: Offer) -> float:
        return {"shop": 0.0, "seller": 1.0, "shared": offer.seller_share}[offer.payer]

    def allowed(self, program: Program, stage: Stage, arm: Arm, row: Row) -> bool:
        offer = self.documents.offers[arm.offer]
        rules = {None: True, "value_tier != 'high'": row["value_tier"] != "high", "orders >= 4": row["orders"] >= 4}
        wanted = rules[arm.when.text if arm.when else None]
        mine = arm.name in program.arms_for(stage.name, str(row["lapsed_cohort"]))
        value, paid = self.value(offer, row), row["average_order_value"]
        own = value * (1 - self.sellers(offer))
        floor = max(offer.margin_floor, stage.offers.margin_floor)
        if not offer.price:
            return wanted and mine and (not value or row["margin_per_order"] - own * self.due(offer, row) >= floor * paid)
        return wanted and mine and stage.offers.price and row["margin_per_order"] - own >= floor * (paid - value)
