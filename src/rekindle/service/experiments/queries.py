"""Which experiments run and have run, what was read at their looks, and what they taught.

Changes nothing, and knows nothing of how an experiment is measured.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from rekindle.learn.learnings import Learning as Taught
from rekindle.program.experiments import Experiment
from rekindle.service.experiments.models import Learning, Look, Run


def runs() -> tuple[Run, ...]:
    """Every run, the first first."""
    return tuple(Run.objects.all())


def run_of(experiment: str) -> Run | None:
    """The run of an experiment; None where it has not begun."""
    return Run.objects.filter(experiment=experiment).first()


def running(at: datetime) -> tuple[Run, ...]:
    """The runs that are under way at an instant of the store."""
    return tuple(Run.objects.filter(since__lte=at).filter(Q(until=None) | Q(until__gt=at)))


def looks(run: Run) -> tuple[Look, ...]:
    """The looks that were taken at a run, the first first."""
    return tuple(Look.objects.filter(run=run).order_by("number"))


def as_written(run: Run) -> Experiment:
    """The experiment as it was written down when it began."""
    return Experiment.model_validate_json(run.text)


def learnings() -> tuple[Taught, ...]:
    """What every experiment taught, the first first."""
    return tuple(_of(Learning.objects.select_related("run")))


def _of(rows: Iterable[Learning]) -> Iterable[Taught]:
    for row in rows:
        run = row.run
        yield Taught(
            run.experiment, run.program, run.stage, run.factor, row.hypothesis, row.design, row.result, run.verdict, row.scope,
            run.until or run.since, run.ended_by,
        )
