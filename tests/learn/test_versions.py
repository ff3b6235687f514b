"""A version of the table of chances: what it changes, the text that is kept of it, what it is expected to do, and its page."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from rekindle.decide.policy import Policy, equal_chance
from rekindle.errors import BadData, CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.evidence import Evidence
from rekindle.learn.policy_terms import Terms
from rekindle.learn.report.figures import Figures
from rekindle.learn.versions import Change, Evident, Outlook, Standing, Version, changes, read, render_page, write
from rekindle.learn.versions.facts import Judged
from rekindle.learn.versions.outlook import outlook
from rekindle.moment import AsOf
from tests.decide.shop import program

PROGRAM = program()
ARMS = ("plain", "lesson", "light", "nothing")
EQUAL = equal_chance((PROGRAM,))
AT = datetime(2026, 3, 2, tzinfo=UTC)
TABLE = Policy("learning", tuple(("back", "reconnect", "high/other", arm, 0.7 if arm == "plain" else 0.1) for arm in ARMS))
STANDING = Standing("It is proposed.", "rekindle policy approve x")
KNOWN = Evident(420, 61, Interval(-10.0, 120.0, 250.0), 0.83, "brings EUR 1.20 a decision here", 300)
VERSION = Version(
    TABLE, "learning", AT, EQUAL.version, changes(EQUAL, TABLE, (PROGRAM,)), {("back", "reconnect", "high/other", "plain"): KNOWN},
    Outlook(30, 95_000.0, 12_345.0, 10_000.0, Interval(0.0, 50_000.0, 90_000.0), Interval(0.0, 40_000.0, 80_000.0),
            Interval(-5_000.0, 10_000.0, 25_000.0)),
    {("back", "reconnect"): 0.4, ("back", "tailor"): CannotTell("no decision of this stage has been drawn yet")},
    (Judged("back", "reconnect", Interval(1.0, 2.0, 3.0), CannotTell("too few"), CannotTell("too few")),), ("the budget is short",),
)  # fmt: skip


def page(version: Version = VERSION) -> str:
    return render_page(version, STANDING, "Corner & Sons", Figures("EUR", "en"), AsOf(AT, "UTC"))


def test_changes_are_those_of_the_contexts_that_either_table_names() -> None:
    found = changes(EQUAL, TABLE, (PROGRAM,))
    assert {(one.stage, one.context) for one in found} == {
        ("reconnect", "high/other"), ("reconnect", "*"), ("tailor", "*"), ("closing", "*"),
    }  # fmt: skip
    assert [one.after for one in found if one.context == "high/other"] == [0.7, 0.1, 0.1, 0.1]
    assert [one.arm for one in found if one.differs] == list(ARMS), "other contexts have equal chances in both"
    assert VERSION.differing[0] == Change("back", "reconnect", "high/other", "plain", 0.25, 0.7)


def test_what_is_kept_is_read_back_whole() -> None:
    assert read(write(VERSION)) == replace(VERSION, policy=replace(TABLE, rows=tuple(sorted(TABLE.rows))))
    untold = replace(VERSION, outlook=CannotTell("nobody came due"))
    assert read(write(untold)).outlook == CannotTell("nobody came due")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [('"plain": 0.7', '"plain": 0.6', "sum to 0.9000"), ("high/other", "mid/other", "was changed after it was kept"),
     ('"way"', '"weigh"', "cannot be read"), ("{", "", "cannot be read")],
)  # fmt: skip
def test_a_text_that_was_changed_is_no_version(old: str, new: str, said: str) -> None:
    with pytest.raises(BadData, match=said):
        read(write(VERSION).replace(old, new, 1) if old != "high/other" else write(VERSION).replace(old, new))


def test_the_page_loads_nothing_and_says_what_matters() -> None:
    text = page()
    assert [word for word in ("src=", "<script", "http://", "https://", "url(") if word in text] == []
    words = re.sub(r"<[^>]+>", " ", text)
    for said in (
        "Corner &amp; Sons", "the chance of “plain” goes from 25 % to 70 %", "420", "61", "brings EUR 1.20 a decision here",
        "EUR 123.45", "EUR 950.00", "no decision", "The budget is short", "cannot tell: too few", "rekindle policy approve x",
        TABLE.version,
    ):  # fmt: skip
        assert re.search(re.escape(said), re.sub(r"\s+", " ", words), re.IGNORECASE), said
    assert page() == text


def test_the_page_of_a_version_that_changes_nothing() -> None:
    same = replace(VERSION, changes=changes(EQUAL, EQUAL, (PROGRAM,)), evidence={}, outlook=CannotTell("nobody came due"), value=())
    text = page(same)
    assert "The new table changes none of 9 chances." in text
    assert "Nobody came due." in text
    assert "Nothing has been seen yet" in text


def test_an_outlook_is_the_chances_times_what_is_known() -> None:
    """1,000 customers of one context; `plain` brings 100 more for certain and costs 10, `light` costs 50 and brings nothing."""
    shape, brought = (1, 4), np.array([[300.0, 200.0, 200.0, 200.0]])
    decisions = np.full(shape, 50_000.0)
    evidence = Evidence(
        program="back", stage="reconnect", contexts=("high/other",), arms=ARMS, decisions=decisions, exposure=decisions,
        total=brought * decisions, squares=brought**2 * decisions + 2_500.0 * decisions, orders=decisions / 10,
        candidates=np.array([1_000.0]), cost=np.array([[10.0, 5.0, 50.0, 0.0]]), allowed=np.ones(shape), prior_mean=np.zeros(4),
        prior_sd=np.array([100.0, 100.0, 100.0, 0.0]), channels=("email", "email", "email", ""),
    )  # fmt: skip
    found = outlook((EQUAL, TABLE), (PROGRAM,), (evidence,), Terms(budget=40_000.0), 30)
    assert isinstance(found, Outlook)
    assert found.spend_before == pytest.approx(1_000 * (10 + 5 + 50) / 4)
    assert found.spend == pytest.approx(1_000 * (0.7 * 10 + 0.1 * 5 + 0.1 * 50))
    assert found.gain_before.estimate == pytest.approx(25_000.0, rel=0.05)
    assert found.gain.estimate == pytest.approx(70_000.0, rel=0.05)
    assert found.more.low < found.gain.estimate - found.gain_before.estimate < found.more.high
    assert found.more.low > 40_000.0
    assert outlook((EQUAL, TABLE), (PROGRAM,), (), Terms(), 30) == CannotTell("no decision has been drawn yet")
