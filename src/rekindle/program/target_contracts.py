"""What is wrong with a store's targets, where each of them is well formed.

Knows nothing of files and lines: a mistake names the keys it stands at.
"""

from collections.abc import Iterable, Iterator

from rekindle.insight.expression import nearest
from rekindle.program.reading import Place
from rekindle.program.targets import Target
from rekindle.program.validating import Mistake


def of_targets(targets: Iterable[Target], programs: frozenset[str] | None, approving: bool) -> Iterator[Mistake]:
    """What is wrong with the targets.

    Args:
        targets: The store's.
        programs: Names of its programs; None where they cannot all be read.
        approving: Whether a person is about to say yes, so that an owner must be there.
    """
    for target in targets:
        path: Place = ("targets", target.name)
        if not target.owner.strip():
            why = f"targets.{target.name}: nobody owns this target; it cannot be approved"
            yield Mistake((*path, "owner"), "owner-empty", why, "Write the name of a person.", "error" if approving else "warning")
        if programs is not None and target.program is not None and target.program not in programs:
            why = f"targets.{target.name}.program: there is no program '{target.program}'"
            remedy = nearest(target.program, programs, f"There are {', '.join(sorted(programs))}.")
            yield Mistake((*path, "program"), "program-unknown", why, remedy, "warning")
