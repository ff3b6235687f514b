"""Codes at the shop's checkout: is it good, take it, give it back.

Knows nothing of the rules by which a code is taken. Whoever repeats a request under its key of idempotency gets the first answer again.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Annotated, Literal

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from ninja import Header, Router, Schema
from ninja.errors import AuthorizationError
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from rekindle import moment
from rekindle.respond.redemption import WORDS, Line, Reason
from rekindle.service.api.access import Key, Often, holder
from rekindle.service.api.errors import failed, refusal, refusal_text
from rekindle.service.api.fields import Line as ShortText
from rekindle.service.config.web import store_in_use
from rekindle.service.flow import redeeming
from rekindle.service.flow.redeeming import Order
from rekindle.service.redemptions import actions
from rekindle.service.redemptions.actions import Asked, OtherRequest, Reply

_KEY = Key("coupons")
router = Router(auth=_KEY, tags=["coupons"])

Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9 -]+$", description="As the customer typed it.")]
Idempotency = Annotated[
    str, Header(alias="Idempotency-Key", min_length=8, max_length=200, pattern=r"^[!-~]+$", description="Yours, the same when you repeat.")
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Identity = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
OrderId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_MOST = 10**12
_CODE: TypeAdapter[str] = TypeAdapter(Code)


class OrderLine(BaseModel):
    """One line; `amount` is what it costs after its own discounts, minor units."""

    product: Identity = ""
    category: ShortText = ""
    amount: Annotated[int, Field(ge=0, le=_MOST)]


class Checkout(BaseModel):
    """An order at the checkout."""

    customer: Identity = ""
    currency: Currency
    lines: Annotated[list[OrderLine], Field(min_length=1, max_length=500)]
    other_codes: Annotated[list[Code], Field(max_length=20)] = []

    def order(self) -> Order:
        """The same as the rules read it."""
        lines = tuple(Line(one.product, one.category, one.amount) for one in self.lines)
        return Order(self.customer, self.currency, lines, tuple(self.other_codes))


class Taken(Checkout):
    """An order that a code is redeemed with."""

    order_id: OrderId


class Undone(Schema):
    """A redemption that came to nothing."""

    redemption: Annotated[int, Field(ge=1, le=2**63 - 1)]


class Good(BaseModel):
    """What a good code takes off, minor units."""

    valid: Literal[True] = True
    discount: int
    currency: str
    offer: str
    kind: str
    last_day: date | None


class NotGood(BaseModel):
    """Why a code is not taken."""

    valid: Literal[False] = False
    reason: Reason
    words: str


class Redeemed(Schema):
    """A redemption; `rolled_back_at` is null while it stands."""

    redemption: int
    order_id: str
    discount: int
    rolled_back_at: datetime | None


@router.post("/{code}/validate", response=Good | NotGood, summary="Would this code be taken, and for how much?")
def validate(request: HttpRequest, code: Code, asked: Checkout) -> HttpResponse:
    """Looks; nothing is changed, and the answer holds for this moment alone."""
    found = redeeming.looked_at(store_in_use(), code, asked.order(), moment.now())
    if isinstance(found, Reason):
        return _said(NotGood(reason=found, words=WORDS[found]))
    coupon, discount = found
    return _said(Good(discount=discount, currency=coupon.currency, offer=coupon.label, kind=coupon.kind, last_day=coupon.last_day))


def at_once(view: Callable[..., HttpResponse], often: Often) -> Callable[..., HttpResponse]:
    """The same path, at which a look that is in order is answered before ninja finds out what is wrong with one that is not.

    Args:
        view: Ninja's, for every other request.
        often: Counts the requests of a key.
    """

    @wraps(view)
    def answer(request: HttpRequest, code: str) -> HttpResponse:
        asked = _in_order(request, code)
        if asked is None or not often.allow_request(request):
            return view(request, code=code)
        try:
            return validate(request, code, asked)
        except Exception as error:  # noqa: BLE001  what failed is told in the one shape, as at every other path
            return failed(request, error)

    return answer


def _in_order(request: HttpRequest, code: str) -> Checkout | None:
    """What a checkout asks; None where anything is wrong with the request."""
    try:
        key = _KEY.held(request) if request.method == "POST" else None
        if key is None:
            return None
        _CODE.validate_python(code)
        asked = Checkout.model_validate_json(request.body)
    except (AuthorizationError, SuspiciousOperation, ValidationError):
        return None
    request.auth = key  # type: ignore[attr-defined]  # as ninja sets it
    return asked


def _said(answer: Good | NotGood) -> HttpResponse:
    return HttpResponse(answer.model_dump_json().encode(), content_type="application/json")


@router.post("/{code}/redeem", response=Redeemed, summary="Take this code with this order")
def redeem(request: HttpRequest, code: Code, asked: Taken, idempotency_key: Idempotency) -> HttpResponse:
    """Redeems a code, once however often it is asked; 409 with the reason where it is not taken."""
    now = moment.now()

    def do() -> Reply:
        made = redeeming.redeem(store_in_use(), code, asked.order(), asked.order_id, now)
        if isinstance(made, Reason):
            return Reply(409, refusal_text("Rejected", WORDS[made], "Leave the code out.", 409, reason=made.value))
        said = Redeemed(redemption=made.pk, order_id=made.order_id, discount=made.discount, rolled_back_at=None)
        return Reply(200, said.model_dump_json())

    return _once(request, (code, idempotency_key), asked, now, do)


@router.post("/{code}/rollback", response=Redeemed, summary="The order came to nothing: the code may be redeemed again")
def rollback(request: HttpRequest, code: Code, asked: Undone, idempotency_key: Idempotency) -> HttpResponse:
    """Takes a redemption back, once however often it is asked."""
    now = moment.now()

    def do() -> Reply:
        found = actions.roll_back(redeeming.typed(code), asked.redemption, now)
        if found is None:
            return Reply(404, refusal_text("NotFound", "there is no such redemption of this code", "Use the number that redeem gave.", 404))
        said = Redeemed(
            redemption=found.pk, order_id=found.order_id, discount=found.discount, rolled_back_at=found.rolled_back_at
        )
        return Reply(200, said.model_dump_json())

    return _once(request, (code, idempotency_key), asked, now, do)


def _once(request: HttpRequest, named: tuple[str, str], asked: BaseModel, at: datetime, do: Callable[[], Reply]) -> HttpResponse:
    """The answer about a code, or the first answer to the same request under this key; another request under it is refused."""
    code, key = named
    sent = json.dumps([request.path, asked.model_dump(mode="json")], sort_keys=True)
    mine, all_of_it = (hashlib.sha256(text.encode()).hexdigest() for text in (f"{holder(request).prefix}:{key}", sent))
    try:
        reply = actions.once(Asked(mine, redeeming.typed(code), all_of_it, at), do)
    except OtherRequest:
        return refusal("Refused", "this Idempotency-Key was used for another request", "Take a new key for a new request.", 422)
    return HttpResponse(reply.body, status=reply.status, content_type="application/json")
