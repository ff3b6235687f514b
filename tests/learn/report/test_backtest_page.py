"""The page of a backtest says what the numbers say, needs nothing but itself, and escapes what a shop is called."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from rekindle.errors import CannotTell
from rekindle.insight.backtest import Backtest, Origin
from rekindle.insight.forecasts import Decile, Forecast
from rekindle.insight.models import Interval
from rekindle.insight.season import Season
from rekindle.learn.report.backtest_page import against_rule, render_backtest, season_effect, summary, verdict
from rekindle.learn.report.figures import Figures
from rekindle.moment import parse_as_of

SEASON = Season(date(2025, 6, 30), ((0.4, -0.2),), 900, 1e-9)
OFF = CannotTell("history covers 40 weeks")
EN, DE = Figures("EUR", "en"), Figures("EUR", "de")


def origin(day: str, expected: float, actual: int, season: Season | CannotTell = OFF) -> Origin:
    ratio = Interval(expected / actual * 0.95, expected / actual, expected / actual * 1.05) if actual else CannotTell("nobody ordered")
    share = Interval(0.1, 0.2, 0.3)
    tenths = tuple(Decile(20, at / 12 + 0.02, share) for at in range(10))
    earlier = CannotTell("nobody could be silent for 90 days then") if day < "2025-01-01" else parse_as_of("2024-07-01", "UTC")
    return Origin(
        parse_as_of(day, "UTC"), 200, expected, expected * 1.4, actual, ratio, season, Forecast(0.15, 0.46), Forecast(0.18, 0.52), earlier,
        Forecast(0.17, 0.5), tenths, tenths,
    )  # fmt: skip


def backtest(*origins: Origin, left_out: tuple[str, ...] = ()) -> Backtest:
    return Backtest(parse_as_of("2026-01-01", "UTC"), 26, "mbg-nbd", origins, left_out)


FOUND = backtest(origin("2024-10-01", 970, 1_000), origin("2025-03-01", 2_120, 2_000, SEASON))


@pytest.fixture(scope="module")
def page() -> str:
    return render_backtest(FOUND, "Corner", EN)


def text(page: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def test_the_summary_counts_what_was_expected_for_every_hundred() -> None:
    assert summary(FOUND) == "For every 100 orders that came, 97 to 106 had been expected"
    assert summary(backtest(origin("2025-03-01", 1_000, 1_000))) == "For every 100 orders that came, 100 had been expected"
    assert summary(backtest(origin("2025-03-01", 3, 0))) == "Too few orders came to compare with"
    assert verdict(backtest(origin("2025-03-01", 3, 0)), str) == "How far a total may be off is not known"


def test_the_page_says_what_was_expected_and_what_came(page: str) -> None:
    words = text(page)
    for said in (
        "For every 100 orders that came, 97 to 106 had been expected.", "went back to 2 earlier days", "970 expected, 1,000 came",
        "2,120 expected, 2,000 came", "1 October 2024: season off: history covers 40 weeks", "1 March 2025: season on: most orders around",
        "On 1 March 2025, the one day with a known season: 106 with its clock, 148 without",
        "A total was off by up to 6 %; who is likelier to order than whom is safer to go by.",
        "By both scores the model told better than “no order for 90 days” at 2 of 2 days",
        "1 October 2024: nobody could be silent for 90 days then.", "Rule at its best: Brier 0.1700", "17 % lower than the rule",
        "10 of 10", "As of 1 January 2026, UTC;",
    ):  # fmt: skip
        assert said in words
    assert page == render_backtest(FOUND, "Corner", EN)


def test_a_score_within_one_percent_is_about_equal() -> None:
    close = [Forecast(0.18 * share, 0.52 * share) for share in (0.989, 0.991, 1.009, 1.011)]
    many = backtest(*(replace(FOUND.origins[1], model=score) for score in close))
    assert against_rule(many).endswith(" at 1 of 4 days, and by one or both about equally well at 2")
    words = text(render_backtest(many, "Corner", EN))
    assert [words.count(said) for said in ("1 % lower than the rule", "about equal to the rule", "1 % higher than the rule")] == [4, 8, 4]


def test_several_days_with_a_season_give_the_ends_of_both_figures() -> None:
    several = backtest(*(replace(one, season=SEASON) for one in FOUND.origins))
    assert season_effect(several, str) == "On the 2 days with a known season: 97 to 106 with its clock, 136 to 148 without"


def test_a_simulated_shop_is_said_to_be_one(page: str) -> None:
    assert "Simulated." not in page
    assert "<strong>Simulated.</strong>" in render_backtest(FOUND, "Corner", EN, simulated=True)


def test_every_picture_is_drawn_twice_without_scripts_or_addresses(page: str) -> None:
    assert page.count("<svg") == 8  # totals, chances, two scores, each wide and narrow
    assert not re.search(r"<script|https?://|src=|@import|url\(", page)
    assert page.count('role="img"') == 8
    assert "default-src &#x27;none&#x27;" in page


@pytest.mark.parametrize("mark", ["var(--bar)", "var(--risk)", "var(--slowing)", "var(--lapsed)"])
def test_each_kind_of_mark_is_in_a_picture_and_in_a_legend(page: str, mark: str) -> None:
    assert re.search(rf'<path[^>]*fill="{re.escape(mark)}"', page)
    assert f"color:{mark}" in page


def test_without_a_season_fewer_origins_and_a_day_without_orders_are_said() -> None:
    page = render_backtest(backtest(origin("2025-03-01", 3, 0), left_out=("history is long enough for 1 of 4 origins",)), "Corner", EN)
    assert not re.search(r'<path[^>]*fill="var\(--risk\)"', page)
    words = text(page)
    assert "No season was used: the models counted days alone" in words
    assert "Fewer than four. History is long enough for 1 of 4 origins." in words
    assert "3 expected, 0 came" in words


class Balanced(HTMLParser):
    """Fails where an element is closed that was not the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_model_that_is_worse_by_either_score_has_not_won_a_name_is_no_markup_and_numbers_follow_the_locale() -> None:
    worse = replace(FOUND.origins[0], model=Forecast(0.15, 0.53))
    page = render_backtest(backtest(worse, FOUND.origins[1]), "<script>alert(1)</script>", DE)
    assert "<script>" not in page
    words = text(page)
    assert "at 1 of 2 days" in words
    assert "2 % higher than the rule" in words
    assert "2.120 expected, 2.000 came" in words
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
