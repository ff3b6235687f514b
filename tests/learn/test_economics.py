"""New and returned customers of a year, by hand."""

from pathlib import Path

import pytest

from rekindle.decide import due
from rekindle.history.warehouse import open_history
from rekindle.learn.economics import Kind, economics
from tests.decide.shop import Decider, instant
from tests.insight.histories import order, write


def test_new_and_returned_customers_of_a_year(tmp_path: Path) -> None:
    """Day 0 is the question's. A year ago is day -365; who was away for half a year has come back, who was not is neither."""
    orders = [
        order("n1", "new", instant(-100).naive, 3_000), order("n2", "new", instant(-50).naive, 1_000),
        order("n3", "newer", instant(-10).naive, 2_000), order("void", "newer", instant(-9).naive, 99_999, cancelled=True),
        order("r0", "back", instant(-500).naive, 77_777), order("r1", "back", instant(-20).naive, 8_000),
        order("k0", "keeper", instant(-400).naive, 5_000), order("k1", "keeper", instant(-300).naive, 5_000),
        order("g0", "gone", instant(-500).naive, 5_000), order("later", "new", instant(1).naive, 9_999),
    ]
    reviews = [
        {"review_id": "a", "customer_id": "back", "rating": 4, "reviewed_at": instant(-5).naive},
        {"review_id": "b", "customer_id": "new", "rating": 3, "reviewed_at": instant(-5).naive},
        {"review_id": "c", "customer_id": "new", "rating": 5, "reviewed_at": instant(-370).naive},
    ]
    answers = [("newer", "Survey Answered", "10"), ("new", "Survey Answered", "8"), ("new", "Survey Answered", "fine")]
    events = [
        {"message_id": str(place), "customer_id": who, "name": name, "occurred_at": instant(-3).naive, "value": value}
        for place, (who, name, value) in enumerate(answers)
    ]
    with open_history("duckdb://history.duckdb", tmp_path) as opened:
        write(opened, {"orders": orders, "reviews": reviews, "events": events})
        Decider(opened).remember(
            {"customer_id": "back", "day": -30}, {"customer_id": "back", "day": -25, "stage": "tailor"},
            {"customer_id": "back", "day": -400},
        )
        as_of = instant(0)
        past = due.past(opened.table("journal"), opened.table("plans"), opened.current("touches"), as_of, inclusive=False)
        found = economics(opened, past, {"email": 1.0}, as_of)
    assert found == {
        "new": Kind(2, pytest.approx(1.5), pytest.approx(3_000), 0.0, pytest.approx(0.5)),
        "returned": Kind(1, 1.0, 8_000.0, pytest.approx(2.0), 1.0),
    }
