"""Operators, the links by which they choose a password, what they did, the jobs they started, and what limits of attempts remember.

Knows nothing of pages and of customers.
"""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from rekindle.service.console.roles import Role


class Operators(BaseUserManager["Operator"]):
    """Finds operators by what they sign in with."""


class Operator(AbstractBaseUser):
    """Somebody who may use the console; the address is what they sign in with."""

    email = models.EmailField(unique=True)
    role = models.PositiveSmallIntegerField(choices=[(role.value, role.name.lower()) for role in Role])
    privacy = models.BooleanField(default=False)
    """Whether they may see names and addresses, and take data out."""

    is_active = models.BooleanField(default=True)
    added_at = models.DateTimeField()
    objects = Operators()

    USERNAME_FIELD = "email"

    class Meta:
        """In the order in which they came."""

        ordering: ClassVar = ["id"]

    @property
    def needs_second_factor(self) -> bool:
        """Whether a password alone does not let them in: all who see customers or let something go."""
        return self.role > Role.VIEWER or self.privacy

    @property
    def has_second_factor(self) -> bool:
        """Whether they have set one up; asked once per request."""
        if not hasattr(self, "_second"):
            from allauth.mfa.models import Authenticator  # the models of all apps are not there yet when this module is read

            self._second: bool = Authenticator.objects.filter(user=self, type=Authenticator.Type.TOTP).exists()
        return self._second


class Invitation(models.Model):
    """A link by which a password is chosen, once; only its digest is kept."""

    digest = models.CharField(max_length=64, primary_key=True)
    operator = models.ForeignKey(Operator, null=True, on_delete=models.CASCADE)
    """Whose password; null: the first operator's, who names the address then."""

    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)


class Deed(models.Model):
    """Something that an operator did: exports, approvals, changes of who may what. Kept for ever."""

    at = models.DateTimeField()
    by = models.CharField(max_length=254)
    what = models.CharField(max_length=40)
    about = models.CharField(max_length=300, default="")

    class Meta:
        """As they happened."""

        ordering: ClassVar = ["id"]


class Job(models.Model):
    """Work that takes longer than a page: a command, run apart from the pages, with what it said and what came out."""

    class State(models.TextChoices):
        """Where a job stands."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    key = models.CharField(max_length=32, primary_key=True)
    kind = models.CharField(max_length=40)
    arguments = models.JSONField(default=list)
    by = models.CharField(max_length=254)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField(db_index=True)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    said = models.TextField(default="")
    """Its talk so far, a line each."""

    result = models.TextField(default="")
    """What it printed, in the end."""

    exit_code = models.SmallIntegerField(null=True)


class Remembered(models.Model):
    """A row of Django's cache, in the ledger so that limits of attempts hold in every process and after a restart."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        """Named as the cache's settings name it."""

        db_table = "console_remembered"
