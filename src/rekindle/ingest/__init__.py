"""What the outside world says: files become facts of history, contacts for the ledger, and a quality report."""

from rekindle.ingest.files import Imported, import_files, replay
from rekindle.ingest.quality import QualityReport

__all__ = ["Imported", "QualityReport", "import_files", "replay"]
