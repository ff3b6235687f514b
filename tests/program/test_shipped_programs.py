"""The programs beside win-back: they pass their own check together, and are what docs/programs-shipped.md says they are."""

import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from rekindle.program import catalogue
from rekindle.program.checking import Question, examine
from rekindle.program.documents import Documents, Program
from tests.program.store import TODAY

PAGE = Path(__file__).parents[2] / "docs" / "programs-shipped.md"
MOMENTS = {
    "win-back": "lapse", "order-confirmation": "order", "delivery-late": "late_delivery", "delivery-arrived": "delivery",
    "thank-you": "order", "onboarding": "first_order", "review-request": "delivery", "satisfaction": "delivery", "replenishment": "run_out",
    "anniversary": "anniversary", "birthday": "birthday", "credit-reminder": "credit", "welcome-back": "comeback",
}
SERVICE = {"order-confirmation", "delivery-late", "delivery-arrived"}
IN_PEACE = "not open_ticket and not open_return"


@pytest.fixture(scope="module")
def documents() -> Documents:
    texts = {}
    for path in files(catalogue).iterdir():
        if path.name.endswith(".yaml"):
            text = path.read_text(encoding="utf-8").replace('owner: ""', "owner: Ada")
            text = re.sub(r"due: [0-9-]+", f"due: {TODAY}", text, count=1)
            texts[path.name] = re.sub(r"(valid_from|reviewed): [0-9-]+", rf"\1: {TODAY}", text).encode()
    examined = examine(texts, Question(approving=True, today=TODAY))
    assert examined.findings == ()
    assert examined.documents is not None
    return examined.documents


def test_there_is_one_for_every_moment(documents: Documents) -> None:
    assert {program.name: program.trigger.on for program in documents.programs} == MOMENTS
    assert {program.name for program in documents.programs if program.service} == SERVICE


def test_a_variant_is_one_programs_alone(documents: Documents) -> None:
    names = Counter(arm.name for program in documents.programs for stage in program.stages for arm in stage.arms)
    assert [name for name, times in names.items() if times > 1] == []


def test_news_of_an_order_withholds_nothing_and_gives_nothing(documents: Documents) -> None:
    for program in (one for one in documents.programs if one.service):
        (stage,) = program.stages
        (arm,) = stage.arms
        assert (arm.offer, arm.channel, program.control, program.audience.reenter.not_before_days) == ("none", "email", 0, 0)
        assert program.trigger.within_days <= 7, "old news is none"


def test_marketing_leaves_some_alone_and_ends_when_asked(documents: Documents) -> None:
    for program in (one for one in documents.programs if not one.service):
        assert program.control == 0.10
        assert {"opt_out", "pause", "complaint_opened", "return_opened", "erasure"} <= set(program.exit)
        assert {"why_you_got_this", "preferences_and_pause"} <= set(program.content_always)


def test_onboarding_is_in_order_and_once(documents: Documents) -> None:
    program = documents.program("onboarding")
    assert [stage.name for stage in program.stages] == ["welcome", "care", "easy_returns", "help", "second"]
    assert [stage.name for stage in program.stages if stage.offers.price] == ["second"]
    assert program.audience.reenter.not_before_days >= 3650
    assert "order" in program.exit
    delays = [stage.delay.at_least_days for stage in program.stages]
    in_a_month = [sum(1 for other in _days(delays) if day <= other < day + 30) for day in _days(delays)]
    assert max(in_a_month) <= documents.rules.caps.touches, "the store's cap alone would hold it back"


def _days(delays: list[int]) -> list[int]:
    return [sum(delays[: number + 1]) for number in range(len(delays))]


def test_a_review_is_asked_for_in_peace_and_thanked_for_whatever_it_says(documents: Documents) -> None:
    program = documents.program("review-request")
    (stage,) = program.stages
    assert "reviewed" in program.exit
    assert stage.hold_until is not None
    assert stage.hold_until.text == IN_PEACE
    assert {"review_ask", "reward_disclosure"} <= set(stage.content)
    given = {arm.name for arm in stage.arms if documents.offers[arm.offer].traits.card}
    assert given == {"ask_with_thanks"}
    assert all(arm.when is None for arm in stage.arms), "whom to thank must not depend on what is known of them"
    assert stage.delay.by_category["Garden"] > stage.delay.at_least_days > 0


def test_welcome_back_is_a_ladder_without_a_minimum_spend(documents: Documents) -> None:
    program = documents.program("welcome-back")
    rungs = [documents.offers[arm.offer].ladder for stage in program.stages for arm in stage.arms]
    assert [(rung.name, rung.rung) if rung else None for rung in rungs] == [None, ("welcome", 1), ("welcome", 2)]
    assert "order" not in program.exit, "the next order is the second rung's"
    for stage in program.stages:
        assert stage.only_if is not None, "who has lapsed again is win-back's"
        assert "lapsed" not in stage.only_if.text
        assert all(documents.offers[arm.offer].minimum_spend is None for arm in stage.arms)
    assert program.stage("rung_credit").offers.minimum_spend_at_most == 0
    assert program.caps.gap_days >= 14


def test_days_ahead(documents: Documents) -> None:
    assert {name: documents.program(name).trigger.ahead for name in ("replenishment", "credit-reminder", "anniversary", "birthday")} == {
        "replenishment": 7, "credit-reminder": 14, "anniversary": 0, "birthday": 0,
    }
    assert documents.program("birthday").trigger.within_days <= 2


def test_the_page_tells_each_of_them(documents: Documents) -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = {row[0]: row for row in re.findall(r"^\| \[([\w-]+)\]\(#[\w-]+\) \| [^|]+ \| (\w+) \| (\d) \|", page, re.MULTILINE)}
    assert rows == {one.name: (one.name, one.klass, str(len(one.stages))) for one in documents.programs}
    for program in documents.programs:
        section = page.partition(f"\n## {program.name}\n")[2].partition("\n## ")[0]
        assert [stage for stage in _stages(program) if f"`{stage}`" not in section] == []


def _stages(program: Program) -> list[str]:
    return [stage.name for stage in program.stages]
