"""Experiments as they were run, the looks that were taken at them, and what they taught.

Knows nothing of how an experiment is measured. A run keeps the experiment as it was written down before it began.
"""

from typing import ClassVar

from django.db import models


class Run(models.Model):
    """An experiment from its start to its end. `since` and `until` are instants of the store, `started_at` and `ended_at` of the clock."""

    experiment = models.CharField(max_length=40, db_index=True)
    digest = models.CharField(max_length=64)
    text = models.TextField()
    program = models.CharField(max_length=100)
    stage = models.CharField(max_length=40)
    factor = models.CharField(max_length=16)
    since = models.DateTimeField()
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=200)
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, default="")
    verdict = models.CharField(max_length=8, default="")

    class Meta:
        """One experiment at a time runs in a stage."""

        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "stage"], condition=models.Q(until__isnull=True), name="one_experiment_in_a_stage_at_a_time"
            )
        ]


class Look(models.Model):
    """A planned look, kept as it was read: it is never taken again."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="looks")
    number = models.PositiveSmallIntegerField()
    share = models.FloatField()
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        """Each look is taken once."""

        ordering: ClassVar = ["run", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "number"], name="one_look_of_a_number")]


class Learning(models.Model):
    """What an experiment taught, written at its end."""

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="learning")
    hypothesis = models.CharField(max_length=500)
    design = models.CharField(max_length=500)
    result = models.TextField()
    scope = models.CharField(max_length=500)

    class Meta:
        """The first first."""

        ordering: ClassVar = ["id"]
