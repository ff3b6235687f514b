"""One customer of one store with a past, and a judge in plain Python of what may never be decided about them, from docs/decide.md.

Every guardrail stands here a second time, without the words of the code that it is held against.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from rekindle.decide.assignment import draw_of
from rekindle.decide.guardrails import PUT_OFF, REASONS
from rekindle.program.documents import Documents, Offer, Program, Rules
from rekindle.program.rules import WEEKDAYS
from tests.decide.shop import customer, instant
from tests.decide.test_timing import ZONES
from tests.insight.histories import order

NOW = instant(400)
DAY = timedelta(days=1)
SERIAL = count()
PROGRAMS = ("anniversary", "birthday", "win-back")
WORDS = ("none", "reminder", "education")
"""Kinds that give nothing."""

PRICED = ("percent", "amount", "credit")
AGO = (0.5, 1, 2, 3, 6, 7, 13, 20, 29, 30, 31, 60, 89, 90, 200, 364, 365)
Row = dict[str, Any]


@dataclass
class Store:
    """One customer.

    Args:
        row: The profile.
        past: Messages so far.
        ordered: Whether an order came in yesterday, of which there is news.
        gamed: Whether the customer came back for a price offer twice, long ago.
    """

    row: Row
    past: list[Row]
    ordered: bool
    gamed: bool
    orders: list[Row] = field(default_factory=list)
    touches: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        name = self.row["customer_id"]
        for place, ago in enumerate((380, 300) if self.gamed else ()):
            said, code = message(name, ago, 0, "gone", "percent", f"gamed-{place}"), f"{name}-{place}"
            key = {part: said[part] for part in ("customer_id", "program", "episode", "stage")}
            self.past.append(said)
            self.orders.append(order(code, name, NOW.naive - (ago - 5) * DAY, 100, code=code))
            self.touches.append({**key, "touch_key": code, "code": code})
        if self.ordered:
            self.orders.append(order(self.row["last_order_id"], name, NOW.naive - DAY, 5_000))

    @property
    def last_order_at(self) -> datetime:
        return max((one["ordered_at"] for one in self.orders), default=datetime.min)

    @property
    def streak(self) -> int:
        """Messages old enough that no order came after."""
        sent = (one["send_at"] for one in self.past)
        return sum(NOW.naive - 365 * DAY < at <= NOW.naive - 3 * DAY and at > self.last_order_at for at in sent)


def message(name: str, ago: float, later: float, who: str, offer: str, episode: str) -> Row:
    """A message that was decided so many days ago and left so many days later."""
    at = NOW.naive - ago * DAY
    return {
        "customer_id": name, "day": 400 - ago, "as_of": at, "send_at": min(at + later * DAY, NOW.naive), "program": who, "offer": offer,
        "episode": episode, "stage": "reconnect", "cohort": "other",
    }  # fmt: skip


def stores(rng: np.random.Generator, many: int, offers: list[str]) -> dict[str, Store]:
    """Customers who are lapsing, each with a profile and a past of their own."""
    found = {}
    for _ in range(many):
        name = f"n{next(SERIAL)}"
        flags = {flag: bool(rng.random() < 0.1) for flag in ("open_ticket", "open_return", "detractor", "seller_promotion")}
        flags |= {
            "email_consent": bool(rng.random() < 0.9), "sms_consent": bool(rng.random() < 0.3),
            "value_tier": str(rng.choice(["high", "mid", "occasional"])), "orders": int(rng.integers(1, 7)),
            "timezone": (*ZONES, "Nowhere/Land", "", None)[rng.integers(9)], "expected_orders": float(rng.choice([0.0, 0.3, 0.8, 3.0])),
            "margin_per_order": float(rng.choice([300, 700, 2_000])), "expected_margin": int(rng.integers(0, 5_000)),
            "average_order_value": int(rng.choice([1_500, 5_000, 9_000])), "credit_balance": int(rng.choice([0, 0, 0, 500])),
        }  # fmt: skip
        past = [
            message(name, float(ago), float(rng.choice([0, 0, 0.4, 1, 3])), str(rng.choice([*PROGRAMS, "gone"])), str(rng.choice(offers)),
                    f"order-{name}" if ago in (13, 20) else f"old-{ago}")
            for ago in rng.choice(AGO, rng.integers(0, 6), replace=False)
        ]  # fmt: skip
        found[name] = Store(customer(name, **flags), past, bool(rng.random() < 0.2), bool(rng.random() < 0.2))
    return found


@dataclass
class Judge:
    """What may never be, one rule after another."""

    documents: Documents

    @property
    def bound(self) -> Rules:
        return self.documents.rules

    def broken(self, store: Store, rows: list[Row]) -> Iterator[str]:
        """Everything that is wrong with a customer's rows of one plan."""
        going = [row for row in rows if row["reason"] is None and row["arm"] != "nothing"]
        marketing = [row for row in going if row["program"] != "news"]
        for row in rows:
            yield from self.in_any_row(store, row, beside=bool(marketing))
        for row in marketing:
            yield from self.in_a_message(store, row)
        yield from self.over_all(store, marketing)

    def in_any_row(self, store: Store, row: Row, beside: bool) -> Iterator[str]:
        reason = row["reason"]
        if row["program"] == "news":
            if reason != ("held_back" if store.row["open_return"] else None) or (reason is None and row["send_at"] != NOW.naive):
                yield f"service message withheld: {reason}"
            return
        if reason is None and not (0 < row["propensity"] <= 1 and row["arm"] in row["eligible"].split("|")):
            yield "a draw without its chance"
        if reason is not None and reason not in REASONS:
            yield f"no words for {reason}"
        later = row["send_at"] and (row["send_at"] > NOW.naive or (beside and row["send_at"] == NOW.naive))  # the next plan asks again
        if reason in PUT_OFF and not (row["arm"] and row["propensity"] and later):
            yield "put off without the draw or the day"
        for arm in (row["eligible"] or "nothing").split("|"):
            yield from (f"{arm}: {fault}" for fault in (self.in_an_arm(store, row, arm) if arm != "nothing" else ()))

    def in_an_arm(self, store: Store, row: Row, arm: str) -> Iterator[str]:
        """Of every variant that a customer could have drawn, whatever was drawn."""
        program = self.documents.program(row["program"])
        stage, flags = program.stage(row["stage"]), store.row
        offer = self.documents.offers[stage.arm(arm).offer]
        worth = worth_of(offer, flags)
        usual = flags["average_order_value"]
        mine = self.begun(store, row)
        kinds = [self.kind(one) for one in sorted(store.past, key=lambda one: one["as_of"], reverse=True) if self.kind(one) not in WORDS]
        run = next((place for place, kind in enumerate(kinds) if kind != offer.kind), len(kinds))
        had = [one for one in store.past if one["offer"] == offer.name]
        wrong = {
            "the same kind again": offer.kind not in WORDS and run >= program.caps.same_kind_in_a_row,
            "given twice in a round": offer.redeemed and any(one["offer"] == offer.name for one in mine),
            "given twice in a life": offer.once and bool(had),
            "more than the stage allows": stage.offers.value_at_most is not None and worth > 100 * float(stage.offers.value_at_most) + 1,
            "a minimum above the usual order": offer.minimum_spend is not None
            and 100 * float(offer.minimum_spend) > usual * stage.offers.minimum_spend_at_most,
            "outside its dates": not within_dates(offer),
            "something new while a credit is unspent": offer.costly and offer.redeemed and flags["credit_balance"] > 0,
        }  # fmt: skip
        yield from (fault for fault, holds in wrong.items() if holds)
        yield from self.on_a_ladder(store, offer)
        if offer.kind in PRICED:
            yield from self.in_a_price_offer(store, program, stage.offers.price, mine)
        if offer.costly:
            left = usual - worth if offer.kind in PRICED else usual
            if flags["margin_per_order"] - worth < max(stage.offers.margin_floor, offer.margin_floor) * left - 1:
                yield "margin floor"

    def on_a_ladder(self, store: Store, offer: Offer) -> Iterator[str]:
        if offer.ladder is None:
            return
        rungs = {one["offer"]: self.documents.offers[one["offer"]].ladder for one in store.past}
        climbed = {name: held.rung for name, held in rungs.items() if held is not None and held.name == offer.ladder.name}
        if offer.ladder.rung in climbed.values():
            yield "a rung twice"
        if offer.ladder.rung > 1:
            at = [one["send_at"] for one in store.past if climbed.get(one["offer"]) is not None]
            if offer.ladder.rung - 1 not in climbed.values() or store.last_order_at < max(at):
                yield "a rung too early"

    def in_a_price_offer(self, store: Store, program: Program, permitted: bool, mine: list[Row]) -> Iterator[str]:
        year = sum(self.kind(one) in PRICED and one["as_of"] > NOW.naive - 365 * DAY for one in store.past)
        if not permitted or sum(self.kind(one) in PRICED for one in mine) >= program.caps.price_offers:
            yield "price offer not permitted"
        if year >= program.caps.price_offers_per_year:
            yield "price offers of the year"
        if store.gamed and self.bound.gaming:
            yield "price offer to who waits for it"
        if store.row["seller_promotion"] and self.bound.sellers.collision != "stack":
            yield "beside a seller's own promotion"

    def in_a_message(self, store: Store, row: Row) -> Iterator[str]:
        flags, program = store.row, self.documents.program(row["program"])
        silent = {
            "consent": not flags[f"{row['channel']}_consent"], "complaint": flags["open_ticket"], "return": flags["open_return"],
            "detractor": flags["detractor"], "budget": not self.bound.budget.amount,
            "holdout": draw_of("holdout", "2027", flags["customer_id"]) < self.bound.holdout,
            "control": draw_of("control", row["program"], "2027", flags["customer_id"]) < program.control and not self.begun(store, row),
        }  # fmt: skip
        yield from (name for name, holds in silent.items() if holds)
        zone = flags["timezone"] if flags["timezone"] in available_timezones() else "UTC"
        if hushed(row["send_at"].replace(tzinfo=UTC).astimezone(ZoneInfo(zone)), self.bound) or row["send_at"] < NOW.naive:
            yield "quiet hours"

    def over_all(self, store: Store, marketing: list[Row]) -> Iterator[str]:
        """The caps, by when messages leave."""
        caps, fatigue = self.bound.caps, self.bound.fatigue
        tired = fatigue and (store.streak >= fatigue.ignored or store.streak >= 8)
        limits: list[tuple[str, int, int, Any]] = [
            ("all", min(caps.touches, fatigue.touches if fatigue and tired else caps.touches), caps.per_days, lambda row: True),
            *((one, cap.touches, cap.per_days, lambda row, one=one: row["program"] == one) for one, cap in caps.programs.items()),
            *((kind, cap.touches, cap.per_days, lambda row, kind=kind: self.kind(row) == kind) for kind, cap in caps.kinds.items()),
        ]
        if caps.price_offers:
            limits.append(("price", caps.price_offers.touches, caps.price_offers.per_days, lambda row: self.kind(row) in PRICED))
        if caps.gap_days:
            limits.append(("gap", 1, caps.gap_days, lambda row: True))
        for name, most, days, counts in limits:
            now = [row for row in marketing if counts(row)]
            for row in now[:1]:
                before = sum(counts(one) and one["send_at"] > row["send_at"] - days * DAY for one in store.past)
                if before + len(now) > most:
                    yield f"{name}: over {most} in {days} days"

    def begun(self, store: Store, row: Row) -> list[Row]:
        """Messages of the round so far: who got one is in treatment."""
        return [one for one in store.past if (one["program"], one["episode"]) == (row["program"], row["episode"])]

    def kind(self, row: Mapping[str, Any]) -> str:
        return self.documents.offers[row["offer"]].kind


def worth_of(offer: Offer, flags: Row) -> float:
    """What an offer is worth once, in minor units."""
    if offer.percent is not None:
        worth = offer.percent * flags["average_order_value"]
    elif offer.share_of_margin is not None:
        worth = offer.share_of_margin * flags["expected_margin"]
    else:
        worth = 100 * float(offer.amount if offer.amount is not None else offer.unit_cost)
    return min(worth, 100 * float(offer.cap)) if offer.cap is not None else worth


def within_dates(offer: Offer) -> bool:
    """Whether there are enough days left on the day of the plan, which west of here is the day before; on a later one there are fewer."""
    return offer.valid_until is None or (offer.valid_until - (NOW.naive.date() - DAY)).days >= offer.minimum_valid_days


def hushed(local: datetime, bound: Rules) -> bool:
    quiet, clock = bound.quiet_hours, f"{local:%H:%M}"
    night = not quiet.end <= clock < quiet.start if quiet.start > quiet.end else quiet.start <= clock < quiet.end
    return night or bool({WEEKDAYS[local.weekday()], f"{local:%Y-%m-%d}"} & set(quiet.days))
