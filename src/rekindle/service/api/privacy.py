"""What the shop's own systems ask for a customer: a copy of their data, or that it goes.

Knows nothing of how it is done. A request is noted and answered at once with its receipt; `rekindle run` does what was asked.
"""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router, Schema, Status
from ninja.errors import HttpError

from rekindle import moment
from rekindle.service.api.access import Key
from rekindle.service.api.fields import CustomerId
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.copying import place
from rekindle.service.people.queries import find
from rekindle.service.privacy.actions import ask
from rekindle.service.privacy.models import ACCESS, ERASURE, Receipt

router = Router(auth=Key("privacy"), tags=["privacy"])

Number = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="A receipt's number.")]
SOURCE = "api"


class Asking(Schema):
    """Whose data it is about."""

    customer: CustomerId


class Told(Schema):
    """A receipt; `done_at` is null while it waits, and `done` counts rows and files by what they were."""

    receipt: str
    kind: Literal["access", "erasure"]
    asked_at: datetime
    done_at: datetime | None
    done: dict[str, Any]
    digest: str


@router.post("/data-requests", response={202: Told}, summary="A customer asks for a copy of their data")
def data_request(request: HttpRequest, given: Asking) -> Status[Told]:
    """Notes the request; asked again while it waits it is the same one."""
    return Status(202, _told(ask(ACCESS, find(given.customer, tell=False), SOURCE, moment.now())))


@router.post("/erasures", response={202: Told}, summary="A customer asks to be erased")
def erasure(request: HttpRequest, given: Asking) -> Status[Told]:
    """Notes the request; from this moment on the customer is sent nothing."""
    return Status(202, _told(ask(ERASURE, find(given.customer, tell=False), SOURCE, moment.now())))


@router.get("/receipts/{number}", response=Told, summary="What became of a request")
def receipt(request: HttpRequest, number: Number) -> Told:
    """A receipt as it stands."""
    return _told(_found(number))


@router.get("/receipts/{number}/copy", response={200: dict[str, Any]}, summary="The copy that was asked for")
def copied(request: HttpRequest, number: Number) -> HttpResponse:
    """The copy's JSON; 404 while it waits, and once it was removed."""
    path = place(store_in_use().var, _found(number).number)
    if not path.is_file():
        raise HttpError(404, "there is no copy, not yet or not any more")
    return HttpResponse(path.read_bytes(), content_type="application/json")


def _found(number: str) -> Receipt:
    found = Receipt.objects.filter(pk=number).first()
    if found is None:
        raise HttpError(404, "there is no such receipt")
    return found


def _told(one: Receipt) -> Told:
    kind: Literal["access", "erasure"] = "access" if one.kind == ACCESS else "erasure"
    return Told(
        receipt=one.number, kind=kind, asked_at=one.asked_at, done_at=one.done_at, done=json.loads(one.done), digest=one.digest
    )
