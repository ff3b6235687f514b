"""A customer passes every door of a store, asks to be erased, and nothing of them is left in it."""

import gzip
import io
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from rekindle import settings as stores
from rekindle.cli.privacy import do_what_was_asked
from rekindle.ingest.identity import customer_id_of
from rekindle.service.api import actions as keys
from rekindle.service.config.web import application
from rekindle.service.flow import uploads
from rekindle.service.outbox.models import Touch
from rekindle.service.privacy import actions
from rekindle.service.privacy.models import ACCESS, ERASURE, Receipt
from rekindle.service.programs.models import Approval
from tests.cli.shop import KEY, make_store, write_contacts, write_mapping, write_orders
from tests.cli.terminal import done, typed
from tests.journeys.stores import asked
from tests.service.api.asking import NOW
from tests.service.traces import places

AGENT, ORDER, DETAIL = "CanaryBrowser/77", "CANARY-öRDER-77", "canary-says-77"
AGAIN, REPEATED = "CANARY-ORDER-78", "canary-key-1"


@dataclass(frozen=True)
class Canary:
    """Somebody who is known everywhere."""

    store: Path
    external: str
    customer: str
    words: frozenset[str]


def lived(folder: Path) -> Canary:
    """A store with mail in it, and the first customer who was written to and has a number of three digits."""
    store = make_store(folder / "corner")
    Approval.objects.filter(document__kind="program").exclude(document__name="win-back").delete()
    write_mapping(folder / "orders.yaml")
    done("--store", store, "import", write_orders(folder / "orders.csv"), "--map", folder / "orders.yaml")
    done("--store", store, "import", write_contacts(folder / "contacts.csv"), "--contacts")
    for command in ("plan", "send"):
        done("--store", store, command, "--as-of", "2026-02-01")
    held = Touch.objects.filter(status="sent").order_by("customer_id")
    external = next(one for one in (f"buyer-{n}" for n in range(100, 150)) if held.filter(customer_id=opaque(one)).exists())
    return Canary(store, external, opaque(external), known(store, external))


def opaque(external: str) -> str:
    return customer_id_of(external, "shop", KEY)


def known(store: Path, external: str) -> frozenset[str]:
    """Everything that only this customer is called."""
    number, customer = external.removeprefix("buyer-"), opaque(external)
    touches = Touch.objects.filter(customer_id=customer)
    orders = {row[0] for row in asked(store, "select distinct order_id from orders where customer_id = ?", customer)}
    named = {one for touch in touches for one in (touch.token, touch.message_id, touch.code) if one}
    return frozenset({external, customer, f"person{number}@mail.example", f"Ada{number}", AGENT, ORDER, DETAIL, *orders, *named})


def walk_every_door(canary: Canary, folder: Path) -> None:
    """Clicks, chooses, is complained of, has rows parked, redeems, and is in reports."""
    settings = stores.load(canary.store)
    application(settings)
    client = Client(headers={"User-Agent": AGENT})
    touch = Touch.objects.filter(customer_id=canary.customer, status="sent").order_by("pk").last()
    mail = next((canary.store / "var" / "mail").glob(f"*/{touch.token}@*")).read_text()
    mail = mail.replace("=\n", "").replace("=3D", "=")
    links = {path: re.search(rf"{re.escape(settings.public_path)}(/{path}/[\w.~-]+)", mail) for path in ("c", "preferences")}
    assert client.get(links["c"][1]).status_code == 302
    chosen = {"sent": "1", "way_email": "on", "monthly": "2", "day": "7", "month": "7"}
    assert client.post(links["preferences"][1], chosen).status_code == 200
    redeem(client, canary.customer)
    brought(settings, canary)
    (folder / "late.csv").write_text(f"buyer,day,paid\n{canary.external},2026-01-30,12.00\n{canary.external},no day,12.00\n")
    late = done("--store", canary.store, "import", folder / "late.csv", "--map", folder / "orders.yaml")
    assert canary.external not in late.out + late.err, "what is said of bad rows names nobody"
    for command in ("diagnose", "report"):
        done("--store", canary.store, command, "--as-of", "2026-02-20")
    done("--store", canary.store, "export", canary.external)


def brought(settings: stores.Settings, canary: Canary) -> None:
    """The shop brought files that name them through the console, in every shape, and a job printed them."""
    from rekindle.service.console.models import Job

    rows = f"customer_id,email\n{canary.external},x@mail.example\n"
    table = pa.Table.from_pylist([{"customer_id": canary.external, "total": "5"}])
    packed = io.BytesIO()
    pq.write_table(table, packed)
    shapes = {"a.csv": rows.encode(), "b.tsv.gz": gzip.compress(rows.encode()), "c.parquet": packed.getvalue()}
    for name, content in {**shapes, "d.jsonl": json.dumps({"buyer": canary.external}).encode()}.items():
        uploads.keep(settings, name, [content])
    uploads.keep(settings, "others.csv", [b"customer_id\nsomebody-else\n"])
    ended = {"state": "done", "by": "op@shop.example", "asked_at": NOW, "ended_at": NOW}
    Job.objects.create(key="j1", kind="rehearse", result=json.dumps({"sample": canary.customer}), **ended)


def redeem(client: Client, customer: str) -> None:
    """A code of theirs is redeemed, with an order that the shop names, and a message of theirs is told to have bounced."""
    from rekindle.service.events.models import DeliveryEvent
    from rekindle.service.redemptions.models import Coupon

    touch = Touch.objects.filter(customer_id=customer, status="sent").order_by("pk").last()
    Touch.objects.filter(pk=touch.pk).update(code="CANARYC0DE")
    round_ = {"plan": touch.plan_id, "program": touch.program, "episode": touch.episode, "stage": touch.stage, "offer": "o"}
    given = {"kind": "percent", "label": "10 % off", "currency": "EUR", "percent": 0.1, "price": True}
    Coupon.objects.create(code="CANARYC0DE", customer_id=customer, **round_, **given, last_day=NOW.date() + timedelta(days=5))
    key = keys.create("till", ["coupons"], NOW)
    for order, repeated, status in ((ORDER, REPEATED, 200), (AGAIN, f"{REPEATED}-again", 409)):
        body = {"customer": customer, "currency": "EUR", "lines": [{"product": "p", "amount": 5000}], "order_id": order}
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": repeated}
        answer = client.post("/v1/coupons/CANARYC0DE/redeem", json.dumps(body), content_type="application/json", headers=headers)
        assert answer.status_code == status, answer.content
    told = {"source": "mail", "event_id": "77", "kind": "bounced", "recipient": "unmatched@mail.example", "raw": DETAIL}
    DeliveryEvent.objects.create(customer_id=customer, **told, occurred_at=NOW, recorded_at=NOW)


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> tuple[Canary, Path]:
    folder = tmp_path_factory.mktemp("erasure")
    one = lived(folder)
    walk_every_door(one, folder)
    return one, folder


def test_nothing_is_left_of_who_was_erased(canary: tuple[Canary, Path]) -> None:
    one, folder = canary
    words = one.words | {"CANARYC0DE"}
    before = places(one.store, words)
    assert {place.split(": ")[1] for place in before} == words, "the canary was everywhere, or the search is blind"
    assert places(one.store, {REPEATED}) == [], "a key is kept by its digest"
    told = done("--store", one.store, "erase", one.external, "--json").json
    assert places(one.store, words | {AGAIN, json.dumps(ORDER).strip('"')}) == []
    assert told["ledger"]["redemptions.answer"] == len((ORDER, AGAIN))
    assert told["customers"] == 1
    assert told["history"]["orders"] > 1
    assert told["files"]["messages"] >= 1
    assert told["files"]["visits"] == 1
    assert [path.name for path in (one.store / "var" / "uploads").glob("*/*")] == ["others.csv"]
    assert Receipt.objects.get(pk=told["receipts"][0]["receipt"]).customer_id == ""
    assert typed("--store", one.store, "erase", one.external).code == 3, "nobody is known by that name any more"
    told = done("--store", one.store, "audit", one.external, "--json").json
    assert told["erased"] is True
    assert [(link["good"], link["erased"] > 0) for link in told["chain"]] == [(True, True)]
    for command in (["import", folder / "orders.csv", "--map", folder / "orders.yaml"], ["import", folder / "contacts.csv", "--contacts"]):
        done("--store", one.store, *command)
    assert places(one.store, words) == [], "files that still name them do not bring them back"


def test_what_was_asked_is_done_before_a_run(canary: tuple[Canary, Path]) -> None:
    store = canary[0].store
    assert done("--store", store, "erase").lines == ["Erased         nobody: no erasure waits"]
    copied, gone = opaque("buyer-148"), opaque("buyer-149")
    receipt = actions.ask(ACCESS, copied, "page", NOW)
    actions.ask(ERASURE, gone, "shopify", NOW)
    assert done("--store", store, "erase", "--dry-run", "--json").json == {"customers": [], "asked": 1}
    do_what_was_asked(store)
    said = json.loads((store / "var" / "exports" / f"{receipt.number}.json").read_text())
    assert {row["order_id"] for row in said["history"]["orders"]} == {
        row[0] for row in asked(store, "select order_id from orders where customer_id = ?", copied)
    }
    assert said["files"]["profile"][0]["customer_id"] == copied
    assert places(store, {gone, "buyer-149", "person149@mail.example"}) == []
