"""A client of the JSON API with a key for everything, and customers to ask about."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pytest
from django.test import Client

from rekindle import moment
from rekindle.service.api import actions
from rekindle.service.api.scopes import SCOPES
from rekindle.service.config.web import application
from rekindle.service.people import actions as people
from rekindle.settings import Settings

NOW = moment.now()
NONE: Mapping[str, str] = MappingProxyType({})
BROWSER = {
    "endpoint": "https://push.example/send/abc",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
"""The browser of RFC 8291, appendix A."""

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(store: Settings) -> Ask:
    """Asks the API with a key for everything, or another."""
    application(store)
    client, key = Client(enforce_csrf_checks=True), actions.create("tests", list(SCOPES), NOW)

    def asked(method: str, path: str, body: object = None, key: str = key, headers: Mapping[str, str] = NONE) -> tuple[int, Any]:
        headers = {**headers, **({"Authorization": f"Bearer {key}"} if key else {})}
        given = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        response = client.generic(method, f"/v1{path}", headers=headers, **given)
        json_is_said = response["Content-Type"].startswith("application/json")
        return response.status_code, json.loads(response.content) if json_is_said else response.content

    return asked


def share(email: str, *customers: str) -> None:
    """Gives customers one e-mail address."""
    people.record_contacts(pa.table({"customer_id": list(customers), "email": [email] * len(customers)}), NOW)


def meet(*customers: str, inapp: bool = True) -> None:
    size = len(customers)
    rows = {"customer_id": list(customers), "source": ["shop"] * size, "external_id": [f"x-{one}" for one in customers]}
    people.record_contacts(pa.table({**rows, "email": [f"{one}@people.example" for one in customers]}), NOW - timedelta(days=9))
    for one in customers if inapp else ():
        people.consent(one, "inapp", NOW - timedelta(days=9), "account")
