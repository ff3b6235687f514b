"""Which ledger is in use: Django made ready for one store folder.

Knows nothing of what the ledger holds.
"""

from rekindle.service.config.database import configure, ledger_named, use_ledger
from rekindle.service.config.keys import load_ring, load_secret

__all__ = ["configure", "ledger_named", "load_ring", "load_secret", "use_ledger"]
