"""What sources told of messages: bounces, complaints and the like, with their own words beside.

Knows nothing of what follows. A row never changes, but for what history knows of it.
"""

from typing import ClassVar

from django.db import models

CHANGED, TAKEN, KNOWN = "changed", "taken", "known"
"""What history knows of an event: not yet, is being told, knows it."""


class DeliveryEvent(models.Model):
    """One thing told of one message.

    `touch` is the number of the touch that it is about, null where none of ours is; no foreign key, so that plans go as fast as before.
    """

    source = models.CharField(max_length=32)
    event_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=16)
    touch = models.BigIntegerField(null=True, db_index=True)
    customer_id = models.CharField(max_length=64, default="", db_index=True)
    token = models.CharField(max_length=26, default="", db_index=True)
    provider_id = models.CharField(max_length=200, default="")
    recipient = models.CharField(max_length=254, default="")
    permanent = models.BooleanField(default=False)
    detail = models.CharField(max_length=300, default="")
    agent = models.CharField(max_length=300, default="")
    raw = models.TextField(default="")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    mirror = models.CharField(max_length=8, default=CHANGED)

    class Meta:
        """What a source tells twice is held once."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "event_id"], name="an_event_is_held_once")]
        indexes: ClassVar = [
            models.Index(fields=["mirror", "kind"], name="events_to_mirror"),
            models.Index(fields=["provider_id"], name="event_by_provider_id", condition=~models.Q(provider_id="")),
        ]
