"""What holds at every address: looking changes nothing, and no damaged or foreign token of any kind does anything."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from rekindle import moment
from rekindle.service.api import actions, v1
from rekindle.service.api.scopes import SCOPES
from rekindle.service.config.web import application
from rekindle.service.people.models import Consent
from rekindle.settings import Handover, Settings
from tests.service.matrix import ROWS, TOKENS, Row, make_known
from tests.service.test_matrix import address
from tests.service.touches import meet

LINKS = [row for row in ROWS if row.opens.startswith("link:")]
FORM = {"List-Unsubscribe": "One-Click", "score": "5", "sent": "1", "stop_all": "1", "erase": "yes", "copy": "1"}
"""What the buttons of all pages post, together."""


@pytest.fixture
def client(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Client:
    application(store.model_copy(update={"handover": Handover(url="https://shop.example/enter")}))
    meet(["ada", "grace"])
    make_known(store)
    monkeypatch.setattr(v1.OFTEN.counted, "most", 100_000)
    return Client(enforce_csrf_checks=True)


def digest() -> str:
    return hashlib.sha256("\n".join(connection.connection.iterdump()).encode()).hexdigest()


def kind(row: Row) -> str:
    return row.opens.partition(":")[2]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_nothing_at_any_address(store: Settings, client: Client, method: str) -> None:
    tokens = {name: make(store, "ada") for name, make in TOKENS.items()}
    key = actions.create("all", list(SCOPES), moment.now())
    before = digest()
    for row in ROWS:
        at = address(row, tokens.get(kind(row), ""))
        client.generic(method, at, headers={"Authorization": f"Bearer {key}"})
        assert digest() == before, row


def ways(row: Row) -> list[str]:
    return ["GET", "POST"] if "POST" in row.methods else ["GET"]


def ask(client: Client, way: str, at: str) -> Any:
    return client.post(at, FORM) if way == "POST" else client.get(at)


@pytest.mark.parametrize("row", LINKS, ids=lambda row: row.route.partition("/")[0])
def test_every_byte_of_every_token_counts_and_all_that_is_wrong_gets_one_answer(store: Settings, client: Client, row: Row) -> None:
    good = TOKENS[kind(row)](store, "ada")
    foreign = [make(store, "grace") for name, make in TOKENS.items() if name != kind(row)]
    flipped = [f"{good[:at]}{chr(ord(good[at]) ^ 1)}{good[at + 1 :]}" for at in range(len(good))]
    wrong = [*flipped, *foreign, good[:-1], f"{good}A", "none"]
    before = digest()
    answers = {(found.status_code, found.content) for way in ways(row) for one in wrong if (found := ask(client, way, address(row, one)))}
    assert [status for status, _ in answers] == [404]
    assert digest() == before


def test_a_link_to_stop_holds_after_every_other_key_was_changed_and_after_400_days(
    store: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = {name: make(store, "ada") for name, make in TOKENS.items()}
    keys = [path for path in (store.var / "keys").glob("*.json") if path.stem != "unsubscribe"]
    assert {path.stem for path in keys} >= TOKENS.keys() - {"unsubscribe"}
    assert len(keys) >= 4
    for path in keys:
        path.write_text(json.dumps({"current": "b", "keys": {"b": "11" * 32}}))
    later = moment.now() + timedelta(days=400)
    monkeypatch.setattr(moment, "now", lambda: later)
    for row in LINKS:
        statuses = {client.get(address(row, tokens[kind(row)])).status_code, client.post(address(row, tokens[kind(row)]), FORM).status_code}
        assert statuses <= ({200} if kind(row) == "unsubscribe" else {404, 405}), row
    assert list(Consent.objects.filter(granted=False).values_list("customer_id", "channel", "source")) == [
        ("ada", "email", "unsubscribe link")
    ]
