"""What a program still lacks before its messages may leave this machine: owner, baseline, target, review, texts without errors.

Knows nothing of plans. A program about customers' own orders is measured by no lift, so that it needs neither baseline nor target.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from rekindle import moment
from rekindle.errors import Refused
from rekindle.program.documents import Documents, Program
from rekindle.program.targets import quarter_of, standing_targets
from rekindle.service.flow import baselines, linting, reviews
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a program lacks.

    Args:
        program: Its name.
        what: Each thing that is missing, a clause.
        remedy: What to do about the first.
    """

    program: str
    what: tuple[str, ...]
    remedy: str


def lacking(settings: Settings, documents: Documents, at: datetime) -> tuple[Lacking, ...]:
    """What every program lacks that lacks something; the store's texts apart, whose errors `linting` names.

    Args:
        settings: The store's.
        documents: Approved ones.
        at: The instant.
    """
    today, frozen = moment.local_day(at, settings.timezone), frozenset(baselines.kept(settings))
    days = {one.program: one for one in reviews.due(documents)}
    found = []
    for program in documents.programs:
        late = days[program.name].state(today) == "past its grace"
        if told := list(_missing(program, documents, frozen, quarter_of(today), late)):
            found.append(Lacking(program.name, tuple(what for what, _ in told), told[0][1]))
    return tuple(found)


def _missing(program: Program, documents: Documents, frozen: Collection[str], quarter: str, late: bool) -> Iterator[tuple[str, str]]:
    if not program.owner.strip():
        yield "nobody owns it", "Write the name of a person as its owner, then: rekindle approve --all"
    if late:
        yield "its review is past its grace", f"Hold it: rekindle review {program.name} --done"
    if program.service:
        return
    if program.name not in frozen:
        yield "it has no frozen baseline", f"Freeze one: rekindle baseline freeze {program.name}"
    if not any(standing_targets(documents.targets, program.name, quarter)):
        yield f"it has no target for {quarter}", "Write one into targets.yaml, then: rekindle approve --all"


def refuse_unready(settings: Settings, documents: Documents, programs: Collection[str], at: datetime) -> None:
    """Lets messages of these programs leave only where each has what it needs.

    Args:
        settings: The store's.
        documents: Approved ones.
        programs: Names.
        at: The instant.

    Raises:
        Refused: One lacks something, or the store's texts have an error; names the first.
    """
    found = [one for one in lacking(settings, documents, at) if one.program in programs]
    if found:
        more = f"; {len(found) - 1} more lack something" if len(found) > 1 else ""
        raise Refused(f"{found[0].program} cannot go live: {' and '.join(found[0].what)}{more}", found[0].remedy)
    linting.refuse_errors(settings)
