"""docs/segments.md says what the language has."""

import re
from pathlib import Path

from rekindle.insight.expression import LENGTH, parse
from rekindle.insight.expression_calls import CALLS, FUNCTIONS, LONGEST_WINDOW
from rekindle.insight.expression_events import EVENTS
from rekindle.insight.segments import MOST

PAGE = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")


def test_every_event_is_listed_with_what_can_be_asked_of_it() -> None:
    rows = [re.split(r"\s*\|\s*", line)[1:-1] for line in PAGE.partition("### Events")[2].splitlines() if line.startswith("| `")]
    listed = {name: (held, about) for names, held, *_, about in rows for name in re.findall(r"`([^`]+)`", names)}
    assert set(listed) == set(EVENTS)
    about_products = {name for name, (_, about) in listed.items() if about.startswith("yes")}
    assert about_products == {name for name, one in EVENTS.items() if one.of_product}
    for name, source in EVENTS.items():
        row = next(line for line in PAGE.splitlines() if line.startswith("| `") and f"`{name}`" in line.split(" | ")[0])
        assert all(f"`{number}`" in row for number in (*source.numbers, *source.of_line))


def test_the_examples_can_be_read_and_the_limits_are_stated() -> None:
    calls = [text for text in re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE) if "(" in text]
    assert {text.partition("(")[0] for text in calls} == set(FUNCTIONS)
    for text in calls:
        parse(text, {})
    assert all(f"{limit:,}" in PAGE or str(limit) in PAGE for limit in (LENGTH, CALLS, LONGEST_WINDOW, MOST))
