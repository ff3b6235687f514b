"""Experiments and learnings: what is planned, what runs and how far it is, what was found, and what it taught.

Knows nothing of how an experiment is measured: a look is taken when it is due, by `rekindle experiments` or the run.
"""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from rekindle import moment
from rekindle.learn.experiment_words import STATUS, design, told
from rekindle.service.config.web import store_in_use
from rekindle.service.console import jobs
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show
from rekindle.service.flow import documents as documents_of
from rekindle.service.flow import experimenting
from rekindle.service.flow.document_versions import waiting
from rekindle.service.flow.drafts import EXPERIMENT
from rekindle.service.flow.experimenting import Entry
from rekindle.service.programs import queries
from rekindle.settings import Settings

TONES = {"planned": "", "running": "on", "scale": "good", "retire": "bad", "trial": "warn"}


@may(Role.VIEWER)
def experiments(request: HttpRequest) -> HttpResponse:
    """All of them, those that run first, and what earlier ones taught."""
    store = store_in_use()
    found = _entries(store)
    order = ("running", "planned", "scale", "retire", "trial")
    said = {
        "entries": [_line(one, store) for one in sorted(found, key=lambda one: order.index(one.status))],
        "pending": [one for one in waiting() if one.document.startswith("experiments/")],
        "learnings": [one.learning for one in found if one.learning][::-1], "tones": TONES, "words": STATUS,
    }  # fmt: skip
    return show(request, "experiments.html", said)


def _entries(store: Settings) -> tuple[Entry, ...]:
    return experimenting.entries(store, documents_of.approved(store)) if queries.approved(store) else ()


def _line(one: Entry, store: Settings) -> dict[str, object]:
    last = one.looks[-1] if one.looks else None
    return {
        "entry": one, "status": STATUS[one.status], "tone": TONES[one.status], "design": design(one.experiment, one.factor), "last": last,
        "found": [told(part, one.experiment.metric, store.currency) for part in last.differences] if last else [],
    }  # fmt: skip


@may(Role.EDITOR)
def new(request: HttpRequest) -> HttpResponse:
    """The way to the text of an experiment that is not there yet."""
    name = "-".join(request.GET.get("name", "").lower().split())
    if not EXPERIMENT.fullmatch(f"experiments/{name}.yaml"):
        note(request, "A name is small letters, digits and hyphens, such as delivery-or-words.")
        return HttpResponseRedirect(reverse("experiments"))
    return HttpResponseRedirect(f"{reverse('documents-edit', args=[f'experiments/{name}.yaml'])}?as=text")


@may(Role.VIEWER)
def one(request: HttpRequest, name: str) -> HttpResponse:
    """One of them, look by look."""
    store = store_in_use()
    found = next((entry for entry in _entries(store) if entry.experiment.name == name), None)
    if found is None:
        raise Http404
    looks = [(look, [told(part, found.experiment.metric, store.currency) for part in look.differences]) for look in found.looks]
    said = {**_line(found, store), "looks": looks, "job": jobs.latest("experiment-start", name) or jobs.latest("experiment-end", name)}
    return show(request, "experiments-one.html", said)


@may(Role.APPROVER, post=Role.APPROVER)
def decide(request: HttpRequest, name: str) -> HttpResponse:
    """Starts an experiment, or ends it with what its last look says."""
    back = HttpResponseRedirect(reverse("experiments-one", args=[name]))
    if request.method != "POST":
        return back
    if not any(entry.experiment.name == name for entry in _entries(store_in_use())):
        raise Http404
    by = operator_of(request).email
    kind = "experiment-end" if request.POST.get("do") == "end" else "experiment-start"
    job = jobs.start(kind, [name, "--by", by], by, moment.now())
    return HttpResponseRedirect(reverse("jobs-job", args=[job.key]))
