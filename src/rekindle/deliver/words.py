"""How names, days and lists are written in a message: clean, in plain English, and never as markup or a second line.

Knows nothing of which facts there are.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache

from babel.dates import format_date

_WINDOWS = ((0, "about now"), (2, "in a day or two"), (5, "in a few days"), (9, "in about a week"), (17, "in about two weeks"))
_MONTH_FIRST = ("en_US", "en_CA", "en_PH")
_LETTERS_OF_A_WORD = 4
_A_PAIR = 2
_LONGEST_NAME = 40
_DAYS_KEPT = 4_096
"""Days whose words are kept: writing one takes longer than the rest of a message, and a run's messages share most of them."""

_NAMES_KEPT = 4_096
"""Names whose clean form is kept: those of customers and of a catalogue come again."""

_LINK = re.compile(r"://|www\.|@|\.(?:com|net|org|ru|cn)\b", re.IGNORECASE)


def listed(names: tuple[str, ...], more: int) -> str | None:
    """Names as a person lists them; None where there is none.

    >>> listed(("Lantern", "Vase"), 0), listed(("Lantern", "Vase", "Cup"), 2), listed((), 2)
    ('Lantern and Vase', 'Lantern, Vase, Cup and 2 more', None)

    >>> listed(("Socks, 3 pairs", "Scarf"), 0), listed(("Socks, 3 pairs", "Scarf"), 1)
    ('Socks, 3 pairs, and Scarf', 'Socks, 3 pairs; Scarf; and 1 more')
    """
    parts = [*names, *([f"{more} more"] if more > 0 else [])] if names else []
    if len(parts) < _A_PAIR:
        return next(iter(parts), None)
    between, last = (", ", " and ") if not any("," in name for name in names) else ("; ", "; and " if len(parts) > _A_PAIR else ", and ")
    return f"{between.join(parts[:-1])}{last}{parts[-1]}"


def window(days: int | None) -> str | None:
    """How far a day is that nobody knows for sure; None where nothing is known of it.

    >>> window(7), window(30), window(None)
    ('in about a week', 'in a few weeks', None)
    """
    if days is None:
        return None
    return next((words for most, words in _WINDOWS if days <= most), "in a few weeks")


def one_line(text: str) -> str:
    """Text without line breaks, controls and invisible marks that could disguise it."""
    if text.isprintable():  # none of them is: the common case, told quickly
        return " ".join(text.split())
    spaced = (" " if char.isspace() else char for char in text)
    return " ".join("".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs")).split())


@lru_cache(_NAMES_KEPT)
def greetable(name: str | None) -> str | None:
    """A name to greet with, or None where it is none: too long, or an advertisement.

    >>> greetable("Zoë"), greetable("Win at http://x.example"), greetable(" ")
    ('Zoë', None, None)
    """
    clean = one_line(name) if name else ""
    return clean if clean and len(clean) <= _LONGEST_NAME and not _LINK.search(clean) else None


@lru_cache(_NAMES_KEPT)
def readable(name: str | None) -> str | None:
    """A name from a catalogue that does not shout.

    >>> readable("WHITE HANGING HEART T-LIGHT HOLDER"), readable("iPad case")
    ('White hanging heart t-light holder', 'iPad case')
    """
    clean = one_line(name) if name else ""
    return (clean.capitalize() if clean.isupper() and len(clean) > _LETTERS_OF_A_WORD else clean) or None


@lru_cache(_DAYS_KEPT)
def written_out(day: date | None, locale: str) -> str | None:
    """A day as a person writes it; in English, as the shipped words are.

    >>> written_out(date(2026, 12, 5), "en_GB"), written_out(date(2026, 12, 5), "de_DE")
    ('5 December 2026', '5 December 2026')
    """
    english = locale.replace("-", "_") if locale.startswith("en_") else "en_GB"
    return format_date(day, "long", locale=english) if day else None


@lru_cache(_DAYS_KEPT)
def brief(day: date | None) -> str | None:
    """A day as an SMS has room for it; in English, in the order that needs no comma.

    >>> brief(date(2026, 9, 30))
    '30 Sep 2026'
    """
    return format_date(day, "d MMM y", locale="en") if day else None


@lru_cache(_DAYS_KEPT)
def weekday(day: date | None, locale: str) -> str | None:
    """A day near at hand, with its weekday; in English.

    >>> weekday(date(2026, 12, 5), "en_GB"), weekday(date(2026, 12, 5), "en_US")
    ('Saturday, 5 December', 'Saturday, December 5')
    """
    pattern = "EEEE, MMMM d" if locale.replace("-", "_") in _MONTH_FIRST else "EEEE, d MMMM"
    return format_date(day, pattern, locale="en_GB") if day else None


@lru_cache(_DAYS_KEPT)
def month(day: date | None) -> str | None:
    """A month as a person writes it: nobody needs to read on which day they bought something."""
    return format_date(day, "MMMM y", locale="en_GB") if day else None


LASTING = {"en": "It is taken while the budget for it lasts.", "de": "Er gilt, solange das Budget dafür reicht."}
"""What stands among the terms of an offer that a hard budget may close, by language; another is one more line."""


def while_it_lasts(locale: str) -> str:
    """What an offer says that a hard budget may close, in the language of the shop, as its label is.

    >>> while_it_lasts("de_DE"), while_it_lasts("fr")
    ('Er gilt, solange das Budget dafür reicht.', 'It is taken while the budget for it lasts.')
    """
    return LASTING.get(locale.replace("-", "_").partition("_")[0].lower(), LASTING["en"])
