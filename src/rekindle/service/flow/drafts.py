"""A document as somebody writes it: what is wrong with it beside the approved ones, and its submission as a version.

Knows nothing of pages. Looking at a draft changes nothing; what is submitted waits for a person's yes.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from rekindle import moment
from rekindle.errors import BadData, Refused
from rekindle.moment import local_day
from rekindle.program import checking, editing
from rekindle.program.catalogue.shipped import shipped
from rekindle.program.checking import Finding
from rekindle.program.reading import folder
from rekindle.service.flow import documents, order_margins
from rekindle.service.flow.document_versions import versions
from rekindle.service.programs import actions, queries
from rekindle.service.programs.models import Document
from rekindle.settings import Settings

EXPERIMENT = re.compile(r"experiments/([a-z][a-z0-9-]{0,39})[.]yaml")
BEGINNING = """# What is to be found out, written down before it begins. docs/experiments.md explains every key.
experiment: {name}
owner: {owner}                           # a person; approval is refused while it is empty
hypothesis: "A sentence that can turn out wrong."
program: {program}
stage: {stage}
arms: [{arm}]                            # variants of the step that are compared
against: nothing                         # or another of its variants
metric: margin                           # margin, spend, orders or retained; opens and clicks decide nothing
size: 500                                # decisions of each
looks: 4                                 # how often it is looked at, evenly up to its size
"""

_TICK = timedelta(microseconds=1)
"""A version is noted after every earlier one of its document, though the clock of a simulated store stands still."""


@dataclass(frozen=True, slots=True)
class Base:
    """What an edit begins from.

    Args:
        digest: The version; empty where the document is not there yet.
        text: Its text; what a new one may begin with where there is none yet.
        approved: Whether plans go by it.
    """

    digest: str
    text: str
    approved: bool


@dataclass(frozen=True, slots=True)
class Examined:
    """What is wrong with a draft.

    Args:
        mine: Findings in the document itself.
        others: Findings that other documents have beside it and did not have before.
    """

    mine: tuple[Finding, ...]
    others: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What keeps it from being used."""
        return tuple(one for one in (*self.mine, *self.others) if one.severity == "error")


def base(settings: Settings, name: str, owner: str = "") -> Base:
    """The version of a document that was submitted last, approved or not.

    Args:
        settings: The store's; its ledger is in use.
        name: The document's, such as `programs/win-back.yaml`.
        owner: Who is to answer for one that is not there yet.

    Raises:
        BadData: There is no such document.
    """
    found = versions(name)
    if not found:
        return Base("", _first(settings, name, owner), approved=False)
    held = queries.approved(settings).get(name)
    return Base(found[0].digest, Document.objects.get(pk=found[0].digest).text, found[0].digest == held)


def _first(settings: Settings, name: str, owner: str) -> str:
    """What a document that is not there yet may begin with: what ships under its name, or an experiment to be filled in.

    Raises:
        BadData: There is no such document, and nothing to begin one with.
    """
    asked = EXPERIMENT.fullmatch(name)
    if asked and queries.approved(settings):
        program = documents.approved(settings).lead
        stage = program.stages[0]
        return BEGINNING.format(name=asked[1], owner=editing.written(owner), program=program.name, stage=stage.name, arm=stage.arms[0].name)
    text = shipped(owner, settings.currency, local_day(moment.now(), settings.timezone)).get(name)
    if text is None:
        raise BadData(f"there is no document {name}", "Submit the folder's documents with: rekindle submit")
    return text


def examine(settings: Settings, name: str, text: str, today: date | None) -> Examined:
    """Examines a draft as `rekindle check` would that found it beside the approved documents.

    Args:
        settings: The store's; its ledger is in use.
        name: The document's.
        text: What somebody wrote.
        today: The store's day; None where reviews that are overdue do not matter.
    """
    held, earns = beside(settings), order_margins.earnings(settings)
    question = checking.Question(float(settings.margin), settings.currency, approving=True, today=today, earns=earns)
    found = checking.examine({**held, name: text.encode()}, question).findings
    mine = tuple(one for one in found if one.file == name)
    if len(mine) == len(found):
        return Examined(mine, ())
    before = {_same(one) for one in checking.examine(held, question).findings}
    return Examined(mine, tuple(one for one in found if one.file != name and _same(one) not in before))


def submit(settings: Settings, name: str, text: str, began: str, by: str, at: datetime) -> str:
    """Submits a draft that can be used, and returns its version.

    Args:
        settings: The store's; its ledger is in use.
        name: The document's.
        text: What somebody wrote.
        began: The version that they began from.
        by: Who.
        at: When.

    Raises:
        BadData: It cannot be used; the first mistake is named.
        Refused: It says nothing new, or somebody submitted another version since it was begun.
    """
    latest = versions(name)
    if latest and latest[0].digest != began:
        said = f"another version of {name} was submitted while this one was written" + (f", by {latest[0].by}" if latest[0].by else "")
        raise Refused(said, "Look at what changed, and bring your change into the newer one.")
    if errors := examine(settings, name, text, today=None).errors:
        raise BadData(f"{errors[0].file}, line {errors[0].line}: {errors[0].message}", errors[0].remedy)
    if latest and Document.objects.get(pk=began).text == text:
        raise Refused("the text is that of the version that it began from", "Change something first.")
    after = max([at, *(one.at + _TICK for one in latest[:1])])
    wanted = actions.Submission(name, name.partition("/")[0].removesuffix(".yaml"), text, by)
    digest = actions.submit([wanted], after)[0]
    if versions(name)[0].digest != digest:
        raise Refused("an earlier version says the very same", f"Go back to it: approve version {digest[:12]}.")
    return digest


def pull(settings: Settings, name: str = "", dry_run: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Writes approved versions into the store folder; a file that says what the ledger does not know stays as it is.

    Args:
        settings: The store's; its ledger is in use.
        name: The one document; all where left empty.
        dry_run: Whether nothing is written.

    Returns:
        Names of the files that were written, and of those that were left alone.
    """
    held = {one: digest for one, digest in queries.approved(settings).items() if name in ("", one)}
    here, changed = documents.texts(settings.root), documents.unsubmitted(settings)
    differ = [one for one in held if one not in here or one in changed]
    known = set(Document.objects.filter(name__in=differ).values_list("name", "text"))
    written = [one for one in differ if one not in here or (one, here[one]) in known]
    for one in () if dry_run else written:
        path = settings.root / one
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(queries.text_of(held[one]), encoding="utf-8")
    return tuple(written), tuple(one for one in differ if one not in written)


def beside(settings: Settings) -> dict[str, bytes]:
    """What a draft is examined beside: the approved documents; before anything is approved, the folder's."""
    held = queries.approved(settings)
    if not held:
        return folder(settings.root)[0]
    return {name: _text(digest) for name, digest in held.items()}


@lru_cache(maxsize=200)
def _text(digest: str) -> bytes:
    """A version's text, which never changes."""
    return queries.text_of(digest).encode()


def _same(one: Finding) -> tuple[str, str, str]:
    """A finding without its line."""
    return one.file, one.rule, one.message
