"""`propose`: what the evidence speaks for changing in the documents, and taking some of it into the folder.

Knows nothing of how it is found.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.options import AsJson, AsOfDay, DryRun
from rekindle.cli.output import emit, progress
from rekindle.cli.store import Open, opened

if TYPE_CHECKING:
    from rekindle.service.flow.proposing import Edit


def propose(
    context: typer.Context,
    take: Annotated[list[str] | None, typer.Option("--take", metavar="NAME", help="Write this one into its document; repeatable.")] = None,
    as_of: AsOfDay = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Propose other budgets, tier boundaries, pacing and caps. With evidence and the change of the document; a person approves it."""
    from rekindle.service.flow import alarms, documents, policy_proposals, proposing

    with opened(context.obj) as store, progress("Weighing what decisions brought"):
        held = documents.approved(store.settings)
        asked = policy_proposals.Question(store.settings, store.warehouse, held, store.as_of(as_of))
        edits = proposing.proposals(asked)
        written = () if dry_run or not take else proposing.take(store.settings, edits, tuple(take))
    wrong = alarms.standing(store.settings.var)
    data = [
        {"name": one.proposal.name, "file": one.file, "why": one.proposal.why, "evidence": one.proposal.evidence, "diff": one.diff,
         "changes": [{"place": list(part.place), "before": part.before, "after": part.after} for part in one.proposal.changes]}
        for one in edits
    ]  # fmt: skip
    told = {"proposals": data, "written": list(written), "alarms": {name: list(words) for name, words in wrong.items()}}
    emit(told, [*_alarms(wrong), *_lines(edits), *_written(written, store)], as_json)


def _alarms(wrong: Mapping[str, Iterable[str]]) -> Iterable[str]:
    from rekindle.service.flow.alarms import REMEDY

    for program, words in wrong.items():
        yield f"ALARM          {program}: {'; '.join(words)}"
        yield f"               Nothing is proposed for it, nor for budgets. {REMEDY}"


def _lines(edits: "Iterable[Edit]") -> Iterable[str]:
    none = True
    for one in edits:
        none = False
        yield f"{one.proposal.name}: {'; '.join(map(str, one.proposal.changes))}, in {one.file}"
        yield f"               {one.proposal.why}"
    if none:
        yield "Nothing to change: the evidence speaks for the documents as they are, or does not tell yet."


def _written(files: tuple[str, ...], store: Open) -> Iterable[str]:
    if files:
        yield f"Written        {', '.join(files)}"
        yield f"Next           {store.command('approve --all')}"


COMMANDS = {"propose": propose}
