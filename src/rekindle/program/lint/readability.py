"""How hard a text is to read, as a school grade.

Knows nothing of templates. A formula counts syllables, words and sentences; it does not understand them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rekindle.program.lint.passages import FACT

_LONG, _MANY = 6, 3
FACT_SYLLABLES = 2
"""A fact stands for a word of so many syllables."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What the formulas count.

    Args:
        sentences: At least 1.
        words: At least 1.
        syllables: Of all words.
        many: Words of three syllables or more.
        long: Words of more than six letters.
        single: Words of one syllable.
    """

    sentences: int
    words: int
    syllables: int
    many: int
    long: int
    single: int


def flesch_kincaid(counts: Counts) -> float:
    """The grade of an American school; for English.

    >>> round(flesch_kincaid(count(["We", "have", "your", "order"], 1, "aeiouy", "e")), 2)
    0.72

    Source: Kincaid, Fishburne, Rogers & Chissom (1975), Derivation of new readability formulas, research branch report 8-75.
    """
    return 0.39 * counts.words / counts.sentences + 11.8 * counts.syllables / counts.words - 15.59


def wiener_sachtextformel(counts: Counts) -> float:
    """The grade of an Austrian or German school, from 4 (easy) to 15; for German.

    Source: Bamberger & Vanecek (1984), Lesen, Verstehen, Lernen, Schreiben: the first of the formulas.
    """
    share = 100 / counts.words
    hard = 0.1935 * counts.many * share + 0.1672 * counts.words / counts.sentences + 0.1297 * counts.long * share
    return hard - 0.0327 * counts.single * share - 0.875


FORMULAS: dict[str, Callable[[Counts], float]] = {"flesch-kincaid": flesch_kincaid, "wiener-sachtextformel": wiener_sachtextformel}


def count(words: Sequence[str], sentences: int, vowels: str, silent: str = "") -> Counts:
    """Counts for the formulas.

    Args:
        words: In any order; a fact is one.
        sentences: How many they make.
        vowels: One or more in a row are a syllable.
        silent: The letter that is none at the end of a longer word, as the e of English.
    """
    group = re.compile(f"[{vowels}]+", re.IGNORECASE)
    spoken = [FACT_SYLLABLES if word == FACT else _syllables(word, group, silent) for word in words]
    return Counts(
        max(1, sentences), max(1, len(words)), sum(spoken), sum(one >= _MANY for one in spoken), sum(len(word) > _LONG for word in words),
        sum(one == 1 for one in spoken),
    )  # fmt: skip


def _syllables(word: str, group: re.Pattern[str], silent: str) -> int:
    small = word.lower()
    found = len(group.findall(small))
    mute = silent and small.endswith(silent) and not small.endswith((f"l{silent}", f"{silent}{silent}", f"y{silent}"))
    return max(1, found - bool(mute))
