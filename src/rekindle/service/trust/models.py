"""Answers to the questions of messages; each may be given again, and the latest counts.

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
