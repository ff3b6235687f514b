"""The main job: import what is new, insight, plan, send, learn, report. Safe to repeat.

Knows nothing of how each step works.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rekindle.history.warehouse import Warehouse
from rekindle.ingest import QualityReport
from rekindle.learn.report import ReportFacts, headlines, render_page, to_json
from rekindle.moment import AsOf
from rekindle.service.flow import dispatching, documents, importing, insights, learning, planning, reporting
from rekindle.service.flow.sending import Sent
from rekindle.service.people.queries import has_contacts
from rekindle.settings import Settings

REPORT = Path("reports") / "index.html"


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did.

    Args:
        imported: One report per source that had changed.
        insight: The summary of profiles.
        planned: The plan; `touches` says how many messages are new.
        touches: New messages in the outbox.
        sent: What became of the due messages; None in a rehearsal.
        learned: Lifts.
        facts: Of the report; None where none was asked for.
        report: The page; None where none was asked for.
    """

    imported: tuple[QualityReport, ...]
    insight: insights.Insight
    planned: planning.Planned
    touches: int
    sent: Sent | None
    learned: learning.Learned
    facts: ReportFacts | None
    report: Path | None


def run(
    settings: Settings, warehouse: Warehouse, now: datetime, choose: Callable[[], AsOf], report: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Done:
    """Runs the main job once.

    Args:
        settings: The store's.
        warehouse: Its open history.
        now: The present.
        choose: The instant, asked for after the import.
        report: Where the page goes; `var/reports/index.html` where not given, nowhere where it is `Path()`.
        say: Told what is being done.
    """
    say("Importing what is new")
    imported = importing.take_in_changed(settings, warehouse, now)
    as_of = choose()
    held = documents.approved(settings)
    say("Fitting and scoring")
    built, insight = insights.profiles(settings, warehouse, as_of)
    say("Deciding")
    planned = planning.make(settings, warehouse, built, held, as_of)
    touches = planning.commit(settings, warehouse, planned, built, held)
    sent = None
    if has_contacts():
        say("Sending")
        sent = dispatching.dispatch(settings, warehouse, dispatching.sending_instant(as_of))
    say("Measuring")
    learned = learning.learn(settings, warehouse, held, as_of)
    if report == Path():
        return Done(imported, insight, planned, touches, sent, learned, None, None)
    say("Writing the report")
    path = report or settings.var / REPORT
    steps = (f"open {_short(path)}", "make run ORDERS=orders.csv PRESET=..." if not planned.plan.rehearsal else "make run ORDERS=... CONTACTS=contacts.csv")
    facts = reporting.gather(warehouse, reporting.Run(settings, built, insight, held, planned, learned, steps))
    write_report(facts, path)
    return Done(imported, insight, planned, touches, sent, learned, facts, path)


def write_report(facts: ReportFacts, path: Path) -> None:
    """Writes the page, and its facts as JSON beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_page(facts), encoding="utf-8")
    path.with_suffix(".json").write_text(to_json(facts), encoding="utf-8")
    path.with_suffix(".txt").write_text("\n".join(headlines(facts)) + "\n", encoding="utf-8")


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
