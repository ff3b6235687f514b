"""What earlier experiments taught, and whether a new one asks what was answered already.

Knows nothing of where they are kept.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rekindle.program.experiments import Experiment

ALIKE = 0.5
"""The part of their words that two hypotheses share from which on they count as one."""

_FILLER = re.compile(
    "a|an|and|are|as|at|be|been|by|can|do|does|for|from|has|have|if|in|into|is|it|its|more|no|not|of|on|or|our|than|that|the|their|them|"
    "they|this|to|was|we|will|with|would|who"
)


@dataclass(frozen=True, slots=True)
class Learning:
    """What one experiment taught.

    Args:
        experiment: Its name.
        program: Where it ran.
        stage: Where it ran.
        factor: What was varied.
        hypothesis: What was believed.
        design: What was compared, by what, how many and how often.
        result: What was found, with its interval.
        decision: scale, retire or trial.
        scope: Whom it holds for.
        at: When it ended, in the store's time.
        by: Who ended it.
    """

    experiment: str
    program: str
    stage: str
    factor: str
    hypothesis: str
    design: str
    result: str
    decision: str
    scope: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """An earlier answer to what an experiment asks.

    Args:
        learning: The earlier one.
        why: In what they are alike, in words.
    """

    learning: Learning
    why: str


def repeats(experiment: Experiment, factor: str, learnings: Iterable[Learning]) -> tuple[Repeat, ...]:
    """Earlier experiments that an experiment repeats: the same factor in the same place, or much the same hypothesis.

    Args:
        experiment: The new one.
        factor: What it varies.
        learnings: All earlier ones.
    """
    found = []
    for one in learnings:
        placed = (one.program, one.stage, one.factor) == (experiment.program, experiment.stage, factor)
        worded = alike(one.hypothesis, experiment.hypothesis) >= ALIKE
        if placed or worded:
            reasons = ((placed, f"the same factor ({factor}) in {one.program}, {one.stage}"), (worded, "much the same words"))
            found.append(Repeat(one, " and ".join(words for holds, words in reasons if holds)))
    return tuple(found)


def alike(one: str, other: str) -> float:
    """The part of two sentences' telling words that they share, 0 to 1.

    >>> alike("A question brings more orders than a statement.", "Questions bring more orders than statements")
    1.0
    >>> alike("A question brings more orders.", "Free delivery keeps customers.")
    0.0
    """
    first, second = _words(one), _words(other)
    return len(first & second) / len(first | second) if first | second else 0.0


def _words(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in re.findall(r"[^\W\d_]+", text.lower()) if not _FILLER.fullmatch(word))


def _stem(word: str) -> str:
    """A word without the endings that change with number and person."""
    return re.sub(r"(?<=\w{3})(?:ings?|es|ed|s)$", "", word)
