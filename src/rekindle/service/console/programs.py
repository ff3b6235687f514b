"""Programs: which there are and how each does, one of them step by step, its messages, its walk over the past, and its pause.

Knows nothing of how a plan is made. Their documents are edited and approved in `documents`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from rekindle import moment
from rekindle.decide.guardrails import REASONS
from rekindle.deliver.variants import SHORT
from rekindle.errors import BadData, Refused, UsageError
from rekindle.learn.funnel import ECHO_DAYS
from rekindle.program.documents import NOTHING, Documents, Program
from rekindle.program.triggers import MOMENTS
from rekindle.service.config.web import store_in_use
from rekindle.service.console import jobs
from rekindle.service.console.messages import AS_READ
from rekindle.service.console.models import Job
from rekindle.service.console.program_board import EXITS, of_program, recent, steps
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show
from rekindle.service.console.stages import named
from rekindle.service.console.standing import learned
from rekindle.service.flow import documents as documents_of
from rekindle.service.flow import going_live, plan_counts, policies, previewing, reviews
from rekindle.service.flow.document_versions import Kept, versions, waiting
from rekindle.service.outbox.queries import ready_plans
from rekindle.service.programs import actions, queries
from rekindle.service.programs.models import Pause
from rekindle.settings import Settings

WEEKS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A program in the list.

    Args:
        program: As it is approved.
        file: Its document.
        moment: What opens a round.
        pause: Why its marketing is held back; None where it runs.
        waits: Whether a newer version waits for a yes.
        messages, left: What the last plan held of it.
        worth: What was learned of it: its margin measure; None where nothing was.
        review: When it is to be looked at again.
        late: How that stands: later, soon, overdue, past its grace.
    """

    program: Program
    file: str
    moment: str
    pause: Pause | None
    waits: bool
    messages: int
    left: int
    worth: Mapping[str, Any] | None
    review: date
    late: str


@may(Role.VIEWER)
def programs(request: HttpRequest) -> HttpResponse:
    """All of them, those of marketing first."""
    store = store_in_use()
    pending = [one for one in waiting() if one.document.startswith("programs/")]
    if not queries.approved(store):
        return show(request, "programs.html", {"rows": [], "pending": pending})
    held = documents_of.approved(store)
    found = _rows(store, held)
    files = {row.file for row in found}
    said = {
        "marketing": [row for row in found if not row.program.service], "service": [row for row in found if row.program.service],
        "rows": found, "new": [one for one in pending if one.document not in files], "pending": pending,
    }  # fmt: skip
    return show(request, "programs.html", said)


def _rows(store: Settings, held: Documents) -> list[Row]:
    plans = plan_counts.counts(store.var, ready_plans()) or plan_counts.counts(store.var)
    cells = plans[0].cells if plans else ()
    paused = {one.program: one for one in queries.pauses() if one.resumed_at is None}
    waits = {one.document for one in waiting()}
    worth = {one["program"]: one["measures"].get("margin") for one in learned(store).get("programs", ())}
    today = moment.local_day(moment.now(), store.timezone)
    due, files = {one.program: one for one in reviews.due(held)}, _files(held)
    return [
        Row(
            one, files[one.name], MOMENTS[one.trigger.on], paused.get(one.name), files[one.name] in waits,
            sum(cell.customers for cell in cells if cell.program == one.name and cell.channel),
            sum(cell.customers for cell in cells if cell.program == one.name and cell.reason),
            worth.get(one.name), due[one.name].on, due[one.name].state(today),
        )
        for one in sorted(held.programs, key=lambda one: (one.trigger.on != "lapse", one.name))
    ]  # fmt: skip


def _files(held: Documents) -> dict[str, str]:
    """A program's name to its document's."""
    return {str(reading.value.get("program")): file for file, reading in held.readings.items() if file.startswith("programs/")}


@may(Role.VIEWER)
def one(request: HttpRequest, name: str) -> HttpResponse:
    """One of them: its steps, what was decided in each, what each variant brought, and its versions."""
    store = store_in_use()
    held, program = _found(store, name)
    row = next(one for one in _rows(store, held) if one.program.name == name)
    plans = recent(plan_counts.counts(store.var, ready_plans()))
    told = learned(store)
    found = steps(program, held, policies.in_force(store, held), plans, told)
    kept = versions(row.file)
    walk = jobs.latest("walk", name)
    lacks = next((one for one in going_live.lacking(store, held, moment.now()) if one.program == name), None)
    said = {
        "row": row, "program": program, "steps": found, "known": of_program(told, name), "echo": ECHO_DAYS,
        "learned_at": datetime.fromisoformat(told["as_of"]) if told else None,
        "since": plans[-1].at if plans else None, "plans": len(plans),
        "newest": kept[0] if kept else None, "versions": len(kept), "walk": walk, "lacks": lacks, "pauses": queries.pauses(name),
        "exits": [EXITS[one] for one in program.exit], "most": max((one.decided for one in found), default=0),
    }  # fmt: skip
    return show(request, "programs-one.html", said)


def _found(store: Settings, name: str) -> tuple[Documents, Program]:
    if not queries.approved(store):
        raise Http404
    held = documents_of.approved(store)
    program = next((one for one in held.programs if one.name == name), None)
    if program is None:
        raise Http404
    return held, program


@may(Role.VIEWER)
def sample(request: HttpRequest, name: str, stage: str, arm: str) -> HttpResponse:
    """A message of a variant, as an invented customer would read it."""
    store = store_in_use()
    held, program = _found(store, name)
    channel = request.GET.get("by", "email")
    said = {"program": program, "stage": stage, "arm": arm, "channel": channel, "arms": _arms(program), "ways": program.channels}
    try:
        found = previewing.example(store, held, _wanted(name, stage, arm, channel), _today(store))
    except UsageError as error:
        raise Http404 from error
    except (BadData, Refused) as error:
        return show(request, "programs-sample.html", {**said, "mistake": error})
    return show(request, "programs-sample.html", {**said, "found": found})


@may(Role.VIEWER)
def mail(request: HttpRequest, name: str, stage: str, arm: str) -> HttpResponse:
    """The e-mail of a variant by itself, for the frame on its page."""
    store = store_in_use()
    held, _ = _found(store, name)
    try:
        found = previewing.example(store, held, _wanted(name, stage, arm, "email"), _today(store)).html
    except UsageError as error:
        raise Http404 from error
    except (BadData, Refused) as error:
        found = f"<p>{error.cause}</p>"
    return HttpResponse(found, headers={"Content-Security-Policy": AS_READ})


def _wanted(name: str, stage: str, arm: str, channel: str) -> previewing.Wanted:
    return previewing.Wanted(name, stage, arm, channel if channel in SHORT else "email")


def _arms(program: Program) -> list[tuple[str, str]]:
    return [(stage.name, arm.name) for stage in program.stages for arm in stage.arms]


def _today(store: Settings) -> date:
    return moment.local_day(moment.now(), store.timezone)


@may(Role.APPROVER, post=Role.APPROVER)
def pause(request: HttpRequest, name: str) -> HttpResponse:
    """Holds a program's marketing back, or lets it go again."""
    back = HttpResponseRedirect(reverse("programs-one", args=[name]))
    if request.method != "POST":
        return back
    _found(store_in_use(), name)
    by, at = operator_of(request).email, moment.now()
    if request.POST.get("do") == "resume":
        actions.resume(name, by, at)
        note(request, f"{named(name)} goes on.")
        return back
    reason = " ".join(request.POST.get("reason", "").split()).rstrip(".")
    if not reason:
        said = {"name": name, "mistake": "Say in a sentence why it is paused: it stays on record."}
        return show(request, "programs-pause.html", said, status=400)
    actions.pause(name, reason, by, at)
    note(request, f"{named(name)} is paused: nothing of its marketing leaves until somebody resumes it.")
    return back


@may(Role.EDITOR, post=Role.EDITOR)
def walks(request: HttpRequest, name: str) -> HttpResponse:
    """Asks for a walk of a program over past history: of the version that waits for a yes, else of the approved one."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("programs-one", args=[name]))
    store = store_in_use()
    held, _ = _found(store, name)
    version: Kept | None = next((one for one in waiting() if one.document == _files(held).get(name)), None)
    wanted = [name, "--version", version.digest] if version and request.POST.get("version") == "waiting" else [name]
    job = jobs.start("walk", wanted, operator_of(request).email, moment.now())
    return HttpResponseRedirect(reverse("jobs-job", args=[job.key]))


@may(Role.EDITOR)
def walk(request: HttpRequest, key: str) -> HttpResponse:
    """What a walk came to."""
    job = Job.objects.filter(key=key, kind="walk").first()
    found: Mapping[str, Any] = jobs.result_of(job) if job else {}
    if job is None or "customers" not in found:
        raise Http404
    weeks = found["messages_by_week"][-WEEKS_SHOWN:]
    most = max((one["messages"] for one in weeks), default=0)
    days = [date.fromisoformat(str(one["week"])) for one in weeks]
    tall = [round(100 * one["messages"] / most, 2) if most else 0 for one in weeks]
    bars = [(10 * at, days[at], one["messages"], high, 100 - high) for (at, one), high in zip(enumerate(weeks), tall, strict=True)]
    alone = sorted(found["customers_left_alone"].items(), key=lambda one: -one[1])
    total = max((count for _, count in alone), default=0)
    said = {
        "job": job, "found": found, "section": "programs", "first": date.fromisoformat(str(found["from"])), "weeks": bars,
        "wide": 10 * len(bars), "most": most, "version": len(job.arguments) > 1,
        "alone": [{"label": _reason(reason), "share": count / total, "words": f"{count:,}"} for reason, count in alone if count],
        "caps": [(_CAPS.get(one["cap"], one["cap"]), one) for one in found["caps"]],
    }  # fmt: skip
    return show(request, "programs-walk.html", said)


_CAPS = {
    "touches": "messages in a round, at most", "gap": "days between two messages, at least",
    "duration": "days from the first message to the last, at most", "store": "messages to a customer in the rules’ window, at most",
}  # fmt: skip


def _reason(reason: str) -> str:
    words = "drawn to hear nothing" if reason == NOTHING else REASONS.get(reason, reason.replace("_", " "))
    return words[:1].upper() + words[1:]
