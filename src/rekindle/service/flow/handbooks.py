"""The handbook's facts, gathered from the approved documents and from what was counted last.

Knows nothing of how the page looks.
"""

import json

from rekindle.learn.handbook import HandbookFacts
from rekindle.moment import AsOf
from rekindle.program.documents import Documents
from rekindle.service.flow import baselines, reviews
from rekindle.settings import Settings


def gather(settings: Settings, documents: Documents, as_of: AsOf) -> HandbookFacts:
    """Everything that the handbook says.

    Args:
        settings: The store's.
        documents: Approved ones.
        as_of: The instant.
    """
    frozen = {name: f"{one.baseline.since} to {one.baseline.until}" for name, one in baselines.kept(settings).items()}
    return HandbookFacts(
        settings.name, settings.currency, settings.locale, as_of, documents, _sizes(settings), reviews.dates(documents), frozen
    )


def _sizes(settings: Settings) -> dict[str, int]:
    """Customers by segment, as counted last."""
    files = sorted((settings.var / "segments").glob("*.json"))
    if not files:
        return {}
    return {one["name"]: one["customers"] for one in json.loads(files[-1].read_text(encoding="utf-8"))["segments"]}
