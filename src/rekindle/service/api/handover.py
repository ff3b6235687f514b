"""Taking a customer in whom one of our pages handed over.

Knows nothing of pages. A code is shown once, by the shop's server, within ten minutes.
"""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from rekindle import moment
from rekindle.service.api.access import Key
from rekindle.service.people.queries import external_ids
from rekindle.service.trust.actions import spend_entrance

router = Router(auth=Key("handover"), tags=["handover"])


class Shown(Schema):
    """The code that came with the customer."""

    code: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


class Entered(Schema):
    """Who came: the id in your files where you gave one. `risk` low: show the cart and the orders, and ask for more before the rest."""

    customer: str
    risk: Literal["low"] = "low"


@router.post("", response=Entered, summary="Who comes with a code")
def entered(request: HttpRequest, shown: Shown) -> Entered:
    """Spends a code; one that is unknown, spent or over is answered 404."""
    mine = spend_entrance(shown.code, moment.now())
    if mine is None:
        raise HttpError(404, "there is no such code: a code is good once, and for ten minutes")
    return Entered(customer=external_ids([mine]).get(mine, mine))
