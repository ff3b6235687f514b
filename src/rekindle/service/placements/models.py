"""What was answered to the shop's pages when they asked what to show.

Knows nothing of how anything was decided.
"""

from typing import ClassVar

from django.db import models

CHANGED, TAKEN, KNOWN = "changed", "taken", "known"
"""What history knows of an answer: nothing, is being told, knows it."""


class Placed(models.Model):
    """A decision as one placement showed it on one day of the store; `arm` is `nothing` where nothing was to be shown.

    `propensity` is the chance that the decision was drawn with, whatever was shown of it.
    """

    customer_id = models.CharField(max_length=64)
    placement = models.CharField(max_length=64)
    day = models.DateField()
    plan = models.CharField(max_length=64)
    program = models.CharField(max_length=100)
    stage = models.CharField(max_length=64)
    episode = models.CharField(max_length=200)
    arm = models.CharField(max_length=64)
    propensity = models.FloatField()
    asked_at = models.DateTimeField()
    mirror = models.CharField(max_length=8, default=CHANGED, db_index=True)

    class Meta:
        """However often a page is loaded, a day's answer is held once."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer_id", "placement", "day", "plan", "program", "stage", "episode", "arm"],
                name="an_answer_a_day_is_held_once",
            )
        ]
