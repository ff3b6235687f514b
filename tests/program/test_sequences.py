"""What is wrong in the order of stages: no way leads to one, none in the time that a round lasts, branches that lead nowhere."""

import pytest

from rekindle.program.sequence_contracts import earliest, fewest_messages, of_sequence
from rekindle.program.stages import Stage
from tests.decide.shop import program
from tests.decide.test_moments import EXIT, stage

Row = dict[str, object]
CAPS: Row = {"touches": 9, "gap": "7d", "duration": "30d"}


def made(klass: str = "marketing", trigger: str = "order", **changes: object) -> object:
    """Three stages, five days apart; the gap makes seven of them."""
    stages = {"one": stage("a"), "two": stage("b", 5), "three": stage("c", 5)}
    changes.setdefault("stages", stages)
    return program(**{"class": klass, "trigger": {"on": trigger}, "exit": EXIT, "caps": CAPS, **changes})


def with_branches(branches: dict[str, Row], **more: object) -> dict[str, object]:
    return {"one": stage("a", branches=branches), "two": stage("b", 5), "three": stage("c", 5), **more}


def found(one: object) -> list[tuple[str, str]]:
    return [(".".join(map(str, mistake.path)), mistake.rule) for mistake in of_sequence(one)]


def test_the_usual_way_takes_its_delays_and_the_gap() -> None:
    assert earliest(made(), None) == {"one": 0, "two": 7, "three": 14}
    assert earliest(made("service"), None) == {"one": 0, "two": 5, "three": 10}, "nothing keeps service messages apart"
    assert found(made()) == []


@pytest.mark.parametrize(("duration", "rules"), [("15d", []), ("14d", [("caps.duration", "duration-too-short")])])
def test_a_round_must_last_beyond_its_last_stage(duration: str, rules: list[tuple[str, str]]) -> None:
    one = made(caps={**CAPS, "duration": duration})
    assert found(one) == rules
    assert [mistake.remedy for mistake in of_sequence(one)] == ["Write at least 15d, or shorten the delays."][: len(rules)]


def test_a_cohorts_own_delay_must_fit_too() -> None:
    late = {"two": {"delay": {"rhythm": 0.0, "at_least": "25d"}}}
    assert found(made(variants={"long_inactive": late})) == [("variants.long_inactive", "duration-too-short")], "three comes on day 32"
    later = {"two": {"delay": {"rhythm": 0.0, "at_least": "40d"}}}
    assert found(made(variants={"long_inactive": later})) == [
        ("variants.long_inactive.two.delay", "duration-too-short"), ("variants.long_inactive", "duration-too-short"),
    ]
    skipping = {"two": {"skip": True}, "three": {"delay": {"rhythm": 0.0, "at_least": "29d"}}}
    assert found(made(variants={"long_inactive": skipping})) == []


def test_a_branch_must_not_wait_longer_than_the_round() -> None:
    branch: dict[str, Row] = {"clicked": {"to": "three", "after": "30d"}}
    assert found(made(stages=with_branches(branch))) == [("stages.one.branches.clicked.after", "duration-too-short")]
    assert found(made(stages=with_branches({"clicked": {"to": "three", "after": "29d"}}))) == []


def test_a_category_must_be_used_up_before_the_round_is_over() -> None:
    uses: Row = {"rhythm": 0.0, "at_least": "5d", "by_category": {"Tea": "22d", "Sofas": "23d"}}
    stages = {"one": stage("a"), "two": stage("b", 5), "three": {**stage("c"), "delay": uses}}
    assert found(made(stages=stages)) == [("stages.three.delay.by_category.Sofas", "duration-too-short")]
    capped = {**stages, "three": {**stage("c"), "delay": {**uses, "at_most": "20d"}}}
    assert found(made(stages=capped)) == []
    first = {"one": {**stage("a"), "delay": {"rhythm": 0.0, "by_category": {"Sofas": "300d"}}}}
    assert found(made(stages=first)) == [], "before the first stage no round has begun"


@pytest.mark.parametrize("to", ["one", "two"])
def test_a_branch_leads_to_no_stage_of_before_nor_to_its_own(to: str) -> None:
    stages = {"one": stage("a"), "two": stage("b", 5, branches={"ignored": {"to": to}}), "three": stage("c", 5)}
    assert found(made(stages=stages)) == [("stages.two.branches.ignored.to", "branch-back")]


def test_where_every_outcome_branches_what_follows_is_reached_by_branches_alone() -> None:
    every = {"clicked": {"to": "three"}, "ignored": {"to": "three"}, "bought": {"to": "end"}}
    assert found(made("service", stages=with_branches(every))) == [("stages.two", "stage-unreached")]
    assert found(made(stages=with_branches(every))) == [], "who was drawn to hear nothing takes the usual way"
    itself = {"clicked": {"to": "one"}, "ignored": {"to": "one"}, "bought": {"to": "one"}}
    rules = found(made("service", stages=with_branches(itself)))
    assert [rule for _, rule in rules] == ["branch-back"] * 3 + ["stage-unreached"] * 2
    ends_by_order = {"clicked": {"to": "three"}, "ignored": {"to": "three"}}
    assert found(made("service", stages=with_branches(ends_by_order), exit=["order", "erasure"])) == [("stages.two", "stage-unreached")]


def test_a_first_stage_must_be_for_somebody_who_enters() -> None:
    first = {"one": stage("a", only_if="lifecycle == 'prospect'"), "two": stage("b", 5)}
    assert found(made(stages=first)) == [("stages.one.only_if", "stage-unreached")], "the audience is lapsing or lapsed"
    later = {"one": stage("a"), "two": stage("b", 5, only_if="lifecycle == 'prospect'"), "three": stage("c", 5)}
    assert found(made(stages=later)) == [], "who has entered may have changed since"


def test_stages_that_are_passed_over_take_no_time() -> None:
    some = {"one": stage("a"), "two": stage("b", 25, only_if="orders > 5"), "three": stage("c", 5)}
    assert found(made(stages=some)) == []
    assert earliest(made(stages=some), None) == {"one": 0, "two": 25, "three": 7}


def test_every_outcome_has_a_branch_of_its_own() -> None:
    every: dict[str, Row] = {name: {"to": "three"} for name in ("bought", "clicked", "ignored", "complained")}
    assert found(made(stages=with_branches(every))) == []
    assert Stage.model_validate({"(name)": "x", **stage("a", branches=every)}).branches.keys() == every.keys()
    assert found(made(stages=with_branches(every), exit=["order", *EXIT])) == [("stages.one.branches.bought", "branch-never")]


@pytest.mark.parametrize(
    ("stages", "variants", "touches", "severity"),
    [
        ({}, {}, 3, None),
        ({}, {}, 2, "error"),
        ({"two": stage("b", 5, only_if="orders > 5")}, {}, 2, "warning"),
        ({"two": stage("b", 5, only_if="orders > 5")}, {}, 1, "error"),
        ({"one": stage("a", branches={"clicked": {"to": "three"}})}, {}, 2, "warning"),
        ({"one": stage("a", branches={"clicked": {"to": "three"}})}, {}, 1, "error"),
        ({}, {"long_inactive": {"two": {"skip": True}}}, 2, "warning"),
        ({}, {"long_inactive": {"one": {"skip": True}, "two": {"skip": True}}}, 1, "error"),
    ],
)
def test_a_stage_that_comes_after_the_last_message_on_every_way_is_an_error(
    stages: dict[str, object], variants: dict[str, object], touches: int, severity: str | None
) -> None:
    usual = {"one": stage("a"), "two": stage("b", 5), "three": stage("c", 5)}
    one = made(stages=usual | stages, variants=variants, caps={**CAPS, "touches": touches})
    assert [(mistake.rule, mistake.severity) for mistake in of_sequence(one)] == ([("stage-unreached", severity)] if severity else [])


def test_the_fewest_messages_before_a_stage_are_those_of_the_shortest_way() -> None:
    assert fewest_messages(made()) == {"one": 0, "two": 1, "three": 2}
    assert fewest_messages(made(variants={"long_inactive": {"two": {"skip": True}}})) == {"one": 0, "two": 1, "three": 1}
