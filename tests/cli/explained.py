"""The block of docs/explain.md that shows one customer of the small shop, and the draw that anyone can repeat."""

import hashlib
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
CUSTOMER = "LNoDslF7bLgO"


def block() -> list[str]:
    """The page's block of what the command prints."""
    found = re.search(r"^```\n(win-back .*?)\n```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1].splitlines()


def drawn(text: str) -> float:
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:13], 16) / 2**52
