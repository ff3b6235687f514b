"""Plans that are ready to be sent, and their touches.

Knows nothing of why a touch was decided, nor of consent.
"""

from typing import ClassVar

from django.db import models

PLANNED, CLAIMED, ATTEMPTING = "planned", "claimed", "attempting"
SENT, FAILED, SUPPRESSED, EXPIRED, UNKNOWN = "sent", "failed", "suppressed", "expired", "unknown"
CHANGED, TAKEN, KNOWN = "changed", "taken", "known"
"""What history knows of a settled touch: not yet, is being told, knows it."""
OPEN = (PLANNED, CLAIMED, ATTEMPTING)
SETTLED = (SENT, FAILED, SUPPRESSED, EXPIRED, UNKNOWN)


class Plan(models.Model):
    """A plan whose touches are being loaded, or all are; who said yes to its leaving this machine: nobody, a person, or the autopilot."""

    hash = models.CharField(max_length=64, primary_key=True)
    ready = models.BooleanField(default=False)
    approved_by = models.CharField(max_length=200, default="", db_default="")
    approved_at = models.DateTimeField(null=True)


class Touch(models.Model):
    """One message to one customer. The facts are frozen when it is planned; `service`: it is about the customer's own order.

    `token` is its name for the other side from the beginning, `message_id` the name it was sent under, `provider_id` the other side's.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE)
    customer_id = models.CharField(max_length=64)
    program = models.CharField(max_length=100)
    version = models.CharField(max_length=64)
    episode = models.CharField(max_length=200)
    stage = models.CharField(max_length=64)
    arm = models.CharField(max_length=64)
    offer = models.CharField(max_length=64, default="")
    channel = models.CharField(max_length=16)
    send_at = models.DateTimeField()
    valid_until = models.DateField(null=True)
    code = models.CharField(max_length=32, default="")
    service = models.BooleanField(default=False, db_default=False)
    facts = models.TextField(default="{}")
    status = models.CharField(max_length=16, default=PLANNED)
    owner = models.CharField(max_length=32, default="")
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    lease_until = models.DateTimeField(null=True)
    token = models.CharField(max_length=26, default="", db_default="")
    message_id = models.CharField(max_length=200, default="")
    provider_id = models.CharField(max_length=200, default="", db_default="")
    reason = models.CharField(max_length=300, default="")
    settled_at = models.DateTimeField(null=True)
    mirror = models.CharField(max_length=8, default=CHANGED)

    class Meta:
        """A customer gets a stage of an episode once."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer_id", "program", "episode", "stage"], name="one_touch_per_stage_of_an_episode")
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "send_at"], name="touches_due"),
            models.Index(fields=["mirror", "status"], name="touches_to_mirror"),
            models.Index(fields=["token"], name="touch_by_token"),
            models.Index(fields=["provider_id"], name="touch_by_provider_id", condition=~models.Q(provider_id="")),
        ]

    @property
    def key(self) -> str:
        """What the touch is called outside the ledger."""
        return touch_key(self.program, self.customer_id, self.episode, self.stage)


def touch_key(program: str, customer_id: str, episode: str, stage: str) -> str:
    """A touch's key: who gets which stage of which episode of which program."""
    return f"{program}:{customer_id}:{episode}:{stage}"
