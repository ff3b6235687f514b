"""`run`: the main job.

Knows nothing of its steps.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle import settings
from rekindle.cli.deciding import summary_json, warn_of_changes
from rekindle.cli.importing import lines as import_lines
from rekindle.cli.options import AsJson, AsOfDay
from rekindle.cli.output import emit, say
from rekindle.cli.store import opened
from rekindle.errors import UsageError

if TYPE_CHECKING:
    from rekindle.service.flow.running import Done


def run(  # noqa: PLR0913  the options of the command
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Orders to import first; kept as sources of the store.")] = None,
    preset: Annotated[str | None, typer.Option(help="The preset of these files.")] = None,
    map_: Annotated[Path | None, typer.Option("--map", metavar="FILE", help="The mapping of these files.")] = None,
    contacts: Annotated[Path | None, typer.Option(metavar="FILE", help="Contacts and consent, kept as a source too.")] = None,
    as_of: AsOfDay = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The report.", show_default="var/reports/index.html")] = None,
    as_json: AsJson = False,
) -> None:
    """Do the main job: import what is new, insight, plan, send, learn, report. Safe to repeat."""
    from rekindle.learn.report import headlines
    from rekindle.service.flow import running

    keep_sources(context.obj, files or [], preset, map_, contacts)
    with opened(context.obj) as store:
        warn_of_changes(store.settings)
        done = running.run(store.settings, store.warehouse, store.now, lambda: store.as_of(as_of), out, say)
    for report in done.imported:
        for line in import_lines(report):
            say(line)
    if done.facts is not None:
        emit(to_json(done), headlines(done.facts), as_json)


def to_json(done: "Done") -> dict[str, object]:
    """What the run did, as JSON."""
    from rekindle.service.flow import insights, learning

    sent = None if done.sent is None else {"due": done.sent.planned, "postponed": done.sent.postponed, **done.sent.by_status}
    return {
        "imported": [report.to_json() for report in done.imported], "insight": insights.to_json(done.insight),
        "plan": summary_json(done.planned, done.touches), "sent": sent, "learn": learning.to_json(done.learned), "report": done.report,
    }


def keep_sources(store: Path, files: list[Path], preset: str | None, mapping: Path | None, contacts: Path | None) -> None:
    """Adds files to the `[[sources]]` of rekindle.toml, unless they are there.

    Raises:
        UsageError: A file is not there, or neither preset nor mapping says how to read it.
    """
    if files and (preset is None) == (mapping is None):
        raise UsageError("orders need a preset or a mapping file, and not both", "Write --preset NAME or --map FILE (docs/import.md).")
    known = {source.file for source in settings.load(store).sources}
    entries = [(path, {"preset": preset} if preset else {"map": str(mapping.resolve()) if mapping else ""}) for path in files]
    entries += [(contacts, {"role": "contacts"})] if contacts else []
    text = ""
    for path, how in entries:
        if not path.is_file():
            raise UsageError(f"there is no file {path}", "Check the path.")
        if str(path.resolve()) not in known:
            text += "\n[[sources]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in {"file": str(path.resolve()), **how}.items())
    if text:
        with (store / settings.FILE_NAME).open("a", encoding="utf-8") as file:
            file.write(text)


COMMANDS = {"run": run}
