"""Which versions there are, which of them are approved for what, and which programs are paused.

Changes nothing, and knows nothing of what a document says.
"""

from dataclasses import dataclass
from datetime import datetime

from rekindle.errors import BadData
from rekindle.service.config import use_ledger
from rekindle.service.config.prepared import Prepared
from rekindle.service.programs.models import Approval, Blocker, Document, Pause, Review
from rekindle.settings import Settings

_SHORTEST = 6

POLICY = "policy"
"""The kind of document that is a version of the table of chances: no program, and never read as one."""


BASELINE = "baseline"
"""The kind of document that is a program's baseline, frozen."""

AUDIT = "audit"
"""The kind of document that is an audit; a person's yes to one is a sign-off."""

_APART = {
    POLICY: ("a version of the table of chances", "Approve it with: rekindle policy approve"),
    BASELINE: ("a frozen baseline", "It needs no yes."),
    AUDIT: ("an audit", "Sign it off with: rekindle audit --sign-off"),
}


@dataclass(frozen=True, slots=True)
class Held:
    """A version of the table of chances as it is kept.

    Args:
        name: Its version.
        text: JSON.
        at: When it was proposed.
        way: How it came about.
    """

    name: str
    text: str
    at: datetime
    way: str


@dataclass(frozen=True, slots=True)
class Yes:
    """A person's yes to a version of the table of chances.

    Args:
        name: The version.
        by: Who.
        at: When.
        since: From which instant of the store it holds.
    """

    name: str
    by: str
    at: datetime
    since: datetime


def version(digest: str) -> Document:
    """The version that a digest, or its beginning, names.

    Raises:
        BadData: None does, or several do.
    """
    found = list(Document.objects.filter(digest__startswith=digest)[:2]) if len(digest) >= _SHORTEST else []
    if len(found) == 1 and found[0].kind in _APART:
        what, remedy = _APART[found[0].kind]
        raise BadData(f"'{digest}' is {what}", remedy)
    if len(found) != 1:
        what = "several versions" if found else "no version"
        raise BadData(f"'{digest}' names {what}", "Give the digest that `rekindle submit` printed.")
    return found[0]


def approved(settings: Settings, channel: str = "mailbox") -> dict[str, str]:
    """The version of each document that was approved last for a channel: name to digest.

    The order of approvals counts, not their instants: the clock of a simulated store lies behind that of its making.
    """
    use_ledger(settings)
    held = Approval.objects.filter(channel=channel).exclude(document__kind__in=_APART)
    return dict(held.order_by("id").values_list("document__name", "document_id"))


def approved_at(name: str, channel: str = "mailbox") -> datetime | None:
    """When the version of a document that is approved now was approved first; None where none is."""
    last = Approval.objects.filter(channel=channel, document__name=name).order_by("-id").first()
    first = Approval.objects.filter(channel=channel, document=last.document).order_by("id").first() if last else None
    return first.at if first else None


def text_of(digest: str) -> str:
    """A version's text."""
    return version(digest).text


def policies(name: str = "") -> tuple[Held, ...]:
    """The versions of the table of chances whose names begin so, or that a hash at their end names; in the order of their proposal.

    Args:
        name: A version, or how it begins or ends; all versions where left empty.
    """
    rows = Document.objects.filter(kind=POLICY).order_by("submitted_at", "digest").values_list("digest", "text", "submitted_at", "owner")
    found = [Held(*row) for row in rows if row[0].startswith(name) or row[0].endswith(f"-{name}")]
    return tuple(one for one in found if one.name == name) or tuple(found)


def policy_approvals() -> tuple[Yes, ...]:
    """Every yes to a version of the table of chances, the first first; going back to an earlier version is one too."""
    rows = Approval.objects.filter(document__kind=POLICY).order_by("id").values_list("document_id", "by", "at", "since")
    return tuple(Yes(name, by, at, since or at) for name, by, at, since in rows)


_PAUSED = Prepared(lambda: Pause.objects.filter(resumed_at=None).values_list("program"), lambda row: str(row[0]))


def paused() -> frozenset[str]:
    """The programs whose marketing is held back now."""
    return frozenset(_PAUSED())


def pauses(program: str = "") -> tuple[Pause, ...]:
    """Every pause, the first first; of one program where it is named."""
    return tuple(Pause.objects.filter(program=program) if program else Pause.objects.all())


def kept(kind: str, name: str = "") -> tuple[Document, ...]:
    """Documents of a kind in the order of their submission; of one name where it is given."""
    rows = Document.objects.filter(kind=kind).order_by("submitted_at", "digest")
    return tuple(rows.filter(name=name) if name else rows)


def sign_offs() -> dict[str, Approval]:
    """Who stands for which audit, by digest."""
    return {one.document_id: one for one in Approval.objects.filter(document__kind=AUDIT)}


def reviews(program: str = "") -> tuple[Review, ...]:
    """Every review that was held, the first first; of one program where it is named."""
    return tuple(Review.objects.filter(program=program) if program else Review.objects.all())


def blockers(program: str | None = None, *, resolved: bool = False) -> tuple[Blocker, ...]:
    """What stands in the way, the most urgent first.

    Args:
        program: Of one program; of all and of the store where not given.
        resolved: Whether what is gone is among them.
    """
    rows = Blocker.objects.all() if resolved else Blocker.objects.filter(resolved_at=None)
    return tuple(rows if program is None else rows.filter(program=program))


def open_blocker(number: int) -> Blocker:
    """A blocker that is still open.

    Raises:
        BadData: There is none of the number, or it is gone.
    """
    found = Blocker.objects.filter(pk=number).first()
    if found is None or found.resolved_at is not None:
        why = f"there is no blocker {number}" if found is None else f"blocker {number} is gone since {found.resolved_at:%Y-%m-%d}"
        raise BadData(why, "List those that are open with: rekindle blocker list")
    return found
