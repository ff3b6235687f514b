"""Which versions there are, which of them are approved for what, and which programs are paused.

Changes nothing, and knows nothing of what a document says.
"""

from dataclasses import dataclass
from datetime import datetime

from rekindle.errors import BadData
from rekindle.service.config import use_ledger
from rekindle.service.programs.models import Approval, Document, Pause
from rekindle.settings import Settings

_SHORTEST = 6

POLICY = "policy"
"""The kind of document that is a version of the table of chances: no program, and never read as one."""


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
    if len(found) == 1 and found[0].kind == POLICY:
        raise BadData(f"'{digest}' is a version of the table of chances", "Approve it with: rekindle policy approve")
    if len(found) != 1:
        what = "several versions" if found else "no version"
        raise BadData(f"'{digest}' names {what}", "Give the digest that `rekindle submit` printed.")
    return found[0]


def approved(settings: Settings, channel: str = "mailbox") -> dict[str, str]:
    """The version of each document that was approved last for a channel: name to digest.

    The order of approvals counts, not their instants: the clock of a simulated store lies behind that of its making.
    """
    use_ledger(settings)
    held = Approval.objects.filter(channel=channel).exclude(document__kind=POLICY)
    return dict(held.order_by("id").values_list("document__name", "document_id"))


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


def paused() -> frozenset[str]:
    """The programs whose marketing is held back now."""
    return frozenset(Pause.objects.filter(resumed_at=None).values_list("program", flat=True))


def pauses(program: str = "") -> tuple[Pause, ...]:
    """Every pause, the first first; of one program where it is named."""
    return tuple(Pause.objects.filter(program=program) if program else Pause.objects.all())
