"""The document log: a chain of seals over documents, approvals and reviews, so that none of them changes or goes unnoticed.

Knows nothing of what a document says. Only ever added to, by `actions`, in the transaction that writes the row itself.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from rekindle.service.programs.models import Approval, Document, LogEntry, Review

DOCUMENT, APPROVAL, REVIEW = "document", "approval", "review"
BEGIN = 0
"""The number of the first link, which is about nothing: whoever adds to the log holds it."""

SEALED = {
    DOCUMENT: ("digest", "name", "kind", "text", "owner", "submitted_at"),
    APPROVAL: ("document_id", "channel", "by", "at", "since"),
    REVIEW: ("program", "by", "at", "was_due", "next_due", "note"),
}
"""What a digest covers, by kind of row; a column that comes later is not added here, for it would change the digests of old rows."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A place where the log does not hold.

    Args:
        what: The kind of row.
        key: Its key.
        why: What is wrong, a clause.
    """

    what: str
    key: str
    why: str


def digest_of(what: str, row: Any) -> str:  # noqa: ANN401  a model of today, or as a migration knows it
    """A row's digest: SHA-256 of its columns as canonical JSON.

    Args:
        what: Its kind, a key of `SEALED`.
        row: Has these columns.
    """
    values = {name: _plain(getattr(row, name)) for name in SEALED[what]}
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _plain(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else None if value is None else str(value)


def sealed(before: str, number: int, what: str, key: str, digest: str) -> str:
    """A seal: over the one before, and what the link is about.

    Source: Haber & Stornetta (1991), How to time-stamp a digital document, section 5.1 (linking).
    """
    return hashlib.sha256(f"{before}|{number}|{what}|{key}|{digest}".encode()).hexdigest()


def verify() -> tuple[Broken, ...]:
    """Every place where the log does not hold: none where no row was changed, removed, or added behind its back."""
    return tuple(_broken())


def head() -> tuple[int, str]:
    """The number and the seal of the last link; (0, "") of an empty log."""
    last = LogEntry.objects.order_by("-number").values_list("number", "seal").first()
    return last or (BEGIN, "")


def links(what: str, rows: Iterable[Any], number: int, before: str) -> list[LogEntry]:
    """Rows as the links that follow a link; to be written by whoever holds the log.

    Args:
        what: Their kind.
        rows: Written already, with their keys.
        number: Of the last link.
        before: Its seal.
    """
    found = []
    for place, row in enumerate(rows, number + 1):
        key, digest = str(row.pk), digest_of(what, row)
        before = sealed(before, place, what, key, digest)
        found.append(LogEntry(number=place, what=what, key=key, digest=digest, seal=before))
    return found


def holds(number: int, seal: str) -> bool:
    """Whether a link that was once the last is still there: a log cut short at its end would hold otherwise."""
    return number == BEGIN or LogEntry.objects.filter(number=number, seal=seal).exists()


def _broken() -> Iterator[Broken]:
    rows: dict[str, dict[str, Any]] = {
        DOCUMENT: {one.pk: one for one in Document.objects.all()},
        APPROVAL: {str(one.pk): one for one in Approval.objects.all()},
        REVIEW: {str(one.pk): one for one in Review.objects.all()},
    }
    before, expected = "", BEGIN + 1
    for entry in LogEntry.objects.filter(number__gt=BEGIN).order_by("number"):
        row = rows.get(entry.what, {}).pop(entry.key, None)
        if row is None:
            yield Broken(entry.what, entry.key, "the row is gone")
        elif digest_of(entry.what, row) != entry.digest:
            yield Broken(entry.what, entry.key, "the row was changed")
        if entry.number != expected or entry.seal != sealed(before, entry.number, entry.what, entry.key, entry.digest):
            yield Broken(entry.what, entry.key, "its seal is not what the log before it gives")
        before, expected = entry.seal, entry.number + 1
    for what, left in rows.items():
        for key in left:
            yield Broken(what, key, "the row was never written down")
