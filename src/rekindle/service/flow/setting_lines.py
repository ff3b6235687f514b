"""Which line of rekindle.toml a sentence about a setting means, and what `check` says of settings that cannot be used.

Knows nothing of what the settings are.
"""

import re
from collections import Counter
from pathlib import Path

from rekindle.program.checking import Finding
from rekindle.settings import FILE_NAME, Settings, WrongSettings

_NAMED = re.compile(r"[a-z_]+(?:\.[a-z_0-9]+)+")
_TABLE = re.compile(r"\[{1,2}\s*([\w.]+)\s*\]")
_KEY = re.compile(r"([\w.]+)\s*=")


def line_for(settings: Settings, sentence: str, otherwise: str) -> int:
    """The line of the setting that a sentence begins with.

    Args:
        settings: Of a store folder.
        sentence: Such as `smtp.password: no secret at 'env:NAME'`.
        otherwise: The table that is meant where the sentence names no setting, or one that no line has.

    Returns:
        The line that writes it, or else its table's; 1 where there is none.
    """
    text = (settings.root / FILE_NAME).read_text(encoding="utf-8")
    named = _NAMED.match(sentence)
    return (named and _line(text, named[0])) or _line(text, otherwise) or 1


def examined(root: Path, wrong: WrongSettings) -> tuple[Finding, ...]:
    """What `check` says of settings that cannot be used.

    Args:
        root: The store's folder.
        wrong: What is wrong with them.
    """
    text = (root / FILE_NAME).read_text(encoding="utf-8", errors="replace")
    said = [(": ".join(filter(None, (one.setting, one.why))), one) for one in wrong.wrong]
    return tuple(
        Finding(FILE_NAME, one.line or _line(text, one.setting) or 1, "setting", message, one.remedy) for message, one in said
    )


def _line(text: str, setting: str) -> int:
    r"""The line of the longest name that is the setting's or a table's around it; 0 where there is none.

    >>> _line('name = "x"\n[smtp]\nhost = "h"\n[provider]\noptions = {key = "env:X"}', "provider.options.key")
    5
    >>> _line('[[sources]]\nfile = "a"\n[[sources]]\nfile = "b"\nrole = "x"', "sources.1.role")
    5
    """
    table, longest, line, listed = "", 0, 0, Counter[str]()
    for number, row in enumerate(text.splitlines(), 1):
        if head := _TABLE.match(row.strip()):
            table = name = f"{head[1]}.{listed[head[1]]}" if row.strip().startswith("[[") else head[1]
            listed[head[1]] += 1
        elif key := _KEY.match(row.strip()):
            name = f"{table}.{key[1]}" if table else key[1]
        else:
            continue
        if len(name) > longest and f"{setting}.".startswith(f"{name}."):
            longest, line = len(name), number
    return line
