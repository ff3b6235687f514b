"""The main job after the import: insight, plan, send, learn, report. Safe to repeat.

Knows nothing of how each step works.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.learn.report import ReportFacts, headlines, render_page, to_json
from rekindle.moment import AsOf
from rekindle.service.flow import (
    dispatching,
    documents,
    finance,
    insights,
    learning,
    planning,
    policy_proposals,
    reporting,
    rhythm,
    segments,
)  # fmt: skip
from rekindle.service.flow.plan_approving import leaving
from rekindle.service.flow.sending import Sent
from rekindle.service.people.queries import has_contacts
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Page:
    """The report that a run ends with.

    Args:
        path: Where it goes.
        next_steps: What its reader may do next.
    """

    path: Path
    next_steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did.

    Args:
        insight: The summary of profiles.
        planned: The plan.
        touches: New messages in the outbox.
        sent: What became of the due messages; None where none were sent: in a rehearsal, or on a shifted clock.
        learned: Lifts.
        facts: Of the report; None where none was asked for.
        news: Whether a new table of chances would differ from the one in force; None where no report was asked for.
    """

    insight: insights.Insight
    planned: planning.Planned
    touches: int
    sent: Sent | None
    learned: learning.Learned
    facts: ReportFacts | None
    news: policy_proposals.News | CannotTell | None = None


def run(
    settings: Settings, warehouse: Warehouse, as_of: AsOf, page: Page | None = None, say: Callable[[str], None] = lambda _: None
) -> Done:
    """Runs the main job once.

    Args:
        settings: The store's.
        warehouse: Its open history.
        as_of: The instant.
        page: The report; none where not given.
        say: Told what is being done.
    """
    held = documents.approved(settings)
    say("Fitting and scoring")
    built, insight = insights.profiles(settings, warehouse, as_of)
    segments.note(settings, warehouse, as_of, built.table)
    rhythm.freeze(settings, warehouse, held, as_of)
    say("Deciding")
    planned = planning.make(settings, warehouse, built, held, as_of)
    touches = planning.commit(settings, warehouse, planned, built, held)
    sent = None
    if has_contacts() and as_of.shifted and leaving(settings):
        say(f"Not sending: messages that leave this machine do so now alone, and this is as of {as_of.day}.")
    elif has_contacts():
        say("Sending")
        sent = dispatching.dispatch(settings, warehouse, dispatching.sending_instant(as_of), as_of.shifted)
    say("Measuring")
    learned = learning.learn(settings, warehouse, held, as_of)
    if page is None:
        return Done(insight, planned, touches, sent, learned, None)
    say("Writing the report")
    facts = reporting.gather(warehouse, reporting.Run(settings, built, insight, held, planned, learned, page.next_steps))
    write_report(facts, page.path)
    finance.write(settings, warehouse, held, learned, page.path.parent)
    news = policy_proposals.news(policy_proposals.Question(settings, warehouse, held, as_of))
    return Done(insight, planned, touches, sent, learned, facts, news)


def write_report(facts: ReportFacts, path: Path) -> None:
    """Writes the page, and beside it its facts as JSON and its eight lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_page(facts), encoding="utf-8")
    path.with_suffix(".json").write_text(to_json(facts), encoding="utf-8")
    path.with_suffix(".txt").write_text("\n".join(headlines(facts)) + "\n", encoding="utf-8")
