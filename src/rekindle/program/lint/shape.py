"""Whether a message is made as it should be: its head, its length, one thing to do, pictures with texts, links, an SMS's segments.

Knows nothing of wording.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rekindle.program.lint.lexicon import Lexicon, lexicons, sentences, words
from rekindle.program.lint.passages import BREAK, FACT, NOT_SAID, Element, Node, Place, Said, Template
from rekindle.program.lint.readability import FORMULAS, count
from rekindle.program.lint.readings import each, longest, most, readings
from rekindle.program.lint.rules import RULES, Breach
from rekindle.program.lint.wording import host_breach, shown
from rekindle.program.sms_segments import foreign, plain, segments

SUBJECT_AT_MOST, PREHEADER_AT_MOST, WORDS_AT_MOST = 70, 110, 250
GENERIC_AT_MOST = 0.2
GRADED_FROM = 30
"""Words; a shorter text has no reading grade worth the name."""

_ENDS = frozenset(["preferences_url", "unsubscribe_url", "trap_url", "view_url", "why_url", "answer_url", "reply_to"])
"""Links that are no call to action."""

_HOST = re.compile(r"[/?#]")
_PICTURES = frozenset({"img", "mj-image", "mj-carousel-image"})


@dataclass(frozen=True, slots=True)
class Measured:
    """A message in numbers.

    Args:
        file: Its template below the content folder.
        language: As its words tell; empty where there is no lexicon.
        words: At most, with every fact filled in.
        grade: School grade of its reading; None for a short text or an unknown language.
        generic: The share of its sentences that could be any shop's.
    """

    file: str
    language: str
    words: int
    grade: float | None
    generic: float


def of_file(template: Template, facts: Mapping[str, str], hosts: frozenset[str]) -> Iterator[Breach]:
    """What is wrong with one file by itself: its Liquid, its facts, its pictures and links."""
    for why, place in template.broken:
        yield Breach("template-broken", place, why)
    for name, place in template.names:
        if name not in facts:
            yield Breach("fact-unknown", place, f"'{shown(name)}' {RULES['fact-unknown'].says}")
    for node in each(template.nodes):
        if isinstance(node, Element):
            if node.name in _PICTURES and "alt" not in node.attributes:
                yield Breach("alt-missing", node.place, f"<{node.name}> {RULES['alt-missing'].says}")
            yield from _linked(node, hosts)


def head(template: Template) -> tuple[dict[str, tuple[Node, ...]], tuple[Node, ...]]:
    """The lines at the head of a text by their names, and what follows them."""
    nodes = template.nodes
    end = next((at for at, node in enumerate(nodes) if isinstance(node, Said) and node.text == BREAK), len(nodes))
    found: dict[str, tuple[Node, ...]] = {}
    name = ""
    for node in nodes[:end]:
        start = node.text.partition(": ")[0] if isinstance(node, Said) and ": " in node.text else ""
        if start in ("Subject", "Preheader", "Title") and isinstance(node, Said):
            name = start
            found[name] = (Said(node.text.partition(": ")[2], node.place),)
        elif name:
            found[name] = (*found[name], node)
    return found, nodes[end + 1 :] if found else nodes


def of_head(template: Template) -> Iterator[Breach]:
    """What is wrong with the subject and the preheader of a mail."""
    found, _ = head(template)
    for name, at_most, rule in (("Subject", SUBJECT_AT_MOST, "subject-long"), ("Preheader", PREHEADER_AT_MOST, "preheader-long")):
        if name not in found:
            yield Breach("head-missing", Place(template.file, 1), f"there is no {name} line")
            continue
        least = shortest(found[name])
        if least > at_most:
            first = next(node for node in found[name] if isinstance(node, Said))
            yield Breach(rule, first.place, f"the {name.lower()} has at least {least} characters and {RULES[rule].says}")


def of_mail(file: str, nodes: Sequence[Node], sample: Mapping[str, str], lexicon: Lexicon | None) -> tuple[Measured, tuple[Breach, ...]]:
    """Measures the text of a mail, and says what is wrong with it as a whole.

    Args:
        file: Its template.
        nodes: What it says below its head, with what it includes.
        sample: A text for each fact.
        lexicon: Of its language.
    """
    found: list[Breach] = []
    length = len(words(longest(nodes, lambda fact: _filled(fact, sample))))
    first = next((node.place for node in each(nodes) if node.place.file == file), Place(file, 1))
    if length > WORDS_AT_MOST:
        found.append(Breach("body-long", first, f"the text has {length} words and {RULES['body-long'].says}"))
    grade, generic = (_grade(nodes, lexicon), _generic(nodes, lexicon)) if lexicon else (None, 0.0)
    if grade is not None and lexicon and grade > lexicon.grade:
        over = f"grade {grade:.1f}, at most {lexicon.grade:g}"
        found.append(Breach("reading-grade", first, f"the text {RULES['reading-grade'].says}: {over}"))
    if generic > GENERIC_AT_MOST:
        found.append(Breach("generic-share", first, f"the text {RULES['generic-share'].says}: {generic:.0%} of its sentences"))
    measured = Measured(file, lexicon.language if lexicon else "", length, None if grade is None else round(grade, 1), round(generic, 3))
    return measured, (*found, *of_actions(nodes))


def of_actions(nodes: Sequence[Node]) -> tuple[Breach, ...]:
    """Whether a message asks for more than one thing."""
    if most(nodes, _actions) <= 1:
        return ()
    last = [node for node in each(nodes) if _actions(node)][-1]
    return (Breach("action-several", last.place, f"the message {RULES['action-several'].says}"),)


def of_sms(file: str, nodes: Sequence[Node], sample: Mapping[str, str], service: bool) -> Iterator[Breach]:
    """What is wrong with an SMS: its segments, its signs, and how to stop it.

    Args:
        file: Its template.
        nodes: What it says, with what it includes.
        sample: A text for each fact.
        service: True where it is about the customer's own order: nobody has to be able to stop it.
    """

    def fill(fact: Said) -> str:
        return plain(_filled(fact, sample))

    text = " ".join(plain(longest(nodes, fill, lambda one: segments(plain(one)).units)).split())
    strange = foreign(plain("".join(node.text for node in each(nodes) if isinstance(node, Said) and node.text not in (FACT, BREAK))))
    if strange:
        yield Breach("sms-encoding", Place(file, 1), f"'{shown(strange[0])}' {RULES['sms-encoding'].says}")
    counted = segments(text)
    if counted.count > 1:
        yield Breach("sms-long", Place(file, 1), f"the text {RULES['sms-long'].says}: {counted.units} units in {counted.count} segments")
    said = " ".join(reading.text for reading in readings(nodes))
    if not service and not any(any(one.stop.hits(said)) for one in lexicons().values()):
        yield Breach("sms-stop", Place(file, 1), f"the text {RULES['sms-stop'].says}")


def shortest(nodes: Sequence[Node]) -> int:
    """The least characters that a reader gets, without the facts."""
    return -most(nodes, lambda node: -len(node.text.strip("\n")) if isinstance(node, Said) and node.text not in (FACT, BREAK) else 0)


def _filled(fact: Said, sample: Mapping[str, str]) -> str:
    return sample.get(fact.expression.split(".")[0], "").translate(NOT_SAID)


def _grade(nodes: Sequence[Node], lexicon: Lexicon) -> float | None:
    every = _sentences(nodes)
    spoken = [word for one in every for word in words(one)]
    if len(spoken) < GRADED_FROM:
        return None
    return FORMULAS[lexicon.formula](count(spoken, len(every), lexicon.vowels, lexicon.silent))


def _generic(nodes: Sequence[Node], lexicon: Lexicon) -> float:
    every = _sentences(nodes)
    hits = [one for one in every if any(hit.rule == "generic" for hit in lexicon.wrongs(one))]
    return len(hits) / len(every) if len(hits) > 1 else 0.0


def _sentences(nodes: Sequence[Node]) -> list[str]:
    """The sentences of all branches, each once; what is only a part of one, as a name in the middle, is left out."""
    own = (reading.text[slice(*reading.own)] for reading in readings(nodes))
    return [one for text in own if any(mark in text for mark in ".!?") for one in sentences(text)]


def _actions(node: Said | Element) -> int:
    """How many things a part of a message asks for."""
    if isinstance(node, Element):
        link = node.attributes.get("href", "") if node.name in ("a", "mj-button") else ""
        away = link.startswith(("mailto:", "tel:")) or any(f"{{{{ {one} }}}}" in link for one in _ENDS)
        return int(bool(link) and not away)
    fact = node.text == FACT and node.expression.endswith("_url") and node.expression not in _ENDS
    return int(fact) + (0 if node.text == FACT else node.text.count("https://"))


def _linked(node: Element, hosts: frozenset[str]) -> Iterator[Breach]:
    for name in ("href", "src", "background-url"):
        link = node.attributes.get(name, "")
        scheme, mark, rest = link.partition("://")
        if mark and scheme.lower() in ("http", "https") and not rest.startswith("{{"):
            breach = host_breach(scheme, _HOST.split(rest, maxsplit=1)[0], hosts, node.place)
            if breach:
                yield breach
