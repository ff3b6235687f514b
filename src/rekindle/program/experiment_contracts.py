"""What is wrong with an experiment, where it is well formed: what it names is not there, or its arms differ in more than one thing.

Knows nothing of files and lines: a mistake names the keys it stands at. What an experiment names may go once it is over, so that is a
warning; an experiment that lacks something cannot be started.
"""

from collections.abc import Iterable, Iterator

from rekindle.insight.expression import nearest
from rekindle.program.documents import Program
from rekindle.program.experiments import Experiment, differences
from rekindle.program.stages import NOTHING, Stage
from rekindle.program.validating import Mistake


def of_experiment(experiment: Experiment, programs: Iterable[Program], approving: bool) -> Iterator[Mistake]:
    """What is wrong with one.

    Args:
        experiment: The experiment.
        programs: The store's that can be read.
        approving: Whether a person is about to say yes, so that an owner must be there.
    """
    if not experiment.owner.strip():
        why = "owner: nobody owns this experiment; it cannot be approved"
        yield Mistake(("owner",), "owner-empty", why, "Write the name of a person.", "error" if approving else "warning")
    held = {program.name: program for program in programs}
    if experiment.program not in held:
        why = f"program: there is no program '{experiment.program}'"
        yield Mistake(("program",), "program-unknown", why, _instead(experiment.program, held), "warning")
        return
    stages = {stage.name: stage for stage in held[experiment.program].stages}
    if experiment.stage not in stages:
        why = f"stage: {experiment.program} has no stage '{experiment.stage}'"
        yield Mistake(("stage",), "stage-unknown", why, _instead(experiment.stage, stages), "warning")
        return
    yield from _of_arms(experiment, stages[experiment.stage])
    if held[experiment.program].service:
        why = f"program: {experiment.program} is a service message, which everybody gets"
        yield Mistake(("program",), "experiment-service", why, "Name a program of marketing.")


def _of_arms(experiment: Experiment, stage: Stage) -> Iterator[Mistake]:
    names = {arm.name: arm for arm in stage.arms}
    unknown = [name for name in experiment.compared if name not in names]
    for name in unknown:
        key = "against" if name == experiment.against else "arms"
        why = f"{key}: {experiment.stage} has no arm '{name}'"
        yield Mistake((key,), "arm-unknown", why, _instead(name, [*names, NOTHING]), "warning")
    if unknown or len(experiment.compared) < 2:
        return
    differing = differences([names[name] for name in experiment.compared])
    if not differing:
        yield Mistake(("arms",), "experiment-alike", "arms: they are alike in offer, channel, subject and hour", "Vary one of them.")
    if len(differing) > 1:
        why = f"arms: they differ in {' and '.join(differing)}, so that it cannot tell which of them did it"
        yield Mistake(("arms",), "experiment-mixed", why, "Vary one thing at a time.", "warning")


def _instead(name: str, choices: Iterable[str]) -> str:
    known = frozenset(choices)
    return nearest(name, known, f"There are {', '.join(sorted(known))}.")
