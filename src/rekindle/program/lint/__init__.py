"""Whether a shop's texts are worth sending: every breach of the rules of `lint.rules`, with file, line and remedy.

Knows nothing of customers, and reads no file: it takes texts. docs/lint.md shows every rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rekindle.program.checking import Finding
from rekindle.program.lint import brand as brands
from rekindle.program.lint import shape
from rekindle.program.lint.lexicon import Lexicon, language_of, lexicons
from rekindle.program.lint.passages import BREAK, FACT, NOT_SAID, Allowed, Place, Said, Template, parse
from rekindle.program.lint.readings import each, whole
from rekindle.program.lint.rules import RULES, Breach
from rekindle.program.lint.shape import Measured
from rekindle.program.lint.wording import Voice, claims, strings, wording
from rekindle.program.reading import Reading, Unreadable, read

FACTS_FILE = "facts.yaml"
FOLDER = "content"
_EVIDENCE = frozenset({"evidence", "from", "until", "sample", "measured_on", "cause", "categories", "countries"})
"""What a registered fact holds beside its text; nobody reads it."""

_SHORT = frozenset({"sms", "webpush", "inapp", "webhook", "short"})
_REGISTERED = frozenset({"number-unbound", "claim-unbound", "apology-unbound"})
"""Rules that a registered fact is free of: its evidence stands beside it."""
_LIMITED = frozenset({"budget-unbound"})
"""What may be said where a budget is hard: it is true."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What texts are held to besides the rules.

    Args:
        locale: The shop's, such as de_DE: the language of a text that does not tell its own.
        facts: The names that a template may state, with a text as long as each may be.
        hosts: The shop's own hosts, without www.
        service: The programs that are news of the customer's own order.
        sorry: The programs that are opened by a mishap that happened.
        limited: Whether a budget is hard, so that a text may say that an offer holds while it lasts.
        spoken: Texts of other documents that messages print, such as the labels of offers, with their places.
    """

    locale: str = "en"
    facts: Mapping[str, str] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    service: frozenset[str] = frozenset()
    sorry: frozenset[str] = frozenset()
    limited: bool = False
    spoken: tuple[tuple[Place, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Linted:
    """Texts, looked at.

    Args:
        findings: By file and line.
        messages: Every mail in numbers, by file.
    """

    findings: tuple[Finding, ...]
    messages: tuple[Measured, ...]


def lint(texts: Mapping[str, str], asked: Asked) -> tuple[Finding, ...]:
    """Every breach of a rule, by file and line.

    Args:
        texts: A store's content by path below its content folder: templates, facts.yaml, brand.yaml.
        asked: What they are held to.

    >>> [str(one) for one in lint({"blocks/end.txt": "Act now!"}, Asked())]
    ["content/blocks/end.txt:1: error: 'Act now' presses the reader. Say what is offered and until when, and leave the choice. [pressure]"]
    """
    return examine(texts, asked).findings


def examine(texts: Mapping[str, str], asked: Asked) -> Linted:
    """As `lint`, with every mail measured."""
    bench = _Bench(texts, asked)
    breaches = [*bench.wrong, *bench.documents(), *(one for name in sorted(bench.templates) for one in bench.template(name))]
    measured = tuple(bench.measured)
    return Linted(tuple(sorted({_finding(one, bench) for one in bench.excused(breaches)})), measured)


class _Bench:
    """Content as it is taken apart."""

    def __init__(self, texts: Mapping[str, str], asked: Asked) -> None:
        self.asked = asked
        self.templates = {name: parse(name, text) for name, text in texts.items() if name.endswith((".txt", ".mjml"))}
        self.brand, self.wrong = brands.brand(texts.get(brands.FILE))
        self.registered = _registered(texts.get(FACTS_FILE, ""))
        self.claims = claims([text for _, text in self.registered])
        self.measured: list[Measured] = []
        self.strange: set[str] = set()

    def voice(self, text: str, free: frozenset[str] = frozenset()) -> Voice:
        """What the words of a text are held to, by its language, and which rules it is free of."""
        free |= _LIMITED if self.asked.limited else frozenset()
        return Voice(self._lexicon(text), self.brand, self.claims, self.asked.hosts, free=free)

    def _lexicon(self, text: str) -> Lexicon | None:
        return lexicons().get(self._language(text))

    def _language(self, text: str) -> str:
        return language_of(text, self.asked.locale.replace("-", "_").partition("_")[0].lower())

    def documents(self) -> Iterator[Breach]:
        """What is wrong with the words of registered facts and of other documents that messages print."""
        for place, text in self.registered:
            yield from wording([Said(text.translate(NOT_SAID), place)], self.voice(text, _REGISTERED))
        for place, text in self.asked.spoken:
            yield from wording([Said(text.translate(NOT_SAID), place)], self.voice(text, frozenset({"number-unbound"})))

    def template(self, name: str) -> Iterator[Breach]:
        """What is wrong with a file, and with the message that begins in it."""
        template = self.templates[name]
        folder, _, stage = name.rpartition("/")
        text = "".join(one.text for one in each(template.nodes) if isinstance(one, Said) and one.text not in (FACT, BREAK))
        yield from shape.of_file(template, self.asked.facts, self.asked.hosts)
        yield from wording(template.nodes, replace(self.voice(text), sorry=folder in self.asked.sorry))
        yield from self._unread(name, text)
        shown = replace(template, nodes=whole(template, self.templates))
        parts = stage.split(".")
        if name.endswith(".sms.txt"):
            yield from shape.of_sms(name, shape.head(shown)[1], self.asked.facts, folder in self.asked.service)
        elif folder and folder != "blocks" and parts[-1] == "mjml":
            if f"{name.removesuffix('.mjml')}.txt" not in self.templates:
                yield Breach("text-missing", Place(name, 1), f"the message {RULES['text-missing'].says}")
            yield from shape.of_actions(shown.nodes)
        elif folder and folder != "blocks" and not _SHORT & set(parts):
            yield from self._mail(shown, text)

    def _mail(self, template: Template, text: str) -> Iterator[Breach]:
        yield from shape.of_head(template)
        measured, breaches = shape.of_mail(template.file, shape.head(template)[1], self.asked.facts, self._lexicon(text))
        self.measured.append(measured)
        yield from breaches

    def _unread(self, name: str, text: str) -> Iterator[Breach]:
        language = self._language(text)
        if language not in lexicons() and language not in self.strange and text.strip():
            self.strange.add(language)
            yield Breach("language-unknown", Place(name, 1), f"the text {RULES['language-unknown'].says}: {language}")

    def excused(self, breaches: Sequence[Breach]) -> Iterator[Breach]:
        """The breaches that no exception covers, and the exceptions that cannot be heard or cover nothing."""
        allowed = [one for template in self.templates.values() for one in template.allowed]
        bad = {one: why for one in allowed if (why := brands.refused(one.rule, one.reason))}
        good = {(one.rule, one.place.file, line): one for one in allowed if one not in bad for line in (one.place.line, one.place.line + 1)}
        exempt = {(one.rule, file): one for one in self.brand.exempt for file in (one.file, f"{FOLDER}/{one.file}")}
        used: set[Allowed | brands.Exempt] = set()
        for breach in breaches:
            place = breach.place
            cover = good.get((breach.rule, place.file, place.line)) or exempt.get((breach.rule, _path(place, self)))
            if cover is None or RULES[breach.rule].firm:
                yield breach
            else:
                used.add(cover)
        yield from (Breach("exception-bad", unheard.place, why) for unheard, why in bad.items())
        every: dict[Allowed | brands.Exempt, None] = dict.fromkeys([*good.values(), *exempt.values()])
        for one in every:
            if one not in used:
                yield Breach("exception-unused", one.place, f"the exception to '{one.rule}' {RULES['exception-unused'].says}")


def _registered(text: str) -> list[tuple[Place, str]]:
    """The registered facts with their places; none where the file cannot be read, which its readers say."""
    try:
        reading = read(text.encode()) if text.strip() else Reading({})
    except (Unreadable, UnicodeEncodeError):
        return []
    found = ((path, said) for path, said in strings(reading.value) if not _EVIDENCE & set(path) and said.strip())
    return [(Place(FACTS_FILE, reading.line(path)), said) for path, said in found]


def _path(place: Place, bench: _Bench) -> str:
    """The path of a place within the store folder; texts of other documents have their own."""
    other = any(one.file == place.file for one, _ in bench.asked.spoken)
    return place.file if other else f"{FOLDER}/{place.file}"


def _finding(breach: Breach, bench: _Bench) -> Finding:
    rule = RULES[breach.rule]
    return Finding(_path(breach.place, bench), breach.place.line, breach.rule, breach.message, rule.remedy, rule.severity)


__all__ = ["Asked", "Linted", "Measured", "Place", "examine", "lint"]
