"""Messages that wait inside the shop for a customer.

Knows nothing of consent: who asks for a message sees to it.
"""

from typing import ClassVar

from django.db import models


class InAppMessage(models.Model):
    """One message to one customer; `last_day` is the last on which it is shown, in the store's time zone."""

    message_id = models.CharField(max_length=200, unique=True)
    customer_id = models.CharField(max_length=64)
    title = models.CharField(max_length=300, default="")
    text = models.TextField()
    url = models.CharField(max_length=2000, default="")
    service = models.BooleanField(default=False)
    last_day = models.DateField()
    seen_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        """Asked for by customer."""

        indexes: ClassVar = [models.Index(fields=["customer_id", "last_day"], name="in_app_of_customer")]
