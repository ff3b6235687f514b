from dataclasses import replace

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.report import headlines, render_page
from rekindle.learn.report.facts import Slipping, Worth

from . import marigold

SIMULATED = """\
Simulated "Marigold": 20,000 customers, 61,402 orders, 24 months to 2026-11-21
Slipping away  3,180 are quieter than their own rhythm; EUR 142,000 margin at risk (131,000-154,000)
Why            late delivery 18 %, stockout 9 %, return or bad review 7 %, no evidence 66 %
Who            bad experience 610, paused high potential 420, long inactive 1,790, other 360
Proposed       1,870 first messages: 1,020 reminders, 410 previews, 440 free shipping; at most EUR 620
Left alone     no consent 940, held out 112, control 213, open complaint 45
Worth          EUR +2.40 margin a customer in 8 weeks (0.30 to 4.50; truth 2.10). Nothing left this machine.
Next           open reports/index.html | make run ORDERS=orders.csv PRESET=..."""

EMPTY = """\
New: 0 customers, 0 orders, 0 months to 2026-11-21
Slipping away  nobody is quieter than their own rhythm
Why            nothing to explain
Who            nobody
Proposed       no messages
Left alone     nobody
Worth          not yet known: there are no orders
Next           open reports/index.html | make run ORDERS=orders.csv PRESET=..."""


def test_the_simulated_marketplace_in_eight_lines():
    assert "\n".join(headlines(marigold.facts())) == SIMULATED


def test_an_empty_store_in_eight_lines():
    assert "\n".join(headlines(marigold.empty())) == EMPTY


def test_a_rehearsal_says_what_can_be_detected_and_when():
    lines = headlines(marigold.rehearsal())
    assert lines[0] == "Lamp & Co: 20,000 customers, 61,402 orders, 24 months to 2026-11-21"
    assert lines[4].endswith("at most EUR 620; a rehearsal, no contacts are known")
    assert lines[6] == "Worth          not yet known: today's control can detect EUR 3.10 a customer, by 2027-02-14"


def test_an_interval_around_nothing_says_so():
    facts = replace(marigold.facts(), kept_here=False, worth=Worth(Interval(-40, -12, 16), None, 1, 10, 10, 40.4, None))
    said = "Worth          EUR -0.12 margin a customer in 1 week (-0.40 to 0.16), not yet distinguishable from zero"
    assert headlines(facts)[6] == f"{said}; EUR 0.40 would show four times in five."
    unknown = replace(facts, worth=replace(facts.worth, detectable=None))
    assert headlines(unknown)[6] == f"{said}."
    assert "would show" not in headlines(replace(facts, worth=replace(facts.worth, estimate=Interval(1, 12, 23))))[6]


def test_an_unknown_day_is_left_out():
    facts = replace(marigold.facts(), worth=Worth(CannotTell("too early"), None, 8, 9, 1, 310, None))
    assert headlines(facts)[6] == "Worth          not yet known: today's control can detect EUR 3.10 a customer"


def test_later_stages_are_not_called_first_messages():
    first, second, *rest = marigold.SEQUENCE
    moved = replace(second, arms=tuple(replace(arm, count=5) for arm in second.arms[:1]))
    line = headlines(replace(marigold.facts(), sequence=(first, moved, *rest)))[4]
    assert line == "Proposed       1,875 messages: 1,020 reminders, 410 previews, 440 free shipping, 5 bundles; at most EUR 620"


def test_numbers_follow_the_locale_and_the_currency():
    facts = replace(marigold.facts(), currency="JPY", locale="de-DE", slipping=Slipping(3_180, Interval(131_012, 142_033, 154_029)))
    lines = headlines(facts)
    assert lines[1] == "Slipping away  3.180 are quieter than their own rhythm; JPY 142.000 margin at risk (131.000-154.000)"
    assert lines[6].startswith("Worth          JPY +240 margin a customer in 8 weeks (30 to 450; truth 210)")


def test_a_name_cannot_write_to_the_terminal():
    first = headlines(replace(marigold.facts(), shop="\x1b[2J\u202eevil\x00\nsecond"))[0]
    assert first.startswith('Simulated "\ufffd[2J\ufffdevil\ufffd second": 20,000')


def test_a_margin_at_risk_that_cannot_be_told_is_not_nothing() -> None:
    untold = replace(marigold.facts(), slipping=Slipping(3_180, CannotTell("The search did not arrive.")))
    assert headlines(untold)[1] == "Slipping away  3,180 are quieter than their own rhythm; their margin at risk cannot be told"
    page = render_page(untold)
    assert "EUR 0 of margin at risk" not in page
    assert "Their margin at risk cannot be told: The search did not arrive." in page
