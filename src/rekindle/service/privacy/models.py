"""Receipts: what customers asked about their data, and what was done.

Knows nothing of the data. The receipt of an erasure that is done says nothing of whose it was.
"""

from typing import ClassVar

from django.db import models

ACCESS, ERASURE = "access", "erasure"
"""What can be asked: a copy of one's data, or that it goes."""


class Receipt(models.Model):
    """One thing asked; `done` says what was done, as JSON, and `digest` covers everything else, so that a changed receipt is noticed.

    `customer_id` names the customer until they are erased, and is empty from then on; it is empty from the beginning where all are meant.
    """

    number = models.CharField(max_length=32, primary_key=True)
    kind = models.CharField(max_length=16)
    source = models.CharField(max_length=32)
    customer_id = models.CharField(max_length=64, default="", db_index=True)
    everyone = models.BooleanField(default=False)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done = models.TextField(default="{}")
    digest = models.CharField(max_length=64, default="")

    class Meta:
        """Asked for by what is open."""

        indexes: ClassVar = [models.Index(fields=["done_at", "asked_at"], name="receipts_open")]
