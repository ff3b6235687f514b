"""`preview`: a message as its customer would read it.

Knows nothing of how it is written.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.options import AsJson, AsOfRun
from rekindle.cli.output import counted, emit, may_write, shown
from rekindle.cli.store import opened
from rekindle.errors import StoreUnavailable, UsageError
from rekindle.moment import AsOf

if TYPE_CHECKING:
    from rekindle.service.flow.previewing import Preview


def preview(  # noqa: PLR0913  the options of the command
    context: typer.Context,
    customer: Annotated[
        str | None, typer.Argument(metavar="CUSTOMER", help="An id, your own id or an e-mail address. Default: an invented customer.")
    ] = None,
    program: Annotated[str | None, typer.Option(metavar="NAME", help="A program. Default: that of the next or last message.")] = None,
    stage: Annotated[str | None, typer.Option(metavar="NAME", help="One of its stages. Default: likewise, or the first.")] = None,
    variant: Annotated[str | None, typer.Option(metavar="NAME", help="One of its variants. Default: likewise, or the first.")] = None,
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="email, sms, webpush, inapp or webhook.")] = None,
    as_of: AsOfRun = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the HTML of an e-mail there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a customer would get, or got. Nothing is sent, and nothing is written but FILE."""
    from rekindle.service.flow import previewing

    may_write(out)
    with opened(context.obj) as store:
        wanted = previewing.Wanted(program, stage, variant, channel)
        invented = customer is None and not as_of and not store.holds_orders()
        instant = AsOf(store.now, store.settings.timezone) if invented else store.as_of_plan(as_of)
        found = previewing.preview(store.settings, store.warehouse, customer, wanted, instant)
    if out is not None:
        _write(out, found)
    emit(previewing.to_json(found), [*lines(found), *([f"Written        {shown(out.resolve())}"] if out else [])], as_json)


def lines(found: "Preview") -> Iterable[str]:
    """The preview for people."""
    yield f"Message        {found.program}, {found.stage}: {found.arm} by {found.channel}; {found.basis}"
    if found.title:
        yield f"{'Subject' if found.channel == 'email' else 'Title':<15}{found.title}"
    if found.preheader:
        yield f"Preheader      {found.preheader}"
    if found.segments is not None:
        yield f"Length         {counted(found.segments, 'segment', 'segments')}, with the longer link that is sent"
    yield ""
    yield found.text.rstrip()


def _write(out: Path, found: "Preview") -> None:
    if not found.html:
        raise UsageError(f"a message by {found.channel} has no HTML", "Leave --out away.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(found.html, encoding="utf-8")
    except OSError as error:
        raise StoreUnavailable(f"cannot write {out}: {error.strerror}", "Name a file that you may write.") from error


COMMANDS = {"preview": preview}
