"""Segments: what the shop calls its customers, how many they are and were, and a segment being written.

Knows nothing of how a rule is answered. What is written here is submitted as a version of segments.yaml and waits for a yes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from rekindle import moment
from rekindle.errors import BadData, CannotTell, Refused
from rekindle.moment import AsOf
from rekindle.program.segments import Segment, builds_on, definitions, overdue, version
from rekindle.program.vocabulary import COLUMNS, VALUES
from rekindle.service.config.web import store_in_use
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show
from rekindle.service.flow import segment_drafts
from rekindle.service.flow import segments as counting
from rekindle.service.flow.customer_lists import asks_for_events
from rekindle.service.flow.drafts import Base
from rekindle.service.flow.segment_drafts import Count, Draft, Tried
from rekindle.settings import Settings

WIDE, HIGH, MARGIN = 640, 160, 8
_KINDS = {"int": "whole number", "float": "number", "str": "text", "bool": "yes or no", "date": "day"}
LANGUAGE = [(name, f"one of {', '.join(sorted(VALUES[name]))}" if name in VALUES else _KINDS[kind]) for name, kind in COLUMNS.items()]
"""What a rule may name, with what it can be."""

_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """A segment in the list.

    Args:
        segment: Its definition.
        counted: What the last run counted; None where it has not been counted.
        change: Customers more than at the count before; None where there was none.
        since: The day of that count.
        share: Of all customers.
        status: approved, waiting or changed.
        overdue: Whether its review is past.
    """

    segment: Segment
    counted: Mapping[str, Any] | None
    change: int | None
    since: date | None
    share: float | None
    status: str
    overdue: bool


@dataclass(frozen=True, slots=True)
class Both:
    """Who is in two segments: how many, and their share of the first; `itself` where both are one."""

    other: str
    itself: bool
    customers: int
    share: float

    @property
    def shade(self) -> int:
        """How dark its cell is, from 0 to 4."""
        return 0 if self.itself else min(4, -int(-4 * self.share // 1))


@dataclass(frozen=True, slots=True)
class Dot:
    """A count in the chart."""

    x: float
    y: float
    day: date
    customers: int
    redefined: bool


@may(Role.VIEWER)
def segments(request: HttpRequest) -> HttpResponse:
    """All of them."""
    store = store_in_use()
    base, approved = segment_drafts.base(store), segment_drafts.approved(store)
    written = approved if base.approved else segment_drafts.segments_of(store, base.text)
    counts = counting.kept(store)
    rows = [_row(one, approved, counts, store) for one in written]
    said = {
        "rows": rows, "base": base,
        "counted": AsOf(datetime.fromisoformat(counts[-1]["as_of"]), store.timezone).last_day if counts else None,
        "everyone": counts[-1]["customers"] if counts else 0, "gone": _gone(approved, written), "table": _overlaps(counts),
    }  # fmt: skip
    return show(request, "segments.html", said)


def _row(one: Segment, approved: Sequence[Segment], counts: list[dict[str, Any]], store: Settings) -> Row:
    held = {segment.name: segment for segment in approved}
    status = "waiting" if one.name not in held else "changed" if held[one.name].rule != one.rule else "approved"
    found = _of(counts[-1], one.name) if counts else None
    before = _of(counts[-2], one.name) if len(counts) > 1 else None
    return Row(
        one, found, found["customers"] - before["customers"] if found and before else None,
        datetime.fromisoformat(counts[-2]["as_of"]).date() if before else None,
        found["customers"] / counts[-1]["customers"] if found and counts[-1]["customers"] else None, status, overdue(one, _today(store)),
    )  # fmt: skip


def _today(store: Settings) -> date:
    return moment.local_day(moment.now(), store.timezone)


def _of(counted: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    return next((one for one in counted["segments"] if one["name"] == name), None)


def _gone(approved: Sequence[Segment], written: Sequence[Segment]) -> list[str]:
    return sorted({one.name for one in approved} - {one.name for one in written})


def _overlaps(counts: list[dict[str, Any]]) -> list[tuple[str, list[Both]]]:
    """A row for each segment that has customers, and in it each of these."""
    sizes = {one["name"]: one["customers"] for one in counts[-1]["segments"] if one["customers"]} if counts else {}
    if len(sizes) < 2:
        return []
    both = {frozenset(one["segments"]): one["customers"] for one in counts[-1].get("overlaps", ())}
    if not any(n for pair, n in both.items() if pair <= set(sizes)):
        return []
    return [
        (name, [Both(other, other == name, n := both.get(frozenset((name, other)), 0), n / size) for other in sizes])
        for name, size in sizes.items()
    ]


@may(Role.VIEWER)
def one(request: HttpRequest, name: str) -> HttpResponse:
    """One of them, as the last run counted it and as it is written now."""
    store = store_in_use()
    base = segment_drafts.base(store)
    written = segment_drafts.segments_of(store, base.text)
    found = next((segment for segment in written if segment.name == name), None)
    if found is None:
        raise Http404
    counts, rules = counting.kept(store), definitions(written)
    points = [(datetime.fromisoformat(one["as_of"]), mine) for one in counts if (mine := _of(one, name))]
    last = points[-1][1] if points else None
    said = {
        "segment": found, "base": base, "row": _row(found, segment_drafts.approved(store), counts, store), "last": last,
        "dots": _dots(points), "top": max((mine["customers"] for _, mine in points), default=0),
        "parts": [part for part in builds_on(name, rules) if part != name],
        "others": _others(counts[-1], name) if counts and last else [], "version": version(name, written),
        "events": asks_for_events(name, rules), "due": found.reviewed + timedelta(days=found.review_every_days),
    }  # fmt: skip
    return show(request, "segments-one.html", said)


def _others(counted: Mapping[str, Any], name: str) -> list[tuple[str, int, float]]:
    size = (_of(counted, name) or {"customers": 0})["customers"]
    pairs = [(set(one["segments"]) - {name}, one["customers"]) for one in counted.get("overlaps", ()) if name in one["segments"]]
    return sorted(((other.pop(), both, both / size if size else 0.0) for other, both in pairs if both), key=lambda one: (-one[1], one[0]))


def _dots(points: Sequence[tuple[datetime, Mapping[str, Any]]]) -> list[Dot]:
    """The counts as places in a chart of `WIDE` x `HIGH`, zero at the bottom."""
    if len(points) < 2:
        return []
    first, last = points[0][0], points[-1][0]
    span, top = (last - first).total_seconds() or 1.0, max(one["customers"] for _, one in points) or 1
    found, was = [], points[0][1].get("version")
    for at, counted in points:
        x = MARGIN + (at - first).total_seconds() / span * (WIDE - 2 * MARGIN)
        y = HIGH - MARGIN - counted["customers"] / top * (HIGH - 2 * MARGIN)
        found.append(Dot(round(x, 1), round(y, 1), at.date(), counted["customers"], counted.get("version") != was))
        was = counted.get("version")
    return found


@may(Role.EDITOR, post=Role.EDITOR)
def draft(request: HttpRequest) -> HttpResponse:
    """A segment being written; a post submits it."""
    store = store_in_use()
    if request.method == "POST":
        return _submitted(request, store)
    base, name = segment_drafts.base(store), request.GET.get("name", "")
    found = next((one for one in segment_drafts.segments_of(store, base.text) if one.name == name), None)
    owner = operator_of(request).email
    given = Draft(name, found.description, found.rule.text, found.owner) if found else Draft("", "", "", owner)
    return show(request, "segments-draft.html", {**_form(given, base, new=found is None), "ask": found is not None})


def _submitted(request: HttpRequest, store: Settings) -> HttpResponse:
    given, began = _given(request), request.POST.get("began", "")
    new = request.POST.get("new", "") == "yes"
    if request.POST.get("check"):
        return show(request, "segments-draft.html", {**_form(given, segment_drafts.base(store), new), **_trial(store, given)})
    try:
        segment_drafts.submit(store, given, began, operator_of(request).email, moment.now())
    except (BadData, Refused) as error:
        said = {**_form(given, segment_drafts.base(store), new), **_trial(store, given), "error": error}
        return show(request, "segments-draft.html", said, status=400)
    note(request, f"{given.name} is submitted. Plans go by it once an approver has said yes.")
    return HttpResponseRedirect(reverse("segments"))


@may(Role.EDITOR, post=Role.EDITOR)
def trial(request: HttpRequest) -> HttpResponse:
    """What a draft amounts to, a piece of its page that answers while it is written."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("segments-draft"))
    given = _given(request)
    return show(request, "segments-trial.html", _trial(store_in_use(), given))


def _given(request: HttpRequest) -> Draft:
    said = {name: request.POST.get(name, "").strip()[:_MOST] for name in ("name", "description", "rule", "owner")}
    return Draft(said["name"], said["description"], " ".join(said["rule"].split()), said["owner"])


def _form(given: Draft, base: Base, new: bool) -> dict[str, object]:
    return {"given": given, "base": base, "new": new, "language": LANGUAGE}


def _trial(store: Settings, given: Draft) -> dict[str, object]:
    """What the piece of the page is filled with."""
    if not given.name or not given.rule:
        return {}
    try:
        found = segment_drafts.tried(store, given, _today(store))
    except BadData as error:
        return {"unreadable": error}
    findings = [(one.severity, one.message.removeprefix(f"segments.{given.name}."), one.remedy) for one in found.findings]
    return {"tried": found, "findings": findings, **_counted(found)}


def _counted(found: Tried) -> dict[str, object]:
    if isinstance(found.count, Count):
        at_risk = found.count.margin_at_risk
        share = found.count.customers / found.count.everyone if found.count.everyone else 0.0
        return {"count": found.count, "share": share, "at_risk": None if isinstance(at_risk, CannotTell) else at_risk}
    return {"cannot": found.count.reason if found.count else ""}
