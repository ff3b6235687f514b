"""A document's versions: who submitted and approved each, which one plans go by, which one waits, and how two differ line by line.

Knows nothing of what a document says.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rekindle.service.programs.models import Approval, Document

FILES = ".yaml"
"""How the names of documents end that people write."""

AROUND = 3
"""Lines that stay and are shown before and after those that change."""

Way = Literal["same", "gone", "new", "skipped"]


@dataclass(frozen=True, slots=True)
class Yes:
    """A person's yes.

    Args:
        by: Who.
        at: When.
    """

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A version of a document.

    Args:
        digest: Its name.
        document: The document's.
        by: Who submitted it, where it was written down.
        at: When.
        approvals: Every yes to it, the first first.
        in_force: Whether plans go by it.
        waits: Whether it is the newest and nobody has said yes to it.
    """

    digest: str
    document: str
    by: str
    at: datetime
    approvals: tuple[Yes, ...]
    in_force: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a comparison.

    Args:
        way: Whether it is in both, in the old alone, in the new alone; `skipped` stands for lines that are in both and not shown.
        old: Its number in the old text; None where it is not there.
        new: Its number in the new text; None where it is not there.
        text: What it says; of skipped ones how many they are.
    """

    way: Way
    old: int | None
    new: int | None
    text: str


def versions(document: str = "") -> tuple[Kept, ...]:
    """Versions, the newest first: of one document, or of all that people write; tables of chances, baselines and audits are none."""
    by_name = {"name": document} if document else {"name__endswith": FILES}
    rows = Document.objects.filter(**by_name)
    said = Approval.objects.filter(**{f"document__{key}": value for key, value in by_name.items()})
    given: dict[str, list[Yes]] = {}
    held: dict[str, str] = {}
    for digest, name, by, at in said.order_by("id").values_list("document_id", "document__name", "by", "at"):
        given.setdefault(digest, []).append(Yes(by, at))
        held[name] = digest
    newest: set[str] = set()
    found = []
    for digest, name, owner, at in rows.order_by("-submitted_at", "-digest").values_list("digest", "name", "owner", "submitted_at"):
        waits = name not in newest and digest not in given
        newest.add(name)
        found.append(Kept(digest, name, owner, at, tuple(given.get(digest, ())), held.get(name) == digest, waits))
    return tuple(found)


def waiting() -> tuple[Kept, ...]:
    """The version of every document that was submitted last and has no yes, the newest first."""
    return tuple(one for one in versions() if one.waits)


def compared(old: str, new: str) -> tuple[Line, ...]:
    """Two texts line by line, with a few lines around every change.

    Args:
        old: The text before.
        new: The text after.
    """
    return tuple(_lines(old.splitlines(), new.splitlines()))


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    seen = 0
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(AROUND):
        if group[0][1] > seen:
            yield Line("skipped", None, None, str(group[0][1] - seen))
        for way, first, last, other, end in group:
            if way == "equal":
                yield from (Line("same", first + at + 1, other + at + 1, old[first + at]) for at in range(last - first))
                continue
            yield from (Line("gone", at + 1, None, old[at]) for at in range(first, last))
            yield from (Line("new", None, at + 1, new[at]) for at in range(other, end))
        seen = group[-1][2]
    if 0 < seen < len(old):
        yield Line("skipped", None, None, str(len(old) - seen))
