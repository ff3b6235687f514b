"""A plan is a pure function: computed a second time by hand, the same in any order, within its budget, one reason for a refusal."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pytest

from rekindle.decide.planner import Plan
from rekindle.decide.policy import Policy
from rekindle.decide.summary import summarise
from rekindle.program.documents import NOTHING
from tests.decide.by_hand import Hand
from tests.decide.shop import RECONNECT, SHOP, TAILOR, Decider, Row, by_customer, certainly, crowd, customer, instant, program

COHORTS = ("one_bad_experience", "paused_high_potential", "long_inactive", "other")
EVERY_OFFER = {**TAILOR, "arms": {**RECONNECT["arms"], **TAILOR["arms"]}}
VARIANTS = {
    "one_bad_experience": {"tailor": {"arms": {"without": ["percent"]}}},
    "long_inactive": {"tailor": {"arms": {"only": ["light", "credit"]}}},
}
BUDGET = 30
MONEY = ("cost_ceiling", "expected_cost", "expected_margin", "arm_spread", "subsidised")


@dataclass(frozen=True)
class First:
    """A plan for customers who differ in whatever a first plan looks at, under a budget that binds."""

    decider: Decider
    people: list[Row]
    plan: Plan
    rows: list[Row]


def motley(size: int) -> list[Row]:
    draw = np.random.default_rng(11)
    return [
        customer(
            f"m{number:04d}", orders=int(draw.integers(1, 8)), value_tier=str(draw.choice(["high", "mid", "occasional"])),
            lapsed_cohort=str(draw.choice(COHORTS)), average_order_value=int(draw.integers(800, 9_000)),
            margin_per_order=float(draw.integers(50, 3_000)), expected_margin=int(draw.integers(0, 9_000)),
            expected_orders=round(float(draw.uniform(0, 3)), 6), email_consent=bool(draw.random() < 0.8),
            open_ticket=bool(draw.random() < 0.1),
            open_return=bool(draw.random() < 0.1), lifecycle=str(draw.choice(["lapsing", "lapsed", "cooling"], p=[0.6, 0.3, 0.1])),
            overdue=int(draw.integers(-5, 200)), timezone=draw.choice(["Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo", None]),
        )
        for number in range(size)
    ]


@pytest.fixture(scope="module")
def first(shared_decider: Decider) -> First:
    mine = program(control=0.1, stages={"tailor": EVERY_OFFER}, variants=VARIANTS)
    decider = shared_decider.with_documents(mine, holdout=0.1, budget={"amount": BUDGET, "per": "30d"})
    people = motley(500)
    made = decider.plan(0, people)
    return First(decider, people, made, decider.rows(made))


def test_every_row_is_what_a_second_implementation_says(first: First) -> None:
    mine, rows = first.decider.documents.programs[0], by_customer(first.rows)
    hand = Hand(first.decider.documents, SHOP, instant(0))
    due = [row for row in first.people if hand.decide(mine, row)]
    hand.scale = round(0.95 * BUDGET * 100_000 / sum(hand.expected_spend(mine, row) for row in due), 6)
    assert 0.1 < hand.scale < 0.9  # the budget binds
    assert first.plan.scale == pytest.approx(hand.scale, abs=2e-6)
    assert set(rows) == {row["customer_id"] for row in due}
    for row in due:
        expected, found = hand.decide(mine, row), rows[row["customer_id"]]
        assert {name: found[name] for name in expected} == {name: near(name, value) for name, value in expected.items()}


def near(name: str, value: object) -> object:
    if name in MONEY:
        return pytest.approx(value, rel=1e-5, abs=1)  # a thousandth of a cent
    return pytest.approx(value, abs=2e-6) if name == "propensity" else value


def test_all_arms_are_drawn_none_that_is_not_eligible_and_refusals_have_one_reason_each(first: First) -> None:
    assert {row["arm"] for row in first.rows} == {None, NOTHING, *EVERY_OFFER["arms"]}
    assert all(row["arm"] in row["eligible"].split("|") for row in first.rows if row["arm"])
    reasons = {"no_consent", "open_complaint", "open_return", "held_out", "control", "no_variant"}
    assert {row["reason"] for row in first.rows} == {None, *reasons}
    assert all((row["arm"] is None) == (row["reason"] is not None) for row in first.rows)
    assert all((row["send_at"] is None) == (row["arm"] in (None, NOTHING)) for row in first.rows)


def test_a_budget_is_met_in_expectation_and_cuts_no_tail(first: First) -> None:
    """The expected spend over all draws that could have come out, not only of this one."""
    hand = Hand(first.decider.documents, SHOP, instant(0))
    mine, due = first.decider.documents.programs[0], by_customer(first.rows)
    wanted = sum(hand.expected_spend(mine, row) for row in first.people if row["customer_id"] in due)
    assert first.plan.scale * wanted <= 0.95 * BUDGET * 100_000 * (1 + 1e-5)
    contacted = [number for number, row in enumerate(first.rows) if row["send_at"]]
    assert contacted[0] < 0.1 * len(first.rows)
    assert contacted[-1] > 0.9 * len(first.rows)


def test_the_summary_is_the_sum_of_the_rows(first: First) -> None:
    found = summarise(first.decider.warehouse, first.plan)
    decided = [row for row in first.rows if row["reason"] is None]
    sent = [row for row in decided if row["arm"] != NOTHING]
    assert (found.decisions, found.messages, found.digest) == (len(decided), len(sent), first.plan.digest)
    assert found.by_arm == Counter(row["arm"] for row in decided)
    assert (found.by_stage, found.by_program) == ({"tailor": len(decided)}, {"back": len(decided)})
    assert found.refusals == Counter(row["reason"] for row in first.rows if row["reason"])
    assert found.standing == Counter(row["standing"] for row in first.rows if row["standing"])
    assert found.cost_ceiling == sum(row["cost_ceiling"] for row in sent) / 1000
    assert found.expected_cost == sum(row["expected_cost"] for row in sent) / 1000
    assert found.subsidised_orders == sum(row["subsidised"] for row in sent) / 1000
    assert found.expected_margin.estimate == sum(row["expected_margin"] for row in sent) / 1000
    by_arm = [sum(row["arm_spread"] for row in sent if row["arm"] == arm) / 1000 for arm in {row["arm"] for row in sent}]
    half = 1.959964 * sum(spread**2 for spread in by_arm) ** 0.5
    assert found.expected_margin.high - found.expected_margin.estimate == pytest.approx(half)


def test_the_same_facts_in_another_order_are_the_same_plan(first: First) -> None:
    again = first.decider.plan(0, [{**row, "margin_at_risk": 7, "p_alive": 0.5} for row in reversed(first.people)])
    assert again.digest == first.plan.digest  # estimates are not in the hash
    assert first.decider.rows(again) == first.rows


def test_an_empty_budget_sends_nothing_and_is_another_plan(first: First) -> None:
    poor = first.decider.with_documents(*first.decider.documents.programs, holdout=0.1, budget={"amount": 0, "per": "30d"})
    made = poor.plan(0, first.people)
    rows = poor.rows(made)
    assert {row["arm"] for row in rows} == {None, NOTHING}
    assert {row["propensity"] for row in rows} == {None, 1.0}
    assert (made.scale, [row["reason"] for row in rows]) == (0, [row["reason"] for row in first.rows])
    assert made.digest != first.plan.digest


def test_what_was_spent_in_the_period_is_not_there_to_spend_again(decider: Decider) -> None:
    """Ten days to the instant: what was spent ten days ago is over, what was sent by another plan or not sent at all does not count."""
    decider = decider.with_documents(program(stages={"reconnect": RECONNECT}), budget={"amount": 20, "per": "10d"})
    decider.remember(
        {"customer_id": "over", "day": 0, "expected_cost": 700_000}, {"customer_id": "spent", "day": 1, "expected_cost": 300_000},
        {"customer_id": "failed", "day": 2, "expected_cost": 110_000},
        {"customer_id": "put off", "day": 2, "expected_cost": 130_000, "reason": "cap_reached"},
        {"customer_id": "not yet", "day": 10, "expected_cost": 170_000},
    )
    decider.settle(["failed"], "failed", 3)
    people = crowd(600)
    hand = Hand(decider.documents, SHOP, instant(10))
    wanted = sum(hand.expected_spend(decider.documents.programs[0], row) for row in people)
    assert decider.plan(10, people).scale == pytest.approx((0.95 * 20 * 100_000 - 300_000) / wanted, abs=1e-6)


def test_who_is_not_in_the_audience_has_no_row_and_who_fits_no_variant_a_refusal(decider: Decider) -> None:
    gift = {**RECONNECT, "arms": {"gift": {**RECONNECT["arms"]["light"], "when": "value_tier == 'high'"}}}
    decider = decider.with_documents(program(stages={"reconnect": gift}))
    outside = [
        customer("cool", lifecycle="cooling"), customer("early", overdue=0), customer("unknown", overdue=None),
        customer("prospect", last_order_id=None),
    ]
    rows = decider.decide(0, [customer("poor"), customer("rich", value_tier="high"), customer("tierless", value_tier=None), *outside])
    assert {name: (row["reason"], row["arm"] is None, row["eligible"]) for name, row in rows.items()} == {
        "poor": ("no_variant", True, NOTHING), "tierless": ("no_variant", True, NOTHING), "rich": (None, False, f"gift|{NOTHING}"),
    }
    assert rows["poor"]["standing"] == "treated"  # it counts as assigned: the comparison is by assignment


def test_a_rehearsal_decides_as_if_everyone_had_consented(shared_decider: Decider) -> None:
    decider = replace(shared_decider, shop=replace(SHOP, rehearsal=True))
    hand = Hand(decider.documents, SHOP, instant(0))
    rehearsed = decider.plan(0, crowd(40, email_consent=False))
    asked = {row["customer_id"]: hand.decide(decider.documents.programs[0], row) for row in crowd(40)}
    assert rehearsed.rehearsal
    rows = by_customer(decider.rows(rehearsed))
    assert {name: row["arm"] for name, row in rows.items()} == {name: row["arm"] for name, row in asked.items()}
    assert {row["channel"] for row in rows.values() if row["arm"] != NOTHING} == {"email"}


def test_a_round_keeps_the_standing_it_opened_with_over_the_turn_of_the_year(decider: Decider) -> None:
    decider = decider.with_documents(program(control=0.3, caps={"touches": 3, "gap": "7d", "duration": "400d"}), holdout=0.2)
    hand, mine = Hand(decider.documents, SHOP, instant(290)), decider.documents.programs[0]  # 2026-12-17
    people = crowd(200)
    before = {row["customer_id"]: hand.standing(mine, row["customer_id"]) for row in people}
    left_alone = {"arm": None, "propensity": None, "draw": None, "channel": None, "offer": None}
    reasons = {"treated": None, "control": "control", "holdout": "held_out"}
    said = {one: {"standing": one, "reason": reason, **(left_alone if reason else {})} for one, reason in reasons.items()}
    decider.remember(*({"customer_id": name, "day": 290, **said[one]} for name, one in before.items()))
    made = decider.plan(310, [*people, *crowd_of_january()])  # 2027-01-06
    rows = by_customer(decider.rows(made))
    later = Hand(decider.documents, SHOP, instant(310))
    assert {name: rows[name]["standing"] for name in before} == before
    assert {name for name in before if later.standing(mine, name) != before[name]}
    assert {rows[name]["entered_at"] for name in before} == {instant(290).naive}
    assert {name: row["standing"] for name, row in rows.items() if name not in before} == {
        row["customer_id"]: later.standing(mine, row["customer_id"]) for row in crowd_of_january()
    }
    assert {rows[name]["reason"] for name in before} == set(reasons.values())
    fresh = {row["customer_id"] for row in rows.values() if row["fresh"]}
    assert fresh == {name for name in rows if rows[name]["standing"] == "treated" or name not in before}  # news alone is journaled


def crowd_of_january() -> list[Row]:
    return [customer(f"n{number:03d}") for number in range(60)]


def test_send_times_keep_quiet_hours_where_the_customer_is(shared_decider: Decider) -> None:
    zones = {"berlin": "Europe/Berlin", "tokyo": "Asia/Tokyo", "west": "America/Los_Angeles", "home": None, "mars": "Mars/1", "blank": ""}
    people = [customer(name, timezone=zone) for name, zone in zones.items()]
    certain = Policy("certain", certainly("reconnect:plain:lesson:light"))
    decider = replace(shared_decider, policy=certain)
    rows = by_customer(decider.rows(decider.plan(0.5, people, zone="Europe/London")))
    noon = datetime(2026, 3, 2, 12)
    assert {name: row["send_at"] for name, row in rows.items()} == {
        "berlin": noon, "home": noon, "mars": noon, "blank": noon, "tokyo": datetime(2026, 3, 3), "west": datetime(2026, 3, 2, 17),
    }
    assert rows["berlin"]["valid_until"].isoformat() == "2026-04-01"
    assert rows["tokyo"]["valid_until"].isoformat() == "2026-04-02"  # thirty days from the third, in Tokyo
    assert {(row["arm"], row["propensity"]) for row in rows.values()} == {("plain", 1.0)}
