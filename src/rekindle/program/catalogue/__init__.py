"""Which documents every new store begins with, and how they are put into its folder.

Knows nothing of what they say.
"""

from datetime import date
from pathlib import Path

from rekindle.program.catalogue.shipped import shipped
from rekindle.program.reading import write_missing


def scaffold(root: Path, owner: str, currency: str, now: date) -> tuple[Path, ...]:
    """Writes the shipped documents into a store folder and returns their paths; a document that is there stays as it is.

    Raises:
        BadData: As `shipped`.
        StoreUnavailable: The folder cannot be written.
    """
    return write_missing(root, shipped(owner, currency, now))
