"""A store folder's documents to break in one place at a time."""

import re
from datetime import date
from pathlib import Path

from rekindle.program.catalogue import scaffold
from rekindle.program.checking import Finding, check

WIN_BACK = "programs/win-back.yaml"
TODAY = date(2026, 11, 22)
CREDIT = "share_of_margin: 0.10, "
"""What the credit of tests is worth, whatever that of the catalogue is."""


class Store:
    """A scaffolded store folder, with win-back alone of its programs and no targets, so that a mistake is found once."""

    def __init__(self, root: Path, owner: str = "Ada Example", currency: str = "EUR") -> None:
        self.root = root
        for path in scaffold(root, owner, currency, TODAY):
            if path.name == "targets.yaml" or (path.parent.name == "programs" and path != root / WIN_BACK):
                path.unlink()
        offers = root / "offers.yaml"
        text = offers.read_text(encoding="utf-8")
        offers.write_text(re.sub(r'("A credit for your next order", ).*(cap: 10\.00)', rf"\1{CREDIT}\2", text), encoding="utf-8")

    def change(self, old: str, new: str, file: str = WIN_BACK) -> int:
        """Replaces the one place that holds a text and returns its line; several places are a mistake of the test."""
        text = (self.root / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        (self.root / file).write_text(text.replace(old, new), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    def findings(self) -> list[Finding]:
        return list(check(self.root))

    def rules(self) -> list[tuple[int, str]]:
        """Line and rule of every finding."""
        return [(one.line, one.rule) for one in self.findings()]
