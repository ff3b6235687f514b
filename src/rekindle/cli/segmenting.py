"""`segments`: who is in which, how that changes, and the catalogue page.

Knows nothing of how they are counted.
"""

from typing import Annotated

import typer

from rekindle.cli.options import AsJson, AsOfRun, DryRun
from rekindle.cli.output import emit, progress, say, shown
from rekindle.cli.store import opened


def segments(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One segment, with its overlaps. Default: all.")] = None,
    as_of: AsOfRun = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Count the store's segments and write their catalogue. Size, change, margin at stake, overlaps, owner, last review."""
    from rekindle.learn.report.segment_page import render_segments
    from rekindle.program.segments import definitions
    from rekindle.service.flow import documents, insights
    from rekindle.service.flow import segments as flow

    with opened(context.obj) as store, progress("Counting segments"):
        held = documents.approved(store.settings)
        if name:
            flow.refuse_unknown(store.settings, held, name)
        found = flow.catalogue(store.settings, store.warehouse, held, store.as_of_plan(as_of), publish=not dry_run)
        entry = flow.one_of(found, name) if name else None
        page = flow.page_path(store.settings)
        if not dry_run:
            insights.write_whole(page, render_segments(found))
        unapproved = flow.unapproved(store.settings)
    if found.newest and not dry_run:
        say(f"An earlier day: {shown(page)} is as of {found.as_of.day} now, and the newest count is of {found.newest:%Y-%m-%d}.")
    data = (flow.one_to_json(found, entry) if entry else flow.to_json(found)) | ({} if dry_run else {"page": page})
    told = flow.lines_of_one(found, entry, store.settings, definitions(held.segments)) if entry else flow.lines(found, store.settings)
    written = [] if dry_run else [f"Catalogue      {shown(page)}"]
    changed = [f"Not counted    {unapproved}: {store.command('check')}, then {store.command('approve --all')}"] if unapproved else []
    emit({**data, "unapproved": unapproved}, [*told, *written, *changed], as_json)


COMMANDS = {"segments": segments}
