"""How the console names what a profile says: stages, causes, tiers, and how sure a prediction is; and what documents are called.

Knows nothing of pages.
"""

from rekindle.insight.friction import CAUSES
from rekindle.learn.report.standings import STANDINGS

STAGE = {stage: one.name for one in STANDINGS for stage in one.stages} | {"prospect": "has not ordered yet"}
"""Lifecycle stage to the words people read."""

COLOUR = {stage: one.color for one in STANDINGS for stage in one.stages} | {"prospect": "usual"}
"""Lifecycle stage to the name of its colour in the stylesheet."""

GROUPS = {"slipping": ("at risk or lapsed", ("lapsing", "lapsed"))} | {
    one.color: (one.name, one.stages) for one in STANDINGS
} | {"all": ("everyone", ())}  # fmt: skip
"""What the list of customers can be narrowed to: words and lifecycle stages."""

TIER = {"high": "high", "mid": "middle", "occasional": "occasional"}
CAUSE = {kind: words if kind != "unknown" else "no evidence of one" for kind, words in CAUSES.items()}

QUALITY = {"good": "well known", "weak": "little to go by", "prior only": "assumed of shops in general"}
"""Quality of a prediction to the words people read."""


def named(name: str) -> str:
    """A document's name as people write it: `delivery-late` is Delivery late."""
    words = name.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def words_of(name: str) -> str:
    """What people call a document: `programs/win-back.yaml` is Win back program, `rules.yaml` Rules."""
    folder, _, file = name.rpartition("/")
    called = named(file.removesuffix(".yaml"))
    return f"{called} {folder.removesuffix('s')}" if folder else called
