"""Files whose columns Rekindle knows.

Knows nothing of mapping files. A preset is a mapping and, where columns alone do not say it, a rewriting of the file's text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import ibis.expr.types as ir

from rekindle.errors import BadData, UsageError
from rekindle.ingest.mapping import Source

PRESETS: dict[str, str] = {
    "online-retail": "rekindle.ingest.online_retail",
    "shopify-orders": "rekindle.ingest.shopify_orders",
    "contacts": "rekindle.ingest.contacts",
}
"""Name to the module that has its `PRESET`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of fact that is drawn from each file.

    Args:
        source: Makes the source for the file's columns: which of ours it has.
        shape: Rewrites the file's text before it is read.
        counted: Whether the quality report counts its rows; one step of a preset does.
    """

    source: Callable[[tuple[str, ...]], Source]
    shape: Callable[[ir.Table], ir.Table]
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Preset:
    """A known file.

    Args:
        name: Its key in `PRESETS`.
        needs: Columns that it always has.
        steps: What is drawn from it.
    """

    name: str
    needs: tuple[str, ...]
    steps: tuple[Step, ...]


def preset(name: str) -> Preset:
    """The preset of a name.

    Raises:
        UsageError: There is none.
    """
    if name not in PRESETS:
        raise UsageError(f"there is no preset '{name}'", f"Write one of {', '.join(PRESETS)}, or describe the file with --map.")
    found: Preset = import_module(PRESETS[name]).PRESET
    return found


def require_fit(wanted: Preset, present: tuple[str, ...], file: str) -> None:
    """Checks that a file has the columns of a preset.

    Raises:
        BadData: It does not; names what it misses and the preset that fits, if one does.
    """
    absent = [column for column in wanted.needs if column not in present]
    if not absent:
        return
    fitting = [other for other in PRESETS if preset(other).needs and set(preset(other).needs) <= set(present)]
    remedy = f"It fits --preset {fitting[0]}." if fitting else "Describe its columns in a mapping file: --map FILE (docs/import.md)."
    raise BadData(f"{file} does not fit the preset {wanted.name}: it has no column {', '.join(repr(one) for one in absent)}", remedy)
