"""Writes what docs/programs.md and docs/schema say from the code: `PYTHONPATH=src:. python -m tests.program.documentation`."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from rekindle.program import documents, experiments, matrix, offer_kinds, offers, rules, stages, targets, triggers
from rekindle.program.catalogue.shipped import shipped
from rekindle.program.checking import assemble
from rekindle.program.fields import Entry, Named
from rekindle.program.vocabulary import BLOCKS, COLUMNS, FIRST_CONTENT, MOMENT_CONTENT, STAGE_CONTENT, VALUES

DOCS = Path(__file__).parents[2] / "docs"
KINDS = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "date": "day"}
MODELS: dict[str, type[Entry]] = {
    name: model
    for module in (documents, experiments, offers, rules, stages, targets, triggers)
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, Entry) and model is not Entry
}


def keys(name: str) -> list[str]:
    model = MODELS[name]
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for attribute, field in model.model_fields.items():
        key = field.alias or attribute
        if key != Named.KEY:
            rows.append(f"| `{key}` | {_default(field)} | {field.description} |")
    return rows


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, Entry | dict) or value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    days = field.alias and field.alias != "class" and isinstance(value, int)
    return f"`{value}d`" if days else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def columns() -> list[str]:
    rows = ["| column | kind | values |", "|---|---|---|"]
    return rows + [f"| `{name}` | {KINDS[kind]} | {', '.join(sorted(VALUES.get(name, ())))} |" for name, kind in COLUMNS.items()]


def contracts() -> list[str]:
    rows = ["| stage | needs |", "|---|---|"]
    for name, needs in STAGE_CONTENT.items():
        rows.append(f"| `{name}` | {', '.join(f'`{block}`' for block in BLOCKS if block in needs)} |")
    return rows


def moments() -> list[str]:
    rows = ["| program on | every stage needs | the first stage needs |", "|---|---|---|"]
    for moment in dict.fromkeys((*FIRST_CONTENT, *MOMENT_CONTENT)):
        every, first = (
            ", ".join(f"`{block}`" for block in BLOCKS if block in needs.get(moment, ())) for needs in (MOMENT_CONTENT, FIRST_CONTENT)
        )
        rows.append(f"| `{moment}` | {every} | {first} |")
    return rows


def blocks() -> list[str]:
    return ["| block | says |", "|---|---|"] + [f"| `{name}` | {about} |" for name, about in BLOCKS.items()]


def kinds() -> list[str]:
    rows = ["| kind | what it is | needs | may also state | price offer | has a code |", "|---|---|---|---|---|---|"]
    for name in offer_kinds.KINDS:
        kind = offer_kinds.kind(name)
        needs = [*(f"`{key}`" for key in kind.needs), *([" or ".join(f"`{key}`" for key in kind.one_of)] if kind.one_of else [])]
        also = ", ".join(f"`{key}`" for key in kind.allows)
        price, code = ("yes" if one else "no" for one in (kind.price, kind.redeemed))
        rows.append(f"| `{name}` | {kind.words} | {', '.join(needs)} | {also} | {price} | {code} |")
    return rows


PARTS: dict[str, Callable[[], list[str]]] = {
    "columns": columns, "contracts": contracts, "moments": moments, "blocks": blocks, "kinds": kinds,
}  # fmt: skip


def written(page: str) -> str:
    """The page with every marked table as the code has it."""

    def table(found: re.Match[str]) -> str:
        mark = found[1]
        rows = keys(mark.removeprefix("keys: ")) if mark.startswith("keys: ") else PARTS[mark]()
        return "\n".join([f"<!-- {mark} -->", *rows, "<!-- end -->"])

    return re.sub(r"<!-- ((?:keys: )?\w+) -->\n.*?<!-- end -->", table, page, flags=re.DOTALL)


def matrix_page() -> str:
    """docs/win-back-matrix.md, from the shipped documents."""
    texts = {path: text.encode() for path, text in shipped("Ada Example", "EUR", date(2026, 11, 22)).items()}
    held = assemble(texts)
    return matrix.page(held.program("win-back"), held.offers)


if __name__ == "__main__":
    (DOCS / "win-back-matrix.md").write_text(matrix_page(), encoding="utf-8")
    path = DOCS / "programs.md"
    path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
    for name, schema in documents.schemas().items():
        (DOCS / "schema" / name).write_text(schema, encoding="utf-8")
