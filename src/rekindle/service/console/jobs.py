"""Work that takes longer than a page: what may be asked for, and the pages that show how far it is.

Knows nothing of how it is run: a worker does that, service/console/clerk.py.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from rekindle import moment
from rekindle.service.config.web import store_in_use
from rekindle.service.console.models import Job
from rekindle.service.console.roles import Role, may
from rekindle.service.console.shell import show
from rekindle.service.console.turn import alone

_SHOWN = 50
_AFTER = timedelta(seconds=30)
"""A worker that is started again is at work by then."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that may be asked for.

    Args:
        words: What it does, for people.
        command: The command's words before its arguments.
        then: The page that shows what came of it, by its name; empty: the job's own.
        keyed: Whether that page is the job's own, by its key.
        after: A second command, without arguments, where the first went well.
    """

    words: str
    command: tuple[str, ...]
    then: str = ""
    keyed: bool = False
    after: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "run": Kind("Take in what is new, plan, send, measure and report", ("run",), "overview"),
    "begin": Kind("Take in the orders, find who drifts away, and propose what to do", ("run",), "overview"),
    "look": Kind("Look through the file", ("import", "--dry-run", "--json"), "start-file", keyed=True),
    "marketplace": Kind("Make a simulated marketplace, and find who drifts away in it", ("simulate",), "overview", after=("run",)),
    "week": Kind("Let a week pass in the simulated marketplace", ("simulate", "--advance", "7"), "overview", after=("run",)),
    "rehearse": Kind("Plan without sending anything", ("plan", "--dry-run", "--json")),
    "propose": Kind("Work out a new table of chances", ("policy", "propose", "--json"), "policy"),
    "diagnose": Kind("Find out why customers leave", ("diagnose",), "causes"),
    "approve": Kind("Approve a version of a document", ("approve",), "documents"),
    "walk": Kind("Walk a program over past history", ("simulate-program", "--json"), "programs-walk", keyed=True),
    "policy-approve": Kind("Approve a version of the table of chances", ("policy", "approve"), "policy"),
    "policy-back": Kind("Go back to an earlier table of chances", ("policy", "rollback"), "policy"),
    "baseline": Kind("Freeze baselines", ("baseline", "freeze"), "reviews"),
    "experiment-start": Kind("Start an experiment", ("experiments", "start"), "experiments"),
    "experiment-end": Kind("End an experiment", ("experiments", "end"), "experiments"),
    "audit": Kind("Verify the chain of decisions", ("audit", "--json")),
}
"""What the console may have run; a page adds its own here."""


def start(kind: str, arguments: Sequence[str], by: str, at: datetime) -> Job:
    """Asks for a job; a worker takes it within a second or two.

    Args:
        kind: A key of `KINDS`.
        arguments: Of the command; of paths, those alone that the console made itself.
        by: Who asks.
        at: Now.
    """
    return Job.objects.create(key=secrets.token_hex(8), kind=kind, arguments=list(arguments), by=by, asked_at=at)


def latest(kind: str, about: str) -> Job | None:
    """The job of a kind that was asked for last with this first argument; None where there is none."""
    return next((job for job in Job.objects.filter(kind=kind).order_by("-asked_at")[:_SHOWN] if job.arguments[:1] == [about]), None)


def newest(kind: str) -> Job | None:
    """The job of a kind that was asked for last; None where there is none."""
    return Job.objects.filter(kind=kind).order_by("-asked_at").first()


def result_of(job: Job) -> Mapping[str, object]:
    """What a job printed as JSON; empty where it printed none."""
    try:
        found = json.loads(job.result)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _nobody(job: Job) -> bool:
    """Whether a job waits, or stands as if it ran, and no worker is there to take it or to say what became of it."""
    if job.state not in (Job.State.WAITING, Job.State.RUNNING) or moment.now() - (job.began_at or job.asked_at) < _AFTER:
        return False
    with alone(store_in_use()) as free:
        return free


@may(Role.EDITOR)
def jobs(request: HttpRequest) -> HttpResponse:
    """The latest jobs."""
    found = [(job, KINDS[job.kind].words) for job in Job.objects.order_by("-asked_at")[:_SHOWN] if job.kind in KINDS]
    return show(request, "jobs.html", {"jobs": found})


@may(Role.EDITOR)
def job(request: HttpRequest, key: str) -> HttpResponse:
    """One job: how far it is, and what came of it; asked by htmx, the part of the page that changes."""
    found = Job.objects.filter(key=key).first()
    if found is None or found.kind not in KINDS:
        return show(request, "absent.html", {"what": "job"}, status=404)
    kind = KINDS[found.kind]
    then = reverse(kind.then, args=[found.key] if kind.keyed else []) if kind.then else ""
    if "HX-Request" in request.headers and found.state == Job.State.DONE and then:
        return HttpResponse(status=204, headers={"HX-Redirect": then})
    lines = [line for line in found.said.splitlines() if line.strip()]
    said = {"job": found, "kind": kind, "then": then, "lines": lines, "nobody": _nobody(found)}
    return show(request, "job_state.html" if "HX-Request" in request.headers else "job.html", said)
