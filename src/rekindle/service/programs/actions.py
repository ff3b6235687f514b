"""Documents are submitted as versions that never change, and approved by people; programs are paused, resumed and reviewed.

Knows nothing of what a document says: validation comes before submission.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rekindle.errors import BadData
from rekindle.service.programs import log
from rekindle.service.programs.models import Approval, Blocker, Document, LogEntry, Pause, Review
from rekindle.service.programs.queries import AUDIT, POLICY, open_blocker, version


@dataclass(frozen=True, slots=True)
class Submission:
    """A document to submit.

    Args:
        name: What it is called, such as a program's name.
        kind: programs, offers, rules, and the other names of files; policy, baseline, audit.
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
    digests = [row.digest for row in rows]
    with transaction.atomic():
        last = _hold_log()
        held = set(Document.objects.filter(digest__in=digests).values_list("digest", flat=True))
        new = [row for digest, row in {row.digest: row for row in rows}.items() if digest not in held]
        LogEntry.objects.bulk_create(log.links(log.DOCUMENT, Document.objects.bulk_create(new), *last))
    return tuple(digests)


def _hold_log() -> tuple[int, str]:
    """Lets nobody else add to the document log until the transaction ends, and returns the log's last link."""
    LogEntry.objects.get_or_create(number=log.BEGIN, defaults={"what": "begin", "key": "", "digest": "", "seal": ""})
    LogEntry.objects.select_for_update().get(number=log.BEGIN)
    return log.head()


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
        last = _hold_log()
        rows = Approval.objects.bulk_create(Approval(document=document, channel=channel, by=by, at=at) for channel in channels)
        LogEntry.objects.bulk_create(log.links(log.APPROVAL, rows, *last))
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
        document, last = Document.objects.get(pk=name, kind=POLICY), _hold_log()
        row = Approval.objects.create(document=document, channel="mailbox", by=by, at=at, since=since)
        LogEntry.objects.bulk_create(log.links(log.APPROVAL, [row], *last))


def sign_off(digest: str, by: str, at: datetime) -> None:
    """Records that a person has read an audit and stands for it.

    Args:
        digest: The audit's, in full.
        by: Who.
        at: When.

    Raises:
        BadData: It was signed off before.
    """
    with transaction.atomic():
        document, last = Document.objects.get(pk=digest, kind=AUDIT), _hold_log()
        if given := document.approvals.first():
            raise BadData(f"audit {digest[:12]} was signed off by {given.by}", "Nothing is to be done.")
        row = Approval.objects.create(document=document, channel=AUDIT, by=by, at=at)
        LogEntry.objects.bulk_create(log.links(log.APPROVAL, [row], *last))


def review(held: Review) -> None:
    """Writes down that a review was held."""
    with transaction.atomic():
        last = _hold_log()
        held.save(force_insert=True)
        LogEntry.objects.bulk_create(log.links(log.REVIEW, [held], *last))


def block(blocker: Blocker) -> int:
    """Writes down what stands in the way, and returns the number that it goes by."""
    with transaction.atomic():
        blocker.save(force_insert=True)
    return int(blocker.pk)


def unblock(number: int, by: str, at: datetime, resolution: str) -> None:
    """Writes down that a blocker is gone.

    Args:
        number: The blocker's.
        by: Who says so.
        at: When.
        resolution: How, in words.

    Raises:
        BadData: There is no such blocker, or it is gone already.
    """
    with transaction.atomic():
        held = open_blocker(number)
        held.resolved_by, held.resolved_at, held.resolution = by, at, resolution[:500]
        held.save(update_fields=["resolved_by", "resolved_at", "resolution"])


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
