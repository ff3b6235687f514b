"""A small shop for tests of the command line: 150 customers, one of whom has a formula for an id."""

from datetime import date, timedelta
from pathlib import Path

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


def make_store(folder: Path, *options: str) -> Path:
    """An empty store whose customer ids are always the same."""
    key = folder / "var" / "identity.key"
    key.parent.mkdir(parents=True)
    key.touch(mode=0o600)
    key.write_text(KEY, encoding="ascii")
    done("init", folder, "--name", "Corner", *options)
    return folder


def files(folder: Path) -> set[str]:
    """Every file of a folder, by path relative to it; databases' own side files apart."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix not in {".wal", ".tmp"}}
