"""A store to import into, and the words to look at it with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import ibis
import pytest

from rekindle import ingest
from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.settings import Settings

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@dataclass
class Shop:
    settings: Settings
    warehouse: Warehouse
    folder: Path

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(self, *files: Path, preset: str | None = None, mapping: Path | None = None, **options) -> ingest.Imported:
        return ingest.import_files(
            options.pop("settings", self.settings), self.warehouse, files, preset=preset, mapping=mapping, recorded_at=NOW, **options
        )

    def rows(self, name: str, *columns: str) -> list[tuple]:
        table = self.warehouse.current(name)
        found = self.warehouse.arrow(table.select(*columns).order_by([ibis._[one] for one in columns]))
        return [tuple(row.values()) for row in found.to_pylist()]

    def facts(self) -> dict[str, int]:
        counts = {name: self.warehouse.scalar(self.warehouse.table(name).count()) for name in (*FACTS, "batches", "superseded")}
        return {name: count for name, count in counts.items() if count}

    def parked(self) -> list[str]:
        return sorted(path.name for path in (self.settings.var / "parked").glob("*"))


@contextmanager
def opened(folder: Path) -> Iterator[Shop]:
    root = folder / "shop"
    root.mkdir()
    settings = Settings(root=root, currency="EUR", timezone="Europe/Berlin")
    with open_history(settings.history, root) as warehouse:
        yield Shop(settings, warehouse, folder)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as one:
        yield one


def conserved(imported: ingest.Imported) -> bool:
    report = imported.report
    return report.read == report.accepted + report.duplicates + sum(report.rejected.values())
