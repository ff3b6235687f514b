"""What we know: said in words from the published profile, and nothing about anybody else."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from rekindle.deliver.links import Claim, sign
from rekindle.insight.lifecycle import STAGES
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.flow.sending import send_due
from rekindle.service.people.models import Person
from rekindle.service.public.words import languages, words
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import Recorder, plan

ROW = {
    "customer_id": "c1", "orders": 5, "lifecycle": "lapsed",
    "first_day": date(2024, 11, 3), "last_day": date(2026, 3, 3), "category": "LIGHTING",
}  # fmt: skip


@pytest.fixture
def visitor(store: Settings) -> Client:
    application(store)
    plan(["c1"])
    return Client()


def publish(store: Settings, **columns: object) -> None:
    folder: Path = store.var / "insight" / "2026-11-20"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([ROW | columns]), folder / "profile.parquet")


def said(store: Settings, visitor: Client) -> str:
    token = sign(load_ring(store.var, "preferences"), Claim("c1", "email-marketing"))
    answer = visitor.get(f"/known/{token}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_profile_is_said_in_words_without_days_and_addresses(store: Settings, visitor: Client) -> None:
    publish(store)
    page = said(store, visitor)
    assert "You have ordered 5 times, first in November 2024 and last in March 2026." in page
    assert "You have not ordered for a long time." in page
    assert "You have bought most from Lighting." in page
    assert "An e-mail address" in page
    assert "c1@people.example" not in page
    assert "March 3" not in page


def test_what_was_sent_stands_there_with_its_why_and_what_waits_does_not(store: Settings, visitor: Client) -> None:
    assert "/why/" not in said(store, visitor)
    send_due(store, NOON, senders={"email": Recorder()})
    page = said(store, visitor)
    assert "November 23, 2026, by e-mail:" in page
    address = page.partition('<a href="https://shop.example/rekindle')[2].partition('"')[0]
    assert "Your last order was in March 2026." in visitor.get(address).content.decode()


def test_nobody_elses_row_is_shown(store: Settings, visitor: Client) -> None:
    publish(store, customer_id="c2")
    page = said(store, visitor)
    assert "We know of no order of yours" in page
    assert "5 times" not in page


def test_it_is_said_in_the_customers_language(store: Settings, visitor: Client) -> None:
    publish(store, orders=1, lifecycle="first_time")
    Person.objects.update(locale="de")
    assert "Sie haben im März 2026 bestellt." in said(store, visitor)


def test_every_stage_has_words() -> None:
    for language in languages():
        assert {f"stage_{stage}" for stage in STAGES} <= words(language).keys()
