"""The store folder that a command works on: its settings, history, ledger and instant.

Knows nothing of commands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
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
        settings: Its settings.
        warehouse: Its history; the ledger of the same store is in use.
        now: The instant the command began.
    """

    settings: Settings
    warehouse: Warehouse
    now: datetime

    def as_of(self, text: str | None) -> AsOf:
        """The instant of `--as-of`; by default now, or the day after the last fact where that is over 14 days old, which it says."""
        from rekindle.service.flow.insights import default_as_of

        if text:
            return moment.parse_as_of(text, self.settings.timezone)
        found = default_as_of(self.settings, self.warehouse, self.now)
        if found.shifted:
            say(f"The last order is over 14 days old: as of {found.day}, the day after it. Choose another with --as-of.")
        return found


@contextmanager
def opened(folder: Path) -> Iterator[Open]:
    """Opens a store folder's history and ledger, and closes the history.

    Raises:
        UsageError: Not a store folder.
        StoreUnavailable: History or ledger cannot be opened.
    """
    from rekindle.service.config import use_ledger

    chosen = settings.load(folder)
    use_ledger(chosen)
    with open_history(chosen.history, chosen.root, on_wait=say) as warehouse:
        yield Open(chosen, warehouse, moment.now())
