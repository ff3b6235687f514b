"""The landing pages that a store has written: `content/landings.yaml`, read again where it has become another.

Knows nothing of customers.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from rekindle.program.checking import Finding
from rekindle.program.lint import Place
from rekindle.program.reading import Reading, Unreadable, read
from rekindle.program.validating import validate
from rekindle.respond.landing_pages import LandingPages

FILE = "content/landings.yaml"
_PAGES = "docs/programs.md", "docs/pages.md"
"""Whose page a remedy names, and whose it is here."""
NONE = LandingPages()


def landing_pages(root: Path) -> LandingPages:
    """A store's landing pages; none while the file has a mistake, which `rekindle check` names: a customer finds the page without them."""
    path = root / FILE
    try:
        held = path.stat()
    except FileNotFoundError:
        return NONE
    return _read(path, (held.st_ino, held.st_mtime_ns, held.st_size))


@lru_cache(maxsize=10)
def _read(path: Path, version: tuple[int, int, int]) -> LandingPages:  # noqa: ARG001  the version is part of what is remembered
    pages, findings = examined(path.read_text(encoding="utf-8"))
    return NONE if findings else pages


def examined(text: str) -> tuple[LandingPages, tuple[Finding, ...]]:
    """What can be read of the file, and what is wrong in it."""
    reading = _reading(text)
    if isinstance(reading, Finding):
        return NONE, (reading,)
    found = validate(LandingPages, reading)
    wrong = ((reading.line(one.path), one.rule, one.why, one.remedy.replace(*_PAGES)) for one in found.mistakes)
    return found.entry or NONE, tuple(Finding(FILE, *one) for one in wrong)


def strangers(text: str, programs: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    """Pages that nobody would ever see, for a program or a stage that is not there.

    Args:
        text: Of the file.
        programs: Name to stages.
    """
    reading = _reading(text)
    if isinstance(reading, Finding):
        return
    for number, one in enumerate(examined(text)[0].pages):
        stages = {name for program, held in programs.items() if one.who.program in ("", program) for name in held}
        wrong = "program" if one.who.program not in ("", *programs) else "stage" if one.who.stage not in ("", *stages) else ""
        if wrong:
            why = f"nobody comes back to this page: there is no {wrong} '{getattr(one.who, wrong)}'"
            line = reading.line(("pages", number, "for", wrong))
            yield Finding(FILE, line, f"landing-{wrong}", why, "Name one of the store's, or leave it out.")


def texts(text: str) -> Iterator[tuple[Place, str]]:
    """Every text that customers read, with its line: the linter looks at them as at labels of offers."""
    reading = _reading(text)
    if isinstance(reading, Finding):
        return
    for number, one in enumerate(examined(text)[0].pages):
        for language, said in one.words.items():
            place = Place(FILE, reading.line(("pages", number, "words", language)))
            yield from ((place, part) for part in (said.title, said.text, said.collection, *said.steps) if part)


def _reading(text: str) -> Reading | Finding:
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return Reading({}, {})
    try:
        return read(text.encode())
    except Unreadable as error:
        return Finding(FILE, error.line, "yaml", error.why, error.remedy)
