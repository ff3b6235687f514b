"""The store folder that a command works on: its settings, history, ledger and instant.

Knows nothing of commands.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rekindle import moment, settings
from rekindle.cli.output import say
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.moment import AsOf
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Open:
    """An open store.

    Args:
        folder: As it was named.
        settings: Its settings.
        warehouse: Its history; the ledger of the same store is in use.
        now: The instant the command began; of a simulated marketplace, its clock.
        simulated: Whether the store holds one.
    """

    folder: Path
    settings: Settings
    warehouse: Warehouse
    now: datetime
    simulated: bool

    def as_of(self, text: str | None) -> AsOf:
        """The instant of `--as-of`; by default now, or the day after the last fact where that is over 14 days old, which it says."""
        from rekindle.service.flow.insights import default_as_of

        if text:
            return moment.parse_as_of(text, self.settings.timezone)
        if self.simulated:
            return AsOf(self.now, self.settings.timezone, shifted=True)
        found = default_as_of(self.settings, self.warehouse, self.now)
        if found.shifted:
            say(f"The last order is over 14 days old: as of {found.day}, the day after it. Choose another with --as-of.")
        return found

    def as_of_plan(self, text: str | None) -> AsOf:
        """The instant of `--as-of`; by default that of the last plan, so that what was decided can be seen, unless orders came since."""
        if not text:
            plans, orders = self.warehouse.table("plans"), self.warehouse.table("orders")
            planned, ordered = self.warehouse.scalar(plans.as_of.max()), self.warehouse.scalar(orders.ordered_at.max())
            if planned and ordered and ordered <= planned <= self.now.replace(tzinfo=None):
                return AsOf(planned.replace(tzinfo=UTC), self.settings.timezone, shifted=True)
        return self.as_of(text)

    def holds_orders(self) -> bool:
        """Whether any order was imported."""
        return self.warehouse.scalar(self.warehouse.table("orders").ordered_at.max()) is not None

    def page(self, out: Path | None = None) -> Path:
        """Where the report goes."""
        return out or self.settings.var / "reports" / "index.html"

    def command(self, words: str) -> str:
        """A command on this store as it would be typed here."""
        return f"rekindle {words}" if self.folder == Path() else f"rekindle --store {self.folder} {words}"


@contextmanager
def opened(folder: Path) -> Iterator[Open]:
    """Opens a store folder's history and ledger, and closes the history.

    Raises:
        UsageError: Not a store folder.
        StoreUnavailable: History or ledger cannot be opened.
    """
    from rekindle.service.config import ledger_named, use_ledger
    from rekindle.service.flow import worlds

    chosen = settings.load(folder)
    use_ledger(chosen)
    clock = worlds.clock(chosen)
    with ledger_named(chosen), open_history(chosen.history, chosen.root, on_wait=say) as warehouse:
        yield Open(folder, chosen, warehouse, clock or moment.now(), simulated=clock is not None)


def add_sources(folder: Path, sources: Iterable[Mapping[str, str]]) -> None:
    """Writes sources at the end of rekindle.toml, so that `run` imports them when they change."""
    with (folder / settings.FILE_NAME).open("a", encoding="utf-8") as file:
        for source in sources:
            file.write("\n[[sources]]\n" + "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in source.items()))
