"""What `learn` says: what is wrong comes first, and what cannot be told apart from zero is said to be so."""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from rekindle import money
from rekindle.cli.learned import _alarm, _together, _variants, lines, of_program
from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.comparison import Comparison
from rekindle.learn.doubt import ZERO
from rekindle.learn.lift import Lift, measure
from rekindle.learn.maturity import Maturity
from rekindle.learn.mismatch import of_share
from rekindle.learn.stages import Against, StageLift
from rekindle.learn.suite import Epoch, Suite
from rekindle.moment import parse_as_of
from rekindle.service.config.database import use_ledger
from rekindle.settings import Settings
from tests.learn.summing import cells, shop

WHOLE, EARLY = Maturity(56, 56, 900, 0, None, None), Maturity(90, 56, 900, 40, date(2026, 5, 2), date(2026, 8, 1))


@pytest.fixture(autouse=True)
def _ledger(tmp_path: Path) -> None:
    use_ledger(Settings(root=tmp_path))


def told(effect: float, found: Maturity = WHOLE, checks: bool = False, leaks: int = 0) -> list[str]:
    from rekindle.service.flow.learning import Learned

    mine = cells(shop(np.random.default_rng(5), 3_000, effect=effect))
    lift = measure("win-back", mine, mine.only(mine.keys["segments"] != ""), found, (date(2026, 3, 2), date(2026, 5, 1)))
    control = of_share("control", ["2026-03-02"], np.array([3_000.0]), np.array([600.0]), np.array([0.3 if checks else 0.2]))
    learned = Learned(
        parse_as_of("2026-05-02", "UTC"), (lift,), {}, {"win-back": (control,)}, {"win-back": leaks} if leaks else {}, None,
    )  # fmt: skip
    return list(lines(learned, "EUR"))


def test_nothing_is_distinguishable_from_zero_and_what_would_show_stands_beside_it() -> None:
    found = told(0.0)
    worth = next(line for line in found if line.startswith("Worth"))
    assert ZERO in worth
    assert "would show four times in five" in worth
    assert "margin a customer in 8 weeks" in worth
    unclear = [line for line in found if line.startswith(("Retained", "Activated", "Opted out")) and ZERO in line]
    assert unclear
    assert all(re.search(r"; \d+\.\d in a hundred would show four times in five$", line) for line in unclear)
    assert not any(line.startswith(("ALARM", "LEAK", "Early", "Not yet")) for line in found)


def test_an_effect_that_is_told_apart_is_told_with_its_ends() -> None:
    worth = next(line for line in told(3_000.0) if line.startswith("Worth"))
    assert ZERO not in worth
    assert worth.count(money.show(0, "EUR")[:3]) == 3


def test_margin_and_spend_say_what_share_of_the_control_s_they_are() -> None:
    found = told(3_000.0)
    share = r", \+\d+ % \(\+\d+ % to \+\d+ %\) of the control$"
    assert re.search(share, next(line for line in found if line.startswith("Worth")))
    spend, reactivated = (next(line for line in found if line.startswith(name)) for name in ("Spend", "Reactivated"))
    assert "spend a customer, " in spend
    assert "of it of customers who were lapsed at entry, " in reactivated


def test_the_interval_for_every_day_stands_beside_the_one_for_one_look() -> None:
    whole, early = (next((line for line in told(0.0, one) if line.startswith("Any day")), None) for one in (WHOLE, EARLY))
    assert whole is not None
    assert whole.endswith("holds however often it is looked at; every other interval is for one look")
    assert early is None


def test_a_draw_that_went_wrong_comes_before_every_number() -> None:
    found = told(3_000.0, checks=True, leaks=7)
    assert found[0].startswith("ALARM          win-back, control: 600 of 3,000, where the draw gives 900 (p ")
    assert found[2] == "               Believe no number of it until that is explained."
    assert found[3].startswith("LEAK           win-back: 7 messages to customers who were to have none")
    assert found[4].startswith("win-back")


def test_what_is_not_known_yet_says_what_would_show() -> None:
    few = Comparison(CannotTell("3 of the control have ordered so far"), 0.0, detectable=210)
    nothing = Against(("plain",), 500, 490, {"margin": Comparison(Interval(-9, 2, 13), 0.0, 0.7, detectable=16)})
    lift = Lift("win-back", 900, 100, {"margin": few}, {}, CannotTell("few"), (), WHOLE, None, date(2026, 5, 1))
    assert list(of_program(lift, (), str))[1] == (
        "Worth          not yet known: 3 of the control have ordered so far; 210 would show four times in five"
    )
    (line,) = _variants((StageLift("reconnect", WHOLE, {"arm": {"plain": nothing}}, 1, {}),), str)
    assert line.endswith(f"a decision: {ZERO}; 16 would show four times in five")


def test_where_one_day_alone_is_wrong_that_day_leads() -> None:
    """On 29 days the control is a little too small, on the last far too large."""
    days = [f"2026-03-{number:02}" for number in range(1, 31)]
    seen = np.array([20.0] * 29 + [50.0])
    check = of_share("control", days, np.array([200.0] * 30), seen, np.array([0.105] * 29 + [0.1]))
    assert check.p_value > 0.001 > check.worst.p_value, "all days together hide it"
    first, second, _ = _alarm("win-back", check)
    assert first.startswith("ALARM          win-back, control on 2026-03-30: 50, where the draw gives 20 (p ")
    assert first.endswith("with all 30 looked at)")
    assert second.strip().startswith("all together 630 of 6,000, where the draw gives 629 (p 1)")


def test_all_together_say_how_often_they_may_be_looked_at() -> None:
    epochs = (Epoch(2026, 900, 100, {"margin": Comparison(Interval(-10, 20, 50), 0.0, detectable=45)}, 0),)
    whole, early = (list(_together(Suite(one, epochs, None), str)) for one in (WHOLE, EARLY))
    assert whole[0].endswith(f"{ZERO}; 45 would show four times in five")
    assert whole[-1].strip() == "Read it as often as you like; the intervals of other measures, in --json, are for one look."
    assert early[-1].strip().startswith("Early: over 56 of 90 days. It may not be read again and again")


def test_an_early_reading_says_so_and_when_the_rest_is_known() -> None:
    found = told(0.0, EARLY)
    assert next(line for line in found if line.startswith("Early")).startswith("Early          counted over 56 of 90 days")
    assert "Not yet        40 rounds are too young; the next are whole on 2026-05-02, all on 2026-08-01" in found
