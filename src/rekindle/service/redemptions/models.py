"""Codes, their redemptions, and the answers that were given to a checkout that asks twice.

Knows nothing of messages and of the rules by which a code is taken. Money is minor units of the store's currency.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

CHANGED, TAKEN, KNOWN = "changed", "taken", "known"
"""What history knows of a row: not its latest change, is being told, knows it."""


class Coupon(models.Model):
    """A personal code as it was given. What it gives never changes; `redeemed` counts, and never passes `most`.

    `cost` is what one redemption costs where that is not its discount, `seller_part` the seller's share of it, and `limited` whether its
    message said that it holds while a budget lasts.
    """

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
    cost = models.BigIntegerField(null=True)
    seller_part = models.FloatField(default=0, db_default=0)
    limited = models.BooleanField(default=False, db_default=False)
    most = models.PositiveIntegerField(default=1)
    redeemed = models.PositiveIntegerField(default=0)

    class Meta:
        """The count is kept by the database, too; every message asks for the few whose code was redeemed."""

        constraints: ClassVar = [models.CheckConstraint(condition=Q(redeemed__lte=F("most")), name="never_more_than_may")]
        indexes: ClassVar = [models.Index(fields=["customer_id"], condition=Q(redeemed__gt=0), name="who_redeemed")]

    def costs(self, discount: int) -> dict[str, int]:
        """What one redemption costs each payer, minor units.

        Args:
            discount: What it takes off the order.
        """
        whole = discount if self.cost is None else self.cost
        sellers = round(whole * self.seller_part)
        return {"shop": whole - sellers, "seller": sellers}


class Redemption(models.Model):
    """A code that an order took; `rolled_back_at` where the order came to nothing, `spent_on` the day whose spend it is part of."""

    coupon = models.ForeignKey(Coupon, on_delete=models.CASCADE, related_name="redemptions")
    order_id = models.CharField(max_length=200)
    discount = models.BigIntegerField()
    redeemed_at = models.DateTimeField()
    rolled_back_at = models.DateTimeField(null=True)
    spent_on = models.DateField(null=True)
    mirror = models.CharField(max_length=8, default=CHANGED, db_index=True)


class Spend(models.Model):
    """What codes redeemed on a day of the store cost a payer of a program. No customer stands in it, so that an erasure leaves it."""

    program = models.CharField(max_length=100)
    payer = models.CharField(max_length=8)
    spent_on = models.DateField()
    cost = models.BigIntegerField(default=0)
    mirror = models.CharField(max_length=8, default=CHANGED, db_index=True)

    class Meta:
        """One row a day; the window of a budget is a few of them."""

        constraints: ClassVar = [models.UniqueConstraint(fields=("spent_on", "program", "payer"), name="one_spend_a_day")]


class Answer(models.Model):
    """The first answer to a request, which is given again to whoever repeats it under the same key.

    `key` is a digest, for whoever chose it may have named somebody in it; `customer_id` is whose code it was about, empty for nobody's.
    """

    key = models.CharField(max_length=64, primary_key=True)
    customer_id = models.CharField(max_length=64, default="", db_default="", db_index=True)
    asked = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(default="")
    answered_at = models.DateTimeField()
