"""Documentation is a test: what the code has is documented, and what is documented the code has."""

import inspect
import re
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from rekindle import errors, settings
from tests.cli_reference import reference

ROOT = Path(__file__).parents[1]
WORDS = """
    customer, order, order line, product, seller, event, history, ledger, profile, lapse, lifecycle stage, cause, persona tag, value tier,
    segment, program, stage, episode, offer, arm, context, decision, touch, holdout, control, guardrail, lift, journal, rules, policy
"""


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def rows(name: str) -> dict[str, list[str]]:
    """The rows of a page's tables by their first cell, without its backquotes."""
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in page(name).splitlines() if line.startswith("| ")]
    return {first.strip("`"): rest for first, *rest in cells}


def defaults(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """A table's settings by dotted name, with their defaults as TOML writes them."""
    found = {}
    for name, field in model.model_fields.items():
        table = next((one for one in (field.annotation, *getattr(field.annotation, "__args__", ())) if is_table(one)), None)
        if table is not None:
            found |= defaults(table, f"{prefix}{name}.")
        elif field.default is PydanticUndefined:
            found[prefix + name] = "required"
        else:
            plain = isinstance(field.default, Decimal | int | tuple | dict)
            shown = list(field.default) if isinstance(field.default, tuple) else field.default
            shown = str(shown).lower() if isinstance(shown, bool) else shown
            found[prefix + name] = f"`{shown}`" if plain else f'`"{shown}"`'
    return found


def is_table(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def test_every_setting_is_documented_with_its_default() -> None:
    documented = {name: cells[0] for name, cells in rows("settings.md").items() if len(cells) == 2 and name != "setting"}
    expected = defaults(settings.Settings)
    assert expected.pop("root") == "required"  # the folder itself
    assert documented == expected


def test_every_environment_variable_is_documented() -> None:
    loading = inspect.getsource(settings.load)
    keys = re.search(r'for key in \(([^)]*)\):\n.*REKINDLE_\{key\.upper\(\)\}', loading)
    assert keys is not None
    names = {f"REKINDLE_{key.upper()}" for key in re.findall(r'"(\w+)"', keys[1])}
    assert set(re.findall(r"REKINDLE_\w+", page("settings.md"))) == names


def test_every_error_is_documented_with_its_exit_code() -> None:
    defined = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    documented = {name: cells[0] for name, cells in rows("errors.md").items() if name != "error"}
    assert documented == {name: str(kind.exit_code) for name, kind in defined.items()}
    assert "`CannotTell`" in page("errors.md")


def test_every_word_of_the_design_is_in_the_glossary_once() -> None:
    first_cells = re.findall(r"^\| ([^|]+) \|", page("glossary.md"), re.MULTILINE)
    words = [word for word in first_cells if word != "word"]
    assert len(words) == len(set(words))
    assert [word.strip() for word in WORDS.split(",") if word.strip() not in words] == []


def test_every_decision_is_listed() -> None:
    files = {path.name for path in (ROOT / "docs" / "adr").glob("0*.md")}
    assert set(re.findall(r"\]\((0.*?\.md)\)", page("adr/README.md"))) == files


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    links = [(path, link) for path in pages for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))]
    assert [f"{path.name}: {link}" for path, link in links if "://" not in link and not (path.parent / link).exists()] == []


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert page("cli.md") == reference(), "write it again with: make docs"


def test_a_page_about_content_lists_each_file_once() -> None:
    files = re.findall(r"^\| (`[^|]+`) \|", page("content.md").split("## Looking")[0], re.MULTILINE)
    assert len(files) == len(set(files)) > 5


def test_every_table_of_what_was_learned_begins_with_its_heads() -> None:
    """A row after a blank line would be no row of the table above."""
    lines = page("learn.md").splitlines()
    first = [number for number, line in enumerate(lines) if line.startswith("|") and not lines[number - 1].startswith("|")]
    assert len(first) > 3
    assert all(lines[number + 1].startswith("|---") for number in first)
