"""Programs whose numbers cannot be believed: what `learn` found wrong with each when it was last published.

Knows nothing of how it is found, nor of what is not done meanwhile.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

REMEDY = "Find out why first: rekindle learn shows all of it."


def standing(var: Path) -> dict[str, tuple[str, ...]]:
    """Program to what is wrong with it, each a clause; programs with nothing wrong are left out, and the holdout is no program.

    Args:
        var: Where the store's files lie.
    """
    path = max((var / "learn").glob("*.json"), default=None)
    if path is None:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for program, words in _told(json.loads(path.read_text(encoding="utf-8"))):
        found[program] = (*found.get(program, ()), words)
    return found


def _told(learned: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in learned.get("srm", ()):
        if one["alarm"] and one["program"]:
            seen = f"{one['seen']:,} of {one['counted']:,}"
            yield one["program"], f"its {one['group']} has {seen}, where the draw gives {one['expected']:,.0f}"
    for program, messages in learned.get("leaks", {}).items():
        yield program, f"{messages:,} of its messages went to customers who were to have none"
    for one in learned["programs"]:
        if one.get("reversed_by"):
            by = ", ".join(one["reversed_by"])
            yield one["program"], f"over everybody its margin has the other sign than among like customers ({by})"
