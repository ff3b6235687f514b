"""Who says yes to a plan whose messages leave this machine: a person, or the autopilot of rules.yaml within its bounds.

Knows nothing of documents and their versions. The mailbox and the folder keep every message here, so that nobody is asked.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from rekindle import moment, money
from rekindle.decide.summary import PlanSummary
from rekindle.errors import BadData, Refused
from rekindle.program.rules import Autopilot
from rekindle.service.flow import documents, going_live
from rekindle.service.outbox import actions, queries
from rekindle.settings import Settings

AUTOPILOT = "autopilot"
HARMLESS = frozenset({"folder", "mailbox"})
"""The senders from which nothing leaves this machine."""

KEPT_SECONDS = 60
"""So long a page may be behind with how many messages of a plan wait, or went."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A plan that waits for a yes.

    Args:
        plan: Its hash.
        messages: How many of its messages would leave this machine.
    """

    plan: str
    messages: int


def leaving(settings: Settings) -> dict[str, str]:
    """The channels by which messages leave this machine, each with its sender's name."""
    return {channel: name for channel, name in settings.senders.model_dump().items() if name and name not in HARMLESS}


def awaiting(settings: Settings) -> tuple[Waiting, ...]:
    """The plans that wait for a yes."""
    return tuple(Waiting(plan, messages) for plan, messages in queries.unapproved(leaving(settings)).items())


def awaiting_lately(settings: Settings) -> tuple[Waiting, ...]:
    """The plans that wait for a yes now, with messages counted within the last `KEPT_SECONDS`: to count a large plan's takes a while."""
    channels = frozenset(leaving(settings))
    slot = int(moment.now().timestamp()) // KEPT_SECONDS
    return _counted(str(settings.root), channels, queries.unapproved_plans(), slot) if channels else ()


@lru_cache(maxsize=4)
def _counted(root: str, channels: frozenset[str], plans: frozenset[str], slot: int) -> tuple[Waiting, ...]:  # noqa: ARG001  what makes a count another
    return tuple(Waiting(plan, messages) for plan, messages in queries.unapproved(channels).items())


def named(settings: Settings, digest: str, lately: bool = False) -> Waiting | None:
    """The plan that a hash, or its beginning, names; None where it names none.

    Args:
        settings: The store's.
        digest: At least 6 characters.
        lately: Whether the messages may have been counted some seconds ago.
    """
    plan = queries.plan_of(digest)
    found = [one for one in (awaiting_lately if lately else awaiting)(settings) if one.plan == plan]
    return found[0] if found else Waiting(plan, 0) if plan else None


def approve(settings: Settings, wanted: Waiting, typed: int | None, by: str, at: datetime) -> None:
    """Records a person's yes, who has typed how many messages it lets go.

    Args:
        settings: The store's.
        wanted: The plan.
        typed: The number that the person typed.
        by: Who.
        at: When.

    Raises:
        BadData: The plan waits for no yes.
        Refused: It is another number, or none; or a program of the plan lacks something before it may go live.
    """
    if not wanted.messages:
        raise BadData(f"plan {wanted.plan[:12]} waits for no yes", "Nothing is to be done: rekindle send hands over what is due.")
    if typed != wanted.messages:
        senders = ", ".join(sorted(set(leaving(settings).values())))
        cause = f"plan {wanted.plan[:12]} would hand {wanted.messages} messages over to {senders}, and {_said(typed)}"
        raise Refused(cause, f"Say that you know it: rekindle approve {wanted.plan[:12]} --send {wanted.messages}")
    going_live.refuse_unready(settings, documents.approved(settings), queries.programs_of(wanted.plan, leaving(settings)), at)
    actions.approve(wanted.plan, by, at)


def by_autopilot(settings: Settings, autopilot: Autopilot | None, summary: PlanSummary, at: datetime) -> bool:
    """Says yes to a plan that the rules let go without a person; whether they do. A program that is not ready to go live waits for one.

    Args:
        settings: The store's.
        autopilot: The bounds; None: nothing goes without a person.
        summary: The plan's counts and sums.
        at: The instant of the plan.
    """
    if autopilot is None or summary.messages > autopilot.max_touches:
        return False
    if summary.cost_ceiling > money.to_minor(autopilot.max_cost, settings.currency):
        return False
    if programs := queries.programs_of(summary.digest, leaving(settings)):
        held = documents.approved(settings)
        if any(one.program in programs for one in going_live.lacking(settings, held, at)):
            return False
    actions.approve(summary.digest, AUTOPILOT, at)
    return True


def _said(typed: int | None) -> str:
    return "nobody has typed that number" if typed is None else f"{typed} was typed"
