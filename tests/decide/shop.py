"""A little shop for tests of deciding: customers as profiles, documents as values, one plan after another.

Nothing is imported and no model is fitted: a test says what a profile holds. `tests/learn` uses it too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa

from rekindle.decide import arms, planner
from rekindle.decide.policy import Policy, equal_chance
from rekindle.history.tables import JOURNAL, PLANS
from rekindle.history.warehouse import Warehouse
from rekindle.insight.profile import COLUMNS
from rekindle.moment import AsOf
from rekindle.program.documents import Documents, Offer, Program, Rules

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
SHOP = arms.Shop("EUR", 26, {"email": Decimal("0.01"), "sms": Decimal("0.07")}, ("email",))
ROWS = ibis.schema(COLUMNS)

OFFERS = {
    "reminder": {"kind": "reminder", "label": "What you had"},
    "education": {"kind": "education", "label": "How to"},
    "shipping": {"kind": "shipping", "label": "Free delivery", "unit_cost": 3, "redemption": 0.8, "valid": "14d"},
    "express": {"kind": "shipping", "label": "Fast delivery", "unit_cost": 4, "redemption": 0.5, "valid": "14d"},
    "percent": {"kind": "percent", "label": "10 % off", "percent": 0.10, "cap": 4, "margin_floor": 0.15, "redemption": 0.7, "valid": "21d"},
    "credit": {"kind": "credit", "label": "A credit", "share_of_margin": 0.1, "cap": 10, "margin_floor": 0.15, "redemption": 0.6},
}
RECONNECT = {
    "goal": {"metric": "activation", "within": "14d"}, "delay": {"rhythm": 0.0}, "content": ["relationship"], "offers": {"price": False},
    "arms": {
        "plain": {"offer": "reminder", "prior": {"mean": 0.010, "sd": 0.010}},
        "lesson": {"offer": "education", "prior": {"mean": 0.008, "sd": 0.010}, "when": "value_tier != 'high'"},
        "light": {"offer": "shipping", "prior": {"mean": 0.014, "sd": 0.014}},
    },
}
TAILOR = {
    "goal": {"metric": "order", "within": "21d"}, "delay": {"rhythm": 0.25, "at_least": "7d", "at_most": "28d"},
    "content": ["relationship"],
    "offers": {"price": True, "margin_floor": 0.15, "valid": "14d"},
    "arms": {
        "percent": {"offer": "percent", "prior": {"mean": 0.025, "sd": 0.020}},
        "credit": {"offer": "credit", "prior": {"mean": 0.025, "sd": 0.020}, "when": "orders >= 4"},
    },
}
CLOSING = {
    "goal": {"metric": "order", "within": "30d"}, "delay": {"rhythm": 0.5, "at_least": "14d", "at_most": "45d"},
    "content": ["relationship"],
    "offers": {"price": False}, "arms": {"last_word": {"offer": "reminder", "prior": {"mean": 0.006, "sd": 0.010}}},
}
STAGES = {"reconnect": RECONNECT, "tailor": TAILOR, "closing": CLOSING}


def instant(day: float, zone: str = "UTC") -> AsOf:
    """So many days after a Monday's midnight."""
    return AsOf(MONDAY + timedelta(days=day), zone, shifted=True)


def program(name: str = "back", **changes: object) -> Program:
    """Three stages for everyone who is lapsing or lapsed; nobody is control unless a test says so."""
    document: dict[str, object] = {
        "program": name, "version": 1, "class": "marketing", "owner": "Ada", "review": {"due": "2026-12-01"},
        "audience": {"enter": "lifecycle in ('lapsing', 'lapsed') and overdue > 0"},
        "exit": ["order", "opt_out", "complaint_opened", "erasure"],
        "control": 0.0, "caps": {"touches": 3, "gap": "7d", "duration": "120d"}, "stages": STAGES,
    }
    return Program.model_validate({**document, **changes})


def rules(**changes: object) -> Rules:
    """Loose rules: what binds is what a test tightens."""
    loose: dict[str, object] = {"caps": {"touches": 9, "per": "30d"}, "holdout": 0.0, "budget": {"amount": 100_000, "per": "30d"}}
    return Rules.model_validate({**loose, **changes})


def documents(*programs: Program, **changes: object) -> Documents:
    """The programs, the offers above and rules."""
    offers = {name: Offer.model_validate({**offer, "(name)": name}) for name, offer in OFFERS.items()}
    return Documents(programs or (program(),), offers, rules(**changes))


def customer(name: str, **changes: object) -> dict[str, object]:
    """A profile's row: lapsing, overdue, of middle value, consented."""
    row: dict[str, object] = dict.fromkeys(ROWS.names)
    row |= {
        "customer_id": name, "orders": 3, "purchase_days": 3, "first_day": date(2025, 6, 1), "last_day": date(2025, 12, 1),
        "last_order_id": f"order-{name}", "silence_days": 90, "age_days": 274, "spend": 15_000, "margin": 6_000,
        "average_order_value": 5_000,
        "average_days_between_orders": 40.0, "discount_share": 0.0, "return_share": 0.0, "category_share": 0.0, "expected_orders": 0.8,
        "p_alive": 0.7, "margin_per_order": 2_000.0, "expected_margin": 1_600, "margin_at_risk": 686,
        "expected_next_order_at": date(2026, 1, 10),
        "overdue": 50, "lifecycle": "lapsing", "value_tier": "mid", "lapsed_cohort": "other", "cause": "unknown", "cause_evidence": "",
        "open_ticket": False, "open_return": False, "credit_balance": 0, "detractor": False, "seller_promotion": False,
        "country": "DE", "email_consent": True, "sms_consent": False,
        "webpush_consent": False, "inapp_consent": False, "timezone": "Europe/Berlin", "locale": "de", "repeats": 2, "recency_days": 183,
    }
    return {**row, **changes}


def crowd(size: int, **changes: object) -> list[dict[str, object]]:
    """Customers c000, c001 and so on."""
    return [customer(f"c{number:03d}", **changes) for number in range(size)]


def certainly(*stages: str, but: dict[str, str] | None = None) -> tuple[tuple[str, str, str, str, float], ...]:
    """Rows of a table of chances that give a variant for certain: a variant that is not named would have the exploration floor.

    Args:
        stages: Each `stage:variant:other:other`, the variant that is drawn first and every other after it, `nothing` not named.
        but: Contexts, as `stage:context`, in which another variant is.
    """
    rows: list[tuple[str, str, str, str, float]] = []
    for told in stages:
        stage, taken, *others = told.split(":")
        arms = (taken, *others, "nothing")
        rows += [("back", stage, "*", arm, float(arm == taken)) for arm in arms]
        for key, instead in (but or {}).items():
            where = key.removeprefix(f"{stage}:")
            rows += [("back", stage, where, arm, float(arm == instead)) for arm in arms] if where != key else []
    return tuple(rows)


Row = dict[str, Any]


@dataclass
class Decider:
    """Plans for one shop, one instant after another, and keeps what they decided.

    Args:
        warehouse: An empty history.
        documents: What is intended.
        shop: Costs and channels.
        policy: The table of chances; equal chance where not given.
    """

    warehouse: Warehouse
    documents: Documents = field(default_factory=documents)
    shop: arms.Shop = SHOP
    policy: Policy | None = None

    def plan(self, day: float, rows: Iterable[dict[str, object]], inclusive: bool = False, zone: str = "UTC") -> planner.Plan:
        """A plan that is not kept."""
        profile = self.warehouse.keep(pa.Table.from_pylist(list(rows), schema=ROWS.to_pyarrow()))
        policy = self.policy or equal_chance(self.documents.programs)
        return planner.plan(
            self.warehouse, planner.Inputs(profile, self.documents, policy, self.shop, instant(day, zone), inclusive=inclusive)
        )

    def decide(self, day: float, rows: Iterable[dict[str, object]], inclusive: bool = False) -> dict[str, Row]:
        """Plans, keeps what is fresh as a ready plan, and gives every due customer's row by id."""
        made = self.plan(day, rows, inclusive)
        self.keep(made, day)
        return by_customer(self.rows(made))

    def keep(self, made: planner.Plan, day: float) -> None:
        """Journals a plan and counts it as ready."""
        fresh = made.rows.filter(made.rows.fresh)
        self.warehouse.insert("journal", fresh.mutate(plan=ibis.literal(made.digest)))
        ready = {"plan": [made.digest], "as_of": [instant(day).naive], "rehearsal": [False], "decisions": [1]}
        self.warehouse.insert("plans", pa.table(ready))

    def remember(self, *rows: dict[str, object]) -> None:
        """Puts decisions of the past into the journal, from the few things that a test says of each: `day`, customer_id and so on.

        What is not said is a message of the first stage of the only program, drawn for a customer in treatment.
        """
        past = []
        for row in rows:
            said = {key: value for key, value in row.items() if key != "day"}
            name, at = row["customer_id"], instant(row["day"]).naive
            usual = {
                "plan": f"past-{row['day']}", "as_of": at, "program": "back", "stage": "reconnect", "episode": f"order-{name}",
                "entered_at": at,
                "standing": "treated", "arm": "plain", "propensity": 0.25, "draw": 0.1, "channel": "email", "offer": "reminder",
                "cost_ceiling": 0, "expected_cost": 0, "expected_margin": 0, "baseline": 0, "cohort": "other",
            }
            past.append({**dict.fromkeys(JOURNAL.names), **usual, **said})
        self.warehouse.insert("journal", pa.Table.from_pylist(past, schema=JOURNAL.to_pyarrow()))
        made = {row["plan"]: row["as_of"] for row in past}
        plans = [{"plan": name, "as_of": at, "rehearsal": False, "decisions": 1} for name, at in made.items()]
        self.warehouse.insert("plans", pa.Table.from_pylist(plans, schema=PLANS.to_pyarrow()))

    def rows(self, made: planner.Plan) -> list[Row]:
        """A plan's rows, in one order."""
        found: list[Row] = self.warehouse.arrow(made.rows.order_by("customer_id", "program", "stage")).to_pylist()
        return found

    def settle(
        self, customers: Iterable[str], status: str, day: float, stage: str = "reconnect", program: str = "back", code: str = "",
        arm: str = "plain",
    ) -> None:
        """Tells history what became of messages."""
        rows = [
            {
                "touch_key": f"{program}:{name}:order-{name}:{stage}", "customer_id": name, "program": program, "stage": stage,
                "episode": f"order-{name}", "arm": arm, "channel": "email", "code": code, "status": status,
                "settled_at": instant(day).naive,
                "source": "ledger", "batch": 1, "digest": "",
            }
            for name in customers
        ]
        self.warehouse.insert("touches", pa.Table.from_pylist(rows, schema=self.warehouse.table("touches").schema().to_pyarrow()))

    def with_documents(self, *programs: Program, **changes: object) -> "Decider":
        """The same history under other documents."""
        return replace(self, documents=documents(*programs, **changes))


def by_customer(rows: Iterable[Row]) -> dict[str, Row]:
    """Rows of one program by customer."""
    return {row["customer_id"]: row for row in rows}
