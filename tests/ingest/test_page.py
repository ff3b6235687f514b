"""The page on importing names every kind, every column and every reason, and its mappings can be loaded."""

import re
from pathlib import Path

from rekindle.cli.importing import import_
from rekindle.ingest.kinds import KINDS
from rekindle.ingest.mapping import load
from rekindle.ingest.rules import REASONS

PAGE = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")


def table(header: str) -> dict[str, str]:
    rows = PAGE.partition(header)[2].partition("\n\n")[0].splitlines()[2:]
    return {cells[1].strip(): cells[2] for cells in (row.split("|") for row in rows)}


def test_every_kind_and_column_is_on_the_page() -> None:
    told = table("| kind | columns (bold: needed) |")
    assert set(told) == set(KINDS)
    for name, kind in KINDS.items():
        assert [column for column in kind.fields if not re.search(rf"\b{column}\b", told[name])] == [], name


def test_every_reason_is_on_the_page_in_its_order() -> None:
    assert list(table("| reason | the row | what to do |")) == list(REASONS)


def test_the_help_names_every_kind() -> None:
    assert [kind for kind in KINDS if not re.search(rf"\b{kind}\b", import_.__doc__ or "")] == []


def test_the_mappings_on_the_page_can_be_loaded(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) > 1
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        assert load(path).sources
