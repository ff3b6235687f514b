"""The landing that the shop's own page shows is that of our page."""

import json
from datetime import timedelta

from rekindle.service.flow.sending import send_due
from rekindle.settings import Settings
from tests.service.api.asking import NOW, Ask
from tests.service.conftest import NOON
from tests.service.touches import FACTS, Recorder, plan

OFFER = {"offer_kind": "credit", "offer_label": "EUR 5.00 off", "offer_terms": "One order.", "category": "LIGHTING"}
CART = {"cart": ["LANTERN"], "cart_ids": ["p1"]}


def test_the_last_advertising_decides_what_is_shown(store: Settings, ask: Ask) -> None:
    until = (NOW + timedelta(days=9)).date()
    facts = json.dumps({**FACTS, **OFFER, **CART, "valid_until": until.isoformat()})
    plan(["c1"], facts=facts, code="7K2M", valid_until=until)
    assert ask("GET", "/landing?customer=c1")[0] == 404, "it has not been sent"
    send_due(store, NOON, senders={"email": Recorder()})
    status, said = ask("GET", "/landing?customer=c1")
    assert status == 200
    assert (said["because"], said["category"], said["cart_url"]) == ("lapse", "Lighting", "")
    assert said["items"] == [{"id": "p1", "name": "Lantern"}]
    assert said["offer"] == {
        "label": "EUR 5.00 off", "terms": "One order.", "state": "open", "code": "7K2M", "last_day": until.isoformat(),
    }  # fmt: skip


def test_nobody_comes_back_to_what_is_not_known(ask: Ask) -> None:
    assert ask("GET", "/landing?customer=nobody")[0] == 422
