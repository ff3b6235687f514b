"""Asking for one's data, from every side: noted at once, obeyed at once, done by the next run, and with a receipt."""

import json
from typing import Any

import pyarrow as pa
import pytest
from django.apps import apps
from django.test import Client

from rekindle.deliver.delivery_events import BOUNCED, DeliveryEvent, reason
from rekindle.deliver.links import Claim, sign
from rekindle.errors import Refused
from rekindle.service.api import actions as keys
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.events import models as events
from rekindle.service.events.actions import record
from rekindle.service.flow.copying import copy_asked
from rekindle.service.flow.erasing import erase_asked
from rekindle.service.outbox.models import Touch
from rekindle.service.people.actions import opt_out, record_contacts
from rekindle.service.people.models import Consent, Person, Suppression
from rekindle.service.privacy import actions, queries
from rekindle.service.privacy.models import ACCESS, ERASURE, Receipt
from rekindle.service.privacy.shopify import PATH, signature
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import meet, plan
from tests.service.traces import places

WORD = "shpss_1"


@pytest.fixture
def shop(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A store that Shopify knows, with two customers to whom a message waits."""
    monkeypatch.setenv("SHOPIFY_SECRET", WORD)
    settings = store.model_copy(update={"shopify": store.shopify.model_copy(update={"secret": "env:SHOPIFY_SECRET"})})
    application(settings)
    plan(["c1", "c2"])
    return settings


def shopify(topic: str, said: dict[str, Any] | str, word: str = WORD) -> int:
    body = said if isinstance(said, str) else json.dumps(said)
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature(word, body.encode())}
    return Client().post(f"/{PATH}", body, content_type="application/json", headers=headers).status_code


def test_where_the_secret_is_missing_shopify_does_not_hear_where_it_belongs(
    shop: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("SHOPIFY_SECRET")
    answer = Client().post(f"/{PATH}", "{}", content_type="application/json")
    assert (answer.status_code, b"SHOPIFY" in answer.content) == (503, False)
    assert "rekindle.toml: shopify.secret: no secret at 'env:SHOPIFY_SECRET'" in caplog.text


def api(method: str, path: str, body: object = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {keys.create('tests', ['privacy'], NOON)}"}
    given = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
    answer = Client().generic(method, f"/v1/privacy{path}", headers=headers, **given)
    return answer.status_code, json.loads(answer.content)


def page(store: Settings, customer: str = "c1") -> str:
    return f"/data/{sign(load_ring(store.var, 'preferences'), Claim(customer, 'email-marketing'))}"


def statuses(customer: str) -> set[str]:
    return set(Touch.objects.filter(customer_id=customer).values_list("status", flat=True))


def test_an_erasure_by_api_is_obeyed_at_once_and_done_by_the_next_run(shop: Settings) -> None:
    status, told = api("POST", "/erasures", {"customer": "c1"})
    assert (status, told["kind"], told["done_at"]) == (202, "erasure", None)
    assert (statuses("c1"), statuses("c2")) == ({"suppressed"}, {"planned"})
    assert api("POST", "/erasures", {"customer": "c1@people.example"})[1]["receipt"] == told["receipt"], "asked twice it is one request"
    assert erase_asked(shop, NOON) is not None
    status, done = api("GET", f"/receipts/{told['receipt']}")
    assert (status, bool(done["done_at"]), done["done"]["ledger"]["people.person"]) == (200, True, 1)
    assert set(Person.objects.values_list("customer_id", flat=True)) == {"c2"}
    assert not any(queries.rows_of("c1").values())
    assert api("POST", "/erasures", {"customer": "c1"})[0] == 422
    assert erase_asked(shop, NOON) is None, "nothing waits"


def test_a_receipt_that_was_changed_is_noticed(shop: Settings) -> None:
    actions.ask(ERASURE, "c1", "command", NOON)
    erase_asked(shop, NOON)
    receipt = Receipt.objects.get()
    assert receipt.digest == actions.digest(receipt)
    receipt.done = receipt.done.replace('"people.person": 1', '"people.person": 0')
    assert receipt.digest != actions.digest(receipt)


def test_a_copy_by_api_waits_for_the_run_and_names_nobody_else(shop: Settings) -> None:
    told = api("POST", "/data-requests", {"customer": "c1"})[1]
    assert api("GET", f"/receipts/{told['receipt']}/copy")[0] == 404
    (path,) = copy_asked(shop, NOON)
    assert path.stat().st_mode & 0o077 == 0
    status, copy = api("GET", f"/receipts/{told['receipt']}/copy")
    assert (status, copy["ledger"]["people_person"][0]["email"]) == (200, "c1@people.example")
    assert {"people_consent", "people_externalid", "outbox_touch"} <= copy["ledger"].keys()
    assert "c2" not in json.dumps(copy)
    actions.ask(ERASURE, "c1", "command", NOON)
    erase_asked(shop, NOON)
    assert api("GET", f"/receipts/{told['receipt']}/copy")[0] == 404, "the copy goes with the customer"


def test_the_page_asks_twice_before_it_erases_and_looking_does_nothing(shop: Settings) -> None:
    visitor = Client(enforce_csrf_checks=True)
    assert visitor.get(page(shop)).status_code == 200
    assert b"cannot be undone" in visitor.post(page(shop), {"erase": "ask"}).content
    assert not Receipt.objects.exists()
    answer = visitor.post(page(shop), {"erase": "yes"}).content.decode()
    assert Receipt.objects.get().number in answer
    visitor.post(page(shop, "c2"), {"copy": "1"})
    assert Receipt.objects.get(kind=ACCESS).customer_id == "c2"
    assert "c2@people.example" not in visitor.get(page(shop, "c2")).content.decode(), "whoever has the link sees the page"


def contact(customer: str, source: str, external_id: str, **known: str) -> None:
    record_contacts(pa.Table.from_pylist([{"customer_id": customer, "source": source, "external_id": external_id, **known}]), NOON)


@pytest.mark.parametrize(
    ("named", "who"),
    [
        ({"id": 1001}, ["u1"]), ({"id": 1001, "email": "bob@mail.example", "phone": "+4915123456789"}, ["u1"]),
        ({"id": 7, "email": "Ada@Bücher.example"}, ["u1"]), ({"id": 7, "email": "ADA@xn--bcher-kva.example "}, ["u1"]),
        ({"phone": "+49 151 23456789"}, ["u1", "u2"]), ({"id": 7, "email": "bob@mail.example"}, ["u2"]), ({"id": 2002}, []),
        ({"id": "u1"}, []), ({"email": "Eve@mail.example", "phone": None}, ["u3"]), ({"email": "", "phone": ""}, []),
    ],
)  # fmt: skip
def test_shopify_names_a_customer_by_its_own_id_else_by_address_or_number(shop: Settings, named: dict[str, object], who: list[str]) -> None:
    contact("u1", "shop", "1001", email="ada@bücher.example", phone="+4915123456789")
    contact("u2", "crm", "1001", email="bob@mail.example", phone="+4915123456789")
    contact("u2", "crm", "2002")
    contact("u3", "shop", "eve@mail.example")
    said = {"shop_domain": "corner.example", "customer": named, "orders_to_redact": [1]}
    assert shopify("customers/data_request", said) == shopify("customers/redact", said) == 200
    asked = sorted(Receipt.objects.values_list("kind", "customer_id", "source"))
    assert asked == sorted((kind, one, "shopify") for kind in (ACCESS, ERASURE) for one in who)


def test_shopifys_ids_are_those_of_the_source_that_the_store_names(shop: Settings) -> None:
    application(shop.model_copy(update={"shopify": shop.shopify.model_copy(update={"source": "shopify"})}))
    contact("u1", "shop", "1001")
    contact("u2", "shopify", "1001")
    assert shopify("customers/redact", {"customer": {"id": 1001}}) == 200
    assert Receipt.objects.get().customer_id == "u2"


def test_a_stranger_has_nothing_here_and_shopify_is_told_so(shop: Settings) -> None:
    assert shopify("customers/redact", {"customer": {"id": 7, "email": "nobody@mail.example"}}) == 200
    assert not Receipt.objects.exists()


def test_a_shop_that_left_is_erased_whole(shop: Settings) -> None:
    assert shopify("shop/redact", {"shop_id": 1, "shop_domain": "corner.example"}) == 200
    assert statuses("c1") | statuses("c2") == {"suppressed"}
    done = erase_asked(shop, NOON)
    assert done is not None
    assert (done.customers, Person.objects.count(), Touch.objects.count(), Consent.objects.count()) == (2, 0, 0, 0)


def test_what_shopify_did_not_say_changes_nothing(shop: Settings) -> None:
    cases: list[tuple[str, Any, str, int]] = [
        ("shop/redact", {}, "another", 401), ("shop/redact", {}, "", 401), ("orders/create", {}, WORD, 422), ("", {}, WORD, 422),
        ("shop/redact", "[1]", WORD, 422), ("customers/redact", "{", WORD, 422), ("customers/redact", {"customer": [7]}, WORD, 200),
        ("customers/redact", {"customer": {"id": {"a": 1}, "email": "x" * 500}}, WORD, 200),
    ]  # fmt: skip
    for topic, said, word, status in cases:
        assert shopify(topic, said, word) == status, (topic, said)
    assert not Receipt.objects.exists()


def test_the_signature_is_over_the_raw_body(shop: Settings) -> None:
    """Computed with another tool: printf '{"a": 1}' | openssl dgst -sha256 -hmac shpss_1 -binary | base64."""
    assert signature(WORD, b'{"a": 1}') == "aHp2FIcGR4Mpe5aRLsRGS3Wou6PcR8pD8dmRtulFM1g="
    assert signature(WORD, b'{"a":1}') != "aHp2FIcGR4Mpe5aRLsRGS3Wou6PcR8pD8dmRtulFM1g="


def test_nobody_is_erased_while_a_message_to_them_is_being_handed_over(shop: Settings) -> None:
    Touch.objects.filter(customer_id="c1").update(status="claimed")
    actions.ask(ERASURE, "c1", "command", NOON)
    with pytest.raises(Refused, match="being handed over"):
        erase_asked(shop, NOON)
    assert Person.objects.filter(pk="c1").exists()
    Touch.objects.filter(customer_id="c1").update(status="sent", settled_at=NOON)
    assert erase_asked(shop, NOON) is not None


def test_a_suppressed_address_outlives_its_owner_and_names_nobody(shop: Settings) -> None:
    opt_out("c1", "email", NOON, "unsubscribe link")
    actions.ask(ERASURE, "c1", "command", NOON)
    erase_asked(shop, NOON)
    assert "c1@people" not in str(list(Suppression.objects.values()))
    meet(["c1"])
    from rekindle.service.people.queries import people_by_id, refusals

    assert refusals(people_by_id(["c1"]), "email", NOON) == {"c1": "address suppressed"}


def test_a_stop_after_an_erasure_brings_nobody_back(shop: Settings) -> None:
    plan(["canary-77"], "plan2")
    stop = sign(load_ring(shop.var, "unsubscribe"), Claim("canary-77", "email-marketing"))
    actions.ask(ERASURE, "canary-77", "command", NOON)
    erase_asked(shop, NOON)
    assert Client().post(f"/u/{stop}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert places(shop.root, {"canary-77"}) == []
    assert Client().get(page(shop, "canary-77").replace("/data/", "/preferences/")).status_code == 404


def test_a_visit_that_comes_while_visits_are_taken_out_is_kept(shop: Settings) -> None:
    """A line that was written between two steps of an erasure that broke off is there after the next."""
    folder = shop.var / "clicks"
    folder.mkdir()
    mine, theirs = (Touch.objects.get(customer_id=one).pk for one in ("c1", "c2"))
    lines = [json.dumps({"visit": name, "touch": touch}) + "\n" for name, touch in (("a", mine), ("b", theirs), ("c", theirs))]
    (folder / "2026-11-23.jsonl.taking").write_text("".join(lines[:2]))
    (folder / "2026-11-23.jsonl").write_text(lines[2])
    actions.ask(ERASURE, "c1", "command", NOON)
    erase_asked(shop, NOON)
    left = [json.loads(line)["visit"] for line in (folder / "2026-11-23.jsonl").read_text().splitlines()]
    assert sorted(left) == ["b", "c"]
    assert [path.name for path in folder.iterdir()] == ["2026-11-23.jsonl"]


def test_what_a_provider_tells_after_an_erasure_brings_no_address_back(shop: Settings) -> None:
    Touch.objects.filter(customer_id="c1").update(status="sent", settled_at=NOON)
    token = Touch.objects.get(customer_id="c1").token
    actions.ask(ERASURE, "c1", "command", NOON)
    erase_asked(shop, NOON)
    told = {"recipient": "c1@people.example", "detail": reason("550 c1@people.example"), "raw": '{"to": "c1@people.example"}'}
    record([DeliveryEvent(kind=BOUNCED, source="esp", event_id="e1", token=token, at=NOON, permanent=True, **told)], NOON)
    (row,) = events.DeliveryEvent.objects.values()
    assert "c1@people" not in str(row)
    assert row["token"] == token, "it is told once"


NAMES_NOBODY = {
    "suppression", "plan", "document", "approval", "pause", "destination", "apikey", "received", "receipt", "redemption",
    "review", "blocker", "logentry", "run", "look", "learning", "operator", "invitation", "deed", "remembered", "job",
    "spend",
}
"""Tables without a customer: their rows name nobody, or go with rows that do; what jobs of the console printed goes with every erasure."""


def test_every_table_of_the_ledger_is_either_erased_or_known_to_name_nobody() -> None:
    ours = {model._meta.model_name for model in apps.get_models() if model.__module__.startswith("rekindle.")}
    personal = {model._meta.model_name for model in queries.personal()}
    assert ours - personal - NAMES_NOBODY == set()
