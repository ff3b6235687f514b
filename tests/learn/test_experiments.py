"""A planned comparison: what counts, when it is looked at, when it may stop, how often it errs, and what it teaches the next."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide import due as due_rounds
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.learn import outcomes
from rekindle.learn.experiment_words import design, found_words, headline, shown
from rekindle.learn.experiments import Gathered, Reading, detectable, due, gathered, look, read, share_of, written
from rekindle.learn.learnings import Learning, repeats
from rekindle.learn.sequential import boundaries
from rekindle.program.experiments import Experiment
from tests.decide.shop import SHOP, Decider, documents, instant, program
from tests.insight.histories import order, write

PROGRAM = program(goal={"metric": "incremental_margin", "horizon": "28d"})
HYPOTHESIS = "Free delivery brings more orders than a lesson."


def experiment(**changed: object) -> Experiment:
    said = {
        "experiment": "delivery", "owner": "Ada", "hypothesis": HYPOTHESIS, "program": "back", "stage": "reconnect", "arms": ("light",),
        "against": "lesson", "size": 400,
    } | changed  # fmt: skip
    return Experiment.model_validate(said)


def cells(outcomes_by_arm: dict[str, np.ndarray], p: float = 1 / 3, young: int = 0) -> Gathered:
    rows = [
        {"policy": "experiment-1", "context": "mid/other", "eligible": "lesson|light|plain|nothing", "arm": arm, "propensity": p,
         "decisions": len(values), "total": float(values.sum()), "squares": float((values**2).sum())}
        for arm, values in outcomes_by_arm.items()
    ]  # fmt: skip
    return Gathered({arm: len(values) for arm, values in outcomes_by_arm.items()}, young, pa.Table.from_pylist(rows))


def margins(chance: np.random.Generator, size: int, more: float = 0.0) -> np.ndarray:
    return np.where(chance.random(size) < 0.3, chance.gamma(2.0, 1_000.0, size), 0.0) + more


def taken(chance: np.random.Generator, more: float, one: Experiment) -> list[Reading]:
    """Looks as they fall due while decisions come in, until it may stop."""
    values = {"light": margins(chance, one.size, more), "lesson": margins(chance, one.size), "nothing": margins(chance, one.size)}
    found: list[Reading] = []
    for share in np.arange(0.05, 1.0001, 0.05):
        so_far = cells({arm: every[: round(share * one.size)] for arm, every in values.items()})
        number = due(one, so_far, found[-1].number if found else 0)
        if number is not None:
            found.append(look(one, so_far, number, [past.share for past in found]))
            if found[-1].over:
                break
    return found


def test_looks_come_evenly_and_each_once() -> None:
    one = experiment(size=400, looks=4)
    ramp = {count: due(one, cells({"light": np.ones(count), "lesson": np.ones(500)}), 0) for count in range(0, 401, 50)}
    assert ramp == {0: None, 50: None, 100: 1, 150: 1, 200: 2, 250: 2, 300: 3, 350: 3, 400: 4}
    half = cells({"light": np.ones(200), "lesson": np.ones(200)})
    assert due(one, half, 2) is None, "a look that was taken is not taken again"
    assert due(one, half, 1) == 2
    assert share_of(one, cells({"light": np.ones(900), "lesson": np.ones(800)})) == 1.0


def test_it_is_the_arm_with_fewest_decisions_that_counts() -> None:
    assert share_of(experiment(), cells({"light": np.ones(400), "lesson": np.ones(100), "nothing": np.ones(4)})) == 0.25
    against_nothing = experiment(against="nothing")
    assert share_of(against_nothing, cells({"light": np.ones(400), "lesson": np.ones(1), "nothing": np.ones(200)})) == 0.5


def test_where_nothing_works_one_in_twenty_is_declared() -> None:
    chance = np.random.default_rng(8)
    ended = [taken(chance, 0.0, experiment(size=100))[-1].verdict for _ in range(400)]
    false = sum(one != "trial" for one in ended) / 400
    assert 0.02 < false < 0.08


def test_what_works_is_scaled_and_what_harms_retired_before_the_end() -> None:
    chance = np.random.default_rng(9)
    good, bad = (taken(chance, more, experiment(size=400)) for more in (500.0, -500.0))
    assert (good[-1].verdict, good[-1].winner.arm if good[-1].winner else "") == ("scale", "light")
    assert (bad[-1].verdict, bad[-1].winner) == ("retire", None)
    assert max(good[-1].number, bad[-1].number) < 4
    (one,) = good[-1].differences
    assert one.interval.low < 500 < one.interval.high
    assert one.interval.low > 0


def test_several_arms_share_the_chance_of_a_false_one() -> None:
    every = cells({arm: margins(np.random.default_rng(1), 400) for arm in ("light", "plain", "lesson")})
    alone, shared = (look(experiment(arms=arms), every, 4, [0.25, 0.5, 0.75]) for arms in (("light",), ("light", "plain")))
    assert shared.differences[0].bound > alone.differences[0].bound > 1.96
    assert len(shared.differences) == 2


def test_a_look_is_kept_as_it_was_read() -> None:
    reading = taken(np.random.default_rng(3), 100.0, experiment())[-1]
    assert read(written(reading)) == reading
    never = look(experiment(looks=40), cells({"light": np.ones(400) * np.arange(400), "lesson": np.arange(400.0)}), 1, [0.001])
    assert read(written(never)) == never


@pytest.mark.parametrize(("arms", "looks"), [(("light",), 4), (("light", "plain", "seller"), 4), (("light", "plain"), 1)])
def test_the_detectable_effect_before_launch_shows_four_times_in_five_by_its_own_rule(arms: tuple[str, ...], looks: int) -> None:
    """Paths of the score look by look, drawn; 40,000 of them err by 0.2 in a hundred."""
    chance, size, shares = np.random.default_rng(11), 400, np.arange(1, looks + 1) / looks
    before = cells({"plain": margins(np.random.default_rng(4), 3_000)}).cells
    spread = margins(np.random.default_rng(4), 3_000).std(ddof=1)
    drift = detectable(before, experiment(arms=arms, looks=looks, size=size)) / (spread * (2 / size) ** 0.5)
    score = np.cumsum(chance.normal(drift / looks, looks**-0.5, (40_000, looks)), axis=1)
    crossed = np.abs(score / shares**0.5) >= boundaries(tuple(shares), 0.05 / len(arms))
    assert crossed.any(axis=1).mean() == pytest.approx(0.8, abs=0.008)


def test_the_detectable_effect_at_a_look_crosses_its_bound_four_times_in_five() -> None:
    every = cells({arm: margins(np.random.default_rng(1), 400) for arm in ("light", "plain", "lesson")})
    for number, before in ((1, []), (4, [0.25, 0.5, 0.75])):
        for one in look(experiment(arms=("light", "plain"), size=400 if before else 1_600), every, number, before).differences:
            error = one.interval.high - one.interval.estimate
            assert one.detectable * one.bound / error - one.bound == pytest.approx(0.8416, abs=1e-4)


def test_the_detectable_effect_is_told_before_launch() -> None:
    before = cells({"plain": margins(np.random.default_rng(4), 3_000)}).cells
    spread = margins(np.random.default_rng(4), 3_000).std(ddof=1)
    assert detectable(before, experiment(size=400)) == pytest.approx(2.829 * spread * (2 / 400) ** 0.5, rel=1e-4)
    assert detectable(before.slice(0, 0), experiment()) is None


def test_the_words_say_no_more_than_is_known() -> None:
    reading = look(experiment(), cells({"light": np.tile([0.0, 900.0], 50), "lesson": np.tile([0.0, 880.0], 50)}), 1, [])
    said = found_words(experiment(), reading, "EUR")
    assert said.startswith("At look 1 of 4, 25% of the planned decisions. light: EUR 0.10 margin a decision more than lesson (")
    assert "100 against 100 decisions: not yet distinguishable from zero; EUR" in said
    assert found_words(experiment(), None, "EUR") == "It was ended before its first look: nothing is known."
    assert design(experiment(), "offer") == (
        "light against lesson in back, reconnect (offer varied), by margin, 400 decisions each, 4 looks"
    )
    assert shown(0.013, "retained", "EUR") == "+1.3 in a hundred ordered"


def learning(**changed: object) -> Learning:
    said = {
        "experiment": "earlier", "program": "back", "stage": "reconnect", "factor": "offer", "hypothesis": HYPOTHESIS, "design": "",
        "result": "", "decision": "trial", "scope": "all", "at": datetime(2026, 3, 2, tzinfo=UTC), "by": "Ada",
    } | changed  # fmt: skip
    return Learning(**said)


def test_an_experiment_that_repeats_one_is_told_so() -> None:
    place = learning(hypothesis="Something else entirely was believed")
    words = learning(program="welcome", stage="first")
    other = learning(stage="closing", hypothesis="Writing in the evening is better")
    found = repeats(experiment(), "offer", [place, words, other])
    assert [one.why for one in found] == ["the same factor (offer) in back, reconnect", "much the same words"]
    assert repeats(experiment(), "offer", [learning()])[0].why == "the same factor (offer) in back, reconnect and much the same words"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    def row(customer_id: str, day: int, drawn: str, **more: object) -> dict[str, object]:
        return {
            "customer_id": customer_id, "day": day, "arm": drawn, "context": "mid/other", "eligible": "plain|lesson|light|nothing",
            "policy": "experiment-1", "propensity": 0.25, "offer": "shipping" if drawn == "light" else None, **more,
        }  # fmt: skip

    with open_history("duckdb://history.duckdb", Path(tmp_path_factory.mktemp("experiments"))) as opened:
        Decider(opened, documents(PROGRAM)).remember(
            row("bought", 10, "light"), row("waits", 10, "lesson"), row("nothing", 10, "nothing"), row("other arm", 10, "plain"),
            row("before", 2, "light"), row("young", 30, "light"), row("later stage", 10, "percent", stage="tailor"),
            row("refused", 10, "light", arm=None, propensity=None, reason="no_consent"), row("thin", 10, "light", propensity=0.5),
        )
        bought = order("o1", "bought", instant(12).naive, 5_000)
        write(opened, {"orders": [bought, order("o2", "bought", instant(39).naive, 9_999), order("o3", "before", instant(12).naive, 1)]})
        yield opened


@pytest.mark.parametrize(("metric", "total"), [("spend", 5_000.0), ("orders", 1.0), ("retained", 1.0), ("margin", 2_000.0 - 1.0)])
def test_decisions_since_the_start_count_once_their_horizon_is_over(warehouse: Warehouse, metric: str, total: float) -> None:
    as_of = instant(50)
    past = due_rounds.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
    window = outcomes.Window(as_of, Decimal("0.4"), documents(PROGRAM).offers, SHOP)
    since = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=5)
    found = gathered(warehouse, past, PROGRAM, experiment(metric=metric), (since, window))
    assert found.counts == {"light": 2, "lesson": 1, "nothing": 1}
    assert found.young == 1
    assert {row["propensity"]: (row["decisions"], row["total"]) for row in found.cells.to_pylist() if row["arm"] == "light"} == {
        0.25: (1, total), 0.5: (1, -1.0 if metric == "margin" else 0.0),
    }


def test_a_headline_says_whether_it_may_stop() -> None:
    assert headline(experiment(), []) == "delivery: before its first look of 4"
    looks = taken(np.random.default_rng(9), 500.0, experiment(size=400))
    assert headline(experiment(), looks) == f"delivery: look {looks[-1].number} of 4, it may stop: scale"
    even = look(experiment(), cells({"light": np.arange(100.0), "lesson": np.arange(100.0)}), 1, [])
    assert headline(experiment(), [even]) == "delivery: look 1 of 4, not yet distinguishable from zero"
