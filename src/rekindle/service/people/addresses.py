"""How e-mail addresses, phone numbers and time zones are written, so that one person's are written one way.

Knows nothing of whether anyone answers there.
"""

import re
from functools import cache
from zoneinfo import available_timezones

import phonenumbers

_LOCAL = re.compile(r"[!-?A-~]{1,64}")  # printable ASCII without the space and the at sign
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_ADDRESS = re.compile(r"[^\s<>@\"'(),:;]+@[^\s<>@\"'(),:;]+|\+\d{7,15}")
_REGION = re.compile(r"[-_]([A-Za-z]{2})(?:\.|$)")


def normal_email(text: str) -> str | None:
    """An address with its domain in lower case and in ASCII, or None where it is not one.

    >>> normal_email(" Ada.L@Example.ORG "), normal_email("ada@"), normal_email("ada@bücher.example")
    ('Ada.L@example.org', None, 'ada@xn--bcher-kva.example')
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = domain.split(".")
    plausible = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and _LOCAL.fullmatch(local)
    unquoted = not set(local) & set('"(),:;<>[\\]') and not local.startswith(".") and not local.endswith(".") and ".." not in local
    return f"{local}@{domain}" if plausible and unquoted and len(local) + len(domain) < 254 else None


def lookup_form(email: str) -> str:
    """What two spellings of one address have in common."""
    return email.casefold()


def normal_phone(text: str, locale: str = "") -> str | None:
    """A number as E.164; a national one needs a locale with a region.

    >>> normal_phone("0151 23456789", "de_DE"), normal_phone("+44 20 7946 0018"), normal_phone("0151 23456789")
    ('+4915123456789', '+442079460018', None)
    """
    region = _REGION.search(locale)
    try:
        number = phonenumbers.parse(text, region[1].upper() if region else None)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(number) else None


def masked(text: str) -> str:
    """What another system said, without the addresses and numbers in it: it stands in a reason that many may read.

    >>> masked("550 5.1.1 <ada@example.org>: no such user (+4915123456789)")
    '550 5.1.1 <...>: no such user (...)'
    """
    return _ADDRESS.sub("...", text)


@cache
def known_zone(text: str) -> str | None:
    """An IANA time zone, or None."""
    return text if text in available_timezones() else None  # reads the disk: 5 ms, so each name once
