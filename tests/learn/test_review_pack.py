"""The review's page: hostile names do no harm, what is late and behind is said, and the same facts give the same bytes."""

from dataclasses import replace
from datetime import UTC, date, datetime

from rekindle.insight.models import Interval
from rekindle.learn.review_pack import AuditRow, BlockerRow, Level, PackFacts, ProgramPart, ReviewRow, render_pack
from rekindle.learn.scorecard import judged
from rekindle.moment import AsOf
from rekindle.program.targets import Target

EVIL = '<script>alert("x")</script>'
AS_OF = AsOf(datetime(2026, 12, 1, tzinfo=UTC), "UTC")
TARGET = Target.model_validate(
    {"(name)": "win_back_margin", "metric": "incremental_margin", "program": "win-back", "owner": EVIL, "expect": [0.0, 2.0]}
)
LEVEL = Level("Goods of an order", "EUR 52.00", "EUR 50.00", None, "+4.0 % (-2.0 to +10.0), not yet distinguishable from the baseline")
FACTS = PackFacts(
    shop=EVIL, currency="EUR", locale="en", as_of=AS_OF, since=date(2026, 11, 1), simulated=False,
    levels=(Level("Orders", "705", "485", 0.45), Level("Margin", "EUR 9", "", None), LEVEL),
    baseline="the baseline of then",
    programs=(
        ProgramPart("win-back", EVIL, 154, 2, 1, EVIL, f"paused: {EVIL}"), ProgramPart("thank-you", "Ada", 0, 0, 0, "none", "running"),
    ),
    targets=(judged(TARGET, "2026-Q4", Interval(-2.0, -1.0, -0.5), None, date(2026, 11, 30)),), learned=(EVIL,), proposed=(EVIL,),
    reviews=(ReviewRow("win-back", "Ada", date(2026, 11, 1), "past its grace", None, EVIL),),
    blockers=(BlockerRow(7, EVIL, "operations", "", "Bo", date(2026, 11, 30)), BlockerRow(8, "later", "data", "", "Bo", date(2026, 12, 1))),
    functions={"support": (EVIL,)}, audit=AuditRow(date(2026, 11, 2), "ab12cd34ef56", (EVIL,), ""),
)  # fmt: skip


def test_no_name_becomes_markup() -> None:
    page = render_pack(FACTS)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 10
    assert page == render_pack(FACTS)


def test_what_is_late_behind_and_not_signed_is_said() -> None:
    page = render_pack(FACTS)
    said = (
        "0 of 1 target on track, 1 behind",
        "A lift is of the rounds whose window ended in the quarter, and of no others.",
        "+4.0 % (-2.0 to +10.0), not yet distinguishable from the baseline; EUR 50.00 in the baseline",
        "Reviews are overdue.", "past its grace", "30 November 2026, late", "1 December 2026<",
        "It waits for a sign-off", "less than is expected at least", "+45 %, 485 in the baseline", "2 blockers are open",
        "nothing to compare with yet", "154 messages went out, by 1 program",
    )
    for words in said:
        assert words in page, words


def test_a_quiet_month_says_so() -> None:
    quiet = replace(
        FACTS, targets=(), learned=(), proposed=(), reviews=(), blockers=(), functions={}, audit=None, programs=(), baseline=""
    )
    page = render_pack(quiet)
    for words in ("No target is written down", "Nothing new can be said yet", "Nothing waits for a decision", "Nothing is in the way",
                  "No audit was made yet", "No baseline is frozen"):
        assert words in page, words
