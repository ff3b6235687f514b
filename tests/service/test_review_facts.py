"""What a review says that a program was worth: never more than its interval, and never nought without what would have shown."""

import pytest

from rekindle.service.flow.review_facts import worth_of

CLEAR = {"low": 20.0, "difference": 120.0, "high": 220.0}
UNCLEAR = {"low": -80.0, "difference": 20.0, "high": 120.0}
WIDE, NARROW = ({"low": low, "difference": 120.0, "high": 240 - low} for low in (-10.0, 5.0))


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (CLEAR, "EUR 1.20 margin a customer (EUR 0.20 to EUR 2.20)"),
        ({**CLEAR, "any_day": NARROW}, "EUR 1.20 margin a customer (EUR 0.20 to EUR 2.20)"),
        (
            {**CLEAR, "any_day": WIDE},
            "EUR 1.20 margin a customer (EUR 0.20 to EUR 2.20), on one look, but not however often one looks",
        ),
        (
            {**UNCLEAR, "detectable": 143.0},
            "not yet distinguishable from zero (-EUR 0.80 to EUR 1.20 margin a customer); EUR 1.43 would show four times in five",
        ),
        (UNCLEAR, "not yet distinguishable from zero (-EUR 0.80 to EUR 1.20 margin a customer)"),
        ({"cannot_tell": "nobody has ordered yet"}, "not yet known: nobody has ordered yet"),
        ({}, "not measured yet"),
    ],
)
def test_a_program_s_worth_in_words(margin: dict[str, object], words: str) -> None:
    assert worth_of({"programs": [{"program": "win-back", "measures": {"margin": margin}}]}, "win-back", "EUR") == words
    assert worth_of(None, "win-back", "EUR") == "not measured yet"
