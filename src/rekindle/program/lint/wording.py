"""Which words of a text break a rule: phrases of its language, numbers that no fact bears, the brand's own words, shouting.

Knows nothing of what a message is made of.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rekindle.program.lint.brand import Brand
from rekindle.program.lint.lexicon import Lexicon
from rekindle.program.lint.passages import BREAK, FACT, Node, Place
from rekindle.program.lint.readings import Reading, readings
from rekindle.program.lint.rules import RULES, Breach

_NUMBER = re.compile(r"(?<![\w.,/:-])[$€£]?\d[\d.,:]*(?:\s?(?:%|€|[A-Za-zÄÖÜäöüß]+))?")
_ORDINAL = re.compile(r"(?:\A|[\n\x1e])\s{0,20}\d{1,2}[.)]\s")
_LOUD = re.compile(r"[!?]{2,9}|\b(?:[A-ZÄÖÜ]{3,20}[ ,]{1,3}){2,9}[A-ZÄÖÜ]{3,20}\b")
_LINK = re.compile(r"\b(https?)://([^\s\"'<>{}/\ue000\x1e]{1,200})|\b((?:[a-z0-9-]{1,63}\.){1,3}[a-z]{2,10})(?=/\w)", re.IGNORECASE)
_PROSE = re.compile(r"[^\W\d_]+")
_SHOWN_AT_MOST = 60
_SORRY = frozenset({"cause", "was_late", "late_remedy"})
"""Facts of a mishap: what stands under a condition on one of them speaks of something that happened."""

SHORTENERS = frozenset(
    {
        "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly", "rb.gy", "lnkd.in", "t.ly",
        "tiny.cc", "s.id", "shorturl.at", "bl.ink", "dub.sh", "tr.im", "v.gd", "bitly.com",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Voice:
    """What words are held to.

    Args:
        lexicon: Of their language; None where none ships.
        brand: The shop's.
        claims: Numbers with the word after them, small, as registered facts have them.
        hosts: The shop's own.
        sorry: True where the whole text is about a mishap that happened.
        free: Rules that do not hold here, as a registered claim is none of ours to bind.
    """

    lexicon: Lexicon | None
    brand: Brand
    claims: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    sorry: bool = False
    free: frozenset[str] = frozenset()


def wording(nodes: Sequence[Node], voice: Voice) -> Iterator[Breach]:
    """The words that break a rule, each where it stands."""
    for reading in readings(nodes):
        found = [*_phrases(reading, voice), *_numbers(reading, voice), *_loud(reading), *_links(reading, voice)]
        found += [*_branded(reading, voice.brand), *_addressed(reading, voice)]
        yield from (breach for start, end, breach in found if reading.holds(start, end) and breach.rule not in voice.free)


def shown(text: str) -> str:
    """Words of a text as a finding shows them."""
    plain = " ".join(text.replace(FACT, "...").replace(BREAK, " ").split())
    return plain if len(plain) <= _SHOWN_AT_MOST else f"{plain[: _SHOWN_AT_MOST - 3]}..."


def claims(texts: Sequence[str]) -> frozenset[str]:
    """The numbers of registered facts, each with the word after it, in small letters."""
    return frozenset(" ".join(found[0].lower().split()) for text in texts for found in _NUMBER.finditer(text))


def host_breach(scheme: str, host: str, hosts: frozenset[str], place: Place) -> Breach | None:
    """What is wrong with a link to a host; None where nothing is."""
    name = host.rpartition("@")[2].partition(":")[0].lower().rstrip(".").removeprefix("www.")
    if name in SHORTENERS:
        return Breach("link-shortener", place, f"the link to {shown(host)} {RULES['link-shortener'].says}")
    if scheme.lower() == "http":
        return Breach("link-insecure", place, f"the link to {shown(host)} {RULES['link-insecure'].says}")
    own = any(name == one or name.endswith(f".{one}") for one in hosts)
    return None if own else Breach("link-foreign", place, f"the link to {shown(host)} {RULES['link-foreign'].says}")


Found = tuple[int, int, Breach]


def _breach(reading: Reading, rule: str, start: int, end: int, more: str = "") -> Found:
    return start, end, Breach(rule, reading.place(start), f"'{shown(reading.text[start:end])}' {RULES[rule].says}{more}")


def _phrases(reading: Reading, voice: Voice) -> Iterator[Found]:
    for hit in voice.lexicon.wrongs(reading.text) if voice.lexicon else ():
        if hit.rule != "apology-unbound" or not (voice.sorry or reading.given(hit.start) & _SORRY):
            yield _breach(reading, hit.rule, hit.start, hit.end)


def _numbers(reading: Reading, voice: Voice) -> Iterator[Found]:
    ordinals = {one.end() for one in _ORDINAL.finditer(reading.text)}
    links = [one.span() for one in _LINK.finditer(reading.text)] if "/" in reading.text else []
    at = 0
    for found in _NUMBER.finditer(reading.text):
        while at < len(links) and links[at][1] <= found.start():
            at += 1
        linked = at < len(links) and links[at][0] <= found.start()
        digits = re.match(r"\D?[\d.,:]+", found[0])
        ordinal = digits is not None and any(found.start() + digits.end() + gap in ordinals for gap in (0, 1))
        if not linked and not ordinal and " ".join(found[0].lower().split()) not in voice.claims:
            yield _breach(reading, "number-unbound", found.start(), found.end())


def _loud(reading: Reading) -> Iterator[Found]:
    return (_breach(reading, "shouting", found.start(), found.end()) for found in _LOUD.finditer(reading.text))


def _branded(reading: Reading, brand: Brand) -> Iterator[Found]:
    for hit in brand.never.hits(reading.text):
        yield _breach(reading, "brand-never", hit.start, hit.end)
    for hit in brand.avoided.hits(reading.text):
        word = " ".join(reading.text[hit.start : hit.end].lower().split())
        yield _breach(reading, "brand-rather", hit.start, hit.end, f": {brand.rather.get(word, 'as brand.yaml says')}")
    for found in _name(brand.name).finditer(reading.text) if brand.name else ():
        if " ".join(found[0].split()) != brand.name:
            yield _breach(reading, "brand-name", found.start(), found.end())


def _name(name: str) -> re.Pattern[str]:
    """A name in any case and spacing, with `and` for its signs."""
    between = r"[\s&+.'-]{0,3}(?:and[\s-]{1,2}|und[\s-]{1,2})?"
    return re.compile(rf"(?<!\w){between.join(map(re.escape, _PROSE.findall(name) or [name]))}(?!\w)", re.IGNORECASE)


def _addressed(reading: Reading, voice: Voice) -> Iterator[Found]:
    if voice.lexicon is None or not voice.brand.address:
        return
    formal = voice.brand.address == "formal"
    begins = {found.end() for found in re.finditer(r"(?:\A|[.!?:\x1e\n]|-)\s*", reading.text)}
    for found in _PROSE.finditer(reading.text):
        wrong = found[0].lower() in voice.lexicon.informal if formal else found[0] in voice.lexicon.formal and found.start() not in begins
        if wrong:
            yield _breach(reading, "brand-address", found.start(), found.end())


def _links(reading: Reading, voice: Voice) -> Iterator[Found]:
    for found in _LINK.finditer(reading.text):
        breach = host_breach(found[1] or "https", found[2] or found[3], voice.hosts, reading.place(found.start()))
        if breach:
            yield found.start(), found.end(), breach


def strings(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text of a document with its place in it."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from strings(one, (*place, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from strings(one, (*place, number))
