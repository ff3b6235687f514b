"""`audit`: whether what was decided and approved still stands, how the last 30 days went, and who stands for it.

Knows nothing of how anything is found.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.folder import operator
from rekindle.cli.options import AsJson, DryRun
from rekindle.cli.output import counted, emit, progress
from rekindle.cli.store import opened
from rekindle.errors import BadData, UsageError

if TYPE_CHECKING:
    from rekindle.service.flow.auditing import Audit
    from rekindle.service.flow.audits import Held

Whose = Annotated[str | None, typer.Argument(metavar="CUSTOMER", help="Whose decisions are made again. Default: those of some.")]
SignOff = Annotated[str | None, typer.Option("--sign-off", metavar="HASH", help="Say that you read an audit and stand for it; or last.")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who signs. Default: you.")]


def audit(
    context: typer.Context,
    customer: Whose = None,
    sign_off: SignOff = None,
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Verify the chain of plans and the log of documents, and make decisions again. Without a customer it audits the last 30 days, too."""
    if sign_off is not None:
        if customer is not None:
            raise UsageError("an audit is signed off as a whole", "Leave the customer out.")
        _sign(context.obj, sign_off, by or operator(), dry_run, as_json)
        return
    from rekindle.service.flow import auditing, audits, documents

    with opened(context.obj) as store, progress("Verifying"):
        found = auditing.audit(store.settings, store.warehouse, customer)
        held = None
        if customer is None and documents.approved_rules(store.settings) is not None:
            approved = documents.approved(store.settings)
            facts = audits.facts(store.settings, store.warehouse, approved, store.now)
            held = None if dry_run else audits.keep(store.settings, facts, store.now)
    findings = held.findings if held else ()
    record = {**_json(found), "audit": held.digest if held else None, "findings": list(findings)}
    emit(record, [*_lines(found), *(_told(held) if held else ())], as_json)
    _refuse_broken(found)


def _refuse_broken(found: "Audit") -> None:
    """Fails where a decision or a document is not what was written down.

    Raises:
        BadData: Names the first.
    """
    broken = [link.plan for link in found.links if not link.good]
    other = [one for one in found.draws if one.same is False]
    if broken or other:
        why = f"plan {broken[0]} is not what was sealed" if broken else f"a decision of {other[0].program} comes out otherwise"
        raise BadData(why, "Restore var/history.duckdb from a backup, and find out who changed it.")
    if found.broken:
        first = found.broken[0]
        raise BadData(f"{first.what} {first.key[:40]}: {first.why}", "Restore the ledger from a backup, and find out who changed it.")


def _sign(folder: Path, wanted: str, who: str, dry_run: bool, as_json: bool) -> None:
    from rekindle.service.flow import audits

    with opened(folder) as store:
        found = audits.named(wanted) if dry_run else audits.sign_off(wanted, who, store.now)
    said = f"would be signed off by {who}" if dry_run else f"signed off by {found.signed_by}"
    record = {"audit": found.digest, "findings": list(found.findings), "signed_by": found.signed_by}
    emit(record, [f"Audit          {found.digest[:12]} of {found.at:%Y-%m-%d}, {said}"], as_json)


def _json(found: "Audit") -> dict[str, object]:
    links = [{"plan": one.plan, "decisions": one.decisions, "erased": one.erased, "good": one.good} for one in found.links]
    draws = [
        {"as_of": one.as_of, "program": one.program, "stage": one.stage, "text": one.text, "draw": one.drawn, "arm": one.arm,
         "same": one.same, "why": one.why}
        for one in found.draws
    ]  # fmt: skip
    log = [{"what": one.what, "key": one.key, "why": one.why} for one in found.broken]
    return {"chain": links, "unsealed": found.unsealed, "erased": found.erased, "draws": draws, "log": log}


def _lines(found: "Audit") -> Iterator[str]:
    good = sum(one.good for one in found.links)
    yield f"Chain          {good:,} of {counted(len(found.links), 'plan is', 'plans are')} as sealed"
    if gone := sum(one.erased for one in found.links):
        yield f"Erased         {counted(gone, 'decision', 'decisions')}, of which a digest stays"
    if found.unsealed:
        yield f"Not sealed     {counted(found.unsealed, 'plan', 'plans')} of before there was a chain"
    yield f"Documents      {'as written down' if not found.broken else counted(len(found.broken), 'row is', 'rows are') + ' not'}"
    if found.erased:
        yield "Customer       erased"
    for one in found.draws:
        said = {True: f"md5('{one.text}') draws {one.drawn:.6f} again, {one.arm}", False: "comes out otherwise", None: "cannot be told"}
        yield f"{one.as_of:%Y-%m-%d}     {one.program} {one.stage}: {said[one.same]}{f' ({one.why})' if one.why else ''}"


def _told(held: "Held") -> Iterator[str]:
    facts = held.facts
    again, caps = facts["replayed"], sum(one["breaches"] for one in facts["caps"])
    handed = sum(one["handed_over"] for one in facts["receptions"])
    complaints, opt_outs = (sum(one[name] for one in facts["receptions"]) for name in ("complaints", "opt_outs"))
    untold = sum(again["cannot_tell"].values())
    yield f"Decisions      {again['same']:,} of {again['decisions']:,} come out again" + (f", {untold:,} cannot be told" if untold else "")
    yield f"Caps           {caps:,} broken, of {handed:,} messages in 30 days"
    yield f"Received       {complaints:,} complaints, {opt_outs:,} opt-outs"
    yield f"Texts          {facts['lint']['errors']:,} errors, {facts['lint']['warnings']:,} warnings"
    unequal = sum(not one["passed"] for one in facts["disparities"])
    yield f"Groups         {unequal:,} of {len(facts['disparities']):,} fare worse or better than the rules allow"
    yield from (f"Finding        {one}" for one in held.findings)
    yield f"Audit          {held.digest[:12]} waits for a sign-off: rekindle audit --sign-off {held.digest[:12]}"


COMMANDS = {"audit": audit}
