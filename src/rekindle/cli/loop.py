"""`run`: the main job.

Knows nothing of its steps.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.deciding import awaiting_lines, sent_json, summary_json, warn_of_changes
from rekindle.cli.deciding import lines as plan_lines
from rekindle.cli.importing import lines as import_lines
from rekindle.cli.options import AsJson, AsOfDay, DryRun, Page
from rekindle.cli.output import emit, may_write, say, shown, steps
from rekindle.cli.policies import news_json, news_lines
from rekindle.cli.privacy import do_what_was_asked
from rekindle.cli.store import Open, add_sources, opened
from rekindle.errors import BadData, UsageError
from rekindle.settings import Settings, Source

if TYPE_CHECKING:
    from rekindle.ingest import QualityReport
    from rekindle.service.flow.running import Done


def run(  # noqa: PLR0913  the options of the command
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Orders, kept as sources of the store.")] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="The preset of these files: online-retail or shopify-orders.")] = None,
    map_: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="The mapping of these files (docs/import.md).")] = None,
    contacts: Annotated[Path | None, typer.Option(metavar="FILE", help="Contacts and consent, kept as a source too.")] = None,
    as_of: AsOfDay = None,
    out: Page = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Do the main job: import, insight, plan, send, learn, report. Safe to repeat; it imports what is new or has changed."""
    from rekindle.service.flow import documents, importing, rhythm, running

    may_write(out)
    if not dry_run:
        do_what_was_asked(context.obj)
    with opened(context.obj) as store, steps() as step:
        wanted = wanted_sources(files or [], preset, map_, contacts)
        new = new_sources(store.settings, wanted)
        settings = store.settings.model_copy(update={"sources": (*store.settings.sources, *new)})
        step("Importing what is new")
        imported = importing.take_in_changed(settings, store.warehouse, store.now, dry_run)
        for report in imported:
            say("\n".join(import_lines(report, store, dry_run)))
        if dry_run:
            _rehearse(store, as_of, imported, as_json)
            return
        add_sources(store.folder, [source.model_dump(exclude_defaults=True) for source in new])
        warn_of_changes(store)
        page = store.page(out)
        overdue = rhythm.pause_overdue(settings, store.now)
        done = running.run(settings, store.warehouse, store.as_of(as_of), running.Page(page, next_steps(store, page)), step)
        step("Auditing")
        kept = rhythm.keep(settings, store.warehouse, documents.approved(settings), done.insight.as_of, store.now)
        waiting = awaiting_lines(store)
    for line in (*news_lines(done.news, store), *overdue, *kept, *waiting):
        say(line)
    emit(to_json(imported, done, page), headlines_of(done), as_json)


def wanted_sources(files: Sequence[Path], preset: str | None, mapping: Path | None, contacts: Path | None) -> list[Source]:
    """The files of the command line as sources.

    Raises:
        UsageError: A file is not there, or neither preset nor mapping says how to read it.
    """
    if files and (preset is None) == (mapping is None):
        raise UsageError("orders need a preset or a mapping file, and not both", "Write --preset NAME or --map FILE (docs/import.md).")
    if not files and (preset or mapping):
        raise UsageError("--preset and --map say how to read orders, and none are named", "Write: rekindle run FILE --preset NAME")
    for path in (*files, *((mapping,) if mapping else ()), *((contacts,) if contacts else ())):
        if not path.is_file():
            raise UsageError(f"there is no file {path}", "Check the path.")
    map_file = str(mapping.resolve()) if mapping else ""
    found = [Source(file=str(path.resolve()), preset=preset or "", map=map_file) for path in files]
    return found + ([Source(file=str(contacts.resolve()), role="contacts")] if contacts else [])


def new_sources(settings: Settings, wanted: Iterable[Source]) -> list[Source]:
    """Those that are not in rekindle.toml yet.

    Raises:
        UsageError: It has the file, to be read otherwise.
    """
    known = {source.file: source for source in settings.sources}
    for source in wanted:
        if known.get(source.file, source) != source:
            why = f"{source.file} is a source of this store already, to be read otherwise"
            raise UsageError(why, "Mend its [[sources]] in rekindle.toml.")
    return [source for source in wanted if source.file not in known]


def next_steps(store: Open, page: Path) -> tuple[str, str]:
    """What the reader of a run's last line may do next."""
    from rekindle.service.people.queries import has_contacts

    reading = f"open {shown(page.resolve())}"
    if store.simulated:
        return reading, "make run ORDERS=orders.csv PRESET=..."
    return reading, store.command("run") + (", again tomorrow" if has_contacts() else " --contacts contacts.csv")


def to_json(imported: Sequence["QualityReport"], done: "Done", page: Path) -> dict[str, object]:
    """What the run did, as JSON."""
    from rekindle.service.flow import insights, learning

    return {
        "imported": [report.to_json() for report in imported], "insight": insights.to_json(done.insight),
        "plan": summary_json(done.planned, done.touches), "sent": None if done.sent is None else sent_json(done.sent),
        "learn": {**learning.to_json(done.learned), "policy": news_json(done.news)}, "report": page,
    }  # fmt: skip


def headlines_of(done: "Done") -> Iterable[str]:
    """The eight lines."""
    from rekindle.learn.report import headlines

    return headlines(done.facts) if done.facts is not None else ()


def _rehearse(store: Open, as_of: str | None, imported: Sequence["QualityReport"], as_json: bool) -> None:
    """Says what would be planned from the facts that history holds already."""
    from rekindle.service.flow import documents, insights, planning

    shape = [report.to_json() for report in imported]
    try:
        instant = store.as_of(as_of)
        built, _ = insights.profiles(store.settings, store.warehouse, instant, publish=False)
    except BadData as error:  # history has no orders before the instant, and a dry run imports none
        emit({"imported": shape, "plan": None}, [f"Plan           none yet: {error.cause}"], as_json)
        return
    held = documents.approved(store.settings)
    planned = planning.make(store.settings, store.warehouse, built, held, instant, publish=False)
    last = "Dry run        nothing was changed; the plan does not know what was not imported"
    emit({"imported": shape, "plan": summary_json(planned, 0)}, [*plan_lines(planned, store, held), last], as_json)


COMMANDS = {"run": run}
