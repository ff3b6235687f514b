"""`learn` and `report`: what it was worth.

Knows nothing of how it is measured.
"""

import typer

from rekindle.cli.learned import lines
from rekindle.cli.options import AsJson, AsOfDay, AsOfRun, DryRun, Page
from rekindle.cli.output import emit, may_write, progress, shown
from rekindle.cli.store import opened


def learn(context: typer.Context, as_of: AsOfDay = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Measure what every program was worth. By randomised comparison with its control."""
    from rekindle.cli.policies import news_json, news_lines
    from rekindle.service.flow import documents, learning, policy_proposals

    with opened(context.obj) as store, progress("Measuring"):
        held, instant = documents.approved(store.settings), store.as_of(as_of)
        learned = learning.learn(store.settings, store.warehouse, held, instant, publish=not dry_run)
        news = policy_proposals.news(policy_proposals.Question(store.settings, store.warehouse, held, instant))
    told = [*lines(learned, store.settings.currency), *news_lines(news, store)]
    emit({**learning.to_json(learned), "policy": news_json(news)}, told, as_json)


def report(context: typer.Context, as_of: AsOfRun = None, out: Page = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Write the report as one self-contained page. It decides and sends nothing; --json gives the same facts."""
    from rekindle.learn.report import headlines, to_json
    from rekindle.service.flow import documents, finance, insights, learning, planning, reporting, running

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
            finance.write(store.settings, store.warehouse, held, learned, path.parent)
    if as_json:
        typer.echo(to_json(facts))
    else:
        emit({}, headlines(facts), as_json=False)


COMMANDS = {"learn": learn, "report": report}
