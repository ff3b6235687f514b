"""Documents as immutable versions, approvals of them, and programs that are stopped for a while.

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
