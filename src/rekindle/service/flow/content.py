"""Where a store's content comes from: its own folder, and what ships with Rekindle before that.

Knows nothing of recipients.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from rekindle.deliver.claims import Registry
from rekindle.deliver.family import strays
from rekindle.deliver.templates import TemplateSet
from rekindle.errors import BadData, StoreUnavailable
from rekindle.program.checking import Finding
from rekindle.program.reading import Unreadable, read_once
from rekindle.program.validating import validate
from rekindle.service.flow import landing_words

FACTS_FILE = "facts.yaml"
FACTS = f"content/{FACTS_FILE}"
_PAGES = "docs/programs.md", "docs/content.md"
"""Whose page a remedy names, and whose it is here."""


@cache
def shipped_content() -> TemplateSet:
    """The content that ships with Rekindle."""
    return TemplateSet(dict(_walk(files("rekindle.deliver") / "content", "")))


def scaffold_content(root: Path) -> int:
    """Copies the shipped content into a store's `content/`; a file that is there stays. Returns how many were written."""
    written = 0
    for name, text in shipped_content().texts.items():
        path = root / "content" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written += 1
    return written


def load_content(root: Path) -> TemplateSet:
    """A store's content, and what ships where the store has no file of its own, such as for a program that is newer than the store."""
    folder, shipped = root / "content", shipped_content()
    if not folder.is_dir():
        return shipped
    try:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in (".mjml", ".txt", ".yaml"))
        return TemplateSet({**shipped.texts, **{path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}})
    except UnicodeDecodeError as error:
        raise BadData(f"{folder}: a file is not UTF-8: {error}", "Save it as UTF-8.") from error
    except OSError as error:
        raise StoreUnavailable(f"cannot read {folder}: {error.strerror}", "Check the folder's permissions.") from error


def registered_facts(templates: TemplateSet) -> Registry:
    """What the shop has registered as true in `content/facts.yaml`.

    Raises:
        BadData: The file cannot be used; names the line and the remedy of the first mistake.
    """
    registry, findings = _registry(templates)
    if findings:
        first = findings[0]
        raise BadData(f"{first.file}:{first.line}: {first.message}", first.remedy)
    return registry


def content_findings(templates: TemplateSet) -> tuple[Finding, ...]:
    """What is wrong in a store's content apart from how it is worded: claims without evidence, variants that state another offer."""
    astray = (Finding(f"content/{one.path}", 1, "family-strays", one.why, one.remedy) for one in strays(templates))
    landings = landing_words.examined(templates.texts.get(Path(landing_words.FILE).name, ""))[1]
    return (*_registry(templates)[1], *astray, *landings)


def _registry(templates: TemplateSet) -> tuple[Registry, tuple[Finding, ...]]:
    text = templates.texts.get(FACTS_FILE, "")
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return Registry(), ()
    try:
        reading = read_once(text.encode())
    except Unreadable as error:
        return Registry(), (Finding(FACTS, error.line, "yaml", error.why, error.remedy),)
    found = validate(Registry, reading)
    findings = (Finding(FACTS, reading.line(one.path), one.rule, one.why, one.remedy.replace(*_PAGES)) for one in found.mistakes)
    return found.entry or Registry(), tuple(findings)


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _walk(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry.read_text(encoding="utf-8")


