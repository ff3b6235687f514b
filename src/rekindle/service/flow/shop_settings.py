"""The few settings that a person writes in the console: in rekindle.toml, whose other lines stay as they are.

Knows nothing of pages. A file that could not be read afterwards is never left behind.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from rekindle import settings
from rekindle.errors import StoreUnavailable
from rekindle.service.flow.insights import write_whole
from rekindle.settings import FILE_NAME, Settings

WRITABLE = ("name", "currency", "timezone", "brand.url", "sender.name", "sender.email", "sender.postal_address", "public_url")
"""What may be written, by its dotted name."""


def write(root: Path, wanted: Mapping[str, str]) -> Settings:
    """Writes settings; the store's as they are then.

    Args:
        root: The store's folder.
        wanted: Some of `WRITABLE` to their values.

    Raises:
        BadData: A value cannot be used; nothing was changed.
        StoreUnavailable: The file cannot be written.
    """
    path = root / FILE_NAME
    before = path.read_text(encoding="utf-8")
    text = before
    for name in WRITABLE:
        if name in wanted:
            text = _with(text, *name.rpartition(".")[::2], wanted[name])
    try:
        write_whole(path, text)
        return settings.load(root)
    except OSError as error:
        raise StoreUnavailable(f"cannot write {FILE_NAME}: {error.strerror}", "Make the store folder writable.") from error
    except Exception:
        write_whole(path, before)
        raise


def _with(text: str, table: str, key: str, value: str) -> str:
    """A TOML text with one string of a table in place of the one before, its comment kept; a table that is not there is added."""
    line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    start, end = _table(text, table)
    if start is None:
        return f"{text.rstrip()}\n\n[{table}]\n{line}\n"
    part = text[start:end]
    found = re.search(rf'^{key}[ \t]*=[ \t]*("(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')', part, re.MULTILINE)
    part = f"{part[: found.start()]}{line}{part[found.end() :]}" if found else f"{line}\n{part}"
    return text[:start] + part + text[end:]


def _table(text: str, name: str) -> tuple[int | None, int]:
    """Where the lines of a table begin and end; those without a table stand first."""
    heads = [(one.end() + 1, one.start(), one[1]) for one in re.finditer(r"^\[+([^\]\n]+)\]+[^\n]*$", text, re.MULTILINE)]
    places = [(0, ""), *((first, title) for first, _, title in heads)]
    ends = [*(start for _, start, _ in heads), len(text)]
    return next(((first, end) for (first, title), end in zip(places, ends, strict=True) if title == name), (None, 0))
