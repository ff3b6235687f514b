"""What a page of the shop shows a customer: the decision of the plan, or nothing.

Knows nothing of how it was made.
"""

from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from rekindle import moment
from rekindle.respond.placement import WORDS, Decided, Silence
from rekindle.service.api.access import Key
from rekindle.service.api.fields import CustomerId
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.placing import Answer, placed
from rekindle.service.flow.showing import decided
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Person
from rekindle.service.people.queries import named, person_of

router = Router(auth=Key("decisions"), tags=["decisions"])


class Asked(Schema):
    """A place on a page, by the shop's own name for it, and who looks at it."""

    placement: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9-]+$")]
    customer: CustomerId


class Basis(Schema):
    """The decision: drawn when the plan was made, among these, with this chance."""

    plan: str
    program: str
    stage: str
    policy: str
    eligible: list[str]
    propensity: float


class Offered(Schema):
    """What is offered, as the message said it."""

    kind: str
    label: str
    terms: str
    code: str
    last_day: date | None


class Shown(Schema):
    """Something to show."""

    show: Literal[True] = True
    arm: str
    basis: Basis
    offer: Offered


class NotShown(Schema):
    """Nothing to show, and why; `basis` is null where nothing was decided."""

    show: Literal[False] = False
    arm: Literal["nothing"] = "nothing"
    reason: Silence
    words: str
    basis: Basis | None


@router.post("", response=Shown | NotShown, summary="What does this place show this customer?")
def decide(request: HttpRequest, asked: Asked) -> Shown | NotShown:
    """The same answer as long as the decision and the customer's wishes stay; it is recorded once a day, and history learns it."""
    person = _person(asked.customer)
    answer = placed(store_in_use(), asked.placement, person, moment.now()) if person else Answer(None, None, Silence.UNDECIDED)
    basis = _basis(answer.decided) if answer.decided else None
    if answer.decided and answer.touch and basis:
        return Shown(arm=answer.decided.arm, basis=basis, offer=_offer(answer.touch))
    reason = answer.silence or Silence.UNDECIDED
    return NotShown(reason=reason, words=WORDS[reason], basis=basis)


def _person(customer: str) -> Person | None:
    """Who; None for a visitor whom nobody knows, or who may be several, and is shown nothing rather than refused."""
    found = named(customer)
    return person_of(*found) if len(found) == 1 else None


def _basis(made: Decided) -> Basis:
    return Basis(
        plan=made.plan, program=made.program, stage=made.stage, policy=made.policy, eligible=list(made.eligible),
        propensity=made.propensity,
    )  # fmt: skip


def _offer(touch: Touch) -> Offered:
    facts = decided(store_in_use(), touch)
    return Offered(
        kind=facts.offer_kind, label=facts.offer_label, terms=facts.offer_terms, code=touch.code, last_day=touch.valid_until
    )
