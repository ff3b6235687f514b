"""What one customer's prediction rests on, in words."""

from datetime import UTC, date, datetime

import pytest

from rekindle.insight.profile import COLUMNS
from rekindle.moment import AsOf
from rekindle.service.flow.explained import lines
from rekindle.service.flow.explaining import Explanation
from rekindle.settings import Settings


@pytest.mark.parametrize(
    ("days", "quality", "words"),
    [
        (1, "weak", "little to go by: true of customers like this, not of this one"),
        (2, "weak", "the store's histories fix the model only in part"),
        (2, "good", "as the store's histories show"),
        (1, "prior only", "assumed of shops in general: nobody has ordered twice yet"),
    ],
)
def test_an_outlook_says_what_it_rests_on(store: Settings, days: int, quality: str, words: str) -> None:
    known = {
        "orders": days, "purchase_days": days, "spend": 5_000, "expected_margin": 900, "expected_orders": 0.4, "p_alive": 0.5,
        "prediction_quality": quality, "first_day": date(2026, 1, 1), "last_day": date(2026, 1, 2), "overdue": 3, "personas": "",
        "expected_next_order_at": date(2026, 2, 1), "average_days_between_orders": 30.0, "rhythm_source": "own", "lifecycle": "lapsing",
        "value_tier": "mid", "next_threshold": "",
    }  # fmt: skip
    as_of = AsOf(datetime(2026, 3, 1, tzinfo=UTC), "UTC")
    told = lines(Explanation("c1", as_of, {**dict.fromkeys(COLUMNS), **known}), store)
    assert next(line for line in told if line.startswith("Outlook")).endswith(f" weeks ({words})")
