"""Reviews and targets: what is to be reached in the quarter and how it stands, what is to be looked at again, and what stands in the way.

Knows nothing of how a target is measured.
"""

from datetime import date

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from rekindle import moment
from rekindle.errors import RekindleError
from rekindle.learn.review_pack import FUNCTIONS
from rekindle.program.documents import Documents
from rekindle.service.config.web import store_in_use
from rekindle.service.console import jobs
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show
from rekindle.service.console.stages import named
from rekindle.service.flow import baselines, going_live, targets
from rekindle.service.flow import documents as documents_of
from rekindle.service.flow import reviews as reviewing
from rekindle.service.programs import actions, queries
from rekindle.service.programs.models import Blocker
from rekindle.settings import Settings

TONES = {"on track": "good", "behind": "bad", "cannot tell": "", "later": "", "soon": "warn", "overdue": "bad", "past its grace": "bad"}


@may(Role.VIEWER)
def reviews(request: HttpRequest) -> HttpResponse:
    """All of it on one page."""
    return show(request, "reviews.html", _said(store_in_use()))


def _said(store: Settings) -> dict[str, object]:
    today = moment.local_day(moment.now(), store.timezone)
    if not queries.approved(store):
        return {"held": None}
    held, told = documents_of.approved(store), targets.published(store.var)
    lacks = {one.program: one for one in going_live.lacking(store, held, moment.now())}
    due = [(one, state, TONES[state], _lacks(lacks.get(one.program))) for one in reviewing.due(held) for state in (one.state(today),)]
    return {
        "held": held, "told": told, "targets": [(one, TONES[one["status"]]) for one in told["targets"]] if told else [],
        "written": held.targets, "due": due, "next": next((one for one, state, *_ in due if state != "later"), None),
        "blockers": [(one, one.due < today) for one in queries.blockers()], "functions": FUNCTIONS, "today": today,
        "baselines": sorted(baselines.kept(store).items()), "bare_of_one": sum("no frozen baseline" in what for *_, what in due),
        "past": queries.reviews()[::-1][:10],
    }  # fmt: skip


def _lacks(one: going_live.Lacking | None) -> list[str]:
    return [what.removeprefix("it has ") for what in one.what] if one else []


@may(Role.APPROVER, post=Role.APPROVER)
def freeze(request: HttpRequest) -> HttpResponse:
    """Asks for a frozen baseline of every program that has none."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("reviews"))
    by = operator_of(request).email
    job = jobs.start("baseline", ["--by", by], by, moment.now())
    return HttpResponseRedirect(reverse("jobs-job", args=[job.key]))


@may(Role.EDITOR, post=Role.EDITOR)
def hold(request: HttpRequest, name: str) -> HttpResponse:
    """A review that was held, with what it found."""
    store = store_in_use()
    if request.method != "POST":
        return HttpResponseRedirect(reverse("reviews"))
    said = " ".join(request.POST.get("note", "").split())
    if not said:
        mistake = "Write what the review found and decided: it stays on record."
        return show(request, "reviews.html", {**_said(store), "mistake": mistake}, status=400)
    try:
        held: Documents = documents_of.approved(store)
        at = moment.now()
        found = reviewing.hold(held, name, operator_of(request).email, at, moment.local_day(at, store.timezone), said)
    except RekindleError as error:
        return show(request, "reviews.html", {**_said(store), "mistake": f"{error.cause}. {error.remedy}"}, status=400)
    note(request, f"The review of {named(name)} is held. The next one is due on {found.on}.")
    return HttpResponseRedirect(reverse("reviews"))


@may(Role.EDITOR, post=Role.EDITOR)
def blockers(request: HttpRequest) -> HttpResponse:
    """Something that stands in the way, or that it is gone."""
    store, by, at = store_in_use(), operator_of(request).email, moment.now()
    if request.method != "POST":
        return HttpResponseRedirect(reverse("reviews"))
    try:
        said = _resolved(request, by) if request.POST.get("number") else _opened(request, store, by)
    except (RekindleError, ValueError) as error:
        cause = f"{error.cause}. {error.remedy}" if isinstance(error, RekindleError) else str(error)
        return show(request, "reviews.html", {**_said(store), "mistake": cause}, status=400)
    note(request, f"{said} ({moment.local_day(at, store.timezone)})")
    return HttpResponseRedirect(reverse("reviews"))


def _opened(request: HttpRequest, store: Settings, by: str) -> str:
    given = {name: " ".join(request.POST.get(name, "").split()) for name in ("text", "function", "program", "owner", "due")}
    if not given["text"] or not given["owner"] or given["function"] not in FUNCTIONS:
        raise ValueError("Write what stands in the way, whose it is, and of which function.")
    try:
        due = date.fromisoformat(given["due"])
    except ValueError:
        raise ValueError("Write the day by which it is to be gone.") from None
    number = actions.block(
        Blocker(text=given["text"][:500], function=given["function"], program=given["program"][:100], owner=given["owner"][:200], due=due,
                opened_by=by, opened_at=moment.now())
    )  # fmt: skip
    return f"Noted as {number}."


def _resolved(request: HttpRequest, by: str) -> str:
    text, how = request.POST.get("number", ""), " ".join(request.POST.get("resolution", "").split())
    if not text.isdecimal() or len(text) > 18 or not how:
        raise ValueError("Write how it was resolved.")
    actions.unblock(int(text), by, moment.now(), how)
    return "It is gone."
