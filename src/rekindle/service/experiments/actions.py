"""An experiment is started, looked at and ended; nothing of it is ever changed afterwards.

Knows nothing of how it is measured.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rekindle.errors import Refused
from rekindle.service.experiments.models import Learning, Look, Run


@dataclass(frozen=True, slots=True)
class Start:
    """An experiment to start.

    Args:
        experiment: Its name.
        digest: Of the document.
        text: The document as JSON.
        program: Where it runs.
        stage: Where it runs.
        factor: What it varies.
    """

    experiment: str
    digest: str
    text: str
    program: str
    stage: str
    factor: str


@dataclass(frozen=True, slots=True)
class Taught:
    """What an experiment taught.

    Args:
        verdict: scale, retire or trial.
        design: What was compared, by what, how many and how often.
        result: What was found.
        hypothesis: What was believed.
        scope: Whom it holds for.
    """

    verdict: str
    design: str
    result: str
    hypothesis: str
    scope: str


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is done, and by whom.

    Args:
        by: Who.
        at: By the clock.
        of_store: The store's instant; of a simulated marketplace another than the clock's.
    """

    by: str
    at: datetime
    of_store: datetime


def start(what: Start, when: Moment) -> int:
    """Starts an experiment and returns its run.

    Raises:
        Refused: Another one runs in the stage, or it has run before.
    """
    with transaction.atomic():
        running = Run.objects.select_for_update().filter(program=what.program, stage=what.stage, until=None).first()
        if running:
            remedy = f"End it first: rekindle experiments end {running.experiment}"
            raise Refused(f"the experiment '{running.experiment}' runs in {what.program}, {what.stage}", remedy)
        if Run.objects.filter(experiment=what.experiment).exists():
            remedy = "Write a new one under another name; what this one taught stays."
            raise Refused(f"the experiment '{what.experiment}' has run before", remedy)
        run = Run.objects.create(
            experiment=what.experiment, digest=what.digest, text=what.text, program=what.program, stage=what.stage, factor=what.factor,
            since=when.of_store, started_at=when.at, started_by=when.by,
        )
    return int(run.pk)


def keep_look(run: int, number: int, share: float, text: str, at: datetime) -> bool:
    """Keeps a look at a run; one of that number that is kept already stays as it is.

    Args:
        run: The run.
        number: Of the look.
        share: Of the planned size.
        text: What was read, as JSON.
        at: The store's instant.

    Returns:
        Whether it was new.
    """
    with transaction.atomic():
        return Look.objects.get_or_create(run_id=run, number=number, defaults={"share": share, "text": text, "at": at})[1]


def end(run: int, taught: Taught, when: Moment) -> None:
    """Ends a run and writes down what it taught.

    Raises:
        Refused: It has ended already.
    """
    with transaction.atomic():
        ended = {"until": when.of_store, "ended_at": when.at, "ended_by": when.by, "verdict": taught.verdict}
        if not Run.objects.filter(pk=run, until=None).update(**ended):
            raise Refused("the experiment has ended already", "See what it taught with: rekindle experiments learnings")
        Learning.objects.create(
            run_id=run, hypothesis=taught.hypothesis, design=taught.design, result=taught.result, scope=taught.scope[:500]
        )
