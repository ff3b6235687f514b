"""`experiments`: which there are and how they stand, their start, their end, and what they taught.

Knows nothing of how they are measured.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.folder import operator
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import emit, progress
from rekindle.cli.store import Open, opened
from rekindle.errors import CannotTell, UsageError

if TYPE_CHECKING:
    from rekindle.learn.experiments import Verdict
    from rekindle.learn.learnings import Learning
    from rekindle.program.documents import Documents
    from rekindle.service.experiments.actions import Moment
    from rekindle.service.flow.experimenting import Begun, Entry, Standing

app = typer.Typer(no_args_is_help=True, help="Experiments: a stage's arms compared, with measure, size and looks fixed beforehand.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="An experiment, as its document calls it.")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who decides. Default: you.")]

DECISIONS: tuple["Verdict", ...] = ("scale", "retire", "trial")


def show(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One experiment, with its looks. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show experiments: planned, running, scaled, retired or on trial. What an arm brings is read at planned looks only, by learn."""
    from rekindle.service.flow import documents, experimenting

    with opened(context.obj) as store:
        held = documents.approved(store.settings)
        every = experimenting.entries(store.settings, held)
        chosen = [experimenting.entry(store.settings, held, name)] if name else list(every)
        standing = {}
        if any(one.status == "running" for one in chosen):
            with progress("Counting decisions"):
                watched = experimenting.watch(store.settings, store.warehouse, held, store.as_of(None), keep=False)
            standing = {one.entry.experiment.name: one for one in watched}
        lines = [line for one in chosen for line in _lines(one, store)]
        lines += [line for one in chosen if one.experiment.name in standing for line in _standing(standing[one.experiment.name], held)]
        data = [experimenting.to_json(one) | _counts(standing.get(one.experiment.name)) for one in chosen]
        none = "No experiment is approved. Write experiments/NAME.yaml and approve it; docs/experiments.md says how."
        emit({"experiments": data}, lines or [none], as_json)


def start(context: typer.Context, name: Name, by: By = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Start an approved experiment. From the next plan on its stage's chances are equal over its arms and nothing."""
    from rekindle.service.flow import documents, experimenting

    with opened(context.obj) as store, progress("Seeing what it could show"):
        held = documents.approved(store.settings)
        begun = experimenting.start(store.settings, store.warehouse, held, name, _moment(store, by), dry_run)
        lines = list(_begun(begun, store, "Would start" if dry_run else "Started"))
    seen = begun.detectable
    data = {
        **experimenting.to_json(begun.entry), "dry_run": dry_run, "detectable": None if isinstance(seen, CannotTell) else seen,
        "repeats": [{**asdict(one.learning), "why": one.why} for one in begun.repeats],
    }  # fmt: skip
    emit(data, lines, as_json)


def end(  # noqa: PLR0913  one argument for each option of the command
    context: typer.Context,
    name: Name,
    decision: Annotated[str | None, typer.Option(metavar="WORD", help="scale, retire or trial. Default: what its last look says.")] = None,
    scope: Annotated[str, typer.Option(metavar="TEXT", help="Whom the result holds for. Default: who enters the program.")] = "",
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """End a running experiment and write down what it taught. Nothing is scaled that has not shown more at a planned look."""
    from rekindle.service.flow import documents, experimenting

    chosen: Verdict | None = next((one for one in DECISIONS if one == decision), None)
    if decision is not None and chosen is None:
        raise UsageError(f"there is no decision '{decision}'", f"Write one of {', '.join(DECISIONS)}.")
    with opened(context.obj) as store:
        held = documents.approved(store.settings)
        if dry_run:
            _, taught = experimenting.ending(store.settings, held, name, chosen, scope)
            lines = [f"Would end      {name}: {taught.verdict}", f"Result         {taught.result}", f"Holds for      {taught.scope}"]
            emit({"experiment": name, "dry_run": True, **asdict(taught)}, lines, as_json)
            return
        ended = experimenting.end(store.settings, held, name, chosen, scope, _moment(store, by))
        emit(experimenting.to_json(ended), _lines(ended, store), as_json)


def learnings(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what every experiment taught. Hypothesis, design, result, decision and scope, the first first."""
    from rekindle.service.config import use_ledger
    from rekindle.service.experiments import queries

    with opened(context.obj) as store:
        use_ledger(store.settings)
        found = queries.learnings()
    lines = [line for one in found for line in _learning_lines(one)]
    emit({"learnings": [asdict(one) for one in found]}, lines or ["No experiment has ended yet."], as_json)


def _moment(store: Open, by: str | None) -> "Moment":
    from rekindle.service.experiments.actions import Moment

    return Moment(by or operator(), store.now, store.as_of(None).instant)


def _lines(one: "Entry", store: Open) -> Iterable[str]:
    from rekindle.learn.experiment_words import STATUS, design, told

    experiment = one.experiment
    yield f"{experiment.name}: {STATUS[one.status]}"
    yield f"Hypothesis     {experiment.hypothesis}"
    yield f"Design         {design(experiment, one.factor)}"
    if one.status == "planned":
        yield f"Next           {store.command(f'experiments start {experiment.name}')}"
    for reading in one.looks:
        yield f"Look {reading.number} of {experiment.looks}    {reading.share:.0%} of the planned decisions"
        yield from (f"{'':<15}{told(part, experiment.metric, store.settings.currency)}" for part in reading.differences)
    if one.looks and one.status == "running" and one.looks[-1].over:
        yield f"It may stop    {one.looks[-1].verdict}: {store.command(f'experiments end {experiment.name}')}"
    if one.learning:
        yield f"Ended          {one.learning.at:%Y-%m-%d} by {one.learning.by}; holds for {one.learning.scope}"


def _standing(one: "Standing", held: "Documents") -> Iterable[str]:
    from rekindle.learn.experiment_words import standing

    horizon = held.program(one.entry.experiment.program).goal.horizon_days
    yield from (f"So far         {line}" for line in standing(one.entry.experiment, one.found, horizon))


def _begun(begun: "Begun", store: Open, word: str) -> Iterable[str]:
    from rekindle.learn.experiment_words import design, shown

    experiment = begun.entry.experiment
    yield f"{word:<15}{experiment.name}: {design(experiment, begun.entry.factor)}"
    seen = begun.detectable
    if isinstance(seen, CannotTell):
        yield f"Detectable     cannot tell: {seen.reason}"
    else:
        yield f"Detectable     {shown(seen, experiment.metric, store.settings.currency)} a decision, four times in five"
    for one in begun.repeats:
        yield f"Asked before   {one.learning.experiment}, {one.why}: {one.learning.decision}. {one.learning.result}"


def _learning_lines(one: "Learning") -> Iterable[str]:
    yield f"{one.at:%Y-%m-%d}     {one.experiment}: {one.decision}"
    yield f"Hypothesis     {one.hypothesis}"
    yield f"Design         {one.design}"
    yield f"Result         {one.result}"
    yield f"Holds for      {one.scope} (by {one.by})"


def _counts(one: "Standing | None") -> dict[str, object]:
    return {"counts": one.found.counts, "young": one.found.young} if one else {}


COMMANDS: dict[str, Callable[..., None]] = {"show": show, "start": start, "end": end, "learnings": learnings}
for name, command in COMMANDS.items():
    app.command(name, short_help=f"{(command.__doc__ or '').partition('. ')[0].rstrip('.')}.")(command)
