"""What a template says to a person and on which line, in each of its branches.

Knows nothing of rules, and of what a template includes.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from rekindle.program.lint.markup import Token, attributes, element_name, tokens

FACT = "\ue000"
"""Stands in a reading for a fact that is printed."""

BREAK = "\x1e"
"""Stands in a reading between two paragraphs."""

NOT_SAID = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF]) | {
    0x2018: "'", 0x2019: "'", 0xA0: " ", 0x202F: " ", 0x1E: " ", 0xE000: " ", 0x2028: "\n", 0x2029: "\n",
}  # fmt: skip
"""Invisible characters, which could hide a word, and the signs that the rules know by another."""

DEPTH = 30
SIZE = 100_000
"""Characters; mail programs cut longer mails off."""

_INCLUDE = re.compile(r"include ([a-z0-9_/.-]+)")
_BLANK = re.compile(r"\n[ \t\r]*\n\s*")
_NAMED = re.compile(r"[A-Za-z_]\w*(?:\.\w+|-\w+)*(?![\w-]*\s*:)")
_FILTER = re.compile(r"\s*\w+\s*:?")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_LIQUID_WORDS = frozenset(
    {
        "and", "or", "not", "contains", "in", "if", "unless", "elsif", "else", "when", "case", "for", "endfor", "true", "false", "nil",
        "null", "blank", "empty", "reversed", "limit", "offset", "with", "as", "forloop", "echo", "assign", "capture", "render", "include",
        "cycle", "increment", "decrement", "tablerow",
    }
)  # fmt: skip
_INLINE = frozenset({"b", "strong", "i", "em", "u", "a", "span", "small", "sup", "sub", "font"})
_UNSAID = frozenset({"style", "mj-style", "script"})
_ENDS = {"endif": ("if",), "endunless": ("unless",), "endcase": ("case",), "endfor": ("for",), "endcapture": ("capture",)}
_NEXT = {"elsif": ("if", "unless"), "else": ("if", "unless", "case", "for"), "when": ("case",)}
_ALLOW = re.compile(r"lint:\s*allow\s+([a-z-]+)(?:\s+because\s+[\"“](.*)[\"”])?")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Said:
    """Words, or a fact, or the end of a paragraph: `text` is then `FACT` or `BREAK`."""

    text: str
    place: Place
    expression: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """An element of MJML or HTML, with its attributes."""

    name: str
    attributes: Mapping[str, str]
    place: Place


@dataclass(frozen=True, slots=True)
class Included:
    """A file whose text stands here."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Choice:
    """Branches of which a reader gets one; the last is empty where the template has no other.

    Args:
        branches: Their nodes.
        given: The facts that the choice goes by.
    """

    branches: tuple[tuple["Node", ...], ...]
    given: frozenset[str]


Node = Said | Element | Included | Choice


@dataclass(frozen=True, slots=True)
class Allowed:
    """A comment that lets a rule be broken on its own line and the next."""

    rule: str
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Template:
    """A template taken apart.

    Args:
        file: Its path below the content folder.
        nodes: What it says.
        names: The facts that it asks for, with their places.
        allowed: Its exceptions.
        broken: What is wrong with its Liquid, with the place.
    """

    file: str
    nodes: tuple[Node, ...]
    names: tuple[tuple[str, Place], ...]
    allowed: tuple[Allowed, ...]
    broken: tuple[tuple[str, Place], ...]


@dataclass(slots=True)
class _Open:
    """A Liquid tag that is not closed yet."""

    kind: str
    place: Place
    given: set[str]
    branches: list[list[Node]] = field(default_factory=lambda: [[]])
    whole: bool = False


class _Parser:
    """One template on its way to nodes."""

    def __init__(self, file: str, source: str) -> None:
        self.file, self.markup = file, file.endswith(".mjml")
        self.ends = [found.end() for found in re.finditer("\n", source)]
        self.stack = [_Open("", Place(file, 1), set())]
        self.names: list[tuple[str, Place]] = []
        self.allowed: list[Allowed] = []
        self.broken: list[tuple[str, Place]] = []
        self.local: set[str] = set()
        self.silent = ""
        self.beyond = 0

    def place(self, at: int) -> Place:
        return Place(self.file, bisect_right(self.ends, at) + 1)

    def add(self, node: Node) -> None:
        self.stack[-1].branches[-1].append(node)

    def read(self, token: Token) -> None:
        if self.silent:
            done = token.kind == "element" and element_name(token.text) == f"/{self.silent}"
            ends = token.kind == "tag" and token.text == self.silent
            self.aside(token)
            self.silent = "" if done or ends else self.silent
        elif token.kind == "text":
            self.say(token)
        elif token.kind == "output":
            self.ask(token.text, self.place(token.at))
            self.add(Said(FACT, self.place(token.at), token.text.partition("|")[0].strip()))
        elif token.kind == "comment":
            included = _INCLUDE.fullmatch(token.text)
            if included:
                self.add(Included(included[1], self.place(token.at)))
        elif token.kind == "element":
            self.element(token)
        else:
            self.tag(token)

    def aside(self, token: Token) -> None:
        """What stands in a comment, in raw text or in a style: of these only raw text is said, and only a style asks for facts."""
        if self.silent == "endcomment":
            self.note(token)
        elif self.silent == "endraw":
            self.say(token)
        elif token.kind == "output":
            self.ask(token.text, self.place(token.at))

    def say(self, token: Token) -> None:
        at = token.at
        for number, paragraph in enumerate(_BLANK.split(token.text)):
            if number:
                self.add(Said(BREAK, self.place(at)))
            for line in paragraph.splitlines(keepends=True):
                here = token.text.find(line, at - token.at) + token.at
                spoken = (html.unescape(line) if self.markup else line).translate(NOT_SAID)
                if spoken:
                    self.add(Said(spoken, self.place(here)))
                at = here + len(line)

    def element(self, token: Token) -> None:
        name, place = element_name(token.text), self.place(token.at)
        for inner in tokens(token.text, markup=False):
            if inner.kind in ("output", "tag"):
                self.ask(inner.text, place)
        self.silent = name if name in _UNSAID and not token.text.endswith("/>") else ""
        if name.lstrip("/") not in _INLINE and name != "mj-raw" and name != "/mj-raw":
            self.add(Said("\n" if name == "br" else BREAK, place))
        if not name.startswith("/"):
            held = attributes(token.text)
            self.add(Element(name, held, place))
            if "alt" in held:
                self.hidden(held["alt"], place)

    def hidden(self, text: str, place: Place) -> None:
        """The words that stand for a picture: who sees none is told them."""
        self.add(Said(BREAK, place))
        for inner in tokens(text, markup=False):
            if inner.kind in ("text", "output"):
                said = FACT if inner.kind == "output" else html.unescape(inner.text).translate(NOT_SAID)
                self.add(Said(said, place, inner.text if inner.kind == "output" else ""))
        self.add(Said(BREAK, place))

    def note(self, token: Token) -> None:
        found = _ALLOW.search(token.text)
        if found:
            line = self.place(token.at + max(0, token.text.find("lint:"))).line
            self.allowed.append(Allowed(found[1], (found[2] or "").strip(), Place(self.file, line)))

    def tag(self, token: Token) -> None:
        word, rest = (*token.text.split(None, 1), "", "")[:2]
        place = self.place(token.at)
        if token.text.startswith("#"):
            self.note(token)
        elif word in ("comment", "raw"):
            self.silent = f"end{word}"
        elif word in ("if", "unless", "case", "for", "capture"):
            self.begin(word, rest, place)
        elif word in _NEXT or word in _ENDS:
            self.go_on(word, rest, place)
        else:
            self.local |= {rest.split("=")[0].strip()} if word == "assign" else set()
            self.ask(rest.partition("=")[2] if word == "assign" else rest, place)

    def begin(self, word: str, rest: str, place: Place) -> None:
        self.local |= {rest.split()[0]} if word in ("for", "capture") and rest.split() else set()
        asked = rest.partition(" in ")[2] if word == "for" else "" if word == "capture" else rest
        given = self.ask(asked, place)
        if len(self.stack) > DEPTH:
            self.broken.append((f"Liquid tags stand more than {DEPTH} deep", place))
            self.beyond += 1
            return
        self.stack.append(_Open(word, place, given, [] if word == "case" else [[]], whole=word == "capture"))
        if word == "case":
            self.stack[-1].branches.append([])

    def go_on(self, word: str, rest: str, place: Place) -> None:
        here = self.stack[-1]
        if self.beyond:
            self.beyond -= word in _ENDS
        elif here.kind not in (_NEXT.get(word) or _ENDS[word]):
            self.broken.append((f"{{% {word} %}} has no beginning here", place))
        elif word in _NEXT:
            here.given |= self.ask(rest, place)
            here.whole = here.whole or word == "else"
            here.branches.append([])
        else:
            self.close()

    def close(self) -> None:
        done = self.stack.pop()
        branches = done.branches[1:] if done.kind == "case" else done.branches
        rest = () if done.whole else ((),)
        self.add(Choice((*map(tuple, branches), *rest), frozenset(done.given)))

    def ask(self, expression: str, place: Place) -> set[str]:
        """Notes the facts that an expression names; filters and what the template itself names are none."""
        found: set[str] = set()
        first, *filters = _QUOTED.sub("''", expression).split("|")
        for clause in (first, *(_FILTER.sub("", one, count=1) for one in filters)):
            words = {one.partition(".")[0] for one in _NAMED.findall(clause)}
            found |= {one for one in words if one not in _LIQUID_WORDS and one not in self.local}
        self.names.extend((name, place) for name in sorted(found))
        return found

    def end(self) -> Template:
        for one in self.stack[1:]:
            self.broken.append((f"{{% {one.kind} %}} is not closed", one.place))
        while len(self.stack) > 1:
            self.close()
        if self.silent.startswith("end"):
            self.broken.append((f"{{% {self.silent.removeprefix('end')} %}} is not closed", Place(self.file, len(self.ends) + 1)))
        return Template(
            self.file, tuple(self.stack[0].branches[0]), tuple(dict.fromkeys(self.names)), tuple(self.allowed), tuple(self.broken)
        )


def parse(file: str, source: str) -> Template:
    """Takes a template apart.

    Args:
        file: Its path below the content folder; what ends in .mjml has elements.
        source: Its text; of a long one only the beginning is read, and that is said.
    """
    read = source[:SIZE]
    parser = _Parser(file, read)
    if len(source) > SIZE:
        parser.broken.append((f"the file has {len(source):,} characters, at most {SIZE:,} are read", Place(file, 1)))
    for token in tokens(read, parser.markup):
        parser.read(token)
    return parser.end()
