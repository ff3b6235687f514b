"""`diagnose`: why customers leave.

Knows nothing of how it was found.
"""

from typing import Annotated

import typer

from rekindle.cli.options import AsJson, AsOfDay, DryRun
from rekindle.cli.output import emit, progress, shown
from rekindle.cli.store import Open, opened
from rekindle.errors import UsageError

OneCustomer = Annotated[
    str | None, typer.Option("--customer", metavar="C", help="One customer's causes and journey: a customer id, your own id, or an e-mail.")
]
OneSegment = Annotated[
    str | None,
    typer.Option(
        "--segment", metavar="NAME[=VALUE]",
        help="How far a segment came, by its name, or a group: lifecycle=lapsed, cohort=, tier=, persona= or cause=.",
    ),
]


def diagnose(
    context: typer.Context,
    as_of: AsOfDay = None,
    customer: OneCustomer = None,
    segment: OneSegment = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say why customers leave. Causes with evidence, what each friction does, where they stopped, and where there is most to gain."""
    if customer is not None and segment is not None:
        raise UsageError("--customer and --segment are two questions", "Ask one at a time.")
    with opened(context.obj) as store, progress("Diagnosing"):
        if customer is not None or segment is not None:
            _one(store, (as_of, customer, segment), dry_run, as_json)
        else:
            _all(store, as_of, dry_run, as_json)


def _one(store: Open, asked: tuple[str | None, str | None, str | None], dry_run: bool, as_json: bool) -> None:
    from rekindle.service.flow import journeys
    from rekindle.service.flow.diagnosing import Question

    as_of, customer, segment = asked
    question = Question(store.settings, store.warehouse, store.as_of(as_of), publish=not dry_run)
    if customer is not None:
        found = journeys.of_customer(question, customer)
        emit(journeys.customer_json(found), journeys.customer_lines(found), as_json)
    else:
        way = journeys.of_segment(question, segment or "")
        emit(journeys.segment_json(way), journeys.segment_lines(way), as_json)


def _all(store: Open, as_of: str | None, dry_run: bool, as_json: bool) -> None:
    from rekindle.learn.diagnosis import headlines, to_json
    from rekindle.service.flow import diagnosing

    question = diagnosing.Question(store.settings, store.warehouse, store.as_of(as_of), publish=not dry_run)
    found = diagnosing.diagnose(question)
    lines = [*headlines(found)]
    if not dry_run:
        lines.append(f"Page           {shown(diagnosing.page_path(store.settings).resolve())}")
    emit(to_json(found), lines, as_json)


COMMANDS = {"diagnose": diagnose}
