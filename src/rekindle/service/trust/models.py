"""Answers to the questions of messages, each of which may be given again, and entrances to the shop, each of which opens once.

Knows nothing of pages. History is told the value alone; words that a person wrote freely stay here.
"""

from typing import ClassVar

from django.db import models

CHANGED, TAKEN, KNOWN = "changed", "taken", "known"
"""What history knows of an answer: not its latest change, is being told, knows it."""


class Answer(models.Model):
    """A customer's answer to one question of one message; `touch` is the message's number, `order_id` the order it was about."""

    touch = models.BigIntegerField()
    question = models.CharField(max_length=16)
    customer_id = models.CharField(max_length=64, db_index=True)
    order_id = models.CharField(max_length=200, default="")
    value = models.CharField(max_length=16)
    text = models.TextField(default="")
    answered_at = models.DateTimeField()
    mirror = models.CharField(max_length=8, default=CHANGED, db_index=True)

    class Meta:
        """One answer to a question of a message."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["touch", "question"], name="one_answer_to_a_question")]


class Entrance(models.Model):
    """A way into the shop for one customer: known by the digest of its code, good for minutes, and for one use.

    One that was used stays: no other is opened from the message with the number `touch`.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    touch = models.BigIntegerField(default=0, db_default=0)
    customer_id = models.CharField(max_length=64, db_index=True)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)
