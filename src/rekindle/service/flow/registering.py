"""A fix that a shop registers: what was mended, for which cause, and what proves it; messages may state it from then on.

Knows nothing of pages. What is registered goes into content/facts.yaml, whose other lines stay as they are.
"""

from dataclasses import dataclass
from datetime import date
from typing import get_args

from rekindle.deliver.claims import Fix, Mishap
from rekindle.deliver.templates import TemplateSet
from rekindle.errors import BadData, StoreUnavailable
from rekindle.program.editing import changed
from rekindle.program.lint import examine
from rekindle.program.reading import Value, read
from rekindle.service.flow import linting
from rekindle.service.flow.content import FACTS, FACTS_FILE, load_content, registered_facts
from rekindle.service.flow.insights import write_whole
from rekindle.settings import Settings

CAUSES: tuple[str, ...] = get_args(Mishap)
"""The causes that a fix can answer: registered events alone."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fix as somebody writes it.

    Args:
        cause: One of `CAUSES`.
        text: What messages state, a whole sentence.
        evidence: Where anyone of the shop can look it up; never stated.
        since: The first day on which it is stated.
    """

    cause: str
    text: str
    evidence: str
    since: date


def fixes(settings: Settings) -> tuple[Fix, ...]:
    """The fixes that are registered.

    Raises:
        BadData: content/facts.yaml cannot be used.
    """
    return registered_facts(load_content(settings.root)).fix


def register(settings: Settings, wanted: Wanted) -> None:
    """Writes a fix beside those that are there; nothing is written where it, or what messages become by it, has a mistake.

    Args:
        settings: The store's.
        wanted: The fix.

    Raises:
        BadData: It cannot be stated so.
        StoreUnavailable: The file cannot be written.
    """
    templates = load_content(settings.root)
    text = _with(templates.texts.get(FACTS_FILE, ""), wanted)
    mended = TemplateSet({**templates.texts, FACTS_FILE: text})
    registered_facts(mended)
    asked = linting.asked(settings)
    before = {(one.rule, one.message) for one in examine(templates.texts, asked).findings}
    new = [one for one in examine(mended.texts, asked).findings if one.severity == "error" and (one.rule, one.message) not in before]
    if new:
        raise BadData(new[0].message, new[0].remedy)
    try:
        write_whole(settings.root / FACTS, text)
    except OSError as error:
        raise StoreUnavailable(f"cannot write {FACTS}: {error.strerror}", "Make the store folder writable.") from error


def _with(text: str, wanted: Wanted) -> str:
    said: dict[str, Value] = {"text": wanted.text, "cause": wanted.cause, "evidence": wanted.evidence, "from": wanted.since.isoformat()}
    held = read(text.encode()).value.get("fix") if text.strip() else None
    before = held if isinstance(held, list) else [held] if held else []
    return changed(text or "fix: []\n", {("fix",): [*before, said]})
