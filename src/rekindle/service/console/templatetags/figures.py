"""How counts, sums, shares and days are written, and where the console's files are.

Knows nothing of pages. `{% load figures %}` gives a template all of it.
"""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings

from rekindle import moment
from rekindle.learn.report.figures import Figures
from rekindle.service.config.web import store_in_use
from rekindle.service.console.shell import edition
from rekindle.service.console.stages import named
from rekindle.service.flow.timeline import WAYS

register = template.Library()
register.filter(named)
NOTHING = "–"
_ISO, _PERCENT = re.compile(r"\b\d{4}-\d\d-\d\d\b"), re.compile(r"(\d)%")


def _figures() -> Figures:
    store = store_in_use()
    return Figures(store.currency, store.locale.replace("-", "_"))


@register.simple_tag
def asset(name: str) -> str:
    """The address of a file of the console's own."""
    return f"{settings.STATIC_URL}{name}?{edition()}"


@register.filter
def count(number: float | None) -> str:
    """A whole number with its groups."""
    return NOTHING if number is None else _figures().count(number)


@register.filter
def cash(minor: float | None) -> str:
    """Minor units as an exact amount, without the digits after the point."""
    return NOTHING if minor is None else _figures().whole(minor)


@register.filter
def exact(minor: float | None) -> str:
    """Minor units as an exact amount."""
    return NOTHING if minor is None else _figures().exact(minor)


@register.filter
def rough(minor: float | None) -> str:
    """Minor units as an estimate, to three significant digits."""
    return NOTHING if minor is None else _figures().rough(minor)


@register.filter
def signed(minor: float | None) -> str:
    """Minor units with their sign."""
    return NOTHING if minor is None else _figures().signed(minor)


@register.filter
def bare(minor: float | None) -> str:
    """Minor units as an amount without its currency."""
    return NOTHING if minor is None else _figures().bare(minor)


@register.filter
def percent(share: float | None) -> str:
    """A share of 1 in per cent."""
    return NOTHING if share is None else _figures().share(share)


@register.filter
def hundredths(share: float | None) -> str:
    """A share of 1 as a number from 0 to 100 with a point, for the width of a bar."""
    return f"{100 * min(max(share or 0, 0), 1):.2f}"


@register.filter
def day(given: date | datetime | None) -> str:
    """A day, or the store's day of an instant: 21 November 2026."""
    if given is None:
        return NOTHING
    return _figures().day(moment.local_day(given, store_in_use().timezone) if isinstance(given, datetime) else given)


@register.filter
def clock(given: datetime | None) -> str:
    """An instant, by the store's clock: 21 November 2026, 14:05."""
    if given is None:
        return NOTHING
    return f"{day(given)}, {given.astimezone(ZoneInfo(store_in_use().timezone)):%H:%M}"


@register.filter
def on_page(text: str) -> str:
    """A line of the terminal as pages write it: days in words, a gap before the sign of per cent."""
    written = _ISO.sub(lambda found: _figures().day(date.fromisoformat(found[0])), text)
    return _PERCENT.sub(r"\1 %", written)


@register.filter
def way(channel: str) -> str:
    """What a message goes by, for people."""
    return WAYS.get(channel, channel)


@register.filter
def spaced(name: str) -> str:
    """A name of a document as people write it."""
    return name.replace("_", " ")
