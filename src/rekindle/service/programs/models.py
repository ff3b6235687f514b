"""Documents as immutable versions, approvals of them, programs stopped for a while, their reviews, blockers, and the log of it all.

Knows nothing of what a document says.
"""

from typing import ClassVar

from django.db import models


class Document(models.Model):
    """One version of one document; its digest names it."""

    digest = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=100, db_index=True)
    kind = models.CharField(max_length=32)
    text = models.TextField()
    owner = models.CharField(max_length=200, default="")
    submitted_at = models.DateTimeField()


class Approval(models.Model):
    """A person's yes to a version, for one channel."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="approvals")
    channel = models.CharField(max_length=16)
    by = models.CharField(max_length=200)
    at = models.DateTimeField()
    since = models.DateTimeField(null=True)
    """From which instant of the store it holds, for versions of the table of chances; null: of all instants alike."""

    class Meta:
        """The newest yes of a channel counts."""

        ordering: ClassVar = ["at", "id"]


class Pause(models.Model):
    """A program's marketing held back: by a person, or by the program itself where too many complain. Its row stays as the record."""

    program = models.CharField(max_length=100)
    reason = models.CharField(max_length=300)
    by = models.CharField(max_length=200)
    at = models.DateTimeField()
    resumed_by = models.CharField(max_length=200, default="")
    resumed_at = models.DateTimeField(null=True)

    class Meta:
        """A program is paused once at a time."""

        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program"], condition=models.Q(resumed_at__isnull=True), name="one_open_pause_per_program")
        ]


class Review(models.Model):
    """A review of a program that was held; the next one is due so many days later."""

    program = models.CharField(max_length=100)
    by = models.CharField(max_length=200)
    at = models.DateTimeField()
    was_due = models.DateField()
    next_due = models.DateField()
    note = models.CharField(max_length=2000, default="")

    class Meta:
        """The last one counts."""

        ordering: ClassVar = ["id"]


class Blocker(models.Model):
    """What stands in the way of a program, or of the whole store: whose it is, and by when it is to be gone."""

    text = models.CharField(max_length=500)
    function = models.CharField(max_length=20)
    program = models.CharField(max_length=100, default="")
    owner = models.CharField(max_length=200)
    due = models.DateField()
    opened_by = models.CharField(max_length=200)
    opened_at = models.DateTimeField()
    resolved_by = models.CharField(max_length=200, default="")
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=500, default="")

    class Meta:
        """The most urgent first."""

        ordering: ClassVar = ["due", "id"]


class LogEntry(models.Model):
    """One link of the document log: what was written down, its digest, and a seal over it and the link before."""

    number = models.BigIntegerField(unique=True)
    what = models.CharField(max_length=16)
    key = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    class Meta:
        """In their order; a row is written down once."""

        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["what", "key"], name="written_down_once")]
