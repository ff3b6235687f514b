"""The page on explaining: each number of its block is recomputed from the others; test_working.py holds the block to the command."""

import re

import pytest

from tests.cli.explained import block, drawn


def numbers(pattern: str, text: str) -> tuple[float, ...]:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return tuple(float(number) for number in found.groups())


def test_every_number_of_the_page_can_be_recomputed_by_hand() -> None:
    lines, text = block(), "\n".join(block())
    draws = re.findall(r"(not in|in) the \w+: md5\('([^']+)'\) draws ([\d.]+), in it only below ([\d.]+)", text)
    assert len(draws) == 2
    for said, hashed, number, share in draws:
        assert f"{drawn(hashed):.6f}" == number
        assert (said == "in") == (float(number) < float(share))
    weights = dict(re.findall(r"(\w[\w ]*?) (0\.\d{6})(?=[,;])", text.split(" give ", 1)[1].split("\n", 1)[0]))
    yes = re.findall(r"^ +yes +([\w ]+?)(?: \([^\n]*?\))?: ([\d.]+), from ([\d.]+) to ([\d.]+)( <- drawn)?$", text, re.MULTILINE)
    no = re.findall(r"^ +no +([\w ]+?) \(", text, re.MULTILINE)
    assert sorted([*(name for name, *_ in yes), *no]) == sorted(weights)
    assert float(weights["nothing"]) == pytest.approx(1 / len(weights), abs=1e-6)
    edge, left = 0.0, sum(float(weights[name]) for name, *_ in yes)
    for name, chance, start, end, _ in yes:
        assert float(chance) == pytest.approx(float(weights[name]) / left, abs=1e-5)
        assert (float(start), float(end)) == pytest.approx((edge, edge + float(chance)), abs=1e-6)
        edge = float(end)
    fell = re.findall(r"draw ([\d.]+) = md5\('([^']+)'\), .*: ([\w ]+), a chance of ([\d.]+)$", text, re.MULTILINE)
    ((number, hashed, taken, propensity),) = fell
    assert f"{drawn(hashed):.6f}" == number
    ((name, chance, start, end),) = [(name, chance, start, end) for name, chance, start, end, here in yes if here]
    assert (name, chance) == (taken, propensity)
    assert float(start) <= float(number) < float(end)
    adds_up("\n".join(lines[-3:]))


def adds_up(text: str) -> None:
    """The expected cost and margin are the sums that they are said to be."""
    cost, orders, days, horizon, anyway, extra, takers, value, mail = numbers(
        r"to cost EUR ([\d.]+) = \(([\d.]+) x (\d+)/(\d+) = ([\d.]+) orders anyway \+ ([\d.]+)\) x ([\d.]+) takers x ([\d.]+)"
        r" \+ ([\d.]+) for the message", text,
    )
    assert anyway == pytest.approx(orders * min(1, days / horizon), abs=1e-6)
    redeemed = (anyway + extra) * takers * value
    assert cost == pytest.approx(redeemed + mail, abs=1e-5)
    gain, more, margin = numbers(r"to bring EUR (-?[\d.]+) = ([\d.]+) extra orders \([^)]*\) x ([\d.]+) margin", text)
    (leaving,) = numbers(r"- ([\d.]+) for who leaves", text)
    assert more == extra
    assert gain == pytest.approx(extra * margin - redeemed - mail - leaving, abs=2e-5)
