"""Whether offers are worth as much to one group as to the rest: published tables, a second implementation, simulated truths."""

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
import tea_tasting as tt
import tea_tasting.aggr

from rekindle.decide.fairness import OTHERS, Moments, Verdict, disparity, judged, require, verdicts
from rekindle.errors import CannotTell, Refused
from rekindle.insight.models import Interval
from tests.decide.shop import RECONNECT, TAILOR, Decider, customer, program, rules
from tests.decide.shop import ROWS as PROFILE

ROWS = ibis.schema(
    {"customer_id": "string", "program": "string", "arm": "string", "reason": "string", "offer_value": "int64", "service": "boolean"}
)
BOUND = {"groups": ["country"], "disparity_at_most": 0.25, "least": 20}
Row = dict[str, Any]


def moments(values: list[int] | np.ndarray) -> Moments:
    worth = [int(value) for value in values]
    return Moments(len(worth), sum(value > 0 for value in worth), sum(worth), sum(value * value for value in worth))


def share(mine: Moments, rest: Moments) -> Interval:
    found = disparity(mine, rest)
    assert isinstance(found, Interval)
    return found


def yes(of: int, all_: int) -> Moments:
    """Shares: everyone with a yes is worth 1."""
    return Moments(all_, of, of, of)


def test_the_physicians_of_agresti() -> None:
    """Agresti, Categorical Data Analysis, aspirin and heart attacks: 189 of 11,034 and 104 of 11,037, ratio 1.82 (1.43 to 2.30)."""
    found = share(yes(104, 11_037), yes(189, 11_034))
    ratio = [1 / (1 - one) for one in (found.low, found.estimate, found.high)]
    assert ratio == pytest.approx([1.43, 1.82, 2.30], abs=0.006)


def test_the_four_fifths_rule() -> None:
    """Questions and answers on the Uniform Guidelines (44 FR 11996, 1979): 48 of 80 and 12 of 40 are hired; one rate is half the other."""
    assert share(yes(12, 40), yes(48, 80)).estimate == 0.5


@pytest.mark.parametrize("seed", range(4))
def test_the_interval_of_another_implementation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    some, most = (rng.choice([0, 300, 400, 1_000], size, p=[0.6, 0.2, 0.1, 0.1]) for size in (150 + 50 * seed, 900))
    kept = [tea_tasting.aggr.Aggregates(count_=len(one), mean_={"x": one.mean()}, var_={"x": one.var(ddof=1)}) for one in (most, some)]
    other = tt.Mean("x", use_t=False, equal_var=False).analyze_aggregates(*kept)
    ends = sorted((other.rel_effect_size_ci_lower, other.rel_effect_size_ci_upper))
    found = share(moments(some), moments(most))
    if some.mean() > most.mean():  # of the larger, the rest is the base there
        ends = sorted(1 / (1 + one) - 1 for one in ends)
    assert found.high == pytest.approx(max(-ends[0], 1 - 1 / (1 + ends[1])), abs=1e-6)
    assert found.low == pytest.approx(max(0.0, -ends[1]), abs=1e-6)


@pytest.mark.parametrize("truth", [0.0, 0.3, 0.6])
def test_the_interval_holds_the_truth_19_times_in_20(truth: float) -> None:
    rng, held, tries = np.random.default_rng(int(truth * 10)), 0, 600
    for _ in range(tries):
        crowds = ((400, 0.3 * (1 - truth)), (2_000, 0.3))
        worth = [rng.gamma(4.0, 100, size).round() * (rng.random(size) < chance) for size, chance in crowds]
        found = share(moments(worth[0]), moments(worth[1]))
        held += found.low <= truth <= found.high
    assert 0.93 < held / tries < 0.97


def test_a_group_that_gets_nothing_at_all() -> None:
    """By hand: of 40 of whom nobody has it, at most 8.8 % would, at the 10 that it is worth to others; they have 6 on average."""
    found = share(Moments(40, 0, 0, 0), Moments(100, 60, 600, 6_000))
    assert (found.low, found.estimate, found.high) == (pytest.approx(1 - 0.0881 * 10 / 6, abs=1e-3), 1.0, 1.0)
    assert isinstance(disparity(Moments(40, 0, 0, 0), Moments(100, 0, 0, 0)), CannotTell)


def test_no_share_is_below_nothing_or_above_all() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        first, second = (rng.choice([0, 1, 500], int(size), p=[0.9, 0.05, 0.05]) for size in rng.integers(2, 60, 2))
        found = disparity(moments(first), moments(second))
        if isinstance(found, Interval):
            assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_which_way_and_how_sure_the_words_say() -> None:
    groups = {"DE": moments([100] * 300 + [0] * 100), "FR": moments([100] * 60 + [0] * 140)}
    german, french = judged("country", groups, 100, 0.25)
    assert (german.passed, french.passed) == (False, False)  # more than the rest is as unfair as less
    assert french.words == "offers to customers with country FR are worth 60 % less than to others, as a share of the larger (50 to 68 %)"
    assert german.words == "offers to customers with country DE are worth 60 % more than to others, as a share of the larger (50 to 68 %)"
    assert [one.passed for one in judged("country", groups, 100, 0.51)] == [True, True]  # 60 %, but perhaps 50


def test_too_few_customers_are_no_verdict() -> None:
    one, other = judged("country", {"DE": moments([100] * 99), "FR": moments([0] * 500)}, 100, 0.25)
    assert (one.passed, other.passed) == (True, True)
    assert one.words == "customers with country DE: fewer than 100 customers in it, or in all other groups"


def test_the_door_is_closed_with_words() -> None:
    fine = Verdict("country", "DE", 200, 10.0, 10.0, Interval(0.0, 0.02, 0.1), passed=True)
    require([fine])
    require([])
    worse = Verdict("country", "FR", 200, 6.0, 10.0, Interval(0.3, 0.4, 0.5), passed=False)
    with pytest.raises(Refused, match=r"country FR are worth 40 % less .*30 to 50 %\): more than the rules allow\. Look at") as one:
        require([fine, worse])
    assert one.value.exit_code == 4
    with pytest.raises(Refused, match="and 1 more of the groups differ so"):
        require([worse, fine, worse])


def found(decider: Decider, rows: list[Row], countries: dict[str, str | None], **changes: object) -> dict[str, Verdict]:
    table = decider.warehouse.keep(pa.Table.from_pylist(rows, schema=ROWS.to_pyarrow()))
    known = [{"customer_id": name, "country": country} for name, country in countries.items()]
    profile = decider.warehouse.keep(pa.Table.from_pylist(known, schema=pa.schema({"customer_id": pa.string(), "country": pa.string()})))
    return {one.group: one for one in verdicts(decider.warehouse, table, profile, rules(fairness={**BOUND, **changes}))}


def row(name: str, value: int | None, arm: str | None = "x", reason: str | None = None, service: bool = False) -> Row:
    return {"customer_id": name, "program": "p", "arm": arm, "reason": reason, "offer_value": value, "service": service}


def test_what_counts_for_a_customer(shared_decider: Decider) -> None:
    names = [f"c{number:02d}" for number in range(40)]
    rows = [row(name, 100) for name in names]
    rows += [
        row("c00", 50), row("c01", 900, "nothing"), row("c02", 900, reason="price_cap_reached"), row("c03", 900, service=True),
        row("c04", None), row("d00", 0, None, "no_variant"), *(row(f"e{number}", 900, None, "held_out") for number in range(30)),
    ]  # fmt: skip
    rows += [row(f"d{number:02d}", 100) for number in range(1, 40)]
    verdict = found(shared_decider, rows, {**dict.fromkeys(names, "DE"), **dict.fromkeys([f"e{number}" for number in range(30)], "DE")})
    assert (verdict["DE"].customers, verdict["DE"].worth) == (40, 101.25)
    assert (verdict["unknown"].customers, verdict["unknown"].worth) == (40, 97.5)
    assert set(verdict) == {"DE", "unknown"}


def test_small_groups_are_looked_at_together(shared_decider: Decider) -> None:
    countries = {f"c{number:03d}": country for number, country in enumerate(["DE"] * 60 + ["FR"] * 19 + ["AT"] * 12 + ["CH"] * 20)}
    verdict = found(shared_decider, [row(name, 100) for name in countries], countries)
    assert {name: one.customers for name, one in verdict.items()} == {"DE": 60, "CH": 20, OTHERS: 31}


@pytest.mark.parametrize("seed", range(2))
def test_random_plans_a_second_time(shared_decider: Decider, seed: int) -> None:
    """Moments by hand from single customers; and a plan that gives one country less is refused, one that is fair is not."""
    rng = np.random.default_rng(seed)
    countries = {f"c{number:04d}": str(rng.choice(["DE", "FR", "IT"])) for number in range(900)}
    chance = {"DE": 0.4, "FR": 0.4, "IT": 0.4 if seed else 0.1}
    rows = [row(name, int(rng.gamma(4, 100)) if rng.random() < chance[country] else 0) for name, country in countries.items()]
    rows += [row(str(rng.choice(list(countries))), int(rng.gamma(4, 100)), program) for program in ("x", "nothing") for _ in range(50)]
    worth = dict.fromkeys(countries, 0)
    for one in rows:
        worth[one["customer_id"]] += one["offer_value"] if one["arm"] != "nothing" else 0
    groups = {name: moments([worth[who] for who, country in countries.items() if country == name]) for name in chance}
    verdict = found(shared_decider, rows, countries)
    assert list(verdict.values()) == list(judged("country", groups, 20, 0.25))
    assert verdict["IT"].passed is bool(seed)


def test_a_plan_that_leaves_a_country_out_is_refused(decider: Decider) -> None:
    """Through the planner: the credit is for one country alone, the other gets a reminder."""
    arms = {"credit": {**TAILOR["arms"]["credit"], "when": "country == 'DE'"}, "plain": RECONNECT["arms"]["plain"]}
    mine = program("again", stages={"tailor": {**TAILOR, "arms": arms}})
    people = [customer(f"c{number:03d}", country="DE" if number % 2 else "FR", orders=5) for number in range(120)]
    deciding = decider.with_documents(mine, fairness=BOUND)
    made = deciding.plan(31, people)
    profile = decider.warehouse.keep(pa.Table.from_pylist(people, schema=PROFILE.to_pyarrow()))
    judgement = verdicts(decider.warehouse, made.rows, profile, deciding.documents.rules)
    assert {(one.group, one.passed) for one in judgement} == {("DE", False), ("FR", False)}
    with pytest.raises(Refused, match=r"offers to customers with country DE are worth 100 % more than to others"):
        require(judgement)


def test_nothing_is_looked_at_unless_the_rules_say_so(shared_decider: Decider) -> None:
    table = shared_decider.warehouse.keep(pa.Table.from_pylist([row("a", 1)], schema=ROWS.to_pyarrow()))
    assert verdicts(shared_decider.warehouse, table, ibis.memtable(pa.table({"customer_id": ["a"]})), rules()) == ()
    assert customer("a")["country"] == "DE"
