"""Files into history and ledger: facts, contacts, external ids, and the ledger's news back into history.

Knows nothing of file formats.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rekindle.errors import BadData
from rekindle.history.warehouse import Warehouse
from rekindle.ingest import Imported, QualityReport, import_files, replay
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.people.actions import record_contacts, record_external_ids
from rekindle.settings import Settings, Source


@dataclass(frozen=True, slots=True)
class How:
    """How files are to be read: one of a preset and a mapping, and whether they hold contacts alone."""

    preset: str | None = None
    mapping: Path | None = None
    contacts: bool = False


def take_in(
    settings: Settings, warehouse: Warehouse, files: Sequence[Path], how: How, now: datetime, dry_run: bool = False
) -> QualityReport:
    """Imports files: facts into history, contacts and external ids into the ledger.

    Args:
        settings: The store's.
        warehouse: Its open history.
        files: What to read.
        how: As what.
        now: The present.
        dry_run: Report only.

    Raises:
        BadData: A file cannot be used; nothing was changed.
    """
    taken = import_files(
        settings, warehouse, files, preset=how.preset, mapping=how.mapping, recorded_at=now, dry_run=dry_run,
        role="contacts" if how.contacts else "facts",
    )
    return taken.report if dry_run else _handed_on(settings, warehouse, taken, now)


def take_again(settings: Settings, warehouse: Warehouse, how: How, now: datetime) -> QualityReport:
    """Tries the parked rows again.

    Raises:
        BadData: Nothing is parked, or no row can be used yet.
    """
    return _handed_on(settings, warehouse, replay(settings, warehouse, preset=how.preset, mapping=how.mapping, recorded_at=now), now)


def _handed_on(settings: Settings, warehouse: Warehouse, taken: Imported, now: datetime) -> QualityReport:
    record_external_ids(taken.external_ids)
    if taken.contacts is not None:
        record_contacts(taken.contacts, now)
    close_cycle(settings, warehouse, now)
    return taken.report


def take_in_changed(settings: Settings, warehouse: Warehouse, now: datetime, dry_run: bool = False) -> tuple[QualityReport, ...]:
    """Imports every source of the store that has changed since it was last imported; a dry run reports only.

    Raises:
        BadData: A source cannot be used; those before it stay imported.
    """
    seen_file = settings.var / "sources.json"
    seen: dict[str, str] = json.loads(seen_file.read_text(encoding="utf-8")) if seen_file.is_file() else {}
    reports = []
    for source in settings.sources:
        digests = {path: _digest(path) for path in _paths(settings, source)}
        changed = [path for path, digest in digests.items() if seen.get(str(path)) != digest]
        if not changed:
            continue
        how = How(source.preset or None, settings.root / source.map if source.map else None, source.role == "contacts")
        reports.append(take_in(settings, warehouse, changed, how, now, dry_run))
        if dry_run:
            continue
        seen |= {str(path): digests[path] for path in changed}
        seen_file.write_text(json.dumps(seen, indent=1), encoding="utf-8")
    return tuple(reports)


def _paths(settings: Settings, source: Source) -> list[Path]:
    path = Path(source.file)
    found = [path] if path.is_absolute() else sorted(settings.root.glob(source.file))
    if not found or not all(one.is_file() for one in found):
        why = f"the source {source.file} of rekindle.toml is not there"
        raise BadData(why, "Put the file back, or mend or remove the entry in [[sources]].")
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
