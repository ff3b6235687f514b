"""A store's experiments: which there are and how they stand, their start, the looks that are due, and their end.

Knows nothing of pages. What an experiment compares, and how large it is to be, is kept as it was written down when it began.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime

from rekindle.decide import due
from rekindle.errors import BadData, CannotTell, Refused
from rekindle.history.warehouse import Warehouse
from rekindle.insight import persons
from rekindle.learn import experiments, outcomes
from rekindle.learn.experiment_words import design, found_words
from rekindle.learn.experiments import Gathered, Reading, Verdict
from rekindle.learn.learnings import Learning, Repeat, repeats
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Documents, Program, Stage
from rekindle.program.experiments import Experiment
from rekindle.service.config import use_ledger
from rekindle.service.experiments import actions, queries
from rekindle.service.experiments.actions import Moment, Start, Taught
from rekindle.service.experiments.models import Run
from rekindle.service.flow import alarms
from rekindle.service.flow.planning import shop_of
from rekindle.settings import Settings

SEE = "See all with: rekindle experiments"


@dataclass(frozen=True, slots=True)
class Entry:
    """One experiment as a list shows it.

    Args:
        experiment: As it was written down when it began, or as it is approved now.
        factor: What it varies.
        status: planned, running, or what it came to: scale, retire, trial.
        run: When it began and ended; None where it is planned.
        looks: What was read so far.
        learning: What it taught; None before its end.
    """

    experiment: Experiment
    factor: str
    status: str
    run: Run | None
    looks: tuple[Reading, ...]
    learning: Learning | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a running experiment stands.

    Args:
        entry: The experiment, with the look that was taken now where one was due.
        found: Its decisions; without what followed them where no look is due.
        taken: Whether a look was taken now.
    """

    entry: Entry
    found: Gathered
    taken: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """What a person is told when an experiment starts.

    Args:
        entry: The experiment.
        repeats: Earlier experiments that it repeats.
        detectable: The smallest true difference that it would show four times in five, in the unit of its measure.
    """

    entry: Entry
    repeats: tuple[Repeat, ...]
    detectable: float | CannotTell


def entries(settings: Settings, documents: Documents) -> tuple[Entry, ...]:
    """Every experiment: those that have begun, the first first, and then those that are approved and have not.

    Args:
        settings: The store's.
        documents: Approved documents.
    """
    use_ledger(settings)
    taught = {one.experiment: one for one in queries.learnings()}
    begun = tuple(_of_run(run, taught.get(run.experiment)) for run in queries.runs())
    names = {one.experiment.name for one in begun}
    planned = (one for one in documents.experiments if one.name not in names)
    return (*begun, *(Entry(one, _factor(one, documents), "planned", None, (), None) for one in planned))


def entry(settings: Settings, documents: Documents, name: str) -> Entry:
    """The experiment of a name.

    Raises:
        BadData: There is none, or it is not approved.
    """
    found = next((one for one in entries(settings, documents) if one.experiment.name == name), None)
    if found is None:
        raise BadData(f"there is no approved experiment '{name}'", "Write experiments/NAME.yaml and approve it: rekindle approve --all")
    return found


def start(settings: Settings, warehouse: Warehouse, documents: Documents, name: str, when: Moment, dry_run: bool = False) -> Begun:
    """Starts an approved experiment: from the next plan on its stage's chances are equal over its arms and nothing.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved documents.
        name: The experiment.
        when: Who starts it, and when.
        dry_run: Whether nothing is to be changed.

    Raises:
        BadData: There is no such experiment.
        Refused: It has run before, another one runs in its stage, or what it names is not there.
    """
    found = entry(settings, documents, name)
    experiment = found.experiment
    _stage(documents, experiment)
    told = repeats(experiment, found.factor, queries.learnings())
    begun = Begun(found, told, _detectable(settings, warehouse, documents, experiment, when))
    if found.run is not None:
        raise Refused(f"the experiment '{name}' has run before", "Write a new one under another name; what this one taught stays.")
    if not dry_run:
        what = Start(name, experiment.digest, experiment.model_dump_json(by_alias=True), experiment.program, experiment.stage, found.factor)
        actions.start(what, when)
        begun = replace(begun, entry=entry(settings, documents, name))
    return begun


def watch(settings: Settings, warehouse: Warehouse, documents: Documents, as_of: AsOf, keep: bool = True) -> tuple[Standing, ...]:
    """Takes the looks that are due at the running experiments. Between two looks nothing is read of what an arm has brought.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved documents.
        as_of: Later facts are not seen.
        keep: Whether a look is kept; one that is not kept is not taken.
    """
    use_ledger(settings)
    past = _past(warehouse, as_of)
    programs = {program.name: program for program in documents.programs}
    standing = []
    for run in queries.running(as_of.instant):
        if run.program in programs:
            standing.append(_watched(warehouse, past, programs[run.program], run, _window(settings, documents, as_of), keep))
    return tuple(standing)


def _watched(
    warehouse: Warehouse, past: due.Past, program: Program, run: Run, window: outcomes.Window, keep: bool
) -> Standing:  # fmt: skip
    found = _of_run(run, None)
    gathered = experiments.gathered(warehouse, past, program, found.experiment, (run.since, window))
    number = experiments.due(found.experiment, gathered, found.looks[-1].number if found.looks else 0)
    over = bool(found.looks) and found.looks[-1].over
    if number is None or over or not keep:
        return Standing(found, gathered, taken=False)
    reading = experiments.look(found.experiment, gathered, number, [one.share for one in found.looks])
    taken = actions.keep_look(run.pk, number, reading.share, experiments.written(reading), window.as_of.instant)
    return Standing(_of_run(run, None), gathered, taken)


def ending(settings: Settings, documents: Documents, name: str, decision: Verdict | None, scope: str) -> tuple[int, Taught]:
    """The run of an experiment and what it would have taught if it ended now; nothing is changed.

    Args:
        settings: The store's.
        documents: Approved documents.
        name: The experiment.
        decision: What becomes of its arms; what its last look says where it is None.
        scope: Whom the result holds for; the program's audience where it is empty.

    Raises:
        BadData: There is no such experiment.
        Refused: It does not run, or it is to be scaled and has not shown more, or its program's numbers cannot be believed.
    """
    found = entry(settings, documents, name)
    if found.run is None or found.run.until is not None:
        raise Refused(f"the experiment '{name}' does not run", SEE)
    last = found.looks[-1] if found.looks else None
    chosen = decision or (last.verdict if last else "trial")
    if chosen == "scale" and (last is None or last.verdict != "scale"):
        why = "no look has been taken" if last is None else "no arm has shown more at its last look"
        raise Refused(f"'{name}' cannot be scaled: {why}", "Let it run, or end it with --decision retire or --decision trial.")
    wrong = alarms.standing(settings.var).get(found.experiment.program, ())
    if chosen == "scale" and wrong:
        end = "Or end it with --decision retire or --decision trial."
        why = f"'{name}' cannot be scaled, for {found.experiment.program} cannot be believed: {'; '.join(wrong)}"
        raise Refused(why, f"{alarms.REMEDY} {end}")
    program = {one.name: one for one in documents.programs}.get(found.experiment.program)
    holds = scope or (f"who enters {program.name}: {program.audience.enter.text}" if program else f"who enters {found.experiment.program}")
    result = found_words(found.experiment, last, settings.currency)
    return found.run.pk, Taught(chosen, design(found.experiment, found.factor), result, found.experiment.hypothesis, holds)


def end(settings: Settings, documents: Documents, name: str, decision: Verdict | None, scope: str, when: Moment) -> Entry:
    """Ends a running experiment and writes down what it taught; arguments and refusals as of `ending`, and who ends it, and when."""
    run, taught = ending(settings, documents, name, decision, scope)
    actions.end(run, taught, when)
    return entry(settings, documents, name)


def _of_run(run: Run, learning: Learning | None) -> Entry:
    read = tuple(experiments.read(one.text) for one in queries.looks(run))
    return Entry(queries.as_written(run), run.factor, run.verdict or "running", run, read, learning)


def _factor(experiment: Experiment, documents: Documents) -> str:
    stages = {(program.name, stage.name): stage for program in documents.programs for stage in program.stages}
    stage = stages.get((experiment.program, experiment.stage))
    known = stage is not None and {arm.name for arm in stage.arms}.issuperset(experiment.compared)
    return experiment.factor(stage) if stage is not None and known else "unknown"


def _stage(documents: Documents, experiment: Experiment) -> Stage:
    """The stage of an experiment that can start.

    Raises:
        Refused: It names what is not there.
    """
    program = next((one for one in documents.programs if one.name == experiment.program), None)
    stage = next((one for one in program.stages if one.name == experiment.stage), None) if program else None
    lacking = set(experiment.compared) - {arm.name for arm in stage.arms} if stage else {f"{experiment.program}, {experiment.stage}"}
    if stage is None or lacking:
        what = ", ".join(sorted(lacking))
        raise Refused(f"'{experiment.name}' names {what}, which is not there", "See what is wrong with: rekindle check")
    return stage


def _detectable(
    settings: Settings, warehouse: Warehouse, documents: Documents, experiment: Experiment, when: Moment
) -> float | CannotTell:  # fmt: skip
    as_of = AsOf(when.of_store, settings.timezone, shifted=False)
    program, past = documents.program(experiment.program), _past(warehouse, as_of)
    arms = tuple(arm.name for arm in _stage(documents, experiment).arms)
    every = experiment.model_copy(update={"arms": arms, "against": NOTHING})
    begun = warehouse.scalar(past.journal.as_of.min())
    if begun is None:
        return CannotTell("no decision has been made yet")
    found = experiments.gathered(warehouse, past, program, every, (begun, _window(settings, documents, as_of)))
    seen = experiments.detectable(found.cells, experiment)
    return CannotTell("too few decisions of this stage have their horizon behind them") if seen is None else seen


def _past(warehouse: Warehouse, as_of: AsOf) -> due.Past:
    """Earlier decisions; those for an account that turned out to be another's are the person's."""
    pairs = persons.absorbed(warehouse)
    past = due.past(warehouse.table("journal"), warehouse.table("plans"), warehouse.current("touches"), as_of, inclusive=False)
    return due.Past(persons.as_persons(past.journal, pairs), persons.as_persons(past.contacts, pairs))


def _window(settings: Settings, documents: Documents, as_of: AsOf) -> outcomes.Window:
    return outcomes.Window(as_of, settings.margin, documents.offers, shop_of(settings, rehearsal=False))


def to_json(one: Entry) -> dict[str, object]:
    """An experiment as plain values, instants as text; differences in minor units, orders or shares a decision."""
    run = one.run
    return {
        "experiment": one.experiment.name, "status": one.status, "factor": one.factor,
        "document": one.experiment.model_dump(mode="json", by_alias=True),
        "since": _iso(run.since) if run else None, "until": _iso(run.until) if run else None,
        "started_by": run.started_by if run else None,
        "looks": [
            {**asdict(reading), "verdict": reading.verdict, "over": reading.over,
             "differences": [asdict(part) | {"crossed": part.crossed} for part in reading.differences]}
            for reading in one.looks
        ],
        "learning": asdict(one.learning) | {"at": _iso(one.learning.at)} if one.learning else None,
    }  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
