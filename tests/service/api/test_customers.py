"""A customer in short, for a support agent."""

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rekindle.insight.profile import COLUMNS
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import Touch
from rekindle.settings import Settings
from tests.service.api.asking import NOW, Ask, meet
from tests.service.touches import touches

PROFILE = {
    "customer_id": "c-1", "orders": 5, "purchase_days": 5, "spend": 5_000, "expected_margin": 900, "expected_orders": 0.4, "p_alive": 0.5,
    "prediction_quality": "good", "first_day": date(2026, 1, 1), "last_day": date(2026, 3, 3), "overdue": 3, "personas": "",
    "expected_next_order_at": date(2026, 4, 1), "average_days_between_orders": 30.0, "rhythm_source": "own", "lifecycle": "lapsing",
    "value_tier": "mid", "next_threshold": "", "open_ticket": True, "open_return": False,
}  # fmt: skip


def publish(var: Path, day: str, **columns: object) -> None:
    folder = var / "insight" / day
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([{**dict.fromkeys(COLUMNS), **PROFILE, **columns}]), folder / "profile.parquet")


@pytest.fixture
def known(ask: Ask, store: Settings) -> Ask:
    meet("c-1", "c-2")
    publish(store.var, "2026-11-25", orders=4)
    publish(store.var, "2026-11-26")
    outbox.insert_touches("plan1", touches(["c-1"]))
    outbox.ready("plan1")
    Touch.objects.update(status="sent", settled_at=NOW - timedelta(days=1))
    return ask


def test_it_says_what_is_known_what_was_sent_and_why(known: Ask) -> None:
    status, said = known("GET", "/customers/x-c-1/brief")
    assert (status, said["customer"], said["as_of"], said["open"]) == (200, "c-1", "2026-11-26", ["a ticket is open"])
    words = {one["about"]: one["words"] for one in said["known"]}
    assert words["Orders"] == "5 from 2026-01-01 to 2026-03-03, EUR 50.00 in all"
    assert words["Stage"] == "lapsing, mid value"
    assert "Consent" not in words
    (message,) = said["messages"]
    assert (message["program"], message["stage"], message["channel"], message["status"]) == ("win-back", "reconnect", "email", "sent")
    assert any("March 2026" in one for one in message["why"])
    assert said["preferences"]["channels"] == ["inapp"]
    assert "@" not in str(said), "no address"


def test_whom_no_profile_knows_has_a_brief_all_the_same(known: Ask) -> None:
    status, said = known("GET", "/customers/c-2/brief")
    assert (status, said["as_of"], said["known"], said["open"], said["messages"]) == (200, None, [], [], [])


@pytest.mark.parametrize("customer", ["nobody", "%00", "..%2f..%2fetc", "x" * 201, "c-1%0a"])
def test_whom_nobody_knows_is_refused(known: Ask, customer: str) -> None:
    assert known("GET", f"/customers/{customer}/brief")[0] in (404, 422)
