"""The list of customers, one of them, and who sees what of a person."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from rekindle.decide.guardrails import REASONS
from rekindle.history.tables import JOURNAL
from rekindle.insight.profile import COLUMNS
from rekindle.service.console.roles import Role
from rekindle.service.events.models import DeliveryEvent
from rekindle.service.flow import journal_files, timeline
from rekindle.service.outbox.models import Touch
from rekindle.service.people import actions as people
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import plan

Enter = Callable[..., Client]

KNOWN = {
    **dict.fromkeys(COLUMNS), "orders": 4, "purchase_days": 4, "first_day": date(2025, 3, 1), "last_day": date(2026, 6, 1), "spend": 20_800,
    "silence_days": 170, "average_days_between_orders": 40.0, "rhythm_source": "own", "category": "Lighting", "p_alive": 0.31,
    "expected_orders": 0.4, "expected_margin": 900, "margin_at_risk": 3_300, "prediction_quality": "good", "overdue": 130,
    "expected_next_order_at": date(2026, 7, 11), "lifecycle": "lapsed", "value_tier": "high", "cause": "late_delivery",
    "cause_evidence": "shipment S1", "personas": "", "next_threshold": "", "email_consent": True, "sms_consent": False,
    "webpush_consent": False, "inapp_consent": False,
}  # fmt: skip
COUNTS = {"lifecycle": {"lapsed": 2, "repeat": 1}, "as_of": "2026-11-22T00:00:00+00:00"}


def publish(store: Settings, *rows: dict[str, object]) -> None:
    folder: Path = store.var / "insight" / "2026-11-22"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([{**KNOWN, **row} for row in rows]), folder / "profile.parquet")
    (folder / "insight.json").write_text(json.dumps(COUNTS), encoding="utf-8")


def decide(store: Settings, **row: object) -> None:
    """A row of the journal, published."""
    path = store.var / journal_files.FOLDER / "2026-11.parquet"
    path.parent.mkdir(exist_ok=True)
    given = {
        **dict.fromkeys(JOURNAL.names), "as_of": datetime(2026, 11, 20), "customer_id": "c1", "program": "win-back", "stage": "reconnect",
        "plan": "plan1", **row,
    }  # fmt: skip
    pq.write_table(pa.Table.from_pylist([given], schema=JOURNAL.to_pyarrow()).select(list(journal_files.COLUMNS)), path)


@pytest.fixture
def told(shop: Settings) -> Settings:
    publish(
        shop, {"customer_id": "c1"}, {"customer_id": "c2", "margin_at_risk": 9_900, "cause": "return", "value_tier": "mid"},
        {"customer_id": "c3", "lifecycle": "repeat", "cause": None},
    )  # fmt: skip
    plan(["c1"], code="GLOW-7788", facts=json.dumps({"orders": 4, "last_product": "Lantern", "offer_kind": "reminder"}))
    return shop


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(f"/console/{address}")
    assert answer.status_code == status
    return answer.content.decode()


def test_before_the_first_run_the_list_says_what_it_waits_for(enter: Enter) -> None:
    assert "They appear with the first run" in page(enter(Role.EDITOR), "customers")


def test_those_with_most_at_stake_come_first_and_the_list_is_narrowed(told: Settings, enter: Enter) -> None:
    editor = enter(Role.EDITOR)
    text = page(editor, "customers")
    assert text.index("/console/customers/c2") < text.index("/console/customers/c1")
    assert "/console/customers/c3" not in text
    assert "/console/customers/c3" in page(editor, "customers?standing=all")
    narrowed = page(editor, "customers?standing=all&cause=return&tier=mid")
    assert "/console/customers/c2" in narrowed
    assert "/console/customers/c1" not in narrowed
    assert "No customer is of this kind now." in page(editor, "customers?cause=stockout")
    page(editor, "customers?standing=x&cause=x&tier=x&segment=x&page=-1")


def test_an_editor_finds_by_the_opaque_id_alone(told: Settings, enter: Enter) -> None:
    editor, privacy = enter(Role.EDITOR), enter(Role.EDITOR, privacy=True)
    assert editor.post("/console/customers", {"who": " c1 "})["Location"] == "/console/customers/c1"
    missed = editor.post("/console/customers", {"who": "c1@people.example"})
    assert missed.status_code == 400
    assert "takes the right to personal data" in missed.content.decode()
    assert privacy.post("/console/customers", {"who": "C1@people.example"})["Location"] == "/console/customers/c1"
    assert privacy.post("/console/customers", {"who": "nobody@people.example"}).status_code == 400


def test_a_long_beginning_of_an_id_will_do_where_one_alone_begins_so(shop: Settings, enter: Enter) -> None:
    plan(["abcdef-1", "abcdef-2", "xyzxyz-1"])
    editor = enter(Role.EDITOR)
    assert editor.post("/console/customers", {"who": "xyzxyz"})["Location"] == "/console/customers/xyzxyz-1"
    assert "several customers begin with" in editor.post("/console/customers", {"who": "abcdef"}).content.decode()
    assert editor.post("/console/customers", {"who": "xyz"}).status_code == 400


def test_every_decision_and_every_time_left_alone_stands_in_the_story(told: Settings, enter: Enter) -> None:
    decide(told, arm="reminder", propensity=0.4, eligible="reminder|nothing", expected_margin=62_000, expected_cost=100)
    text = page(enter(Role.EDITOR), "customers/c1")
    assert "Chosen: reminder" in text
    assert "in the long run, however late<br>How sure:" in text
    assert "says that the order is late by this customer’s own rhythm" in text
    assert re.findall(r"\d{4}-\d\d-\d\d|\d%", text.partition("What is known")[2].partition("</section>")[0]) == []
    assert "Drawn by lot among reminder, nothing: the chance was 40 %." in text
    assert "Expected: EUR 0.62 of margin" in text
    assert "Waits to be sent by e-mail" in text
    decide(told, reason="held_out")
    text = page(enter(Role.EDITOR), "customers/c1")
    assert "Left alone: in the group without marketing" in text
    assert timeline.WHY["held_out"] in text
    decide(told, arm="nothing", propensity=0.2, eligible="reminder|nothing")
    assert "drawn to hear nothing this time" in page(enter(Role.EDITOR), "customers/c1")
    decide(told, arm="reminder", reason="gap", propensity=0.4, eligible="reminder|nothing")
    assert "Put off: too soon after another message" in page(enter(Role.EDITOR), "customers/c1")
    decide(told, arm="nothing", propensity=0.997, eligible="reminder|nothing")
    assert "the chance was over 99 %." in page(enter(Role.EDITOR), "customers/c1")


def test_every_reason_is_explained() -> None:
    assert set(timeline.WHY) == set(REASONS)
    assert set(timeline.SHORT) <= set(REASONS)


ADA = {
    "customer_id": "c1", "source": "shop", "external_id": "SHOP-4711", "email": "ada@poison.example", "first_name": "Poisonella",
    "last_name": "Venom", "phone": "+441174960000", "email_consent": True, "consent_at": NOON,
}  # fmt: skip
POISON = ("ada@poison.example", "Poisonella", "Venom", "4960000", "496 0000", "SHOP-4711", "GLOW-7788")
"""A name, an address, a phone, the shop's id, a code, and an address and a number in what a server said."""


def test_no_page_shows_an_editor_who_somebody_is(told: Settings, enter: Enter) -> None:
    people.record_contacts(pa.Table.from_pylist([ADA]), NOON)
    said = "550 <ada@poison.example> unknown, call +44 117 496 0000"
    Touch.objects.filter(customer_id="c1").update(status="failed", settled_at=NOON, reason=said)
    DeliveryEvent.objects.create(
        customer_id="c1", kind="bounced", source="dsn", event_id="e1", detail="no such user ada@poison.example", occurred_at=NOON,
        recorded_at=NOON,
    )
    number = Touch.objects.get(customer_id="c1").pk
    pages = ("customers/c1", "customers?standing=all", "messages?state=failed", f"messages/{number}", f"messages/{number}/mail")
    editor, privacy = enter(Role.ADMIN), enter(Role.EDITOR, privacy=True)
    assert [(one, word) for one in pages for word in POISON if word in page(editor, one)] == []
    shown = "".join(page(privacy, one) for one in pages)
    assert [word for word in POISON if word not in shown] == ["GLOW-7788"]  # its offer has no code to show
    assert "(an address)" in page(editor, "customers/c1")


def test_what_customers_said_is_told_in_words(told: Settings, enter: Enter) -> None:
    people.opt_out("c1", "email", NOON + timedelta(days=1), "preference page")
    text = page(enter(Role.EDITOR), "customers/c1")
    assert "Agreed to marketing by e-mail" in text
    assert "Refused marketing by e-mail" in text
    assert "no channel" in text


def test_who_is_not_known_is_not_there(told: Settings, enter: Enter) -> None:
    assert "Nobody is known by the id" in page(enter(Role.EDITOR), "customers/zz", 404)


def test_a_message_that_waits_is_shown_before_it_goes(told: Settings, enter: Enter) -> None:
    text = page(enter(Role.EDITOR, privacy=True), "customers/c1")
    assert "goes on 23 November 2026, 11:00 at the earliest" in text
    assert "See it as it will look" in text


def test_the_story_is_in_the_order_of_time(told: Settings) -> None:
    decide(told, reason="control")
    found = timeline.timeline(told, "c1", None, personal=False)
    assert found[0].waits
    settled = [one.at for one in found if not one.waits]
    assert settled == sorted(settled, reverse=True)
    assert all(one.at.tzinfo is not None for one in found)
    assert datetime(2026, 11, 20, tzinfo=UTC) in settled
