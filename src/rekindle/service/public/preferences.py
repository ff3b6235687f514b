"""The preference centre: what a customer gets, by which way, how often, or nothing at all. A link is enough, and nothing has to be told.

Knows nothing of messages. Looking changes nothing; only a POST does.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from babel.dates import format_date, format_time, get_month_names
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rekindle import moment
from rekindle.program.triggers import TOPICS
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.linking import open_linker
from rekindle.service.flow.wishing import wish
from rekindle.service.people.queries import address_of
from rekindle.service.public.answers import filled, not_ours, page
from rekindle.service.public.visitors import Visitor, visitor_of
from rekindle.service.public.words import language_of
from rekindle.service.wishes.actions import Said
from rekindle.service.wishes.queries import stopped_last, wishes_of
from rekindle.service.wishes.wishes import Wishes

WORDING = "preferences-1"
"""Which words stand on the page that a consent of it agrees to; raised with every change of their meaning."""

SOURCE = "preference page"
WAYS = ("email", "sms", "webpush", "inapp")
OFTEN, HOURS, PAUSES = (4, 2, 1), range(9, 20), (30, 60, 90)
LEAP_YEAR = 2000
"""The year that a birthday is kept with where nobody tells one: it has every day."""


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """The page, and what its buttons post to."""
    visitor = visitor_of("preferences", token)
    if visitor is None:
        return not_ours(request)
    now = moment.now()
    held, stopped = wishes_of(visitor.person, now), stopped_last(visitor.person)
    if request.method == "POST":
        held = replace(held, channels=held.channels | stopped) if "restart" in request.POST else _wanted(request.POST, held, now)
        wish(store_in_use(), visitor.person.customer_id, held, Said(now, SOURCE, WORDING))
    known = open_linker(store_in_use()).known(visitor.person.customer_id, visitor.channel)
    done = {"saved": request.method == "POST", "stopped": stopped and not held.channels}
    said = {**_shown(visitor, held), **done, "known": known, "token": token}
    return page(request, "preferences.html", said, locale=visitor.person.locale)


def _wanted(form: Mapping[str, str], held: Wishes, now: datetime) -> Wishes:
    """What was chosen; a value that the page does not offer says nothing."""
    if "stop_all" in form:
        return replace(held, channels=frozenset())
    return Wishes(
        channels=frozenset(way for way in WAYS if f"way_{way}" in form) | (held.channels - set(WAYS)),
        refused=frozenset(topic for topic in TOPICS if f"topic_{topic}" not in form),
        channel=form.get("first", "") if form.get("first") in WAYS else "", hour=_number(form, "hour", HOURS),
        monthly=_number(form, "monthly", OFTEN), birthday=_birthday(form, held), paused_until=_paused(form, held, now),
        scored="scored" in form,
    )  # fmt: skip


def _number(form: Mapping[str, str], name: str, offered: range | tuple[int, ...]) -> int | None:
    text = form.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None
    return number if number in offered else None


def _birthday(form: Mapping[str, str], held: Wishes) -> date | None:
    day, month = _number(form, "day", range(1, 32)), _number(form, "month", range(1, 13))
    if day is None or month is None:
        return None
    year = held.birthday.year if held.birthday and (held.birthday.day, held.birthday.month) == (day, month) else LEAP_YEAR
    try:
        return date(year, month, day)
    except ValueError:
        return held.birthday


def _paused(form: Mapping[str, str], held: Wishes, now: datetime) -> datetime | None:
    days = _number(form, "pause", PAUSES)
    if days is not None:
        return now + timedelta(days=days)
    return held.paused_until if form.get("pause") == "keep" else None


def _shown(visitor: Visitor, held: Wishes) -> dict[str, object]:
    """What the page says of the customer's wishes."""
    locale = visitor.person.locale
    language = language_of(locale, store_in_use().locale)
    ways = [
        {"name": way, "label": filled(locale, f"channel_{way}"), "on": way in held.channels, "first": way == held.channel,
         "able": way == "inapp" or bool(address_of(visitor.person, way))}
        for way in WAYS
    ]  # fmt: skip
    topics = [{"name": topic, "label": filled(locale, f"topic_{topic}"), "on": topic not in held.refused} for topic in TOPICS]
    hours = [(hour, format_time(time(hour), "short", locale=language), hour == held.hour) for hour in HOURS]
    named = get_month_names(locale=language).items()
    months = [(number, name, bool(held.birthday and held.birthday.month == number)) for number, name in named]
    often = [(number, filled(locale, f"often_{number}"), number == held.monthly) for number in OFTEN]
    pauses = [(days, filled(locale, f"pause_{days}")) for days in PAUSES]
    until = held.paused_until and filled(locale, "pause_kept", day=format_date(held.paused_until, "long", locale=language))
    days = [(day, bool(held.birthday and held.birthday.day == day)) for day in range(1, 32)]
    return {
        "ways": ways, "topics": topics, "hours": hours, "often": often, "pauses": pauses, "paused_until": until, "days": days,
        "months": months, "scored": held.scored,
    }  # fmt: skip
