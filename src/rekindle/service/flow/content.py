"""Where a store's content comes from: its own folder, and what ships with Rekindle before that.

Knows nothing of recipients.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rekindle.deliver.templates import TemplateSet
from rekindle.errors import BadData, StoreUnavailable

FACTS_FILE = "facts.yaml"


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


def registered_facts(templates: TemplateSet) -> dict[str, str | dict[str, str]]:
    """What the shop has registered as true in `content/facts.yaml`: name to text, or to a text for each category; empty ones left out.

    Raises:
        BadData: The file is not a table.
    """
    try:
        stated = YAML(typ="safe").load(templates.texts.get(FACTS_FILE, "")) or {}
    except YAMLError as error:
        raise BadData(f"content/{FACTS_FILE} is not YAML: {error}", "Mend the line it names.") from error
    if not isinstance(stated, dict):
        raise BadData(f"content/{FACTS_FILE} is not a table of facts", "Write lines such as: returns_policy: ...")
    return {str(name): _said(text) for name, text in stated.items() if text}


def _said(text: object) -> str | dict[str, str]:
    if isinstance(text, dict):
        return {str(category): str(one).strip() for category, one in text.items() if one}
    return str(text).strip()


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _walk(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry.read_text(encoding="utf-8")


