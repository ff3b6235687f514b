"""No random store, program and rules ever give a decision that breaks a guardrail: every plan is held against plain Python.

Hypothesis draws rules and programs, and for each of them chance draws many stores of one customer with a past: guardrails are about
one customer, and a plan for many takes hardly longer than for one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rekindle.decide.assignment import draw_of
from rekindle.decide.guardrails import PUT_OFF, REASONS
from rekindle.program.documents import Program, Rules
from rekindle.program.rules import WEEKDAYS
from tests.decide.shop import RECONNECT, TAILOR, Decider, customer, instant, program, rules
from tests.decide.test_arbitration import ALL_OFFERS, CAPS, Greedy
from tests.decide.test_timing import ZONES
from tests.insight.histories import order, write

NOW = instant(400)
DAY = timedelta(days=1)
STORES = 67
SERIAL = count()
UNSHRUNK: dict[str, Any] = {
    "deadline": None, "suppress_health_check": list(HealthCheck), "phases": [Phase.explicit, Phase.reuse, Phase.generate],
}  # fmt: skip
"""A plan takes seconds: what it breaks is told by customer, and not made smaller."""

PRICED = ("percent", "credit")
GIVEN = ("reminder", "shipping", *PRICED)
Row = dict[str, Any]

PROGRAM_CAPS = st.fixed_dictionaries(
    {
        "touches": st.integers(1, 3), "gap": st.just("7d"), "duration": st.just("120d"), "price_offers": st.sampled_from([1, 1, 0]),
        "price_offers_per_year": st.sampled_from([2, 9, 1, 0]), "same_kind_in_a_row": st.integers(1, 2),
    }
)  # fmt: skip
QUIET = st.fixed_dictionaries(
    {"start": st.sampled_from(["20:00", "12:00"]), "end": st.sampled_from(["09:00", "13:30"])},
    optional={"days": st.lists(st.sampled_from([*WEEKDAYS[:6], "2027-04-06"]), max_size=4, unique=True)},
)
RULES = st.fixed_dictionaries(
    {
        "caps": CAPS, "holdout": st.sampled_from([0.0, 0.3]),
        "budget": st.sampled_from([{"amount": amount, "per": "30d"} for amount in (9_999, 9_999, 1, 0)]),
    },
    optional={
        "quiet_hours": QUIET, "fatigue": st.fixed_dictionaries({"ignored": st.integers(1, 4)}),
        "gaming": st.just({"rounds": 2, "over": "730d"}),
    },
)  # fmt: skip

TOLD = {**RECONNECT, "arms": {"told": {"offer": "reminder", "prior": {"mean": 0.0, "sd": 0.01}}}, "hold_until": "not open_return"}
NEWS = program(
    "news", **{"class": "service"}, trigger={"on": "order"}, audience={"enter": "orders > 0", "reenter": {"not_before": "0d"}},
    exit=["erasure"], stages={"told": TOLD},
)  # fmt: skip


@dataclass
class Store:
    """One customer of one store.

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
            said, code = message(name, ago, "gone", "percent", f"gamed-{place}"), f"{name}-{place}"
            key = {part: said[part] for part in ("customer_id", "program", "episode", "stage")}
            self.past.append(said)
            self.orders.append(order(code, name, NOW.naive - (ago - 5) * DAY, 100, code=code))
            self.touches.append({**key, "touch_key": code, "code": code})
        if self.ordered:
            self.orders.append(order(self.row["last_order_id"], name, NOW.naive - DAY, 5_000))

    @property
    def streak(self) -> int:
        """Messages old enough that no order came after."""
        bought = max((one["ordered_at"] for one in self.orders), default=datetime.min)
        return sum(NOW.naive - 365 * DAY < one["as_of"] <= NOW.naive - 3 * DAY and one["as_of"] > bought for one in self.past)


def message(name: str, ago: float, who: str, offer: str, episode: str) -> Row:
    return {
        "customer_id": name, "day": 400 - ago, "as_of": NOW.naive - ago * DAY, "program": who, "offer": offer, "episode": episode,
        "stage": "reconnect", "cohort": "other",
    }  # fmt: skip


def stores(rng: np.random.Generator) -> dict[str, Store]:
    found, days = {}, [0.5, 1, 2, 3, 6, 7, 13, 29, 30, 31, 60, 89, 90, 200, 364, 365]
    for _ in range(STORES):
        name = f"n{next(SERIAL)}"
        flags = {flag: bool(rng.random() < 0.1) for flag in ("open_ticket", "open_return", "detractor")}
        flags |= {
            "email_consent": bool(rng.random() < 0.9), "value_tier": str(rng.choice(["high", "mid", "occasional"])),
            "timezone": (*ZONES, "Nowhere/Land", "", None)[rng.integers(9)], "orders": int(rng.integers(1, 7)),
            "margin_per_order": float(rng.choice([300, 700, 2_000])), "expected_margin": int(rng.integers(0, 5_000)),
        }  # fmt: skip
        past = [
            message(name, float(ago), str(rng.choice(["back", "again", "gone"])), str(rng.choice(GIVEN)), f"old-{ago}")
            for ago in rng.choice(days, rng.integers(0, 6), replace=False)
        ]
        found[name] = Store(customer(name, **flags), past, bool(rng.random() < 0.2), bool(rng.random() < 0.2))
    return found


@dataclass
class Judge:
    """What may never be, one rule after another, from docs/decide.md and docs/rules.md."""

    bound: Rules
    programs: dict[str, Program]

    def broken(self, store: Store, rows: list[Row]) -> Iterator[str]:
        going = [row for row in rows if row["reason"] is None and row["arm"] != "nothing"]
        marketing = [row for row in going if row["program"] != "news"]
        for row in rows:
            yield from self.in_any_row(store, row)
        for row in marketing:
            yield from self.in_a_message(store, row)
        yield from self.over_all(store, marketing)

    def in_any_row(self, store: Store, row: Row) -> Iterator[str]:
        reason = row["reason"]
        if row["program"] == "news":
            if reason != ("held_back" if store.row["open_return"] else None) or (reason is None and row["send_at"] != NOW.naive):
                yield f"service message withheld: {reason}"
            return
        if reason is None and not (0 < row["propensity"] <= 1 and row["arm"] in row["eligible"].split("|")):
            yield "a draw without its chance"
        if reason is not None and reason not in REASONS:
            yield f"no words for {reason}"
        if reason in PUT_OFF and not (row["arm"] and row["propensity"] and row["send_at"] > NOW.naive):
            yield "put off without the draw or the day"

    def in_a_message(self, store: Store, row: Row) -> Iterator[str]:
        flags, caps, offer = store.row, self.programs[row["program"]].caps, row["offer"]
        silent = {
            "consent": not flags["email_consent"], "complaint": flags["open_ticket"], "return": flags["open_return"],
            "detractor": flags["detractor"], "budget": not self.bound.budget.amount,
            "holdout": draw_of("holdout", "2027", flags["customer_id"]) < self.bound.holdout,
            "control": draw_of("control", row["program"], "2027", flags["customer_id"]) < self.programs[row["program"]].control,
        }  # fmt: skip
        yield from (name for name, holds in silent.items() if holds)
        zone = flags["timezone"] if flags["timezone"] in available_timezones() else "UTC"
        if hushed(row["send_at"].replace(tzinfo=UTC).astimezone(ZoneInfo(zone)), self.bound) or row["send_at"] < NOW.naive:
            yield "quiet hours"
        kinds = [ALL_OFFERS[one["offer"]].kind for one in sorted(store.past, key=lambda one: one["as_of"], reverse=True)]
        run = next((place for place, kind in enumerate(kinds) if kind != ALL_OFFERS[offer].kind), len(kinds))
        if offer in GIVEN[1:] and run >= caps.same_kind_in_a_row:
            yield "the same kind again"
        if offer in PRICED:
            yield from self.in_a_price_offer(store, row)

    def in_a_price_offer(self, store: Store, row: Row) -> Iterator[str]:
        caps, flags = self.programs[row["program"]].caps, store.row
        year = sum(one["offer"] in PRICED and one["as_of"] > NOW.naive - 365 * DAY for one in store.past)
        if row["stage"] != "tailor" or not caps.price_offers or year >= caps.price_offers_per_year:
            yield "price offer not permitted"
        if store.gamed and self.bound.gaming:
            yield "price offer to who waits for it"
        value = row["cost_ceiling"] / 1_000 - 1
        if flags["margin_per_order"] - value < 0.15 * (flags["average_order_value"] - value):
            yield "margin floor"

    def over_all(self, store: Store, marketing: list[Row]) -> Iterator[str]:
        name, fatigue = store.row["customer_id"], self.bound.fatigue
        own = {name: fatigue.touches} if fatigue and (store.streak >= fatigue.ignored or store.streak >= 8) else {}
        greedy = Greedy(store.past, self.bound, own)
        now = [{**row, "as_of": NOW.naive} for row in marketing]
        for cap in greedy.caps(name):
            if any(cap[3](row) for row in now) and greedy.used([*store.past, *now], cap, NOW.naive) > cap[1]:
                yield f"{cap[0]} of {cap[1]} in {cap[2]} days"


def hushed(local: datetime, bound: Rules) -> bool:
    quiet, clock = bound.quiet_hours, f"{local:%H:%M}"
    night = not quiet.end <= clock < quiet.start if quiet.start > quiet.end else quiet.start <= clock < quiet.end
    return night or bool({WEEKDAYS[local.weekday()], f"{local:%Y-%m-%d}"} & set(quiet.days))


def check(decider: Decider, said: Row, caps: list[Row], seed: int) -> None:
    bound, shops = rules(**said), stores(np.random.default_rng(seed))
    programs = (
        program("back", caps=caps[0], control=0.2), program("again", caps=caps[1], stages={"tailor": TAILOR}), NEWS,
    )
    facts = {name: [one for store in shops.values() for one in getattr(store, name)] for name in ("orders", "touches")}
    write(decider.warehouse, facts)
    decider.remember(*({key: value for key, value in one.items() if key != "as_of"} for store in shops.values() for one in store.past))
    made = decider.with_documents(*programs, **said).plan(400, [store.row for store in shops.values()])
    rows = decider.rows(made)
    assert len({(row["customer_id"], row["program"], row["episode"]) for row in rows}) == len(rows)
    judge = Judge(bound, {one.name: one for one in programs})
    broken = [
        (name, store, fault) for name, store in shops.items()
        for fault in judge.broken(store, [row for row in rows if row["customer_id"] == name])
    ]  # fmt: skip
    assert [fault for _, _, fault in broken] == [], broken[:2]
    assert {row["customer_id"] for row in rows} == set(shops)  # and nobody who is due has no row


@settings(max_examples=3, **UNSHRUNK)
@given(said=RULES, caps=st.tuples(PROGRAM_CAPS, PROGRAM_CAPS), seed=st.integers(0, 10**6))
def test_no_decision_breaks_a_guardrail(decider: Decider, said: Row, caps: list[Row], seed: int) -> None:
    """Three times 67 stores."""
    check(decider, said, caps, seed)


@pytest.mark.long
@settings(max_examples=30, **UNSHRUNK)
@given(said=RULES, caps=st.tuples(PROGRAM_CAPS, PROGRAM_CAPS), seed=st.integers(0, 10**6))
def test_no_decision_breaks_a_guardrail_at_length(decider: Decider, said: Row, caps: list[Row], seed: int) -> None:
    """Thirty times 67 stores."""
    check(decider, said, caps, seed)
