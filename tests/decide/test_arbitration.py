"""Of a customer's messages the most valuable pass while every cap has room; the others learn why not, and from when on."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekindle.decide.arbitration import Question, settled
from rekindle.decide.guardrails import PUT_OFF
from rekindle.program.documents import Offer, Rules
from tests.decide.shop import OFFERS, Decider, instant, rules

ALL_OFFERS = {name: Offer.model_validate({**offer, "(name)": name}) for name, offer in OFFERS.items()}
PROGRAMS = ("anniversary", "birthday", "win-back", "order-updates")
DAY = timedelta(days=1)
NOW = instant(400)
Row = dict[str, Any]
ROWS = ibis.schema(
    {
        "customer_id": "string", "program": "string", "stage": "string", "episode": "string", "arm": "string", "reason": "string",
        "offer": "string", "arm_margin": "int64", "service": "boolean",
    }
)
CONTACTS = ibis.schema(
    {"customer_id": "string", "program": "string", "stage": "string", "episode": "string", "offer": "string", "as_of": "timestamp"}
)
OWN = ibis.schema({"customer_id": "string", "streak": "int64", "own_cap": "int64"})


def table(rows: Iterable[Row], schema: ibis.Schema) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema.to_pyarrow())


def weigh(decider: Decider, rows: list[Row], contacts: list[Row], bound: Rules, own: dict[str, int | None] | None = None) -> list[Row]:
    warehouse = decider.warehouse
    own_caps = None
    if own is not None:
        own_caps = warehouse.keep(table(({"customer_id": name, "streak": 4, "own_cap": cap} for name, cap in own.items()), OWN))
    question = Question(bound, NOW, ALL_OFFERS, own_caps)
    found = settled(warehouse, warehouse.keep(table(rows, ROWS)), warehouse.keep(table(contacts, CONTACTS)), question)
    assert found.columns == (*ROWS.names, "send_at")
    return sorted(warehouse.arrow(found).to_pylist(), key=key)


def key(row: Row) -> tuple[str, ...]:
    return (row["customer_id"], row["program"], row["stage"], row["episode"])


def message(customer: str, program: str, margin: int, offer: str = "reminder", **changes: object) -> Row:
    usual: Row = {
        "customer_id": customer, "program": program, "stage": "s", "episode": "e", "arm": "x", "reason": None, "offer": offer,
        "arm_margin": margin, "service": False,
    }
    return {**usual, **changes}


def contact(customer: str, days_ago: float, program: str = "win-back", offer: str = "reminder") -> Row:
    at = NOW.naive - days_ago * DAY
    return {"customer_id": customer, "program": program, "stage": "s", "episode": "e", "offer": offer, "as_of": at}


class Greedy:
    """One customer after another, one message after another, from docs/rules.md."""

    def __init__(self, contacts: list[Row], bound: Rules, own: dict[str, int | None]) -> None:
        self.contacts, self.bound, self.own = contacts, bound, own

    def caps(self, customer: str) -> list[tuple[str, int, int, Any]]:
        """Reason, most, days and whether a message falls under it."""
        caps = self.bound.caps
        kinds = {name: offer.kind for name, offer in ALL_OFFERS.items()}
        own = self.own.get(customer)
        found = [("cap_reached", min(caps.touches, own or caps.touches), caps.per_days, lambda row: True)]
        for name, cap in caps.programs.items():
            found.append(("program_cap_reached", cap.touches, cap.per_days, lambda row, name=name: row["program"] == name))
        for kind, cap in caps.kinds.items():
            found.append(("kind_cap_reached", cap.touches, cap.per_days, lambda row, kind=kind: kinds.get(row["offer"]) == kind))
        if caps.price_offers:
            priced = lambda row: row["offer"] in ("percent", "credit")  # noqa: E731  the rule in one line
            found.append(("price_cap_reached", caps.price_offers.touches, caps.price_offers.per_days, priced))
        if caps.gap_days:
            found.append(("gap", 1, caps.gap_days, lambda row: True))
        return found

    def settle(self, customer: str, rows: list[Row]) -> dict[tuple[str, ...], tuple[str | None, datetime | None]]:
        past = [one for one in self.contacts if one["customer_id"] == customer]
        caps, answers = self.caps(customer), {key(row): (row["reason"], None) for row in rows}
        wanting = [row for row in rows if row["reason"] is None and row["arm"] not in (None, "nothing") and not row["service"]]
        lost = []
        for row in sorted(wanting, key=lambda row: (-row["arm_margin"], *key(row))):
            full = [cap for cap in caps if cap[3](row) and self.used(past, cap, NOW.naive) >= cap[1]]
            if full:
                tired = full[0][0] == "cap_reached" and self.used(past, caps[0], NOW.naive) < self.bound.caps.touches
                lost.append((row, "tired" if tired else full[0][0]))
            else:
                past.append({**row, "as_of": NOW.naive})
        for row, reason in lost:
            answers[key(row)] = (reason, self.again(past, [cap for cap in caps if cap[3](row)]))
        return answers

    @staticmethod
    def used(past: list[Row], cap: tuple[str, int, int, Any], at: datetime) -> int:
        return sum(cap[3](one) and one["as_of"] > at - cap[2] * DAY for one in past)

    def again(self, past: list[Row], caps: list[tuple[str, int, int, Any]]) -> datetime:
        """The first of the instants at which something leaves a window that finds room in all of them."""
        leaves = sorted({one["as_of"] + cap[2] * DAY for cap in caps for one in past if one["as_of"] + cap[2] * DAY > NOW.naive})
        return next(at for at in leaves if all(self.used(past, cap, at) < cap[1] for cap in caps))


def random_store(seed: int, customers: int = 60) -> tuple[list[Row], list[Row], dict[str, int | None]]:
    rng = np.random.default_rng(seed)
    names = [f"c{number:02d}" for number in range(customers)]
    offers, rows, contacts = list(OFFERS), {}, []
    for name in names:
        for _ in range(rng.integers(0, 7)):
            program = PROGRAMS[rng.integers(4)]
            row = message(
                name, program, int(rng.integers(-3, 4)), offers[rng.integers(5)], stage=f"s{rng.integers(2)}",
                episode=f"e{rng.integers(2)}", service=program == "order-updates",
            )  # fmt: skip
            draw = rng.random()
            if draw < 0.2:
                row |= {"arm": "nothing", "offer": None} if draw < 0.1 else {"arm": None, "offer": None, "reason": "control"}
            rows[key(row)] = row
        for _ in range(rng.integers(0, 6)):
            ago = float(rng.choice([0, 0.5, 1, 2, 3, 7, 14, 29, 30, 31, 60, 89, 90]))
            contacts.append(contact(name, ago, PROGRAMS[rng.integers(3)], offers[rng.integers(5)]))
    return list(rows.values()), contacts, {name: int(rng.integers(1, 3)) if rng.random() < 0.5 else None for name in names[::3]}


CAP = st.fixed_dictionaries({"touches": st.integers(1, 3), "per": st.sampled_from(["1d", "7d", "30d", "90d"])})
CAPS = st.fixed_dictionaries(
    {"touches": st.integers(1, 4), "per": st.sampled_from(["2d", "30d"])},
    optional={
        "gap": st.sampled_from(["1d", "2d", "7d"]), "price_offers": CAP,
        "programs": st.dictionaries(st.sampled_from(PROGRAMS[:3]), CAP, max_size=2),
        "kinds": st.dictionaries(st.sampled_from(["credit", "reminder", "shipping"]), CAP, max_size=2),
    },
)  # fmt: skip


def check(decider: Decider, caps: dict[str, Any], seed: int) -> None:
    """Exactly what the plain greedy does, so no cap is ever exceeded; and nothing is put off without a reason."""
    rows, contacts, own = random_store(seed)
    bound = rules(caps=caps)
    greedy = Greedy(contacts, bound, own)
    expected = {}
    for name in {row["customer_id"] for row in rows}:
        expected |= greedy.settle(name, [row for row in rows if row["customer_id"] == name])
    found = weigh(decider, rows, contacts, bound, own)
    assert {key(row): (row["reason"], row["send_at"]) for row in found} == expected
    given_away = [row for row in found if row["reason"] is None and row["arm"] != "nothing" and not row["service"]]
    for name in {row["customer_id"] for row in given_away}:
        now = [{**row, "as_of": NOW.naive} for row in given_away if row["customer_id"] == name]
        past = [one for one in contacts if one["customer_id"] == name]
        for cap in greedy.caps(name):
            fresh = Counter(cap[3](row) for row in now)[True]
            assert not fresh or greedy.used([*past, *now], cap, NOW.naive) <= cap[1]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(caps=CAPS, seed=st.integers(0, 10_000))
def test_caps_that_interact_are_never_exceeded(shared_decider: Decider, caps: dict[str, Any], seed: int) -> None:
    check(shared_decider, caps, seed)


@pytest.mark.long
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(caps=CAPS, seed=st.integers(0, 10_000))
def test_caps_that_interact_are_never_exceeded_at_length(shared_decider: Decider, caps: dict[str, Any], seed: int) -> None:
    check(shared_decider, caps, seed)


def test_the_next_best_passes_where_the_best_may_not(shared_decider: Decider) -> None:
    """A price offer too many does not take the place of the message behind it."""
    bound = rules(caps={"touches": 1, "per": "30d", "price_offers": {"touches": 1, "per": "90d"}})
    rows = [message("a", "win-back", 90, "credit"), message("a", "birthday", 10), message("a", "anniversary", 5)]
    found = weigh(shared_decider, rows, [contact("a", 40, offer="percent")], bound)
    assert [(row["program"], row["reason"], row["send_at"]) for row in found] == [
        ("anniversary", "cap_reached", NOW.naive + 30 * DAY), ("birthday", None, None),
        ("win-back", "price_cap_reached", NOW.naive + 50 * DAY),  # of its own cap's 50 days and the 30 of the message that passed
    ]


def test_service_messages_are_apart(shared_decider: Decider) -> None:
    bound = rules(caps={"touches": 1, "per": "30d", "gap": "2d"})
    rows = [message("a", "order-updates", 0, service=True), message("a", "birthday", -5), message("b", "order-updates", 0, service=True)]
    found = weigh(shared_decider, rows, [contact("b", 1)], bound)
    assert [row["reason"] for row in found] == [None, None, None]


def test_a_tired_customer_has_fewer(shared_decider: Decider) -> None:
    bound = rules(caps={"touches": 3, "per": "30d"})
    rows = [message(name, "birthday", 5) for name in ("fresh", "full", "rested", "tired")]
    contacts = [contact("fresh", 8), contact("tired", 8), contact("rested", 30), *(contact("full", day) for day in (1, 2, 3))]
    found = weigh(shared_decider, rows, contacts, bound, {"tired": 1, "rested": 1, "full": 1, "fresh": None})
    assert {row["customer_id"]: (row["reason"], row["send_at"]) for row in found} == {
        "fresh": (None, None), "rested": (None, None), "tired": ("tired", NOW.naive + 22 * DAY),
        "full": ("cap_reached", NOW.naive + 29 * DAY),
    }


def test_every_reason_to_put_off_is_met(shared_decider: Decider) -> None:
    one = {"touches": 1, "per": "30d"}
    narrow = {"price_offers": one, "programs": {"birthday": one}, "kinds": {"shipping": one}}
    bound = rules(caps={"touches": 2, "per": "30d", "gap": "2d", **narrow})
    rows = [
        message("all", "win-back", 1), message("tired", "win-back", 1), message("program", "birthday", 1),
        message("kind", "win-back", 1, "shipping"), message("price", "win-back", 1, "credit"), message("gap", "win-back", 1),
    ]
    contacts = [
        contact("all", 5), contact("all", 9), contact("tired", 9), contact("program", 20, "birthday"), contact("kind", 9, offer="shipping"),
        contact("price", 12, offer="percent"), contact("gap", 1.5),
    ]
    found = {row["customer_id"]: row for row in weigh(shared_decider, rows, contacts, bound, {"tired": 1})}
    assert {row["reason"] for row in found.values()} == set(PUT_OFF)
    waits = {name: (row["send_at"] - NOW.naive) / DAY for name, row in found.items()}
    assert waits == {"all": 21, "tired": 21, "program": 10, "kind": 21, "price": 18, "gap": 0.5}


@pytest.mark.parametrize("rows", [[], [message("a", "birthday", 1, None, arm="nothing")]])
def test_nobody_to_write_to(shared_decider: Decider, rows: list[Row]) -> None:
    assert [row["send_at"] for row in weigh(shared_decider, rows, [], rules(caps={"touches": 1, "per": "30d"}))] == [None] * len(rows)
