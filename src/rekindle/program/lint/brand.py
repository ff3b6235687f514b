"""What a shop has laid down of its voice in content/brand.yaml: its name, words, form of address, and exceptions to rules.

Knows nothing of messages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rekindle.insight.expression import nearest
from rekindle.program.lint.lexicon import Phrases, phrases
from rekindle.program.lint.passages import Place
from rekindle.program.lint.rules import RULES, Breach
from rekindle.program.reading import Reading, Unreadable, Value, read

FILE = "brand.yaml"
_KEYS = frozenset({"name", "never", "rather", "address", "exceptions"})
_EXCEPTION = frozenset({"rule", "file", "reason"})
_ADDRESSES = frozenset({"formal", "informal"})


@dataclass(frozen=True, slots=True)
class Exempt:
    """A rule that a file may break, and why."""

    rule: str
    file: str
    place: Place


@dataclass(frozen=True, slots=True)
class Brand:
    """A shop's voice.

    Args:
        name: How its name is written; empty where that is free.
        never: What it never says.
        rather: What it says instead of a word, by that word in small letters.
        avoided: The words of `rather`, to be found.
        address: formal, informal, or empty where both are right.
        exempt: The files that may break a rule.
    """

    name: str = ""
    never: Phrases = field(default_factory=lambda: Phrases({}))
    rather: Mapping[str, str] = field(default_factory=dict)
    avoided: Phrases = field(default_factory=lambda: Phrases({}))
    address: str = ""
    exempt: tuple[Exempt, ...] = ()


def brand(text: str | None) -> tuple[Brand, tuple[Breach, ...]]:
    """Reads brand.yaml; what cannot be used is left out and named.

    Args:
        text: Its text; None where there is none.
    """
    try:
        reading = read(text.encode()) if text is not None and _says_something(text) else Reading({})
    except (Unreadable, UnicodeEncodeError) as error:
        line = error.line if isinstance(error, Unreadable) else 1
        return Brand(), (Breach("brand-unusable", Place(FILE, line), f"content/{FILE}: {getattr(error, 'why', 'not UTF-8')}"),)
    wrong = tuple(_mistakes(reading))
    value = reading.value
    name, address = value.get("name"), value.get("address")
    never, rather = value.get("never"), value.get("rather")
    banned = [str(one) for one in never if _plain(one)] if isinstance(never, list) else []
    said = {str(word).lower(): str(other) for word, other in rather.items() if _plain(word)} if isinstance(rather, dict) else {}
    return Brand(
        name.strip() if isinstance(name, str) else "", phrases({"brand-never": banned}), said, phrases({"brand-rather": list(said)}),
        str(address) if address in _ADDRESSES else "", tuple(_exempt(reading)),
    ), wrong  # fmt: skip


def _says_something(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def _plain(word: object) -> bool:
    """Whether something is words alone, without the signs by which lexicons write phrases."""
    return isinstance(word, str) and any(char.isalnum() for char in word) and word[0].isalnum() and not set(word) & set("()[]|#*")


def _mistakes(reading: Reading) -> Iterator[Breach]:
    value = reading.value

    def wrong(path: tuple[str | int, ...], message: str) -> Breach:
        return Breach("brand-unusable", Place(FILE, reading.line(path)), message)

    for key in value:
        if key not in _KEYS:
            yield wrong((key,), f"there is no key '{key}' here. {nearest(key, _KEYS, 'It may be ' + ', '.join(sorted(_KEYS)) + '.')}")
    if not isinstance(value.get("name", ""), str):
        yield wrong(("name",), "name is not a text")
    if value.get("address", "formal") not in _ADDRESSES:
        yield wrong(("address",), "address is neither formal nor informal")
    yield from (wrong(("never", *at), f"never: {why}") for at, why in _words(value.get("never", []), list))
    yield from (wrong(("rather", *at), f"rather: {why}") for at, why in _words(value.get("rather", {}), dict))
    exceptions = value.get("exceptions", [])
    if not isinstance(exceptions, list):
        yield wrong(("exceptions",), "exceptions is not a list")
        return
    for number, one in enumerate(exceptions):
        if why := _refusal(one):
            yield Breach("exception-bad", Place(FILE, reading.line(("exceptions", number))), why)


def _words(value: Value, kind: type) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a list of words, or with a table of words."""
    if not isinstance(value, list | dict) or not isinstance(value, kind):
        yield (), f"not a {'list' if kind is list else 'table'} of words"
        return
    places = value.items() if isinstance(value, dict) else ((index, one) for index, one in enumerate(value))
    for at, one in places:
        if not _plain(at if isinstance(value, dict) else one) or not isinstance(one, str):
            yield (at,), f"'{at if isinstance(value, dict) else one}' is not words alone"


def _refusal(one: Value) -> str | None:
    """Why an exception is not heard; None where it is."""
    if not isinstance(one, dict) or set(one) - _EXCEPTION or not all(isinstance(part, str) for part in one.values()):
        return "an exception is not {rule: ..., file: ..., reason: ...}"
    return refused(str(one.get("rule", "")), str(one.get("reason", ""))) or (None if one.get("file") else "an exception names no file")


def refused(rule: str, reason: str) -> str | None:
    """Why an exception to a rule is not heard; None where it is.

    >>> refused("guilt", " "), refused("guild", "we know better")
    ("the exception to 'guilt' has no reason", "there is no rule 'guild'")
    """
    if rule not in RULES:
        return f"there is no rule '{rule}'"
    if RULES[rule].firm:
        return f"there is no exception to '{rule}'"
    return None if reason.strip() else f"the exception to '{rule}' has no reason"


def _exempt(reading: Reading) -> Iterator[Exempt]:
    exceptions = reading.value.get("exceptions")
    for number, one in enumerate(exceptions if isinstance(exceptions, list) else ()):
        if not _refusal(one) and isinstance(one, dict):
            yield Exempt(str(one["rule"]), str(one["file"]), Place(FILE, reading.line(("exceptions", number))))
