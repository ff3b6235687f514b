"""How files become facts, contacts and a quality report.

Knows nothing of the ledger: contacts and external ids are handed back for it. Everything of one call is written, or nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import ibis.expr.types as ir
import pyarrow as pa

from rekindle.errors import BadData, UsageError
from rekindle.history.warehouse import Warehouse
from rekindle.ingest import mapping as mappings
from rekindle.ingest import presets
from rekindle.ingest.identity import identity_key
from rekindle.ingest.mapping import Source
from rekindle.ingest.parked import park, park_unreadable, parking, waiting
from rekindle.ingest.quality import QualityReport
from rekindle.ingest.readers import Reading, read
from rekindle.ingest.rules import Court
from rekindle.ingest.writing import EXTERNAL_IDS, Item, Writing
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to.

    Args:
        report: Its counts.
        contacts: People for the ledger, in the columns of `CONTACTS`; None where no file had any.
        external_ids: All customers seen, in the columns of `EXTERNAL_IDS`.
    """

    report: QualityReport
    contacts: pa.Table | None
    external_ids: pa.Table


class _Rehearsed(Exception):
    """Nothing is to be kept: undoes the transaction of a dry run."""


def import_files(  # noqa: PLR0913  all but the first three say which files and how
    settings: Settings,
    warehouse: Warehouse,
    files: Sequence[Path],
    *,
    preset: str | None = None,
    mapping: Path | None = None,
    recorded_at: datetime,
    dry_run: bool = False,
    role: Literal["facts", "contacts"] = "facts",
) -> Imported:
    """Imports files: facts into history, in one transaction; contacts are returned.

    Args:
        settings: The store's.
        warehouse: Its open history.
        files: What to read; with a mapping that names files and an empty list, the mapping's own, beside it.
        preset: A name of `presets.PRESETS`.
        mapping: A mapping file.
        recorded_at: The present, aware; times over a day later are rejected.
        dry_run: Report only.
        role: `contacts` reads the files as people, without a preset or mapping.

    Raises:
        UsageError: Neither preset nor mapping, or both.
        BadData: A file cannot be read, does not fit, or has no usable row; nothing was changed.
    """
    if role == "contacts" and mapping is None:
        preset = "contacts"
    how = _how(preset, mapping)
    paths = tuple(files) or _own_files(mapping)
    if not paths:
        raise UsageError("no file to import", "Name one or more files.")
    return _import(settings, warehouse, recorded_at, _items(settings, warehouse, how, paths), dry_run)


def replay(
    settings: Settings, warehouse: Warehouse, *, preset: str | None = None, mapping: Path | None = None, recorded_at: datetime
) -> Imported:
    """Tries the parked rows again, after a mapping or a setting was mended; those that are taken leave `var/parked`.

    Raises:
        UsageError: Neither preset nor mapping, or both.
        BadData: Nothing is parked for it, or no row can be used yet; nothing was changed.
    """
    how = _how(preset, mapping)
    return _import(settings, warehouse, recorded_at, _parked_items(settings, warehouse, how), dry_run=False)


def _how(preset: str | None, mapping: Path | None) -> presets.Preset | mappings.Mapping:
    if (preset is None) == (mapping is None):
        names = " or ".join(presets.PRESETS)
        raise UsageError("an import needs a preset or a mapping file, and not both", f"Write --preset {names}, or --map FILE.")
    return mappings.load(mapping) if mapping is not None else presets.preset(str(preset))


def _own_files(mapping: Path | None) -> tuple[Path, ...]:
    if mapping is None:
        return ()
    names = [source.file for source in mappings.load(mapping).sources if source.file]
    return tuple(path for name in names for path in sorted(mapping.parent.glob(name)) or [mapping.parent / name])


def _items(settings: Settings, warehouse: Warehouse, how: presets.Preset | mappings.Mapping, paths: Sequence[Path]) -> list[Item]:
    items: list[Item] = []
    for path in dict.fromkeys(paths):
        reading = read(warehouse, path)
        found = [
            Item(parking(settings.var, path, step.source.kind), step.source, replace(reading, rows=step.rows), reading, step.counted)
            for step in _steps(how, reading, reading.file)
        ]
        if not found:
            raise BadData(f"no source of the mapping takes {path.name}", "Give a source this file's name, or none to take every file.")
        items += found
    return items


def _parked_items(settings: Settings, warehouse: Warehouse, how: presets.Preset | mappings.Mapping) -> list[Item]:
    items = []
    for place in waiting(settings.var):
        reading = read(warehouse, place.path)
        items += [
            Item(place, step.source, replace(reading, rows=step.rows), reading, step.counted)
            for step in _steps(how, reading, place.name)
            if step.source.kind == place.kind or not step.counted
        ]
    if not items:
        raise BadData(f"no rows are parked under {settings.var} for this", "Import files first; docs/import.md says when rows are parked.")
    return items


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A source and the rows that it reads."""

    source: Source
    rows: ir.Table
    counted: bool


def _steps(how: presets.Preset | mappings.Mapping, reading: Reading, name: str) -> list[_Drawn]:
    if isinstance(how, mappings.Mapping):
        sources = [source for source in how.sources if source.takes(name)]
        for source in sources:
            mappings.require_columns(source, reading.columns, name)
        return [_Drawn(source, reading.rows, counted=True) for source in sources]
    presets.require_fit(how, reading.columns, name)
    return [_Drawn(step.source(reading.columns), step.shape(reading.rows), step.counted) for step in how.steps]


def _import(settings: Settings, warehouse: Warehouse, recorded_at: datetime, items: list[Item], dry_run: bool) -> Imported:
    writing = Writing(settings, warehouse, Court(settings, identity_key(settings.var), recorded_at))
    try:
        with warehouse.transaction():
            writing.run(items)
            imported = _imported(writing, writing.report())
            if dry_run:
                raise _Rehearsed  # noqa: TRY301  leaving the block by an exception is what undoes it
            return replace(imported, report=replace(imported.report, parked=_park(writing)))
    except _Rehearsed:
        return imported


def _park(writing: Writing) -> tuple[str, ...]:
    parked = []
    for item, judged in writing.judged:
        parked.append(park(writing.warehouse, item.place, item.original, judged))
        parked.append(park_unreadable(writing.warehouse, item.place, item.original))
    return tuple(path.relative_to(writing.settings.root).as_posix() for path in parked if path is not None)


def _imported(writing: Writing, report: QualityReport) -> Imported:
    contacts = pa.concat_tables(writing.contacts) if writing.contacts else None
    external_ids = pa.concat_tables([EXTERNAL_IDS.empty_table(), *writing.external_ids])
    return Imported(report, contacts, external_ids.group_by(EXTERNAL_IDS.names).aggregate([]).select(EXTERNAL_IDS.names))
