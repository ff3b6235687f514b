"""`learn` and `report`: what it was worth.

Knows nothing of how it is measured.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import money
from rekindle.cli.options import AsJson, AsOfDay
from rekindle.cli.output import emit, progress
from rekindle.cli.store import opened

if TYPE_CHECKING:
    from rekindle.service.flow.learning import Learned
    from rekindle.settings import Settings


def learn(context: typer.Context, as_of: AsOfDay = None, as_json: AsJson = False) -> None:
    """Measure what every program was worth against its randomised control."""
    from rekindle.service.flow import documents, learning

    with opened(context.obj) as store, progress("Measuring"):
        learned = learning.learn(store.settings, store.warehouse, documents.approved(store.settings), store.as_of(as_of))
    emit(learning.to_json(learned), lines(learned, store.settings), as_json)


def lines(learned: "Learned", settings: "Settings") -> Iterable[str]:
    """The lifts for people."""
    from rekindle.errors import CannotTell

    for lift in learned.lifts:
        yield f"{lift.program:<15}{lift.treated:,} assigned to the program, {lift.control:,} to its control"
        found = lift.measures["margin"].difference
        if isinstance(found, CannotTell):
            yield f"Worth          not yet known: {found.reason}"
            continue
        low, middle, high = (money.show(value, settings.currency) for value in (found.low, found.estimate, found.high))
        yield f"Worth          {middle} margin a customer in {lift.weeks} weeks ({low} to {high})"
        for name in ("retained", "activated"):
            part = lift.measures[name].difference
            if not isinstance(part, CannotTell):
                yield f"{name.capitalize():<15}{part.estimate:+.2%} ({part.low:+.2%} to {part.high:+.2%})"


def report(
    context: typer.Context,
    as_of: AsOfDay = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The page.", show_default="var/reports/index.html")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the report as one self-contained page, or as JSON. It decides and sends nothing."""
    from rekindle.learn.report import headlines, to_json
    from rekindle.service.flow import documents, insights, learning, planning, reporting, running

    with opened(context.obj) as store, progress("Writing the report"):
        instant, held = store.as_of(as_of), documents.approved(store.settings)
        built, insight = insights.profiles(store.settings, store.warehouse, instant)
        planned = planning.make(store.settings, store.warehouse, built, held, instant)
        learned = learning.learn(store.settings, store.warehouse, held, instant)
        path = out or store.settings.var / running.REPORT
        steps = (f"open {path}", "rekindle explain CUSTOMER")
        facts = reporting.gather(store.warehouse, reporting.Run(store.settings, built, insight, held, planned, learned, steps))
        running.write_report(facts, path)
    if as_json:
        typer.echo(to_json(facts))
    else:
        emit({}, headlines(facts), as_json=False)


COMMANDS = {"learn": learn, "report": report}
