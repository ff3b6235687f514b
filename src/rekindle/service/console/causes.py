"""Why customers leave: what went wrong before they fell silent, what that does to the chance of a lapse, and the fixes for it.

Knows nothing of how it is found: `rekindle diagnose` publishes it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from rekindle import moment
from rekindle.deliver.claims import Fix
from rekindle.errors import BadData, StoreUnavailable
from rekindle.insight.friction import CAUSES
from rekindle.insight.lifecycle import COHORTS
from rekindle.moment import AsOf
from rekindle.service.config.web import store_in_use
from rekindle.service.console import jobs
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show
from rekindle.service.flow import registering, snapshots
from rekindle.service.flow.registering import Wanted

LEAST, MOST = 0.5, 4.0
"""The ratios at the ends of the chart; what lies beyond is drawn at the end."""

WIDE, NAMES, ROW = 640, 150, 34
LABELS = {"open_ticket": "unanswered ticket", "bad_review": "low review"}


@dataclass(frozen=True, slots=True)
class Cause:
    """How many who slip away have a cause first.

    Args:
        kind: Its name.
        words: In words.
        customers: With it in the first place.
        any_place: With evidence of it at all.
        margin_at_risk: Of the first, minor units.
        share: Of all who slip away.
        fix: The registered fix; None where there is none.
        mendable: Whether one can be registered.
    """

    kind: str
    words: str
    customers: int
    any_place: int
    margin_at_risk: int
    share: float
    fix: Fix | None
    mendable: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A ratio with its interval as places in the chart: `x` of its low end, estimate and high end, `y` of its line and its name."""

    words: str
    low: float
    x: float
    high: float
    y: float
    name_y: float
    placebo: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class Friction:
    """What one friction does.

    Args:
        words: In words.
        customers: Who had it.
        ratio: Times as many lapses, with the ends of the interval; None where it cannot be told.
        why: Why it cannot be told.
        stake: Margin of the extra lapses with its ends, minor units; None where it cannot be told.
        doubt: What speaks against believing it; empty where nothing does.
        shown: Whether the interval lies above 1 and nothing speaks against it.
    """

    words: str
    customers: int
    ratio: tuple[float, float, float] | None
    why: str
    stake: tuple[float, float, float] | None
    doubt: str
    shown: bool

    @property
    def open(self) -> bool:
        """Whether the interval has no upper end."""
        return self.ratio is not None and math.isinf(self.ratio[2])


@may(Role.VIEWER, post=Role.EDITOR)
def causes(request: HttpRequest) -> HttpResponse:
    """The last diagnosis; a post asks for a new one."""
    if request.method == "POST":
        job = jobs.start("diagnose", [], operator_of(request).email, moment.now())
        return HttpResponseRedirect(reverse("jobs-job", args=[job.key]))
    store = store_in_use()
    found = snapshots.diagnosis(store.var)
    if found is None:
        return show(request, "causes.html", {"found": None})
    known, mistake = _fixes()
    listed = list(_causes(found, known))
    frictions = [_friction(one) for one in found["frictions"]]
    told = [one for one in frictions if one.ratio]
    lines = list(_lines(found["frictions"]))
    said = {
        "found": found, "at": AsOf(datetime.fromisoformat(found["as_of"]), store.timezone).last_day, "causes": listed,
        "first": next((one for one in listed if one.mendable), None),
        "told": told, "untold": [one for one in frictions if not one.ratio], "worst": _worst(told), "lines": lines, "ticks": _ticks(),
        "height": ROW * len(lines) + 30, "floor": ROW * len(lines) + 8, "one": _x(1.0), "dropoffs": _dropoffs(found), "mistake": mistake,
    }  # fmt: skip
    return show(request, "causes.html", said)


def _fixes() -> tuple[tuple[Fix, ...], BadData | None]:
    try:
        return registering.fixes(store_in_use()), None
    except BadData as error:
        return (), error


def _causes(found: Mapping[str, Any], fixes: tuple[Fix, ...]) -> Iterator[Cause]:
    for one in found["causes"]:
        fix = next((fix for fix in reversed(fixes) if fix.cause == one["kind"]), None)
        share = one["customers"] / found["slipping"] if found["slipping"] else 0.0
        yield Cause(
            one["kind"], one["label"], one["customers"], one["any_place"], one["margin_at_risk"], share, fix,
            one["kind"] in registering.CAUSES,
        )  # fmt: skip


def _friction(one: Mapping[str, Any]) -> Friction:
    words, effect, stake = _words(one["kind"]), one["effect"], one["margin_at_stake"]
    if "cannot_tell" in effect:
        return Friction(words, one["customers"], None, effect["cannot_tell"], None, "", shown=False)
    ratio = _ends(effect["ratio"])
    doubt = "the same sum where there can be no effect shows one too" if one["misled"] else ""
    if not doubt and one["placebo_as_large"]:
        doubt = "the same sum where there can be no effect is as large"
    return Friction(
        words, one["customers"], ratio, "", None if "cannot_tell" in stake else _ends(stake), doubt, shown=ratio[0] > 1 and not doubt
    )


def _words(kind: str) -> str:
    return LABELS.get(kind, CAUSES[kind])


def _ends(one: Mapping[str, float | None]) -> tuple[float, float, float]:
    low, middle, high = (one[name] for name in ("low", "estimate", "high"))
    return (low if low is not None else -math.inf, middle if middle is not None else math.inf, high if high is not None else math.inf)


def _worst(told: list[Friction]) -> Friction | None:
    """The friction that is shown to make customers leave, most surely."""
    return max((one for one in told if one.shown), key=lambda one: one.ratio[0] if one.ratio else 0.0, default=None)


def _x(ratio: float) -> float:
    """The place of a ratio, on a scale on which twice and half are as far from 1."""
    inside = min(max(ratio, LEAST), MOST)
    return round(NAMES + math.log(inside / LEAST) / math.log(MOST / LEAST) * (WIDE - NAMES - 20), 1)


def _ticks() -> list[tuple[float, str]]:
    return [(_x(ratio), words) for ratio, words in ((0.5, "half"), (1.0, "as many"), (2.0, "twice"), (4.0, "4 times"))]


def _lines(frictions: list[Mapping[str, Any]]) -> Iterator[Line]:
    told = [one for one in frictions if "cannot_tell" not in one["effect"]]
    for at, one in enumerate(told):
        low, middle, high = _ends(one["effect"]["ratio"])
        y, placebo = ROW * at + 16.0, one["placebo"]
        thin = None if "cannot_tell" in placebo else _thin(placebo, y + 9)
        yield Line(_words(one["kind"]), _x(low), _x(middle), _x(high), y, y + 4, thin)


def _thin(placebo: Mapping[str, Any], y: float) -> tuple[float, float, float, float]:
    low, middle, high = _ends(placebo["ratio"])
    return _x(low), _x(middle), _x(high), y


def _dropoffs(found: Mapping[str, Any]) -> list[tuple[str, int, float, list[tuple[str, int]]]]:
    """Where customers stopped, with their share of all who slip away and the cohorts they are of."""
    total = found["slipping"] or 1
    return [
        (one["label"], one["customers"], one["customers"] / total, [(COHORTS.get(name, name), n) for name, n in one["cohorts"].items()])
        for one in found["dropoffs"]
    ]


@may(Role.VIEWER, post=Role.APPROVER)
def fix(request: HttpRequest) -> HttpResponse:
    """Registers what was mended, so that messages may say so to those whom it happened to."""
    store = store_in_use()
    today = moment.local_day(moment.now(), store.timezone)
    given = {name: request.POST.get(name, "").strip() for name in ("cause", "text", "evidence", "since")} if request.method == "POST" else {
        "cause": request.GET.get("cause", ""), "text": "", "evidence": "", "since": today.isoformat(),
    }  # fmt: skip
    known, mistake = _fixes()
    said: dict[str, object] = {
        "given": given, "kinds": [(kind, _words(kind)) for kind in registering.CAUSES], "mistake": mistake,
        "known": [(_words(str(one.cause)), one) for one in known],
    }  # fmt: skip
    if request.method != "POST":
        return show(request, "causes-fix.html", said)
    try:
        registering.register(store, _wanted(given))
    except (BadData, StoreUnavailable) as error:
        return show(request, "causes-fix.html", {**said, "error": error}, status=400)
    note(request, "Registered. Messages to customers whom this happened to may say so from that day on.")
    return HttpResponseRedirect(reverse("causes"))


def _wanted(given: Mapping[str, str]) -> Wanted:
    if given["cause"] not in registering.CAUSES:
        raise BadData("no cause is chosen", "Choose what was mended.")
    if not given["text"] or not given["evidence"]:
        raise BadData("the sentence or its evidence is missing", "Write both: what messages may say, and where anyone can look it up.")
    try:
        since = date.fromisoformat(given["since"])
    except ValueError as error:
        raise BadData(f"'{given['since'][:20]}' is no day", "Write it like 2026-11-26.") from error
    return Wanted(given["cause"], given["text"], given["evidence"], since)
