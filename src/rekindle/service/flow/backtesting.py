"""A backtest of the store, its numbers as a file and its pictures as a page.

Knows nothing of how predictions are made and judged.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import backtest, lapse
from rekindle.insight.backtest import RULE_DAYS, Backtest, Origin, Trial
from rekindle.insight.forecasts import Decile, Forecast
from rekindle.insight.models import Interval
from rekindle.learn.report.backtest_page import against_rule, render_backtest, season_effect, summary, verdict
from rekindle.learn.report.figures import Figures
from rekindle.moment import AsOf
from rekindle.service.flow import worlds
from rekindle.service.flow.insights import label, season_json, season_words, write_whole
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Judged:
    """A backtest and where it was written.

    Args:
        trial: What was asked.
        found: What was predicted and what came, or why it cannot be told.
        numbers: The file of its numbers; None where none was written.
        page: The page with its pictures; None where none was written.
    """

    trial: Trial
    found: Backtest | CannotTell
    numbers: Path | None
    page: Path | None


def judge(
    settings: Settings, warehouse: Warehouse, as_of: AsOf, model: str = lapse.DEFAULT_MODEL, publish: bool = True
) -> Judged:
    """Predicts as of earlier instants, compares with what came, and writes numbers and page.

    Args:
        settings: The store's.
        warehouse: Its open history.
        as_of: The instant that the last outcomes end before.
        model: The lapse model's name.
        publish: Whether anything is written.
    """
    trial = Trial(as_of, settings.horizon_weeks, model)
    found = backtest.run(warehouse, trial)
    if isinstance(found, CannotTell) or not publish:
        return Judged(trial, found, None, None)
    numbers = settings.var / "backtest" / label(as_of) / "backtest.json"
    page = settings.var / "reports" / "backtest.html"
    figures = Figures(settings.currency, settings.locale.replace("-", "_"))
    write_whole(numbers, json.dumps(found_json(found), indent=1))
    write_whole(page, render_backtest(found, settings.name, figures, worlds.is_simulated(settings)))
    return Judged(trial, found, numbers, page)


def lines(judged: Judged) -> Iterable[str]:
    """The comparison for people: a line for each origin."""
    trial, found = judged.trial, judged.found
    if isinstance(found, CannotTell):
        yield f"Cannot tell    {found.reason}"
        return
    yield f"{summary(found)} ({trial.model}, each of {len(found.origins)} origins judged by the {trial.horizon_weeks} weeks after it)"
    yield f"{'Origin':<15}{'customers':>10}{'expected':>10}{'came':>10}   {'ratio':<23}{'Brier, rule':<18}log-loss, rule"
    yield from map(_line, found.origins)
    yield f"Verdict        {verdict(found, '{:.0%}'.format)}"
    yield f"               {against_rule(found)}"
    yield f"               {season_effect(found, str)}"
    yield f"Rule           no order for {RULE_DAYS} days, with the shares that it could have learned one horizon earlier"
    for one in found.origins:
        if isinstance(one.rule_learned, CannotTell):
            yield f"               {one.as_of.day} {one.rule_learned.reason}"
    for one in found.origins:
        yield f"Season         {one.as_of.day} {season_words(one.season)}"
    for reason in found.left_out:
        yield f"Left out       {reason}"


def _line(one: Origin) -> str:
    ratio = "cannot tell"
    if isinstance(one.ratio, Interval):
        ratio = f"{one.ratio.estimate:.3f} ({one.ratio.low:.2f} to {one.ratio.high:.2f})"
    brier, loss = f"{one.model.brier:.4f}, {one.rule.brier:.4f}", f"{one.model.log_loss:.4f}, {one.rule.log_loss:.4f}"
    counts = f"{one.customers:>10,}{one.expected:>10,.0f}{one.actual:>10,}"
    return f"{one.as_of.day!s:<15}{counts}   {ratio:<23}{brier:<18}{loss}"


def to_json(judged: Judged) -> dict[str, object]:
    """The whole comparison as JSON, with where it was written."""
    if isinstance(judged.found, CannotTell):
        numbers: dict[str, object] = {"cannot_tell": judged.found.reason}
    else:
        numbers = found_json(judged.found)
    return {**numbers, "numbers": judged.numbers, "page": judged.page}


def found_json(found: Backtest) -> dict[str, object]:
    """The numbers of a backtest: orders are purchase days, chances and shares of 1."""
    return {
        "as_of": found.as_of.instant.isoformat(), "horizon_weeks": found.horizon_weeks, "model": found.model,
        "origins": [_origin_json(one) for one in found.origins], "left_out": list(found.left_out),
    }  # fmt: skip


def _origin_json(one: Origin) -> dict[str, object]:
    learned = one.rule_learned
    return {
        "day": one.as_of.day.isoformat(), "customers": one.customers, "expected": one.expected,
        "expected_by_calendar": one.expected_by_calendar, "actual": one.actual, "ratio": _interval_json(one.ratio),
        "season": season_json(one.season), "model": _forecast_json(one.model), "rule": _forecast_json(one.rule),
        "rule_learned": {"cannot_tell": learned.reason} if isinstance(learned, CannotTell) else learned.day.isoformat(),
        "rule_at_best": _forecast_json(one.rule_at_best),
        "chances": [_decile_json(tenth) for tenth in one.chances], "orders": [_decile_json(tenth) for tenth in one.orders],
    }  # fmt: skip


def _interval_json(interval: Interval | CannotTell) -> dict[str, object]:
    if isinstance(interval, CannotTell):
        return {"cannot_tell": interval.reason}
    return {"low": interval.low, "estimate": interval.estimate, "high": interval.high}


def _forecast_json(forecast: Forecast) -> dict[str, object]:
    return {"brier": forecast.brier, "log_loss": forecast.log_loss}


def _decile_json(tenth: Decile) -> dict[str, object]:
    return {"customers": tenth.customers, "predicted": tenth.predicted, "actual": _interval_json(tenth.actual)}
