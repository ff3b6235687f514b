"""What a row of a contacts file says, read and put in order.

Knows nothing of what is held already.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, Self

from rekindle.service.people.addresses import known_zone, normal_email, normal_phone

MARKETING = "marketing"
ALL = "all"
"""The channel of a word that is about none in particular."""

CONSENT_CHANNELS = ("email", "sms", "inapp")


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of contact rows: people new or changed, statements of consent new, values that could not be used."""

    read: int = 0
    people: int = 0
    consents: int = 0
    bad_emails: int = 0
    bad_phones: int = 0
    bad_zones: int = 0

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Contact:
    """A row in normal form; an empty text says nothing, and so does a `consent_at` of None about when."""

    customer_id: str
    email: str
    phone: str
    first_name: str
    last_name: str
    locale: str
    timezone: str
    birthday: date | None
    consents: tuple[tuple[str, bool], ...]
    consent_at: datetime | None
    consent_source: str
    bad_email: bool
    bad_phone: bool
    bad_zone: bool


def read_contact(row: Mapping[str, Any], at: datetime) -> Contact:
    """Reads one row; `at` is the instant of the import."""
    text = {name: (row.get(name) or "").strip() for name in ("email", "phone", "first_name", "last_name", "locale", "timezone")}
    email = normal_email(text["email"]) if text["email"] else ""
    phone = normal_phone(text["phone"], text["locale"]) if text["phone"] else ""
    zone = known_zone(text["timezone"]) if text["timezone"] else ""
    said = ((channel, row.get(f"{channel}_consent")) for channel in CONSENT_CHANNELS)
    return Contact(
        customer_id=row["customer_id"],
        email=email or "",
        phone=phone or "",
        first_name=text["first_name"][:200],
        last_name=text["last_name"][:200],
        locale=text["locale"][:35],
        timezone=zone or "",
        birthday=row.get("birthday"),
        consents=tuple((channel, bool(granted)) for channel, granted in said if granted is not None),
        consent_at=_past(row.get("consent_at"), at),
        consent_source=(row.get("consent_source") or "import")[:200],
        bad_email=email is None,
        bad_phone=phone is None,
        bad_zone=zone is None,
    )


def _past(stated: datetime | None, at: datetime) -> datetime | None:
    if stated is None:
        return None
    aware = stated if stated.tzinfo else stated.replace(tzinfo=UTC)
    return aware if aware <= at else None
