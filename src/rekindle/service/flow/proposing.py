"""Proposals for a store's documents, with their evidence, and their writing into the folder, where a person approves them as any change.

Knows nothing of how they are found. Taking one changes a file of the folder; plans go by it once the documents are approved.
"""

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from rekindle.errors import BadData, CannotTell
from rekindle.insight.models import Interval
from rekindle.insight.tiers import Boundaries, Tiers
from rekindle.learn import decisions
from rekindle.learn.proposals import Proposal, budgets, limits, pacing
from rekindle.program.documents import Documents
from rekindle.program.editing import changed
from rekindle.program.reading import RULES
from rekindle.service.flow import alarms, documents, policy_proposals, snapshots
from rekindle.service.flow.policy_proposals import Question
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Edit:
    """A proposal as a change of a file.

    Args:
        proposal: What is proposed, and why.
        file: Below the store folder.
        text: The whole document with the change in it.
        diff: What would change, line by line.
    """

    proposal: Proposal
    file: str
    text: str
    diff: str


def proposals(asked: Question) -> tuple[Edit, ...]:
    """What the evidence speaks for changing, budgets first; nothing for a program whose alarm stands, nor a budget that it shares.

    Args:
        asked: For which store, as of when.
    """
    texts = documents.texts(asked.settings.root)
    edits = (_edit(one, asked.documents, texts) for one in _found(asked))
    return tuple(one for one in edits if one is not None)


def take(settings: Settings, edits: tuple[Edit, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Writes proposals into the store folder and returns the files that changed.

    Args:
        settings: The store's.
        edits: All that there are now.
        names: Those to take.

    Raises:
        BadData: There is no proposal of a name.
    """
    held = {one.proposal.name: one.proposal for one in edits}
    files = {one.proposal.name: one.file for one in edits}
    if unknown := [name for name in names if name not in held]:
        raise BadData(f"there is no proposal '{unknown[0]}'", f"There are: {', '.join(held) or 'none'}.")
    written: dict[str, str] = {}
    for name in names:
        path = settings.root / files[name]
        text = written.get(files[name]) or path.read_text(encoding="utf-8")
        written[files[name]] = changed(text, {change.place: change.after for change in held[name].changes})
    for file, text in written.items():
        (settings.root / file).write_text(text, encoding="utf-8")
    return tuple(written)


def _edit(proposal: Proposal, held: Documents, texts: dict[str, str]) -> Edit | None:
    """The proposal as a change of the folder's file; None where the file is gone or says so already."""
    file = held.file_of(proposal.document) if proposal.document else RULES
    before = texts.get(file)
    if before is None:
        return None
    after = changed(before, {change.place: change.after for change in proposal.changes})
    lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
    diff = "".join(difflib.unified_diff(*lines, file, file, n=0))
    return Edit(proposal, file, after, diff) if diff else None


def _found(asked: Question) -> Iterator[Proposal]:
    held, currency = asked.documents, asked.settings.currency
    evidence = policy_proposals.evidence_of(asked)
    terms = policy_proposals.terms_of(asked) if evidence else None
    begun = {one.program for one in evidence}
    wrong = begun & alarms.standing(asked.settings.var).keys()
    if terms is not None and not wrong:
        yield from budgets.of_budgets(budgets.Asked(evidence, terms, asked.programs, held.rules, currency))
    if (tiers := _tiers(asked.settings)) is not None and (one := limits.of_tiers(tiers, currency)) is not None:
        yield one
    margins = _margins(asked.settings)
    for program in (one for one in asked.programs if one.name in begun - wrong):
        with asked.warehouse.forgetting():
            followed = decisions.followed(asked.warehouse, asked.past, program, asked.window)
            counts = asked.warehouse.arrow(pacing.counts(followed, program.goal.horizon_days))
        yield from pacing.of_program(program, counts)
        if (one := limits.of_caps(program, margins.get(program.name, {}), currency)) is not None:
            yield one


def _tiers(settings: Settings) -> Tiers | None:
    """The value tiers of the last published insight."""
    found = snapshots.summary(settings.var).get("value_tiers")
    if found is None:
        return None
    proposed = Boundaries(found["proposed"]["high"], found["proposed"]["mid"])
    return Tiers(found["days"], Boundaries(found["high"], found["mid"]), found["approved"], proposed)


def _margins(settings: Settings) -> dict[str, dict[str, dict[str, Interval | CannotTell]]]:
    """What each variant brings more than `nothing`, as last measured: program, stage, variant."""
    path = max((settings.var / "learn").glob("*.json"), default=None)
    if path is None:
        return {}
    programs = json.loads(path.read_text(encoding="utf-8"))["programs"]
    return {
        program["program"]: {
            stage["stage"]: {name: _interval(one["measures"]["margin"]) for name, one in stage["by"]["arm"].items()}
            for stage in program.get("stages", ())
        }
        for program in programs
    }


def _interval(part: dict[str, object]) -> Interval | CannotTell:
    if "cannot_tell" in part:
        return CannotTell(str(part["cannot_tell"]))
    if not part["told_apart"]:
        return CannotTell("not yet distinguishable from zero")
    return Interval(*(float(str(part[name])) for name in ("low", "difference", "high")))
