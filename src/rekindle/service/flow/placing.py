"""What the shop's own pages show a customer: the plan's own decision, looked up, never made anew.

Knows nothing of requests. History stays closed: decisions are read from the files of plans, what became of them from the ledger.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow.parquet as pq

from rekindle.decide.timing import zone_of
from rekindle.moment import local_day
from rekindle.respond.placement import NOTHING, Decided, Silence, counting
from rekindle.service.flow import documents, spending
from rekindle.service.flow.plan_files import BUDGETS, ROWS
from rekindle.service.outbox.models import OPEN, SENT, UNKNOWN, Touch
from rekindle.service.outbox.queries import ready_plans
from rekindle.service.people.models import Person
from rekindle.service.placements.actions import record
from rekindle.service.placements.models import Placed
from rekindle.service.privacy.queries import is_leaving
from rekindle.service.programs.queries import paused
from rekindle.service.redemptions.models import Coupon
from rekindle.service.wishes.queries import wishes_of
from rekindle.settings import Settings

_COLUMNS = ("program", "stage", "episode", "arm", "propensity", "eligible", "policy", "valid_until")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a placement shows.

    Args:
        decided: The decision that counts; None where there is none.
        touch: The message to show; None for nothing.
        silence: Why nothing; None where there is something.
    """

    decided: Decided | None
    touch: Touch | None
    silence: Silence | None


def placed(settings: Settings, placement: str, person: Person, at: datetime) -> Answer:
    """What a placement shows a customer now; an answer that rests on a decision is recorded, once a day.

    Args:
        settings: The store's.
        placement: What the shop calls the place.
        person: The customer.
        at: The instant, aware.
    """
    today = local_day(at, zone_of(person.timezone, settings.timezone))
    decided = counting(list(_decisions(settings, person.customer_id)), today)
    if decided is None:
        return Answer(None, None, Silence.UNDECIDED)
    found = _shown(settings, person, decided, at)
    answer = Answer(decided, None, found) if isinstance(found, Silence) else Answer(decided, found, None)
    row = Placed(
        customer_id=person.customer_id, placement=placement, day=local_day(at, settings.timezone), plan=decided.plan,
        program=decided.program, stage=decided.stage, episode=decided.episode, arm=decided.arm if answer.touch else NOTHING,
        propensity=decided.propensity,
    )  # fmt: skip
    record(row, at)
    return answer


def _shown(settings: Settings, person: Person, decided: Decided, at: datetime) -> Touch | Silence:
    """The message that a decision became, or why nothing is shown of it."""
    if decided.arm == NOTHING:
        return Silence.DRAWN
    touch = Touch.objects.filter(
        customer_id=person.customer_id, program=decided.program, episode=decided.episode, stage=decided.stage, plan_id=decided.plan
    ).first()
    if touch is None or touch.status not in (SENT, UNKNOWN):
        return Silence.NOT_YET if touch is not None and touch.status in OPEN else Silence.WITHDRAWN
    if touch.code and Coupon.objects.filter(pk=touch.code, redeemed__gt=0).exists():
        return Silence.USED
    if touch.code and spending.closed(settings, touch.code, at):
        return Silence.SPENT
    if decided.program in paused():
        return Silence.PAUSED
    return Silence.UNWANTED if _unwanted(settings, person, decided.program, at) else touch


def _unwanted(settings: Settings, person: Person, program: str, at: datetime) -> bool:
    wishes = wishes_of(person, at)
    if wishes.paused_until is not None or not wishes.scored or not wishes.channels or is_leaving(person.customer_id):
        return True
    if not wishes.refused:
        return False
    return any(one.topic in wishes.refused for one in documents.approved(settings).programs if one.name == program)


def _decisions(settings: Settings, customer_id: str) -> Iterator[Decided]:
    """A customer's decisions about marketing, the latest plan's first."""
    ready, found = ready_plans(), []
    for path in (settings.var / "plans").glob(f"*/{BUDGETS}"):
        if path.parent.name in ready and (path.parent / ROWS).is_file():
            found.append((json.loads(path.read_text(encoding="utf-8"))["as_of"], path.parent))
    for _, folder in sorted(found, reverse=True):
        mine = [("customer_id", "==", customer_id), ("service", "==", False)]
        for row in pq.read_table(folder / ROWS, columns=[*_COLUMNS, "reason"], filters=mine).to_pylist():
            if row["arm"] is not None and row["reason"] is None:
                yield Decided(
                    folder.name, row["program"], row["stage"], row["episode"], row["arm"], row["propensity"],
                    tuple(row["eligible"].split("|")), row["policy"], row["valid_until"],
                )  # fmt: skip
