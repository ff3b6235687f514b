"""The finance page's facts: what was learned, beside targets, the frozen baseline and what experiments taught.

Knows nothing of how they are shown.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rekindle.history.warehouse import Warehouse
from rekindle.insight.lifecycle import COHORTS
from rekindle.learn.report.finance_facts import FUNNEL, FinanceFacts, Step
from rekindle.learn.report.finance_page import render_finance
from rekindle.program.documents import Documents
from rekindle.service.experiments import queries as experiments
from rekindle.service.flow import baselines, targets, worlds
from rekindle.service.flow.learning import Learned
from rekindle.settings import Settings

FILE = "finance.html"
"""The page's name, beside the report."""


def write(settings: Settings, warehouse: Warehouse, documents: Documents, learned: Learned, folder: Path) -> None:
    """Writes the page.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved ones.
        learned: What was learned as of the page's instant.
        folder: Where the report is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(render_finance(gather(settings, warehouse, documents, learned)), encoding="utf-8")


def gather(settings: Settings, warehouse: Warehouse, documents: Documents, learned: Learned) -> FinanceFacts:
    """Everything that the page says."""
    held = baselines.first_kept(settings)
    return FinanceFacts(
        shop=settings.name, currency=settings.currency, locale=settings.locale, as_of=learned.as_of,
        simulated=worlds.is_simulated(settings), lifts=learned.lifts, stages=learned.stages, suite=learned.suite,
        alarms=tuple(_alarms(learned)), funnel=_funnel(learned), credits=learned.credits,
        targets=targets.standings(settings, warehouse, documents, learned.as_of, publish=False),
        baseline=held.baseline if held else None, changes=targets.changes(settings, warehouse, learned.as_of),
        learnings=tuple(sorted(experiments.learnings(), key=lambda one: one.at, reverse=True)),
    )  # fmt: skip


def _alarms(learned: Learned) -> Iterator[str]:
    for program, check in learned.alarms:
        where = f"{program}, {check.group}" if program else check.group
        yield f"{where} has {check.seen:,} of {check.counted:,}, where the draw gives {check.expected:,.0f}: find out why first"
    for program, messages in learned.leaks.items():
        yield f"{messages:,} messages of {program} went to customers who were to have none"


def _funnel(learned: Learned) -> tuple[Step, ...]:
    """By program, customers and offer; channels are in the JSON."""
    sums: dict[tuple[str, str, str], Counter[str]] = {}
    for row in learned.funnel:
        cohort, tier = str(row["cohort"] or ""), str(row["value_tier"] or "")
        who = COHORTS.get(cohort, cohort) or (f"{tier} value" if tier else "")
        key = (str(row["program"]), who, str(row["offer"] or ""))
        sums.setdefault(key, Counter()).update({step: int(str(row[step])) for step in FUNNEL})
    return tuple(Step(*key, tuple(counts[step] for step in FUNNEL)) for key, counts in sums.items())
