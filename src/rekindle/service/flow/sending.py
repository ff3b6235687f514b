"""Handing over what is due: claim, look again at what may have changed, attempt, hand over, commit the outcome.

Knows nothing of why a touch was decided. Marketing is handed over at most once: what is attempted is never taken again. A message about
the customer's own order waits for no consent and for no morning, carries no link to stop, and may come twice under one Message-ID.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Event

from rekindle import moment
from rekindle.deliver.channel import Channel
from rekindle.deliver.lanes import Limits
from rekindle.program.rules import QuietHours
from rekindle.service.channels import open_senders
from rekindle.service.config import ledger_named, use_ledger
from rekindle.service.flow.composing import open_desk
from rekindle.service.flow.crew import at_work
from rekindle.service.flow.plan_approving import leaving
from rekindle.service.flow.shift import Shift, Terms
from rekindle.service.flow.wishing import topics_of
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import PLANNED, UNKNOWN
from rekindle.service.outbox.queries import Held, due
from rekindle.service.programs.queries import paused
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the touches that were due.

    Args:
        planned: How many were due.
        by_status: How many ended in each settled state, those that earlier runs left unknown among them.
        postponed: How many wait: it was the customer's night, or the channel could not take them now.
        held: How many wait for a person: their program is paused, or nobody said yes to their plan.
        left: How many an earlier run left unknown; `planned` and these are the sum of the others.
    """

    planned: int
    by_status: Mapping[str, int]
    postponed: int
    held: int = 0
    left: int = 0


def send_due(
    settings: Settings,
    now: datetime | None = None,
    *,
    quiet: QuietHours | None = None,
    senders: Mapping[str, Channel] | None = None,
    clock: Callable[[], datetime] | None = None,
    stop: Event | None = None,
) -> Sent:
    """Sends the touches of ready plans that are due, and says what became of them.

    Args:
        settings: The store.
        now: The one instant of sending where the clock is shifted: what is due, what has expired, where it is night. Where not given, what
            is due at the beginning is sent, and all else is asked of the clock as time passes.
        quiet: When nobody is written to, in the customer's time zone; 20:00 to 09:00 where not given.
        senders: Channel to what hands its messages over; the store's own where not given.
        clock: The present instant, which leases count by; the machine's where not given.
        stop: Ends the run in order when it is set: what is in the air is waited for, and all else is left to the next worker.

    Raises:
        Refused: No message of this store could be lawful: no postal address, or no HTTPS address for its links.
        StoreUnavailable: The ledger failed; what was committed stays, and what was in the air is unknown when its lease is over.
    """
    use_ledger(settings)
    opened = open_senders(settings) if senders is None else senders
    with ledger_named(settings):
        present = clock or moment.now
        instant = present if now is None else partial(_unmoved, now)
        limits = {channel: limits_of(sender) for channel, sender in opened.items()}
        held, stopped = partial(held_back, settings), (stop or Event()).is_set
        desk = open_desk(settings, instant())
        return _work_off(Terms(desk, quiet or QuietHours(), opened, limits, held, present, instant, stopped, topics_of(settings)))


def _unmoved(now: datetime) -> datetime:
    """The instant of a shifted clock."""
    return now


def _work_off(terms: Terms) -> Sent:
    clock, limits, began = terms.clock, terms.limits, terms.desk.now
    left, _ = outbox.recover(clock())
    with at_work(sum(one.threads for one in limits.values())) as crew:
        shift = Shift(terms, crew, secrets.token_hex(8))
        tally, freed = shift.work(), 1
        while freed and not terms.stopped():  # what another worker let go of meanwhile
            more, freed = outbox.recover(clock())
            left, tally = left + more, shift.work() if freed else tally
    waiting = due(began) - due(began, terms.held())
    ended = tally + Counter({UNKNOWN: left})
    settled = {status: count for status, count in sorted(ended.items()) if status != PLANNED}
    return Sent(tally.total() + waiting, settled, tally[PLANNED], waiting, left)


def held_back(settings: Settings) -> Held:
    """What is not to be sent as long as no person says otherwise: marketing of paused programs, and plans that leave without a yes."""
    return Held(paused(), frozenset(leaving(settings)))


def limits_of(sender: Channel) -> Limits:
    """How much a sender takes at once: its own `limits` where it has them."""
    found = getattr(sender, "limits", None)
    return found if isinstance(found, Limits) else Limits()
