"""`segments`: who is in which, how that changes, and the catalogue page.

Knows nothing of how they are counted.
"""

from typing import Annotated

import typer

from rekindle.cli.options import AsJson, AsOfRun, DryRun
from rekindle.cli.output import emit, progress, shown
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
    from rekindle.service.flow import documents
    from rekindle.service.flow import segments as flow

    with opened(context.obj) as store, progress("Counting segments"):
        held = documents.approved(store.settings)
        found = flow.catalogue(store.settings, store.warehouse, held, store.as_of_plan(as_of), publish=not dry_run)
        entry = flow.one_of(found, name) if name else None
        page = flow.page_path(store.settings)
        if not dry_run:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(render_segments(found), encoding="utf-8")
    data = (flow.one_to_json(found, entry) if entry else flow.to_json(found)) | ({} if dry_run else {"page": page})
    told = flow.lines_of_one(found, entry, store.settings, definitions(held.segments)) if entry else flow.lines(found, store.settings)
    emit(data, [*told, *([] if dry_run else [f"Catalogue      {shown(page)}"])], as_json)


COMMANDS = {"segments": segments}
