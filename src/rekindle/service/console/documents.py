"""Documents as people edit them: which there are, their versions line by line, a form or the text itself, and the yes.

Knows nothing of what a document means: forms come from its schema, and what is wrong with it from the same examination as `rekindle check`.
"""

import json
from dataclasses import dataclass
from functools import cache

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from pydantic import ValidationError

from rekindle import moment
from rekindle.errors import BadData, Refused
from rekindle.program.documents import schemas
from rekindle.program.editing import changed
from rekindle.program.forms import Group, Schema, form, typed
from rekindle.program.reading import RULES, SIZE, Unreadable, read_once
from rekindle.program.rules import Autopilot
from rekindle.service.config.web import store_in_use
from rekindle.service.console import jobs
from rekindle.service.console.queries import approvers
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show
from rekindle.service.console.stages import words_of
from rekindle.service.flow import drafts
from rekindle.service.flow.document_versions import Kept, compared, versions
from rekindle.service.programs import queries
from rekindle.settings import Settings

SECTIONS = {"programs": "programs", "experiments": "experiments", "offers.yaml": "offers", "segments.yaml": "segments",
            "targets.yaml": "reviews"}
"""The part of the console in which a document stands; all others in governance."""

TEXTS = {"programs": "programs/NAME.yaml", "experiments": "experiments/NAME.yaml"}


@dataclass(frozen=True, slots=True)
class Row:
    """A document in the list.

    Args:
        name: Its file's.
        words: What people call it.
        newest: Its newest version.
        held: The version that plans go by; None where none is approved.
    """

    name: str
    words: str
    newest: Kept
    held: Kept | None


def section_of(name: str) -> str:
    """The part of the console in which a document stands."""
    return SECTIONS.get(name.partition("/")[0], "governance")


def rows() -> list[Row]:
    """Every document with its newest version and the one that plans go by, those that wait first."""
    found: dict[str, list[Kept]] = {}
    for one in versions():
        found.setdefault(one.document, []).append(one)
    listed = [Row(name, words_of(name), kept[0], next((one for one in kept if one.in_force), None)) for name, kept in found.items()]
    return sorted(listed, key=lambda row: (not row.newest.waits, row.name))


@may(Role.VIEWER)
def documents(request: HttpRequest) -> HttpResponse:
    """All documents, those that wait for a yes first."""
    found = rows()
    waiting, rest = ([row for row in found if row.newest.waits is wanted] for wanted in (True, False))
    return show(request, "documents.html", {"waiting": waiting, "rest": rest, "section": "programs"})


@may(Role.VIEWER)
def one(request: HttpRequest, name: str) -> HttpResponse:
    """A document's versions, and how two of them differ: `?from=` and `?to=`; without, the newest with the one that plans go by."""
    found = versions(name)
    if not found:
        raise Http404
    held = next((kept for kept in found if kept.in_force), None)
    new = _named(found, request.GET.get("to", "")) or found[0]
    before = [kept for kept in found if kept.at < new.at]
    usual = held if held and held is not new else before[0] if before else None
    old = _named(found, request.GET.get("from", "")) or usual
    text = queries.text_of(new.digest)
    said = {
        "name": name, "words": words_of(name), "versions": found, "new": new, "old": old, "held": held, "text": text,
        "lines": compared(queries.text_of(old.digest), text) if old and old is not new else (), "section": section_of(name),
        "job": jobs.latest("approve", new.digest), "another": _takes_another(store_in_use(), new, operator_of(request).email),
    }  # fmt: skip
    return show(request, "documents-one.html", said)


def _named(found: tuple[Kept, ...], digest: str) -> Kept | None:
    return next((kept for kept in found if digest and kept.digest.startswith(digest)), None)


@may(Role.EDITOR, post=Role.EDITOR)
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """A document being written, as a form or as its text; a post checks or submits it."""
    store = store_in_use()
    try:
        base = drafts.base(store, name, operator_of(request).email)
    except BadData as error:
        raise Http404 from error
    as_text = request.GET.get("as", request.POST.get("as", "")) == "text"
    if request.method != "POST":
        return show(request, "documents-edit.html", _page(store, name, base, base.text, as_text))
    text, began = _written(request, name, base.text, as_text), request.POST.get("began", "")
    if request.POST.get("do") == "submit":
        try:
            digest = drafts.submit(store, name, text, began, operator_of(request).email, moment.now())
        except (BadData, Refused) as error:
            said = {**_page(store, name, base, text, as_text), "error": error}
            return show(request, "documents-edit.html", said, status=400)
        note(request, "Submitted. Plans go by it once an approver has said yes.")
        return HttpResponseRedirect(f"{reverse('documents-one', args=[name])}?to={digest[:12]}")
    return show(request, "documents-edit.html", _page(store, name, base, text, as_text), status=200 if request.POST.get("do") else 400)


@may(Role.EDITOR, post=Role.EDITOR)
def check(request: HttpRequest, name: str) -> HttpResponse:
    """What is wrong with a document as it is being written, a piece of its page that answers at once."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("documents-edit", args=[name]))
    store = store_in_use()
    try:
        base = drafts.base(store, name, operator_of(request).email)
    except BadData as error:
        raise Http404 from error
    text = _written(request, name, base.text, request.POST.get("as") == "text")
    return show(request, "documents-check.html", _checked(store, name, base.text, text))


@may(Role.APPROVER, post=Role.APPROVER)
def approve(request: HttpRequest) -> HttpResponse:
    """A yes to a version: a job, because the rules may ask for a whole plan by it to be judged first."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("documents"))
    try:
        wanted = queries.version(request.POST.get("version", ""))
    except BadData as error:
        return show(request, "documents-refused.html", {"error": error}, status=400)
    by = operator_of(request).email
    if _takes_another(store_in_use(), next(one for one in versions(wanted.name) if one.digest == wanted.digest), by):
        own = Refused("this version lets more go without a yes, and you submitted it", "Another approver says yes to it.")
        return show(request, "documents-refused.html", {"error": own}, status=400)
    job = jobs.start("approve", [wanted.digest, "--by", by], by, moment.now())
    return HttpResponseRedirect(reverse("jobs-job", args=[job.key]))


def _takes_another(store: Settings, version: Kept, by: str) -> bool:
    """Whether somebody else says yes: of two approvers none alone widens what goes without a yes, as that would pass any plan."""
    if version.document != RULES or version.by != by or approvers() < 2:
        return False
    held = queries.approved(store).get(RULES)
    new, old = _autopilot(queries.text_of(version.digest)), _autopilot(queries.text_of(held)) if held else None
    return new is not None and (old is None or new.max_touches > old.max_touches or new.max_cost > old.max_cost)


def _autopilot(text: str) -> Autopilot | None:
    """What rules let go without a yes; None where nothing, or where they cannot be used and are refused for that."""
    try:
        given = read_once(text.encode()).value.get("autopilot")
        return None if given is None else Autopilot.model_validate(given)
    except (Unreadable, ValidationError):
        return None


def _page(store: Settings, name: str, base: drafts.Base, text: str, as_text: bool) -> dict[str, object]:
    try:
        fields: Group | None = form(schema_of(name), read_once(text.encode()))
    except Unreadable:
        fields = None
    return {
        "name": name, "words": words_of(name), "base": base, "text": text, "as_text": as_text or fields is None, "form": fields,
        "section": section_of(name), "size": SIZE, **_checked(store, name, base.text, text),
    }  # fmt: skip


def _checked(store: Settings, name: str, before: str, text: str) -> dict[str, object]:
    found = drafts.examine(store, name, text, moment.local_day(moment.now(), store.timezone))
    return {"findings": found.mine, "others": found.others, "errors": len(found.errors), "lines": compared(before, text), "name": name}


def _written(request: HttpRequest, name: str, before: str, as_text: bool) -> str:
    """The document as it was typed: browsers send a text's lines with a carriage return each."""
    if as_text:
        return "\n".join(request.POST.get("text", "").splitlines()) + "\n"
    given = {key: str(value) for key, value in request.POST.items()}
    return changed(before, typed(form(schema_of(name), read_once(before.encode())), given))


@cache
def schema_of(name: str) -> Schema:
    """The schema of a document's kind."""
    folder, _, file = name.rpartition("/")
    found: Schema = json.loads(schemas()[f"{folder.removesuffix('s') if folder else file.removesuffix('.yaml')}.json"])
    return found
