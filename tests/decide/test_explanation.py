"""One customer's explanation against the plan of the whole shop, on shops in every state that rounds can be in."""

from functools import partial

import pyarrow as pa
import pytest

from rekindle import money
from rekindle.decide import planner
from rekindle.decide.assignment import draw_of
from rekindle.decide.explanation import Question, Verdict, explain
from rekindle.decide.policy import equal_chance
from rekindle.decide.rule_parts import verdict
from rekindle.insight.expression import parse
from rekindle.service.flow.narrowed import narrowed
from tests.decide.shop import ROWS, TAILOR, Decider, crowd, customer, instant, program

SHOW = partial(money.show, currency="EUR")


def told(decider: Decider, day: float, row: dict[str, object], scales: dict[tuple[str, str], float] | None = None) -> list[Verdict]:
    """The verdicts over one customer, from a profile of one row."""
    profile = decider.warehouse.keep(pa.Table.from_pylist([row], schema=ROWS.to_pyarrow()))
    documents = decider.documents
    inputs = planner.Inputs(profile, documents, equal_chance(documents.programs), decider.shop, instant(day))
    return list(explain(narrowed(decider.warehouse, str(row["customer_id"])), Question(inputs, SHOW, scales=scales)))


def agrees(one: Verdict, row: dict[str, object]) -> None:
    """A verdict says what the plan's row says."""
    assert (one.state, one.reason, one.round.stage) == ("due", row["reason"], row["stage"])
    if row["draw"] is not None:
        assert (one.draw.number, "|".join([*(v.arm for v in one.draw.variants if v.eligible), "nothing"])) == (row["draw"], row["eligible"])
    if row["arm"] is not None:
        assert (one.draw.arm, one.draw.chance) == (row["arm"], pytest.approx(row["propensity"]))
    if row["reason"] is None and row["arm"] != "nothing":
        terms = one.draw.taken.terms
        assert (one.send_at, one.valid_until) == (row["send_at"], row["valid_until"])
        assert (terms.expected_margin, terms.expected_cost, terms.cost_ceiling) == tuple(
            row[name] for name in ("expected_margin", "expected_cost", "cost_ceiling")
        )
        assert one.draw.taken.channel == row["channel"]


def by_hand(one: Verdict) -> None:
    """The numbers of a draw add up."""
    draw = one.draw
    assert draw.number == draw_of(*draw.text.split(":"))
    edge = 0.0
    for variant in draw.variants:
        assert variant.start == pytest.approx(edge)
        edge = variant.end
        assert variant.eligible == (not variant.obstacles)
        assert variant.rule is None or variant.rule.holds == ("rule" not in dict(variant.obstacles))
        t = variant.terms
        p0 = t.expected_orders * min(1, t.open_days / t.horizon_days)
        taken = (p0 + t.d) * t.r * t.c * t.k
        assert t.expected_cost == pytest.approx(1000 * (taken + t.channel), abs=1)
        assert t.expected_margin == pytest.approx(1000 * (t.d * t.m - taken * (1 - t.s) - t.channel - t.opt_out), abs=1)
    holds = next((variant.arm for variant in draw.variants if variant.start <= draw.number < variant.end), "nothing")
    assert draw.kept or not draw.possible or draw.arm == holds


SHOP = [
    *crowd(2), customer("rich", value_tier="high", orders=9),
    customer("mute", email_consent=False), customer("angry", open_ticket=True), customer("active", lifecycle="active", overdue=-4),
    customer("idle", lapsed_cohort="long_inactive"), customer("zoned", timezone="America/New_York", open_return=True),
]  # fmt: skip
VARIANTS = {"long_inactive": {"reconnect": {"arms": {"only": ["plain"]}}, "tailor": {"skip": True}}}


def against_plan(decider: Decider, day: float, rows: list[dict[str, object]]) -> dict[str, list[Verdict]]:
    """Explains everyone, holds it against the plan of everyone, and keeps that plan."""
    made = decider.plan(day, rows)
    planned = {(row["customer_id"], row["program"]): row for row in decider.rows(made)}
    verdicts = {str(row["customer_id"]): told(decider, day, row, dict(made.scales)) for row in rows}
    for name, mine in verdicts.items():
        for one in mine:
            row = planned.get((name, one.program))
            assert (one.state == "due") == (row is not None), (name, one.program, one.state)
            if row is not None:
                agrees(one, row)
            if one.draw is not None:
                by_hand(one)
    decider.decide(day, rows)
    return verdicts


def test_an_explanation_is_what_the_plan_of_everyone_decides_stage_by_stage(decider: Decider) -> None:
    decider = decider.with_documents(program(control=0.2, variants=VARIANTS), caps={"touches": 2, "per": "30d"}, holdout=0.1)
    first = against_plan(decider, 0, SHOP)
    assert {name: one.reason for name, (one,) in first.items() if name in ("mute", "angry", "zoned")} == {
        "mute": "no_consent", "angry": "open_complaint", "zoned": "open_return",
    }  # fmt: skip
    assert (first["active"][0].state, first["active"][0].round.enter.unmet) == (
        "not_for", "lifecycle in ('lapsing', 'lapsed') (lifecycle is 'active'); overdue > 0 (overdue is -4)",
    )
    second = against_plan(decider, 5, SHOP[:2])
    assert {one.state for (one,) in second.values()} <= {"not_due", "due"}
    assert any(one.state == "not_due" and one.round.due_at == instant(10).naive for (one,) in second.values())
    third = against_plan(decider, 11, [SHOP[0], SHOP[-2]])
    assert third["idle"][0].round.passed == (("tailor",) if third["idle"][0].round.last_stage else ())


def test_two_programs_that_want_one_message_are_explained_with_the_cap_and_the_day(decider: Decider) -> None:
    decider = decider.with_documents(program("one"), program("two"), caps={"touches": 1, "per": "30d"})
    rows = crowd(2)
    verdicts = against_plan(decider, 0, rows)
    losers = [one for mine in verdicts.values() for one in mine if one.reason == "cap_reached"]
    assert losers, "nobody had two messages"
    for one in losers:
        check = next(check for check in one.checks if check.name == "cap_reached")
        assert (check.passed, check.numbers["used"], check.numbers["allowed"]) == (False, 0, 1)
        assert check.words == (
            "they have had 0 of at most 1 message of marketing in 30 days; what is left goes to messages of today that are worth more"
        )
        assert one.send_at == instant(30).naive
    again = against_plan(decider, 30, rows)
    assert any(one.draw.kept for mine in again.values() for one in mine if one.draw is not None)


def test_a_budget_that_binds_takes_from_the_chances(decider: Decider) -> None:
    decider = decider.with_documents(program(stages={"tailor": {**TAILOR, "delay": {"rhythm": 0.0}}}), budget={"amount": 0.5, "per": "30d"})
    rows = crowd(12, orders=5)
    made = decider.plan(0, rows)
    (one,) = told(decider, 0, rows[0], dict(made.scales))
    assert 0 < made.scales["back", "shop"] < 1
    assert {variant.scale for variant in one.draw.variants} == {made.scales["back", "shop"]}
    agrees(one, decider.rows(made)[0])
    by_hand(one)
    (unknown,) = told(decider, 0, rows[0])
    assert (unknown.draw.scaled, {variant.scale for variant in unknown.draw.variants}) == (False, {1.0})


PRICES = {"tailor": {**TAILOR, "delay": {"rhythm": 0.0}}}


@pytest.mark.parametrize(
    ("changes", "past", "arm", "code", "words"),
    [
        ({}, {}, "credit", "rule", "their number of orders must be at least 4 (it is 3)"),
        ({"margin_per_order": 900.0}, {}, "percent", "margin_floor",
         "an order with it would keep 10.9 % as margin, and 15 % is the least"),
        ({}, {"offer": "percent", "stage": "tailor"}, "percent", "same_kind",
         "the same kind of offer (percent) came last, and may come 1 in a row"),
        ({}, {"offer": "percent", "stage": "tailor"}, "percent", "year_used", "they have had 1 of at most 1 price offers of a year"),
    ],
)  # fmt: skip
def test_what_keeps_a_variant_from_a_customer(
    decider: Decider, changes: dict[str, object], past: dict[str, object], arm: str, code: str, words: str
) -> None:
    caps = {"touches": 3, "gap": "7d", "duration": "120d", "price_offers_per_year": 1}
    decider = decider.with_documents(program(stages=PRICES, caps=caps))
    row = customer("c1", **changes)
    if past:
        decider.remember({"customer_id": "c1", "day": -60, "episode": "older", **past})
    (one,) = told(decider, 0, row)
    (hindered,) = [variant for variant in one.draw.variants if variant.arm == arm]
    assert (code, words) in hindered.obstacles
    assert (hindered.eligible, hindered.chance) == (False, 0.0)


def test_a_rule_is_told_part_by_part() -> None:
    rule = parse("orders >= 4 and not (open_ticket or open_return) and premium > 0.5", {
        "orders": "int", "open_ticket": "bool", "open_return": "bool", "premium": "float",
    })  # fmt: skip
    row = {"orders": 2, "open_ticket": False, "open_return": False, "premium": None}
    found = verdict(rule, row | dict(zip(("part:orders >= 4", "part:not (open_ticket or open_return)", "part:premium > 0.5"),
                                         (False, True, False), strict=True)), SHOW)  # fmt: skip
    assert found.unmet == "orders >= 4 (orders is 2); premium > 0.5 (premium is not known)"
    assert found.words == (
        "their number of orders must be at least 4 (it is 2), and their taste for dearer things must be over 0.5 (it is not known)"
    )
    assert [part.words for part in found.parts if part.holds] == [""]
    assert (found.holds, [part.holds for part in found.parts]) == (False, [False, True, False])
