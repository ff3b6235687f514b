"""Codes, their redemptions, and the answers that were given to a checkout that asks twice.

Knows nothing of messages and of the rules by which a code is taken. Money is minor units of the store's currency.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

CHANGED, TAKEN, KNOWN = "changed", "taken", "known"
"""What history knows of a redemption: not its latest change, is being told, knows it."""


class Coupon(models.Model):
    """A personal code as it was given. What it gives never changes; `redeemed` counts, and never passes `most`."""

    code = models.CharField(max_length=32, primary_key=True)
    customer_id = models.CharField(max_length=64, db_index=True)
    plan = models.CharField(max_length=64)
    program = models.CharField(max_length=100)
    episode = models.CharField(max_length=200)
    stage = models.CharField(max_length=64)
    offer = models.CharField(max_length=64)
    kind = models.CharField(max_length=32)
    label = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    scope = models.CharField(max_length=300, default="order")
    minimum = models.BigIntegerField(default=0)
    percent = models.FloatField(default=0)
    amount = models.BigIntegerField(null=True)
    price = models.BooleanField()
    last_day = models.DateField(null=True)
    most = models.PositiveIntegerField(default=1)
    redeemed = models.PositiveIntegerField(default=0)

    class Meta:
        """The count is kept by the database, too."""

        constraints: ClassVar = [models.CheckConstraint(condition=Q(redeemed__lte=F("most")), name="never_more_than_may")]


class Redemption(models.Model):
    """A code that an order took; `rolled_back_at` where the order came to nothing."""

    coupon = models.ForeignKey(Coupon, on_delete=models.CASCADE, related_name="redemptions")
    order_id = models.CharField(max_length=200)
    discount = models.BigIntegerField()
    redeemed_at = models.DateTimeField()
    rolled_back_at = models.DateTimeField(null=True)
    mirror = models.CharField(max_length=8, default=CHANGED, db_index=True)


class Answer(models.Model):
    """The first answer to a request, which is given again to whoever repeats it under the same key."""

    key = models.CharField(max_length=300, primary_key=True)
    asked = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(default="")
    answered_at = models.DateTimeField()
