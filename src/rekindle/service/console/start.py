"""The guided start: bring a file of orders, or have a marketplace simulated, look at its quality, map its columns, take it in.

Knows nothing of how a file is read. Nothing is taken in before somebody has seen the quality report and pressed the button.
"""

import re
from decimal import Decimal
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from rekindle import moment, money
from rekindle.errors import BadData, RekindleError
from rekindle.ingest import mapping
from rekindle.service.config.web import store_in_use
from rekindle.service.console import actions, queries
from rekindle.service.console.jobs import result_of
from rekindle.service.console.jobs import start as ask_for
from rekindle.service.console.models import Job
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import refused, show
from rekindle.service.flow import snapshots, uploads, worlds

FIELDS = (
    ("customer_id", "Who ordered", "a customer number, or an e-mail address", True),
    ("ordered_at", "When", "the day or the instant of the order", True),
    ("total", "How much", "goods after discounts, before shipping and tax", True),
    ("order_id", "Number of the order", "leave it out where there is none", False),
)
"""Our columns of an order: name, words, hint, whether an order needs it."""

REASONS = {
    "unreadable": "are no rows: another number of fields, or not UTF-8", "customer": "name no customer", "price": "have no usable amount",
    "date": "have no usable date", "quantity": "have no usable quantity", "currency": "are in another currency than the store",
    "order": "name an order that is not known", "id": "lack their id", "flag": "have something else than yes or no",
    "repeated": "say again what another row says", "erased": "are about somebody who was erased",
}  # fmt: skip
FORMATS = (
    ("%d.%m.%Y", "26.11.2026"), ("%d.%m.%Y %H:%M", "26.11.2026 14:05"), ("%d/%m/%Y", "26/11/2026"), ("%d/%m/%Y %H:%M", "26/11/2026 14:05"),
    ("%m/%d/%Y", "11/26/2026"), ("%m/%d/%Y %H:%M", "11/26/2026 14:05"), ("%Y%m%d", "20261126"),
)  # fmt: skip
"""Ways in which files write days: as `strptime` reads them, and an example."""

SIZE = ("--customers", "3000", "--months", "18")
"""How large the simulated marketplace is: large enough that lifts can be told some weeks later, small enough for a minute."""


@may(Role.EDITOR, post=Role.EDITOR)
def start(request: HttpRequest) -> HttpResponse:
    """Two ways to begin."""
    store = store_in_use()
    said = {"begun": bool(snapshots.summary(store.var)), "endings": ",".join(uploads.ENDINGS)}
    if request.method != "POST":
        return show(request, "start.html", said)
    try:
        if request.POST.get("what") == "marketplace":
            return _to(_ask(request, "marketplace", [str(store.root), *SIZE]))
        path = _kept(request)
        found = uploads.preset_of(uploads.head(path).columns)
    except RekindleError as error:
        return show(request, "start.html", {**said, "error": error}, status=400)
    if found is None:
        return HttpResponseRedirect(reverse("start-columns", args=[path.parent.name]))
    return _to(_ask(request, "look", [str(path), "--preset", found]))


@may(Role.EDITOR, post=Role.EDITOR)
def columns(request: HttpRequest, key: str) -> HttpResponse:
    """Which column of a file says what."""
    path = uploads.named(store_in_use(), key)
    if path is None:
        return show(request, "absent.html", {"what": "file"}, status=404)
    head = uploads.head(path)
    guess = uploads.guessed(head.columns)
    guess |= uploads.looks_of(head, guess, [pattern for pattern, _ in FORMATS])
    given = request.POST if request.method == "POST" else guess
    fields = [(name, words, hint, needed, given.get(name, "")) for name, words, hint, needed in FIELDS]
    operator = operator_of(request)
    seen = operator.privacy or queries.brought(key, operator.email)
    said = {
        "name": path.name, "head": head, "fields": fields, "decimal": given.get("decimal", "."), "format": given.get("time_format", ""),
        "formats": FORMATS, "seen": seen, "rows": head.rows if seen else [[_masked(cell) for cell in row] for row in head.rows],
    }  # fmt: skip
    if request.method != "POST":
        return show(request, "start-columns.html", said)
    chosen = {name: given[name] for name, *_ in FIELDS if given.get(name) in head.columns}
    source: dict[str, object] = {"kind": "orders", "columns": chosen, "decimal": given.get("decimal") or "."}
    if given.get("time_format"):
        source["time_format"] = given["time_format"]
    try:
        where = uploads.write_mapping(path, source)
        mapping.load(where)
    except BadData as error:
        return show(request, "start-columns.html", {**said, "error": error}, status=400)
    return _to(_ask(request, "look", [str(path), "--map", str(where)]))


@may(Role.EDITOR, post=Role.EDITOR)
def looked(request: HttpRequest, key: str) -> HttpResponse:
    """The quality report of a file that was looked through, and the button that takes it in."""
    job = Job.objects.filter(key=key, kind="look", state=Job.State.DONE).first()
    if job is None:
        return show(request, "absent.html", {"what": "report"}, status=404)
    path, contacts = Path(job.arguments[0]), "--contacts" in job.arguments
    if contacts and not operator_of(request).privacy:
        return refused(request, Role.EDITOR, privacy=True)
    if request.method == "POST":
        how = ["--contacts", str(path)] if contacts else job.arguments
        actions.note_deed(operator_of(request).email, "took a file in", path.name, moment.now())
        return _to(_ask(request, "begin", how))
    report = result_of(job)
    rejected = report.get("rejected")
    rows = [(count, REASONS.get(reason, reason)) for reason, count in rejected.items()] if isinstance(rejected, dict) else []
    mapped = reverse("start-columns", args=[path.parent.name]) if "--map" in job.arguments else ""
    goods = money.to_minor(Decimal(str(report.get("gross", 0))), store_in_use().currency)
    said = {"job": job, "name": path.name, "report": report, "goods": goods, "rejected": rows, "mapped": mapped}
    return show(request, "start-file.html", said)


@may(Role.EDITOR, post=Role.EDITOR, privacy=True)
def contacts(request: HttpRequest) -> HttpResponse:
    """Bring addresses and consents."""
    said = {"endings": ",".join(uploads.ENDINGS)}
    if request.method != "POST":
        return show(request, "start-contacts.html", said)
    try:
        path = _kept(request)
        uploads.head(path)
    except RekindleError as error:
        return show(request, "start-contacts.html", {**said, "error": error}, status=400)
    return _to(_ask(request, "look", [str(path), "--contacts", "--preset", "contacts"]))


@may(Role.EDITOR, post=Role.EDITOR)
def week(request: HttpRequest) -> HttpResponse:
    """Lets a week pass in a simulated marketplace: customers answer what was sent, and the main job runs again."""
    if request.method == "POST" and worlds.is_simulated(store_in_use()):
        return _to(_ask(request, "week", []))
    return show(request, "absent.html", {"what": "simulated marketplace"}, status=404)


def _kept(request: HttpRequest) -> Path:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile) or not file.name:
        raise BadData("no file was chosen", "Choose one, then press the button.")
    path = uploads.keep(store_in_use(), file.name, file.chunks())
    actions.note_deed(operator_of(request).email, actions.BROUGHT, f"{path.parent.name}/{path.name}", moment.now())
    return path


def _masked(cell: str) -> str:
    """How a cell is written, and not what it says."""
    return re.sub(r"[^\W\d]", "x", re.sub(r"\d", "0", cell))


def _ask(request: HttpRequest, kind: str, arguments: list[str]) -> Job:
    return ask_for(kind, arguments, operator_of(request).email, moment.now())


def _to(job: Job) -> HttpResponse:
    return HttpResponseRedirect(reverse("jobs-job", args=[job.key]))
