"""What a lapsed cohort gets otherwise: other arms, another delay, a stage left out."""

from collections import Counter

import pytest

from tests.decide.shop import CLOSING, RECONNECT, TAILOR, Decider, customer, program

MAKE_GOOD = {**RECONNECT, "arms": {**RECONNECT["arms"], "make_good": {"offer": "shipping", "prior": {"mean": 0.02, "sd": 0.02}}}}
VARIED = program(
    stages={"reconnect": MAKE_GOOD, "tailor": TAILOR, "closing": CLOSING},
    variants={
        "one_bad_experience": {"reconnect": {"arms": {"only": ["plain"], "add": ["make_good"]}}, "tailor": {"skip": True}},
        "paused_high_potential": {"tailor": {"delay": {"rhythm": 0.0, "at_least": "7d"}}},
        "long_inactive": {"reconnect": {"arms": {"without": ["light", "lesson"]}}},
    },
)
COHORTS = ("one_bad_experience", "paused_high_potential", "long_inactive", "other", None)


def test_each_cohort_draws_among_its_own_arms(decider: Decider) -> None:
    decider = decider.with_documents(VARIED)
    made = decider.plan(0, [customer(f"{cohort}-{number}", lapsed_cohort=cohort) for cohort in COHORTS for number in range(30)])
    rows = decider.rows(made)
    assert {(row["cohort"], row["eligible"]) for row in rows} == {
        ("one_bad_experience", "plain|make_good|nothing"), ("paused_high_potential", "plain|lesson|light|nothing"),
        ("long_inactive", "plain|nothing"), ("other", "plain|lesson|light|nothing"), (None, "plain|lesson|light|nothing"),
    }
    for row in rows:
        names = set(row["eligible"].split("|"))
        assert names == {*VARIED.arms_for("reconnect", row["cohort"]), "nothing"}
        assert row["arm"] in names
        assert row["propensity"] == pytest.approx(1 / len(names))
    assert Counter(row["cohort"] for row in rows if row["arm"] == "make_good").keys() == {"one_bad_experience"}


def test_a_cohort_has_its_own_delay_and_leaves_out_a_stage(decider: Decider) -> None:
    """Days since the stage before and the stage that is due then, on the day before and on the day itself; the rhythm is 40 days."""
    decider = decider.with_documents(VARIED)
    waited = (6, 7, 9, 10, 13, 14, 19, 20)
    people = {f"{cohort}-{stage}-{days}": cohort for cohort in COHORTS for stage in ("reconnect", "tailor") for days in waited}
    past = ({"customer_id": name, "day": 30 - int(name.split("-")[2]), "stage": name.split("-")[1]} for name in people)
    decider.remember(*({**one, "arm": "percent" if one["stage"] == "tailor" else "plain"} for one in past))
    rows = decider.rows(decider.plan(30, [customer(name, lapsed_cohort=cohort) for name, cohort in people.items()]))
    due = {}
    for row in rows:
        _, stage, days = row["customer_id"].split("-")
        due.setdefault((row["cohort"], stage, row["stage"]), []).append(int(days))
    assert {key: sorted(days) for key, days in due.items()} == {
        ("one_bad_experience", "reconnect", "closing"): [20],
        ("one_bad_experience", "tailor", "closing"): [20],
        ("paused_high_potential", "reconnect", "tailor"): [7, 9, 10, 13, 14, 19, 20],
        ("paused_high_potential", "tailor", "closing"): [20],
        **{(cohort, "reconnect", "tailor"): [10, 13, 14, 19, 20] for cohort in ("long_inactive", "other", None)},
        **{(cohort, "tailor", "closing"): [20] for cohort in ("long_inactive", "other", None)},
    }
    assert {row["reason"] for row in rows} == {None}
