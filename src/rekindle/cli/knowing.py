"""`insight` and `explain`: what is known of all customers, and of one.

Knows nothing of how it was found.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import money
from rekindle.cli.options import AsJson, AsOfDay, AsOfRun, DryRun
from rekindle.cli.output import emit, progress, shown
from rekindle.cli.store import opened
from rekindle.errors import CannotTell, UsageError

if TYPE_CHECKING:
    from rekindle.insight.models import Interval
    from rekindle.insight.tiers import Boundaries, Tiers
    from rekindle.service.flow.insights import Insight
    from rekindle.settings import Settings


def insight(
    context: typer.Context,
    as_of: AsOfDay = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="The lapse model: pareto-nbd, mbg-nbd or bg-nbd.")] = "pareto-nbd",
    backtest: Annotated[bool, typer.Option("--backtest", help="Judge predictions as of four earlier days instead.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Build every customer's profile. Rhythm, chance of another order, expected margin, stage, cohort and cause."""
    from rekindle.insight.lapse import LAPSE_MODELS
    from rekindle.service.flow import backtesting, insights, segments

    if model not in LAPSE_MODELS:
        raise UsageError(f"there is no lapse model '{model}'", f"Write one of {', '.join(LAPSE_MODELS)}.")
    if backtest:
        with opened(context.obj) as store, progress("Predicting as of earlier days"):
            judged = backtesting.judge(store.settings, store.warehouse, store.as_of(as_of), model, publish=not dry_run)
        written = [f"{name:<15}{shown(path)}" for name, path in (("Numbers", judged.numbers), ("Page", judged.page)) if path]
        emit(backtesting.to_json(judged), (*backtesting.lines(judged), *written), as_json)
        return
    with opened(context.obj) as store, progress("Fitting and scoring"):
        built, found = insights.profiles(store.settings, store.warehouse, store.as_of(as_of), model, publish=not dry_run)
        if not dry_run:
            segments.note(store.settings, store.warehouse, found.as_of, built.table)
    emit(insights.to_json(found), lines(found, store.settings), as_json)


def lines(found: "Insight", settings: "Settings") -> Iterable[str]:
    """The summary for people."""
    from rekindle.service.flow.insights import season_words

    yield f"As of          {found.as_of.day} (exclusive): {found.customers:,} customers, {found.orders:,} orders"
    for model in found.models:
        values = ", ".join(f"{name} {value:.4g}" for name, value in model.parameters.items())
        yield f"{model.name:<15}{values}; log-likelihood {model.log_likelihood:,.2f}; {model.quality}"
        if model.quality != "good":
            yield f"{'':<15}{model.why}"
    for reason in found.cannot_tell:
        yield f"Cannot tell    {reason}"
    yield f"Season         {season_words(found.season)}"
    stages = sorted(found.lifecycle.items(), key=lambda one: -one[1])
    yield "Stages         " + ", ".join(f"{stage.replace('_', ' ')} {count:,}" for stage, count in stages)
    yield f"Slipping away  {found.slipping:,}; {_at_risk(found.margin_at_risk, settings.currency)}"
    yield "Predictions    " + ", ".join(f"{quality} {count:,}" for quality, count in sorted(found.quality.items()))
    yield "Personas       " + ", ".join(f"{tag.replace('_', ' ')} {count:,}" for tag, count in found.personas.items())
    yield f"Value tiers    {_tiers(found.tiers, settings.currency)}"
    if found.transitions:
        yield f"Stages changed {found.transitions:,}, noted in history"
    if found.snapshot is not None:
        yield f"Snapshot       {shown(found.snapshot)}"


def _at_risk(risk: "Interval | CannotTell", currency: str) -> str:
    if isinstance(risk, CannotTell):
        return "their margin at risk cannot be told"
    low, middle, high = (money.show(value, currency, whole=True) for value in (risk.low, risk.estimate, risk.high))
    return f"{middle} margin at risk ({low} to {high})"


def _tiers(tiers: "Tiers", currency: str) -> str:
    def shown(one: "Boundaries") -> str:
        return f"high from {money.show(one.high, currency, whole=True)}, mid from {money.show(one.mid, currency, whole=True)}"

    over = f"{shown(tiers.held)} margin in {tiers.days} days"
    by = "approved" if tiers.approved else "as first found; value_tiers in rules.yaml changes them"
    return f"{over} ({by})" + (f"; today's buyers would give {shown(tiers.proposed)}" if tiers.moved else "")


def explain(
    context: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer id, your own id for the customer, or an e-mail address.")],
    as_of: AsOfRun = None,
    as_json: AsJson = False,
) -> None:
    """Say what is known and was decided about one customer. And why: evidence, chances, the draw that anyone can repeat."""
    from rekindle.service.flow import explained, explaining

    with opened(context.obj) as store:
        found = explaining.explain(store.settings, store.warehouse, customer, store.as_of_plan(as_of))
    emit(explaining.to_json(found), explained.lines(found, store.settings), as_json)


COMMANDS = {"insight": insight, "explain": explain}
