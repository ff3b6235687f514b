"""The API holds what its OpenAPI document says, whatever is asked: requests that fit the document, and requests that do not.

Schemathesis makes the requests; every answer is held against the document, none may be a mistake of ours, and none may break the ledger.
"""

from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis import checks as held

from rekindle.service.api import actions, v1
from rekindle.service.api.scopes import SCOPES
from rekindle.service.channels.inapp.models import InAppMessage
from rekindle.service.config.web import application
from rekindle.service.redemptions.models import Coupon
from rekindle.settings import Settings
from tests.service.api.asking import NOW, meet

CODE, TODAY = "D6R2ZRE91Z", NOW.date()
KNOWN = {"customer": "c-1", "code": CODE, "message": "m1"}
"""What is there: half of the requests are about it."""

CHECKS = [
    held.not_a_server_error, held.status_code_conformance, held.content_type_conformance, held.response_schema_conformance,
    held.negative_data_rejection, held.response_headers_conformance,
]  # fmt: skip


@pytest.fixture
def document(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The API with its document, and customers, codes and messages to ask about."""
    monkeypatch.setattr(v1.OFTEN.counted, "most", 10**9)
    meet("c-1", "c-2")
    Coupon.objects.create(
        code=CODE, customer_id="c-1", plan="p", program="win-back", episode="o1", stage="tailor", offer="percent_10", kind="percent",
        label="10 % off", currency="EUR", percent=0.1, price=True, last_day=TODAY + timedelta(days=9),
    )  # fmt: skip
    InAppMessage.objects.create(
        message_id="m1", customer_id="c-1", title="t", text="x", url="https://shop.example/", service=True, last_day=TODAY
    )
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", application(store))


def asked(document: Any, each: int) -> int:
    """Asks every operation so often, as it wants to be asked and as it does not, and counts."""
    key = actions.create("tests", list(SCOPES), NOW)
    operations = [found.ok() for found in document.get_all_operations()]
    return sum(asked_of(one, mode, each, key) for one in operations for mode in GenerationMode)


def asked_of(operation: Any, mode: GenerationMode, each: int, key: str) -> int:
    cases, about = operation.as_strategy(generation_mode=mode), st.booleans() if mode is GenerationMode.POSITIVE else st.just(False)
    count = 0

    @given(case=cases, known=about)
    @examples(max_examples=each, suppress_health_check=list(HealthCheck))
    def ask(case: Any, known: bool) -> None:
        nonlocal count
        count += 1
        for place in (case.path_parameters, case.query, case.body) if known else ():
            if isinstance(place, dict):
                place.update({name: value for name, value in KNOWN.items() if name in place})
        looks = case.method == "GET"  # where more was told than is asked, that is passed over
        checks = [one for one in CHECKS if not (looks and one is held.negative_data_rejection)]
        case.validate_response(case.call(headers={"Authorization": f"Bearer {key}"}), checks=checks)

    ask()
    return count


def test_every_answer_is_as_the_document_says(document: Any) -> None:
    assert asked(document, 32) >= 1_000


@pytest.mark.long
def test_many_answers_are_as_the_document_says(document: Any) -> None:
    assert asked(document, 640) >= 20_000
