"""One proposal: a few values of one document, and the evidence for changing them.

Knows nothing of where evidence comes from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rekindle.program.editing import written
from rekindle.program.reading import Place, Value


@dataclass(frozen=True, slots=True)
class Change:
    """Another value at a place of a document.

    Args:
        place: The keys that lead to it.
        before: What stands there; None where nothing does.
        after: What is proposed.
    """

    place: Place
    before: Value
    after: Value

    def __str__(self) -> str:
        """As people read it."""
        now = "not set" if self.before is None else written(self.before)
        return f"{'.'.join(map(str, self.place))}: {written(self.after)} (now {now})"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Changes to a document.

    Args:
        name: What it is called, such as `pacing-win-back-tailor`; a person takes it by that name.
        document: A program's name, or empty for rules.yaml.
        changes: What would stand where.
        why: The evidence, in sentences.
        evidence: The same in numbers; money in minor units.
    """

    name: str
    document: str
    changes: tuple[Change, ...]
    why: str
    evidence: Mapping[str, float]
