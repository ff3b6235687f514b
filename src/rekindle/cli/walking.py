"""`simulate-program`: what a program would have done, before its launch.

Knows nothing of how it is walked.
"""

from pathlib import Path
from typing import Annotated

import typer

from rekindle.cli.deciding import write_csv
from rekindle.cli.options import AsJson, a_day
from rekindle.cli.output import emit, may_write, progress, shown
from rekindle.cli.store import opened
from rekindle.errors import UsageError
from rekindle.moment import AsOf


def simulate_program(  # noqa: PLR0913  one argument for each option
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The program.")],
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day that is planned for. Default: so many weeks ago.")
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, help="How long.")] = 52,
    every: Annotated[int, typer.Option(metavar="DAYS", min=1, help="Days from one plan to the next.")] = 7,
    draft: Annotated[bool, typer.Option("--draft", help="Walk the folder's version, approved or not.")] = False,
    version: Annotated[
        str, typer.Option("--version", metavar="HASH", help="Walk a submitted version, approved or not; its first characters do.")
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write every simulated decision as CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """Walk a program over past history before its launch. Audience, messages by week, cost, margin, and who would be left alone."""
    from rekindle.service.flow import walking
    from rekindle.service.flow.insights import default_as_of

    may_write(out)
    if draft and version:
        raise UsageError("--draft and --version are both given", "Give one of them.")
    day = a_day(first, "Write --from 2025-11-22.") if first else None
    with opened(context.obj) as store, progress(f"Walking {name}"):
        now = AsOf(store.now, store.settings.timezone) if store.simulated else default_as_of(store.settings, store.warehouse, store.now)
        asked = walking.Asked(name, now, day, weeks, every, draft, version)
        found = walking.simulate(store.settings, store.warehouse, asked)
        if out is not None:
            write_csv(out, walking.COLUMNS, walking.rows(store.warehouse, found))
    written = [f"Written        {shown(out.resolve())}"] if out else []
    emit(walking.to_json(found), [*walking.lines(found, store.settings), *written], as_json)


COMMANDS = {"simulate-program": simulate_program}
