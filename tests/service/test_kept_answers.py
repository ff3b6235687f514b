"""The first answers to a checkout: given again under their key, and gone with whose code they were about."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from rekindle.service.api import actions as keys
from rekindle.service.config import database, use_ledger
from rekindle.service.config.web import application
from rekindle.service.outbox.models import Touch
from rekindle.service.privacy.actions import forget
from rekindle.service.privacy.queries import traces
from rekindle.service.redemptions.models import Answer, Coupon
from rekindle.settings import Settings
from tests.postgres import server
from tests.service.api.asking import NOW
from tests.service.touches import plan

LEDGERS = ("sqlite", "postgresql")
CODES = {"ada": "ADAC0DE", "grace": "GRACEC0DE"}
GIVEN = {
    "plan": "plan1", "program": "win-back", "episode": "o1", "stage": "reconnect", "offer": "o", "kind": "percent", "label": "10 % off",
    "currency": "EUR", "price": True,
}


class Till:
    """A checkout that asks for the same as often as it likes."""

    def __init__(self) -> None:
        self._key = keys.create("till", ["coupons"], NOW)

    def redeem(self, customer: str, order: str, key: str) -> tuple[int, str]:
        body = {"customer": customer, "currency": "EUR", "lines": [{"product": "p", "amount": 5000}], "order_id": order}
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": key}
        path = f"/v1/coupons/{CODES[customer].lower()}/redeem"
        answer = Client().post(path, json.dumps(body), content_type="application/json", headers=headers)
        return answer.status_code, answer.content.decode()


@pytest.fixture
def till(store: Settings) -> Till:
    application(store)
    plan(list(CODES))
    Touch.objects.update(status="sent")
    for customer, code in CODES.items():
        last_day = NOW.date() + timedelta(days=5)
        Coupon.objects.create(code=code, customer_id=customer, percent=0.1, last_day=last_day, **GIVEN)
    return Till()


def test_an_erasure_takes_every_answer_of_a_customer_and_no_other(till: Till) -> None:
    others = till.redeem("grace", "G-12-7", "key-with-12")
    assert till.redeem("ada", "12", "first-key")[0] == 200
    assert till.redeem("ada", "Müller-77", "ada@people.example-2")[0] == 409, "it was used"
    assert set(Answer.objects.values_list("customer_id", "status")) == {("grace", 200), ("ada", 200), ("ada", 409)}
    assert not any("ada@people.example" in str(row) or "key" in row["key"] for row in Answer.objects.values())
    forget(traces(["ada"], ["12"]), NOW)
    assert Answer.objects.get().customer_id == "grace"
    assert till.redeem("grace", "G-12-7", "key-with-12") == others, "the first answer"
    assert till.redeem("grace", "G-13", "key-with-12")[0] == 422, "another request"


def test_answers_of_before_are_given_again_and_say_whose_they_are(store: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = store.database if store.database.startswith("sqlite") else server().fresh()
    older = store.model_copy(update={"root": tmp_path / "older", "database": kept})
    before = [("redemptions", "0002_spend")]
    with monkeypatch.context() as patch:
        patch.setattr(database, "_migrate", lambda _: MigrationExecutor(connection).migrate(before))
        use_ledger(older)
    models = MigrationExecutor(connection).loader.project_state(before).apps
    code = models.get_model("redemptions", "Coupon").objects.create(code="A", customer_id="ada", **GIVEN)
    made = models.get_model("redemptions", "Redemption").objects.create(coupon=code, order_id="12", discount=500, redeemed_at=NOW)
    for key, status, body in (("k:taken", 200, {"redemption": made.pk}), ("k:refused", 409, {"reason": "used"})):
        row = {"key": key, "asked": "x", "status": status, "body": json.dumps(body), "answered_at": NOW}
        models.get_model("redemptions", "Answer").objects.create(**row)
    use_ledger(store)
    use_ledger(older)
    (held,) = Answer.objects.values_list("key", "customer_id", "status", "body")
    assert held == (hashlib.sha256(b"k:taken").hexdigest(), "ada", 200, json.dumps({"redemption": made.pk}))
