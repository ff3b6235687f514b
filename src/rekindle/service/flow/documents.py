"""Documents to and from the ledger: what a store folder says, submitted as versions, and the approved set that plans use.

Knows nothing of what a document says.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from rekindle.errors import BadData, Refused
from rekindle.program import checking
from rekindle.program.checking import Finding
from rekindle.program.documents import Documents
from rekindle.program.reading import MANY, OFFERS, RULES, SEGMENTS, TARGETS, Unreadable, read
from rekindle.program.rules import Rules
from rekindle.service.flow import order_margins
from rekindle.service.programs import actions, queries
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Version:
    """A submitted version: the file's name and its digest."""

    name: str
    digest: str


def texts(root: Path) -> dict[str, str]:
    """The documents of a store folder by path relative to it."""
    optional = [path for name in (SEGMENTS, TARGETS) if (path := root / name).exists()]
    paths = [root / OFFERS, root / RULES, *optional, *(path for many in MANY for path in sorted((root / many).glob("*.yaml")))]
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in paths}


def submit(settings: Settings, at: datetime) -> tuple[Version, ...]:
    """Submits a store folder's documents as immutable versions; one that says what its approved version says stays that version.

    Raises:
        BadData: They cannot be used.
    """
    checking.load(settings.root, order_margins.earnings(settings))
    found, held = texts(settings.root), queries.approved(settings)
    changed = unsubmitted(settings)
    wanted = [actions.Submission(name, name.partition("/")[0].removesuffix(".yaml"), found[name]) for name in changed]
    digests = held | dict(zip(changed, actions.submit(wanted, at), strict=True))
    return tuple(Version(name, digests[name]) for name in found)


def approve_all(settings: Settings, by: str, at: datetime) -> tuple[Version, ...]:
    """Submits the folder's documents and approves them for the mailbox, where nothing leaves this machine.

    Raises:
        BadData: They cannot be used.
        Refused: A program has no owner.
    """
    versions = submit(settings, at)
    refuse_errors(checking.check(settings.root, approving=True, earns=order_margins.earnings(settings)))
    held = queries.approved(settings)
    for version in versions:
        if held.get(version.name) != version.digest:
            actions.approve(version.digest, by, at)
    return versions


def refuse_errors(findings: tuple[Finding, ...]) -> None:
    """Refuses approval while a document has an error.

    Raises:
        Refused: Names the first one.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise Refused(f"{len(errors)} mistake(s) keep the documents from approval: {errors[0]}", "See them all with: rekindle check")


def approved(settings: Settings) -> Documents:
    """The approved documents, which alone plans read.

    Raises:
        BadData: Nothing is approved, or a version no longer fits this Rekindle.
    """
    held = queries.approved(settings)
    if not held:
        raise BadData("no documents are approved", "Submit and approve them with: rekindle submit && rekindle approve --all")
    return _assembled(tuple(held.items()), float(settings.margin))


@lru_cache(maxsize=4)
def _assembled(held: tuple[tuple[str, str], ...], margin: float) -> Documents:
    """Versions never change, so that what they say together is worked out once."""
    return checking.assemble({name: queries.text_of(digest).encode() for name, digest in held}, margin)


def approved_rules(settings: Settings) -> Rules | None:
    """The approved rules; None before anything is approved.

    Raises:
        BadData: A version no longer fits this Rekindle.
    """
    return approved(settings).rules if queries.approved(settings) else None


def unsubmitted(settings: Settings) -> tuple[str, ...]:
    """Files of the store folder that say something else than their approved version; comments and blank space say nothing."""
    held = queries.approved(settings)
    found = texts(settings.root)
    return tuple(name for name, text in found.items() if name not in held or not _says_the_same(text, queries.text_of(held[name])))


def _says_the_same(text: str, other: str) -> bool:
    """Whether two texts hold the same values; the order of keys is the order of stages and variants, so it counts."""
    if text == other:
        return True
    try:
        mine, theirs = (json.dumps(read(one.encode()).value) for one in (text, other))
    except Unreadable:
        return False
    return mine == theirs
