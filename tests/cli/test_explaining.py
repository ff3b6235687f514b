"""The page on explaining: each number of its block is recomputed from the others; test_working.py holds the block to the command."""

import re
from datetime import date, timedelta
from math import floor

import pytest

from tests.cli.explained import block, drawn


def parts(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return found.groups()


def numbers(pattern: str, text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in parts(pattern, text))


def said(name: str) -> list[str]:
    """What the block says under a name, every time."""
    return [line.strip().removeprefix(name).strip() for line in block() if re.match(rf" {{17}}{name} ", line)]


def test_every_draw_of_the_page_can_be_repeated() -> None:
    for name, words in (("holdout", "get no marketing"), ("control", "get nothing from this program")):
        (told,) = said(name)
        hashed, number, share = parts(r"^md5\('([^']+)'\) gives ([\d.]+), in it only below ([\d.]+)$", told)
        assert f"{drawn(hashed):.6f}" == number
        among = "by lot among" if float(number) < float(share) else "not among"
        assert any(f"they are {among} the {100 * float(share):g} % of customers who {words} this year" in line for line in block())


def test_every_chance_of_the_page_can_be_recomputed_by_hand() -> None:
    text, (chances,) = "\n".join(block()), said("chances")
    weights = dict(re.findall(r"(\w[\w ]*?) (0\.\d{6})(?=[,;])", chances.split(": ", 1)[1]))
    yes = re.findall(r"^ +([\d.]+ %) +([a-z][\w ]*?)(?: \([^\n]*?\)|, [^\n]*?)?( <- drawn)?$", text, re.MULTILINE)
    no = re.findall(r"^ +no +([\w ]+?) \(", text, re.MULTILINE)
    assert sorted([*(name for _, name, _ in yes), *no]) == sorted(weights)
    assert float(weights["nothing"]) == pytest.approx(1 / len(weights), abs=1e-6)
    edge, left, places = 0.0, sum(float(weights[name]) for _, name, _ in yes), said("from")
    for (shown, name, _), place in zip(yes, places, strict=True):
        start, end, chance = numbers(rf"^([\d.]+) to ([\d.]+): {name} ([\d.]+)$", place)
        assert chance == pytest.approx(float(weights[name]) / left, abs=1e-5)
        assert (start, end) == pytest.approx((edge, edge + chance), abs=1e-6)
        assert shown == f"{100 * chance:.1f} %"
        edge = end
    hashed, number, taken = parts(r"^md5\('([^']+)'\) gives ([\d.]+): ([\w ]+)$", *said("draw"))
    assert f"{drawn(hashed):.6f}" == number
    ((name, place),) = [(name, place) for (_, name, here), place in zip(yes, places, strict=True) if here]
    assert name == taken
    start, end = numbers(r"^([\d.]+) to ([\d.]+)", place)
    assert start <= float(number) < end


def test_the_sums_of_the_page_are_what_they_are_said_to_be() -> None:
    extra, margin, adds = numbers(r"^([\d.]+) extra orders \([^)]*\) x ([\d.]+) margin = ([\d.]+)$", *said("adds"))
    orders, days, horizon, anyway = numbers(r"^([\d.]+) orders x (\d+)/(\d+) days = ([\d.]+) ", *said("anyway"))
    offered = r"^\(([\d.]+) \+ ([\d.]+)\) orders x ([\d.]+) takers x ([\d.]+) = ([\d.]+)$"
    first, second, takers, value, offer = numbers(offered, *said("offer"))
    message, leaving = numbers(r"^([\d.]+)$", *said("message"))[0], numbers(r" = ([\d.]+)$", *said("leaving"))[0]
    assert adds == pytest.approx(extra * margin, abs=1e-5)
    assert anyway == pytest.approx(orders * min(1, days / horizon), abs=1e-6)
    assert (first, second) == (anyway, extra)
    assert offer == pytest.approx((anyway + extra) * takers * value, abs=1e-5)
    one, two, cost = numbers(r"^([\d.]+) \+ ([\d.]+) = EUR ([\d.]+)$", *said("cost"))
    assert (one, two, cost) == (offer, message, pytest.approx(offer + message, abs=1e-5))
    *summed, gain = numbers(r"^([\d.]+) - ([\d.]+) - ([\d.]+) - ([\d.]+) = EUR (-?[\d.]+)$", *said("in all"))
    assert summed == [adds, offer, message, leaving]
    assert gain == pytest.approx(adds - offer - message - leaving, abs=2e-5)
    words = f"adds EUR {adds:.2f} of margin on average, costs EUR {cost:.2f} and loses less than EUR 0.01 by those who leave"
    assert any(line.endswith(f"{words}: EUR {gain:.2f} more than no message.") for line in block())


def test_the_day_since_which_it_is_a_lapse_can_be_counted() -> None:
    (told,) = said("silence")
    rhythms, rhythm = numbers(r"^more than ([\d.]+) x ([\d.]+) days after ", told)
    last, least, since = parts(r"after (\S+), and (\d+) at least: (\S+)$", told)
    assert date.fromisoformat(last) + timedelta(days=max(floor(rhythms * rhythm) + 1, int(least))) == date.fromisoformat(since)
    assert any(f"last order on {last}: " in line and f", and since {since} they count as lapsing." in line for line in block())
