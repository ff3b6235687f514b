"""Documents are submitted as versions that never change, and approved by people; programs are paused and resumed.

Knows nothing of what a document says: validation comes before submission.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rekindle.service.programs.models import Approval, Document, Pause
from rekindle.service.programs.queries import POLICY, version


@dataclass(frozen=True, slots=True)
class Submission:
    """A document to submit.

    Args:
        name: What it is called, such as a program's name.
        kind: program, offers, rules.
        text: Its whole text.
        owner: Who answers for it.
        digest: What names the version; the text's SHA-256 where left empty.
    """

    name: str
    kind: str
    text: str
    owner: str = ""
    digest: str = ""


def submit(documents: Iterable[Submission], at: datetime) -> tuple[str, ...]:
    """Keeps these versions and returns their digests; a version held already stays as it is."""
    rows = [
        Document(
            digest=one.digest or hashlib.sha256(one.text.encode()).hexdigest(), name=one.name, kind=one.kind, text=one.text,
            owner=one.owner, submitted_at=at,
        )
        for one in documents
    ]
    with transaction.atomic():
        Document.objects.bulk_create(rows, ignore_conflicts=True)
    return tuple(row.digest for row in rows)


def approve(digest: str, by: str, at: datetime, channels: Sequence[str] = ("mailbox",)) -> str:
    """Records a person's yes to a version and returns its full digest.

    Args:
        digest: The digest or its beginning, at least 6 characters.
        by: Who says yes.
        at: When.
        channels: What it may be sent through.

    Raises:
        BadData: No version, or more than one, begins so.
    """
    with transaction.atomic():
        document = version(digest)
        Approval.objects.bulk_create(Approval(document=document, channel=channel, by=by, at=at) for channel in channels)
    return document.digest


def hold(name: str, by: str, at: datetime, since: datetime) -> None:
    """Records a person's yes to a version of the table of chances, or to going back to one.

    Args:
        name: The version, in full.
        by: Who says yes.
        at: When.
        since: From which instant of the store it holds.
    """
    with transaction.atomic():
        document = Document.objects.get(pk=name, kind=POLICY)
        Approval.objects.create(document=document, channel="mailbox", by=by, at=at, since=since)


def pause(program: str, reason: str, by: str, at: datetime) -> bool:
    """Holds a program's marketing back until somebody resumes it; one that is paused already stays as it is.

    Args:
        program: Its name.
        reason: Why, one sentence without a full stop.
        by: Who says so; the program's own name where it paused itself.
        at: When.

    Returns:
        Whether it was running.
    """
    with transaction.atomic():
        given = {"reason": reason[:300], "by": by, "at": at}
        return Pause.objects.get_or_create(program=program, resumed_at=None, defaults=given)[1]


def resume(program: str, by: str, at: datetime) -> bool:
    """Lets a program's marketing go again, and says whether it was paused."""
    with transaction.atomic():
        return bool(Pause.objects.filter(program=program, resumed_at=None).update(resumed_by=by, resumed_at=at))
