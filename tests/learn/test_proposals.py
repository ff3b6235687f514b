"""What the evidence speaks for changing; where it does not tell, nothing."""

from dataclasses import replace
from decimal import Decimal

import ibis
import numpy as np
import pyarrow as pa
import pytest

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.insight.tiers import Boundaries, Tiers
from rekindle.learn.evidence import Evidence
from rekindle.learn.policy_terms import Terms
from rekindle.learn.proposals import Change, Proposal, pacing
from rekindle.learn.proposals.budgets import Asked, of_budgets
from rekindle.learn.proposals.limits import of_caps, of_tiers
from rekindle.program.documents import Program
from tests.decide.shop import program, rules
from tests.learn.known_stages import empty, followed, stage

ARMS = {"reminder": "reminder", "shipping": "shipping", "credit": "credit"}


def learned(effect: float, cost: float = 200.0) -> Evidence:
    truth = stage(np.tile([0.0, 0.0, effect, 0.0], (9, 1)), cost)
    return followed(empty(truth), truth, np.full((9, 4), 4_000.0), np.random.default_rng(2))


def document() -> Program:
    arms = {name: {"offer": offer, "prior": {"mean": 0.01, "sd": 0.01}} for name, offer in ARMS.items()}
    first = {
        "goal": {"metric": "order", "within": "14d"}, "delay": {"rhythm": 0.0}, "content": ["relationship"], "offers": {"price": True},
        "arms": arms,
    }  # fmt: skip
    return program("win-back", stages={"reconnect": first})


def asked(evidence: Evidence, budget: float, amount: str = "1000") -> Asked:
    held = rules(budget={"amount": amount, "per": "30d"})
    return Asked((evidence,), Terms(budget=budget), (document(),), held, "EUR")


def test_a_budget_that_binds_and_pays_is_raised_by_a_tenth() -> None:
    (found,) = of_budgets(asked(learned(400.0), budget=100_000.0))
    assert (found.name, found.document, found.changes) == ("budget-all", "", (Change(("budget", "amount"), 1_000.0, 1_100.0),))
    assert found.why.startswith("Of the budget of all programs, the next EUR 1")
    assert 0 < found.evidence["low"] < found.evidence["estimate"] < found.evidence["high"]
    assert found.evidence["spent"] == pytest.approx(10_000.0, rel=0.02)
    assert found.evidence["each"] == pytest.approx(2.0, rel=0.25), "an offer of 2.00 brings 4.00 net of itself"


def test_a_budget_that_is_not_used_up_stays() -> None:
    assert of_budgets(asked(learned(400.0), budget=10_000_000.0)) == ()


def test_a_budget_whose_worth_is_not_told_stays() -> None:
    assert of_budgets(asked(empty(stage(np.zeros((9, 4)))), budget=100_000.0)) == ()
    assert of_budgets(replace(asked(learned(400.0), budget=1.0), evidence=())) == ()


def test_a_program_with_a_budget_of_its_own_is_looked_at_too() -> None:
    held = rules(budget={"amount": "100000", "per": "30d"}, budgets=[{"amount": "1000", "per": "30d", "program": "win-back"}])
    one = Asked((learned(400.0),), Terms(budget=10_000_000.0, budgets={"win-back": 100_000.0}), (document(),), held, "EUR")
    assert [(one.name, one.changes[0].place, one.changes[0].after) for one in of_budgets(one)] == [
        ("budget-win-back", ("budgets", 0, "amount"), float(Decimal(1_100))),
    ]


def tiers(high: int, mid: int, approved: bool = True) -> Tiers:
    return Tiers(730, Boundaries(10_000, 4_000), approved, Boundaries(high, mid))


def test_tiers_are_proposed_where_today_s_buyers_give_others() -> None:
    assert of_tiers(tiers(10_900, 4_300), "EUR") is None
    found = of_tiers(tiers(12_345, 4_300), "EUR")
    assert isinstance(found, Proposal)
    assert found.changes == (Change(("value_tiers", "high"), 100.0, 123.45), Change(("value_tiers", "mid"), 40.0, 43.0))
    today, now = "EUR 123.45 and EUR 43.00 of margin in 730 days today", "EUR 100.00 and EUR 40.00 are in force"
    assert found.why == f"The upper 20% and 50% of buyers begin at {today}; {now}."
    first = of_tiers(tiers(12_345, 4_300, approved=False), "EUR")
    assert isinstance(first, Proposal)
    assert first.changes == (Change(("value_tiers",), None, {"over": "730d", "high": 123.45, "mid": 43.0}),)


def answered(soon: float, each: int = 4_000, horizon: int = 56) -> pa.Table:
    """Orders come evenly, and after a message more of them within ten days; the share of decisions with an order of its doing is `soon`."""
    rows = []
    for message in (True, False):
        even = np.full(horizon, 0.2 * each / horizon)
        more = np.where(np.arange(1, horizon + 1) <= 10, soon * each / 10, 0.0) if message else np.zeros(horizon)
        came = np.rint(even + more).astype(int)
        rows += [drawn("plain" if message else "nothing", day + 1, int(n)) for day, n in enumerate(came)]
        rows.append(drawn("plain" if message else "nothing", 0, each - int(came.sum())))
    return pa.Table.from_pylist(rows)


def drawn(arm: str, day: int, decisions: int, p: float = 0.5) -> dict[str, object]:
    return {
        "stage": "reconnect", "eligible": "plain|nothing", "arm": arm, "day": day, "decisions": decisions, "inverse": decisions / p,
        "inverse2": decisions / p**2,
    }  # fmt: skip


PACED = program(goal={"metric": "incremental_margin", "horizon": "56d"})


def test_the_next_message_waits_for_the_answers_to_the_last() -> None:
    found = pacing.answers(answered(0.05), "reconnect", 56)
    assert found is not None
    assert (found.days, round(found.ahead, 2)) == (8, 0.05)
    slow = PACED.model_copy(update={"stages": tuple(_delayed(one, "tailor", 20) for one in PACED.stages)})
    (one,) = pacing.of_program(slow, answered(0.05))
    assert one.name == "pacing-back-tailor"
    assert one.changes == (Change(("stages", "tailor", "delay", "at_least"), "20d", "8d"),)
    assert "80% had come within 8 days; tailor waits 20 at least" in one.why


def watched(chance: np.random.Generator, size: int, brought: float) -> pa.Table:
    """Decisions as `decisions.followed` has them: who orders often anyway is sent a message nine times in ten, the others once in ten."""
    often, could = chance.random(size) < 0.5, chance.random(size) < 0.8
    p = np.where(often, 0.9, 0.1) * could
    sent = chance.random(size) < p
    anyway, answers = chance.random(size) < np.where(often, 0.3, 0.05) * np.where(could, 1.0, 2.0), chance.random(size) < brought * sent
    day = np.where(answers, chance.integers(0, 10, size), np.where(anyway, chance.integers(0, 56, size), -1))
    return pa.table(
        {
            "stage": np.full(size, "reconnect"), "eligible": np.where(could, "plain|nothing", "nothing"),
            "arm": np.where(sent, "plain", "nothing"), "propensity": np.where(sent, p, 1 - p), "age": np.full(size, 56 * 86_400),
            "answer": pa.array(day * 86_400 + 60, mask=day < 0),
        }
    )  # fmt: skip


def test_customers_who_order_more_anyway_and_are_sent_more_do_not_show_as_answers() -> None:
    """200 shops where messages bring nothing: raw shares would be ahead by 20 in a hundred in each of them."""
    chance, engine, ahead = np.random.default_rng(21), ibis.duckdb.connect(), 0
    for _ in range(200):
        counted = engine.to_pyarrow(pacing.counts(ibis.memtable(watched(chance, 4_000, 0.0)), 56))
        ahead += pacing.answers(counted, "reconnect", 56) is not None
    assert ahead <= 5 + 3 * 5**0.5, "two standard errors on one side: 2.3 in a hundred"
    counted = engine.to_pyarrow(pacing.counts(ibis.memtable(watched(chance, 100_000, 0.10)), 56))
    found = pacing.answers(counted, "reconnect", 56)
    assert found is not None
    truth = 0.10 * (1 - (0.3 + 0.05) / 2)
    assert abs(found.ahead - truth) < 4 * found.error
    assert 0.002 < found.error < 0.006
    assert 7 <= found.days <= 10


def test_several_variants_are_an_average_one_by_how_often_each_was_drawn() -> None:
    both = {"eligible": "plain|light|nothing"}
    rows = [
        {**drawn("plain", 5, 300, 0.3), **both}, {**drawn("plain", 0, 300, 0.3), **both}, {**drawn("light", 5, 50, 0.1), **both},
        {**drawn("light", 0, 150, 0.1), **both}, {**drawn("nothing", 9, 240, 0.6), **both}, {**drawn("nothing", 0, 960, 0.6), **both},
    ]  # fmt: skip
    found = pacing.answers(pa.Table.from_pylist(rows), "reconnect", 56)
    assert found.ahead == pytest.approx(0.75 * 0.5 + 0.25 * 0.25 - 0.2)
    assert (found.orders, found.others) == (350, 240)


def _delayed(one: object, name: str, days: int) -> object:
    if getattr(one, "name", "") != name:
        return one
    delay = one.delay.model_copy(update={"at_least_days": days})
    return one.model_copy(update={"delay": delay})


def test_a_wait_that_is_about_right_stays() -> None:
    assert list(pacing.of_program(PACED, answered(0.05))) == [], "a week at least is near enough to 8 days"


def test_nothing_is_proposed_where_a_message_brings_no_more_orders_or_too_few_came() -> None:
    assert pacing.answers(answered(0.0), "reconnect", 56) is None
    assert pacing.answers(answered(0.05, each=150), "reconnect", 56) is None
    assert pacing.answers(answered(0.05), "tailor", 56) is None


def test_pauses_never_break_the_cap_on_messages() -> None:
    tight = PACED.model_copy(update={"caps": PACED.caps.model_copy(update={"gap_days": 15})})
    (one,) = pacing.of_program(tight.model_copy(update={"stages": tuple(_delayed(s, "tailor", 20) for s in tight.stages)}), answered(0.05))
    assert one.changes[0].after == "15d"


BAD, GOOD, OPEN = Interval(-90.0, -60.0, -30.0), Interval(10.0, 40.0, 70.0), CannotTell("not yet distinguishable from zero")


@pytest.mark.parametrize(
    ("margins", "touches"),
    [
        ({"closing": {"last_word": BAD}}, 2),
        ({"tailor": {"percent": BAD, "credit": BAD}, "closing": {"last_word": BAD}}, 1),
        ({"reconnect": {"plain": BAD}, "tailor": {"percent": BAD}, "closing": {"last_word": BAD}}, 1),
        ({"tailor": {"percent": BAD}, "closing": {"last_word": GOOD}}, None),
        ({"closing": {"last_word": OPEN}}, None),
        ({"tailor": {"percent": BAD, "credit": OPEN}}, None),
        ({}, None),
    ],
)
def test_messages_that_harm_are_dropped_from_the_end_and_one_always_stays(
    margins: dict[str, dict[str, Interval | CannotTell]], touches: int | None
) -> None:
    found = of_caps(PACED, margins, "EUR")
    assert (found.changes[0].after if found else None) == touches
    if found:
        assert found.changes[0] == Change(("caps", "touches"), 3, touches)
        assert "closing last_word -EUR 0.60 (-EUR 0.90 to -EUR 0.30)" in found.why
        assert "closing as well: no message is left for what comes after" in found.why, "check would refuse a stage that is not reached"


def test_a_change_is_read_as_it_would_be_written() -> None:
    assert str(Change(("caps", "touches"), 3, 2)) == "caps.touches: 2 (now 3)"
    assert str(Change(("value_tiers",), None, {"over": "730d", "high": 69.84})) == "value_tiers: {over: 730d, high: 69.84} (now not set)"
