"""The survival picture: which groups have a band, and that the key's lines can be seen."""

import re

import numpy as np

from rekindle.insight.reactivation import Curve, kaplan_meier
from rekindle.learn.diagnosis.pictures import BANDS, survival
from rekindle.learn.report.figures import Figures


def drawn(groups: int) -> str:
    """The wide picture of some groups that come back at different speeds."""
    curves = {}
    for at in range(groups):
        days = np.arange(1.0, 9.0) * (at + 1)
        found = kaplan_meier(days, np.ones(8), np.full(8, 3.0))
        assert isinstance(found, Curve)
        curves[f"group {at}"] = found
    return survival(curves, "about", "days", 90.0, Figures("EUR", "en")).partition('class="narrow"')[0]


def marks(svg: str, kind: str) -> list[str]:
    return re.findall(rf'<g class="mark-{kind} role-mark[^"]*"[^>]*>(.*?)</g>', svg, re.DOTALL)


def test_at_most_three_groups_have_a_band_and_all_have_a_line() -> None:
    for groups in (2, 5):
        svg = drawn(groups)
        assert sum(part.count("<path") for part in marks(svg, "area")) == min(groups, BANDS)
        assert sum(part.count("<path") for part in marks(svg, "line")) == groups


def test_the_lines_of_the_key_are_as_strong_as_those_of_the_picture() -> None:
    symbols = re.findall(r'<g class="mark-symbol role-legend-symbol"[^>]*>(.*?)</g>', drawn(5), re.DOTALL)
    assert len(symbols) == 5
    assert all('stroke-width="2"' in one and 'opacity="0' not in one for one in symbols)
