"""A small shop for tests of the command line: 150 customers, one of whom has a formula for an id."""

from collections.abc import Callable, Collection
from datetime import date, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

from rekindle.program.catalogue.shipped import SHIPPED
from tests.cli.terminal import done

KEY = "5a" * 32
"""The key of customer ids, so that every draw comes out alike on every run."""
AS_OF = "2026-02-01"
FORMULA = "=HYPERLINK(1)"
CUSTOMERS = 150
MAPPING = """\
sources:
  - kind: orders
    columns: {customer_id: buyer, ordered_at: day, total: paid}
"""


def buyer(number: int) -> str:
    return FORMULA if number == 5 else f"buyer-{number}"


def write_orders(path: Path) -> Path:
    """Orders in each customer's own rhythm, until they stop."""
    rows = ["buyer,day,paid"]
    for number in range(CUSTOMERS):
        first, gap = date(2025, 1, 1) + timedelta(days=number * 7 % 180), 15 + number * 13 % 30
        rows += [f"{buyer(number)},{first + timedelta(days=gap * order)},{20 + number % 50}.50" for order in range(1 + number % 6)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def write_contacts(path: Path) -> Path:
    """An e-mail address of everybody; two of three have agreed to hear from the shop."""
    rows = ["customer_id,email,first_name,email_consent,consent_at,consent_source"]
    agreed = ["no" if n % 3 == 0 else "yes" for n in range(CUSTOMERS)]
    rows += [f"{buyer(n)},person{n}@mail.example,Ada{n},{agreed[n]},2025-01-01T00:00:00Z,signup" for n in range(CUSTOMERS)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def write_mapping(path: Path) -> Path:
    path.write_text(MAPPING, encoding="utf-8")
    return path


def make_store(folder: Path, *options: str, programs: Collection[str] = ("win-back",)) -> Path:
    """An empty store whose customer ids are always the same, with these of the shipped programs: a plan's time grows with them."""
    key = folder / "var" / "identity.key"
    key.parent.mkdir(parents=True)
    key.touch(mode=0o600)
    key.write_text(KEY, encoding="ascii")
    kept = {path: file for path, file in SHIPPED.items() if not path.startswith("programs/") or Path(path).stem in programs}
    catalogue = import_module("rekindle.program.catalogue.shipped")
    own_targets = partial(_filled_for, programs, catalogue._filled)
    with patch.dict(SHIPPED, kept, clear=True), patch.object(catalogue, "_filled", own_targets):
        done("init", folder, "--name", "Corner", *options)
    return folder


def _filled_for(programs: Collection[str], filled: Callable[..., str], file: str, *rest: object) -> str:
    """A shipped text; of the targets those of these programs and of the store."""
    lines = filled(file, *rest).splitlines()
    kept = [line for line in lines if "program: " not in line or any(f"program: {name}," in line for name in programs)]
    return "\n".join(kept if file == "targets.yaml" else lines) + "\n"


def files(folder: Path) -> set[str]:
    """Every file of a folder, by path relative to it; databases' own side files apart."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix not in {".wal", ".tmp"}}


def write(path: Path, before: str, after: str) -> int:
    """Replaces a text once in a file of the store, and says in which line it stood."""
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return text[: text.index(before)].count("\n") + 1
