"""Customers as persons: contact data, ids in other systems, consent and suppression.

Knows nothing of orders. A consent is never changed: a later record replaces an earlier one.
"""

from datetime import timedelta
from typing import ClassVar, NoReturn, Self

from django.db import models
from django.db.models import Case, Value, When

from rekindle.errors import Refused

CHANGED, TAKEN, KNOWN = "changed", "taken", "known"
"""What history knows of a row: not its latest change, is being told, knows it."""


class Person(models.Model):
    """One customer's contact data; `mirror` covers the consents too.

    `push` is the browser that the customer subscribed last, as its page gave it, and `push_lookup` the digest of its address.
    `stated_channel`, `stated_hour` and `monthly` (messages of marketing in 30 days) are the customer's own wishes.
    """

    customer_id = models.CharField(max_length=64, primary_key=True)
    email = models.CharField(max_length=254, default="")
    email_lookup = models.CharField(max_length=254, default="", db_index=True)
    phone = models.CharField(max_length=32, default="", db_index=True)
    first_name = models.CharField(max_length=200, default="")
    last_name = models.CharField(max_length=200, default="")
    locale = models.CharField(max_length=35, default="")
    timezone = models.CharField(max_length=64, default="")
    birthday = models.DateField(null=True)
    push = models.TextField(default="", db_default="")
    push_lookup = models.CharField(max_length=64, default="", db_default="", db_index=True)
    stated_channel = models.CharField(max_length=16, default="", db_default="")
    stated_hour = models.PositiveSmallIntegerField(null=True)
    monthly = models.PositiveSmallIntegerField(null=True)
    updated_at = models.DateTimeField()
    mirror = models.CharField(max_length=8, default=CHANGED, db_index=True)


class ExternalId(models.Model):
    """What a source calls a customer."""

    customer_id = models.CharField(max_length=64, db_index=True)
    source = models.CharField(max_length=64)
    external_id = models.CharField(max_length=200)

    class Meta:
        """A source's id stands for one customer."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["external_id", "source"], name="one_customer_per_external_id")]


OPT_OUT, ERASED = "opt-out", "erased"
"""The reasons of a suppression that is a person's wish; every other is an address that does not work or complains."""

PURCHASE = "purchase"
"""The basis of a word that nobody said: it follows from an order, and counts only for who has said nothing themselves."""


def _unchangeable() -> Refused:
    return Refused("what was said of consent is never changed", "Record a new word; an erasure alone removes what was said.")


class Words(models.QuerySet["Consent"]):
    """Words that were said: they can be added and read. Erasure alone deletes them, through Django's base manager."""

    def in_order(self) -> Self:
        """By customer, channel and purpose, and of each the word that counts last: a refusal after an agreement of the same instant."""
        own = Case(When(basis=PURCHASE, then=Value(0)), default=Value(1))
        return self.order_by("customer_id", "channel", "purpose", own, "recorded_at", "-granted")

    def update(self, **_: object) -> NoReturn:
        """Refused."""
        raise _unchangeable()

    def delete(self) -> NoReturn:
        """Refused."""
        raise _unchangeable()


class Consent(models.Model):
    """What a customer said about one channel and purpose: when, where, to which wording, on which legal basis."""

    objects = Words.as_manager()

    customer_id = models.CharField(max_length=64)
    channel = models.CharField(max_length=16)
    purpose = models.CharField(max_length=32)
    granted = models.BooleanField()
    basis = models.CharField(max_length=32)
    source = models.CharField(max_length=200)
    wording_version = models.CharField(max_length=64, default="")
    recorded_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        """The same statement is held once."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer_id", "channel", "purpose", "recorded_at", "granted", "basis"], name="a_word_is_held_once"
            )
        ]

    def save(self, *_: object, using: str | None = None, **__: object) -> None:
        """Adds the word, whatever else is asked for.

        Raises:
            Refused: It is there already.
        """
        if not self._state.adding:
            raise _unchangeable()
        super().save(force_insert=True, using=using)

    def delete(self, *_: object, **__: object) -> NoReturn:
        """Refused."""
        raise _unchangeable()


LASTING = timedelta(days=7)
"""How long a customer may confirm what was asked for."""


class OptIn(models.Model):
    """A yes that waits for whoever reads the address to confirm it; `digest` is that of the address that was asked."""

    number = models.CharField(max_length=32, primary_key=True)
    customer_id = models.CharField(max_length=64, db_index=True)
    channel = models.CharField(max_length=16)
    digest = models.CharField(max_length=64)
    source = models.CharField(max_length=200)
    wording_version = models.CharField(max_length=64, default="")
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)


class Suppression(models.Model):
    """An address that gets nothing on a channel, whoever it belongs to, unless its owner consents again later.

    It is known by its digest alone, so that the row names nobody and outlives an erasure.
    """

    channel = models.CharField(max_length=16)
    digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()

    class Meta:
        """Looked up by channel and digest."""

        indexes: ClassVar = [models.Index(fields=["channel", "digest"], name="suppression_by_digest")]
