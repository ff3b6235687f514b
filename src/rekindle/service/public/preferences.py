"""The preference centre: what a customer gets, by which way, how often, or nothing at all. A link is enough, and nothing has to be told.

Knows nothing of messages. Looking changes nothing; only a POST does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from babel.dates import format_date, format_time, get_month_names
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from rekindle import moment
from rekindle.program.triggers import TOPICS
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.wishing import wish
from rekindle.service.people.models import Person
from rekindle.service.people.queries import address_of
from rekindle.service.public.answers import Shop, in_language, not_ours, rendered, shop_in_use
from rekindle.service.public.blanks import Blank, place
from rekindle.service.public.forms import form
from rekindle.service.public.visitors import visitor_of
from rekindle.service.public.words import language_of, words
from rekindle.service.wishes.actions import Said
from rekindle.service.wishes.queries import held_and_stopped
from rekindle.service.wishes.wishes import Wishes

WORDING = "preferences-1"
"""Which words stand on the page that a consent of it agrees to; raised with every change of their meaning."""

SOURCE = "preference page"
WAYS = ("email", "sms", "webpush", "inapp")
OFTEN, HOURS, PAUSES = (4, 2, 1), range(9, 20), (30, 60, 90)
LEAP_YEAR = 2000
"""The year that a birthday is kept with where nobody tells one: it has every day."""


@form()
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """The page, and what its buttons post to; what did not come from its form, such as an empty body, changes nothing."""
    visitor = visitor_of("preferences", token)
    if visitor is None:
        return not_ours(request)
    now = moment.now()
    held, stopped = held_and_stopped(visitor.person, now)
    told, lost = "", request.method == "POST" and not request.POST.get("sent")
    if request.method == "POST" and not lost:
        wanted = replace(held, channels=held.channels | stopped) if "restart" in request.POST else _wanted(request.POST, held, now)
        said = Said(now, SOURCE, WORDING, proven=visitor.channel == "email")
        before = wish(store_in_use(), visitor.person.customer_id, wanted, said)
        now_held, stopped = held_and_stopped(visitor.person, now)
        held = replace(wanted, channels=now_held.channels)
        told = "saved_to_confirm" if "email" in wanted.channels - held.channels else _told(request.POST, before, held)
    kind = _kind(visitor.person, held, told, stopped=bool(stopped and not held.channels))
    shown = _blank(kind, shop_in_use()).filled({**_chosen(held, kind.language), "token": token})
    return in_language(shown, kind.language, 400 if lost else 200)


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


def _told(form: Mapping[str, str], before: Wishes, held: Wishes) -> str:
    """Which words say what became of a choice."""
    if before.channels and not held.channels:
        return "saved_none"
    day = held.birthday and (str(held.birthday.day), str(held.birthday.month))
    asked = form.get("day", ""), form.get("month", "")
    return "saved_but_day" if any(asked) and asked != day else "saved"


def _number(form: Mapping[str, str], name: str, offered: range | tuple[int, ...]) -> int | None:
    text = form.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None
    return number if number in offered else None


def _birthday(form: Mapping[str, str], held: Wishes) -> date | None:
    day, month = _number(form, "day", range(1, 32)), _number(form, "month", range(1, 13))
    if day is None or month is None:
        return held.birthday if day or month else None
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


class _Kind(NamedTuple):
    """What decides which words stand on the page; the rest is what is ticked and chosen.

    Args:
        language: Of the words.
        told: Which words say what became of what was just chosen; empty where nothing was.
        stopped: Whether what was stopped can be taken up again.
        paused: Whether there is a pause to keep.
        mute: The ways that have no address.
    """

    language: str
    told: str
    stopped: bool
    paused: bool
    mute: frozenset[str]


def _kind(person: Person, held: Wishes, told: str, *, stopped: bool) -> _Kind:
    mute = frozenset(way for way in WAYS if way != "inapp" and way not in held.channels and not address_of(person, way))
    return _Kind(language_of(person.locale, store_in_use().locale), told, stopped, held.paused_until is not None, mute)


@lru_cache(maxsize=200)
def _blank(kind: _Kind, shop: Shop) -> Blank:
    """The page with nothing ticked and chosen."""
    said, language = words(kind.language), kind.language
    often = [("", said["often_any"]), *((str(number), said[f"often_{number}"]) for number in OFTEN)]
    hours = [("", said["no_wish"]), *((str(hour), format_time(time(hour), "short", locale=language)) for hour in HOURS)]
    pauses = [("", said["pause_none"]), *((str(days), said[f"pause_{days}"]) for days in PAUSES)]
    first = [("", said["no_wish"]), *((way, capfirst(said[f"channel_{way}"])) for way in WAYS)]
    days = [("", "-"), *((str(day), str(day)) for day in range(1, 32))]
    months = [("", "-"), *((str(number), name) for number, name in get_month_names(locale=language).items())]
    known = {
        "ways": [(f"way_{way}", capfirst(said[f"channel_{way}"]), way in kind.mute, place(f"way_{way}")) for way in WAYS],
        "topics": [(f"topic_{topic}", said[f"topic_{topic}"], place(f"topic_{topic}")) for topic in TOPICS],
        "first": _places("first", first), "often": _places("monthly", often), "hours": _places("hour", hours),
        "pauses": _places("pause", pauses), "days": _places("day", days), "months": _places("month", months),
        "scored": place("scored"), "until": place("until"), "token": place("token"), "saved": said.get(kind.told),
        **kind._asdict(),
    }  # fmt: skip
    return Blank(rendered("preferences.html", known, language, shop))


def _places(name: str, options: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """What a select offers, each with its place."""
    return [(value, label, place(f"{name}_{value}") if value else "") for value, label in options]


def _chosen(held: Wishes, language: str) -> dict[str, str]:
    """What stands in the places of the page."""
    ticked = [*(f"way_{way}" for way in held.channels), *(f"topic_{topic}" for topic in TOPICS if topic not in held.refused)]
    ticked += ["scored"] if held.scored else []
    picked = [f"{name}_{value}" for name, value in (("first", held.channel), ("hour", held.hour), ("monthly", held.monthly)) if value]
    picked += [f"day_{held.birthday.day}", f"month_{held.birthday.month}"] if held.birthday else []
    until = words(language)["pause_kept"].format(day=format_date(held.paused_until, "long", locale=language)) if held.paused_until else ""
    return {**dict.fromkeys(ticked, " checked"), **dict.fromkeys(picked, " selected"), "until": until}
