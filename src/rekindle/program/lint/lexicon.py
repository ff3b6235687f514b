"""Which phrases a language has for guilt, pressure and the like, and where a text says one of them.

Knows nothing of templates. A language is a file in `lexicons/`; docs/lint.md says how phrases are written.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from rekindle.program.lint.passages import FACT
from rekindle.program.reading import read

_KEY = 3
_WORD = re.compile(rf"[^\W_]+(?:'[^\W_]+)*|{FACT}")
_BETWEEN = r"[ \t\r\n,\"'*()/–—-]{1,6}"
_GAP = rf"(?:{_BETWEEN}(?:[^\W_]{{1,40}}(?:'[^\W_]{{1,20}})?|{FACT})){{0,4}}?"
_PARTS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\S+")
_SENTENCE = re.compile(r"[.!?]+(?=[\s\x1e]|$)|\x1e")


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase in a text: the rule it belongs to, and from where to where it is, in characters."""

    rule: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases by rule, found in one pass: the first letters of a word say which of them may begin there."""

    by_key: Mapping[str, tuple[tuple[str, str], ...]]

    def hits(self, text: str) -> Iterator[Hit]:
        """Where a text says one of them; those of one rule do not overlap."""
        done: dict[str, int] = {}
        for word in _WORD.finditer(text):
            for rule, pattern in self.by_key.get(key(word[0]), ()):
                found = _compiled(pattern).match(text, word.start()) if word.start() >= done.get(rule, 0) else None
                if found:
                    done[rule] = found.end()
                    yield Hit(rule, found.start(), found.end())


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What a language says.

    Args:
        language: ISO 639-1.
        rules: The rules that it has phrases for.
        wrong: The phrases of every rule.
        fine: Phrases that hold one of them and are not meant.
        common: Its most frequent words, by which it is told from others.
        vowels: One or more of them in a row are a syllable.
        silent: The letter that is none at the end of a longer word; may be empty.
        formula: How the reading grade is reckoned.
        grade: The highest reading grade.
        stop: How an SMS says that it can be stopped.
        formal: Words that address a person formally; empty where the language does not tell.
        informal: Words that address a person as a friend does.
    """

    language: str
    rules: frozenset[str]
    wrong: Phrases
    fine: Phrases
    common: frozenset[str]
    vowels: str
    silent: str
    formula: str
    grade: float
    stop: Phrases
    formal: frozenset[str]
    informal: frozenset[str]

    def wrongs(self, text: str) -> list[Hit]:
        """Where a text breaks a rule by its words."""
        found = list(self.wrong.hits(text))
        meant = [(one.rule, one.start, one.end) for one in self.fine.hits(text)] if found else []
        return [hit for hit in found if not any(rule == hit.rule and start <= hit.start < end for rule, start, end in meant)]


def key(word: str) -> str:
    """By what a word is looked up: its first letters; # for a number or a fact."""
    return "#" if word[0].isdigit() or word == FACT else word[:_KEY].lower()


def sentences(text: str) -> list[str]:
    """A text by its sentences; only those that have a word."""
    return [one for one in _SENTENCE.split(text) if _WORD.search(one)]


def words(text: str) -> list[str]:
    """The words of a text; a fact is one."""
    return _WORD.findall(text)


@lru_cache(maxsize=1)
def lexicons() -> Mapping[str, Lexicon]:
    """The languages that ship, by their codes."""
    folder = files("rekindle.program.lint") / "lexicons"
    found = [_lexicon(read(one.read_bytes()).value) for one in sorted(folder.iterdir(), key=lambda one: one.name)]
    return {one.language: one for one in found}


def language_of(text: str, otherwise: str) -> str:
    """The language of a text, by its most frequent words.

    Args:
        text: At least a few words, or the answer is `otherwise`.
        otherwise: What it is taken for where that does not tell.

    >>> language_of("We hope that this is what you wanted.", "fr"), language_of("Wir hoffen, dass es das ist.", "fr")
    ('en', 'de')
    >>> language_of("Merci pour votre commande.", "fr")
    'fr'
    """
    said = [one.lower() for one in words(text)]
    known = sorted(lexicons().values(), key=lambda one: one.language != otherwise)
    counts = {one.language: sum(word in one.common for word in said) for one in known}
    best = max(counts, key=lambda one: counts[one])
    return best if counts[best] * 8 >= max(8, len(said)) else otherwise


def phrases(written: Mapping[str, Sequence[str]], counts: Sequence[str] = ()) -> Phrases:
    """Phrases as a lexicon writes them.

    Args:
        written: The phrases by rule.
        counts: The words that are numbers.

    >>> list(phrases({"scarcity": ["only # [more] (left|remaining)"]}).hits("There are only 3 left."))
    [Hit(rule='scarcity', start=10, end=21)]
    """
    numbers = "|".join([r"\d[\d.,]*", FACT, *map(re.escape, counts)])
    patterns: dict[tuple[str, str], list[str]] = {}
    for rule, every in written.items():
        for phrase in sorted(every, key=len, reverse=True):
            for first in _firsts(phrase, counts):
                patterns.setdefault((first, rule), []).append(_pattern(phrase, numbers))
    by_key: dict[str, tuple[tuple[str, str], ...]] = {}
    for (first, rule), one in patterns.items():
        by_key[first] = (*by_key.get(first, ()), (rule, rf"(?:{'|'.join(dict.fromkeys(one))})(?![^\W_])"))
    return Phrases(by_key)


@lru_cache(maxsize=4_096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when a text first has a word that asks for it: most never do."""
    return re.compile(pattern, re.IGNORECASE)


def _lexicon(held: Mapping[str, Any]) -> Lexicon:
    counts = held["numbers"]
    rules: Mapping[str, Mapping[str, list[str]]] = held["rules"]
    return Lexicon(
        str(held["language"]),
        frozenset(rules),
        phrases({rule: one["phrases"] for rule, one in rules.items()}, counts),
        phrases({rule: one.get("fine", []) for rule, one in rules.items()}, counts),
        frozenset(held["common"]), str(held["vowels"]), str(held["silent"]), str(held["formula"]), float(held["grade"]),
        phrases({"sms-stop": held["stop"]}), frozenset(held["formal"]), frozenset(held["informal"]),
    )  # fmt: skip


def _pattern(phrase: str, numbers: str) -> str:
    """A phrase as a regular expression; bounded, so that no text makes it slow."""
    built = ""
    for part in _PARTS.findall(phrase):
        if part == "...":
            built += _GAP
        elif part.startswith("["):
            built += f"(?:{_BETWEEN}{_choice(part, numbers)})?"
        else:
            built += (_BETWEEN if built else "") + (_choice(part, numbers) if part.startswith("(") else _one(part, numbers))
    return built


def _choice(part: str, numbers: str) -> str:
    return f"(?:{'|'.join(_pattern(one, numbers) for one in part[1:-1].split('|'))})"


def _one(word: str, numbers: str) -> str:
    if word == "#":
        return f"(?:{numbers})"
    stem = re.escape(word.removesuffix("*"))
    return stem + (r"[\w']{0,30}" if word.endswith("*") else r"(?![\w'])" if word[-1].isalnum() else "")


def _firsts(phrase: str, counts: Sequence[str]) -> Iterator[str]:
    """The keys of the words that a phrase may begin with."""
    first = _PARTS.findall(phrase)[0]
    for one in first[1:-1].split("|") if first.startswith("(") else [first]:
        word = one.split()[0].removesuffix("*")
        yield from ("#", *map(key, counts)) if word == "#" else (key(word),)
