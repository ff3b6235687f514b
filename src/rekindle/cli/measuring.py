"""`learn` and `report`: what it was worth.

Knows nothing of how it is measured.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from rekindle import money
from rekindle.cli.options import AsJson, AsOfDay, AsOfRun, DryRun, Page
from rekindle.cli.output import emit, may_write, progress, shown
from rekindle.cli.store import Open, opened

if TYPE_CHECKING:
    from rekindle.learn.lift import Lift


def learn(context: typer.Context, as_of: AsOfDay = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Measure what every program was worth. By randomised comparison with its control."""
    from rekindle.cli.policies import news_json, news_lines
    from rekindle.service.flow import documents, learning, policy_proposals

    with opened(context.obj) as store, progress("Measuring"):
        held, instant = documents.approved(store.settings), store.as_of(as_of)
        learned = learning.learn(store.settings, store.warehouse, held, instant, publish=not dry_run)
        news = policy_proposals.news(policy_proposals.Question(store.settings, store.warehouse, held, instant))
    told = [line for lift in learned.lifts for line in lines(lift, store)]
    emit({**learning.to_json(learned), "policy": news_json(news)}, [*told, *news_lines(news, store)], as_json)


def lines(lift: "Lift", store: Open) -> Iterable[str]:
    """A program's lift for people."""
    from rekindle.errors import CannotTell

    yield f"{lift.program:<14} {lift.treated:,} assigned to the program, {lift.control:,} to its control"
    found = lift.measures["margin"].difference
    if isinstance(found, CannotTell):
        yield f"Worth          not yet known: {found.reason}"
        return
    low, middle, high = (money.show(value, store.settings.currency) for value in (found.low, found.estimate, found.high))
    yield f"Worth          {middle} margin a customer in {lift.weeks} weeks ({low} to {high})"
    for name, words in (("retained", "ordered"), ("activated", "came back")):
        part = lift.measures[name].difference
        if not isinstance(part, CannotTell):
            ends = f"({part.low * 100:+.1f} to {part.high * 100:+.1f})"
            yield f"{name.capitalize():<15}{part.estimate * 100:+.1f} in a hundred {words} {ends}"


def report(context: typer.Context, as_of: AsOfRun = None, out: Page = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Write the report as one self-contained page. It decides and sends nothing; --json gives the same facts."""
    from rekindle.learn.report import headlines, to_json
    from rekindle.service.flow import documents, insights, learning, planning, reporting, running

    may_write(out)
    with opened(context.obj) as store, progress("Writing the report"):
        instant, held, publish = store.as_of_plan(as_of), documents.approved(store.settings), not dry_run
        built, insight = insights.profiles(store.settings, store.warehouse, instant, publish=publish)
        planned = planning.make(store.settings, store.warehouse, built, held, instant, publish=publish)
        learned = learning.learn(store.settings, store.warehouse, held, instant, publish=publish)
        path = store.page(out)
        steps = (f"open {shown(path.resolve())}", store.command("explain CUSTOMER"))
        facts = reporting.gather(store.warehouse, reporting.Run(store.settings, built, insight, held, planned, learned, steps))
        if publish:
            running.write_report(facts, path)
    if as_json:
        typer.echo(to_json(facts))
    else:
        emit({}, headlines(facts), as_json=False)


COMMANDS = {"learn": learn, "report": report}
