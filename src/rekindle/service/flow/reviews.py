"""When each program is to be looked at again, who has looked, and what happens where nobody does.

Knows nothing of what a review finds. A review that is overdue is flagged; when its grace is over, the program's marketing waits until
one is held.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rekindle.errors import UsageError
from rekindle.program.documents import Documents, Program
from rekindle.service.config import use_ledger
from rekindle.service.programs import actions, queries
from rekindle.service.programs.models import Review
from rekindle.settings import Settings

BY_REVIEW = "its review"
"""Who pauses a program that nobody reviews."""

SOON = timedelta(days=7)
"""So long before its day a review is announced."""


@dataclass(frozen=True, slots=True)
class Due:
    """When a program is to be reviewed.

    Args:
        program: Its name.
        owner: Who answers for it.
        on: The day by which the next review is due.
        until: The last day of its grace.
        last: When the last review was held; None where none was.
        note: What it found.
    """

    program: str
    owner: str
    on: date
    until: date
    last: datetime | None
    note: str

    def state(self, today: date) -> str:
        """How it stands on a day: later, soon, overdue, or past its grace."""
        if today > self.until:
            return "past its grace"
        return "overdue" if today > self.on else "soon" if today >= self.on - SOON else "later"


def due(documents: Documents) -> tuple[Due, ...]:
    """The next review of every program, the first due first.

    The day is the later one of what the document says and of the last review's next day.

    Args:
        documents: Approved ones.
    """
    held = {one.program: one for one in queries.reviews()}
    return tuple(sorted((_due(one, held.get(one.name)) for one in documents.programs), key=lambda one: (one.on, one.program)))


def _due(program: Program, held: Review | None) -> Due:
    on = max(program.review.due, held.next_due) if held else program.review.due
    last, note = (held.at, held.note) if held else (None, "")
    return Due(program.name, program.owner, on, on + timedelta(days=program.review.grace_days), last, note)


def dates(documents: Documents) -> dict[str, date]:
    """The day by which each program's next review is due, by its name."""
    held = {one.program: one for one in queries.reviews()}
    return {one.name: _due(one, held.get(one.name)).on for one in documents.programs}


def next_days(settings: Settings) -> dict[str, date]:
    """The day by which the next review is due of programs whose last one was held.

    Args:
        settings: The store's.
    """
    use_ledger(settings)
    return {one.program: one.next_due for one in queries.reviews()}


def hold(documents: Documents, name: str, by: str, at: datetime, today: date, note: str) -> Due:
    """Writes down that a program was reviewed, and lets its marketing go again where its review had stopped it.

    Args:
        documents: Approved ones.
        name: The program.
        by: Who reviewed it.
        at: When.
        today: The day of it.
        note: What was found and decided, at most 2,000 characters.

    Raises:
        UsageError: There is no such program.
    """
    program = one_of(documents, name)
    before = _due(program, {one.program: one for one in queries.reviews(name)}.get(name))
    following = today + timedelta(days=program.review.every_days)
    actions.review(Review(program=name, by=by, at=at, was_due=before.on, next_due=following, note=note[:2000]))
    stopped = [one for one in queries.pauses(name) if one.resumed_at is None and one.by == BY_REVIEW]
    if stopped:
        actions.resume(name, by, at)
    return _due(program, queries.reviews(name)[-1])


def one_of(documents: Documents, name: str) -> Program:
    """The program of a name.

    Raises:
        UsageError: There is none.
    """
    found = [one for one in documents.programs if one.name == name]
    if not found:
        names = ", ".join(sorted(one.name for one in documents.programs))
        raise UsageError(f"there is no approved program '{name}'", f"Name one of {names}.")
    return found[0]


def pause_overdue(documents: Documents, at: datetime, today: date) -> tuple[str, ...]:
    """Holds the marketing of every program back whose review is past its grace, and returns those that were running.

    Args:
        documents: Approved ones.
        at: When.
        today: The day, in the store's time zone.
    """
    held = {one.program: one for one in queries.reviews()}
    late = [found for found in (_due(one, held.get(one.name)) for one in _marketing(documents)) if today > found.until]
    return tuple(
        one.program for one in late
        if actions.pause(one.program, f"its review was due on {one.on} and nobody has held it", BY_REVIEW, at)
    )


def _marketing(documents: Documents) -> Iterable[Program]:
    return (one for one in documents.programs if not one.service)
