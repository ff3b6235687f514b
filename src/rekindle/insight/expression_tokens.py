"""The words of a rule, and the mistakes in it: where it fails, why, and what to write instead.

Knows nothing of what the words mean together; `rekindle.insight.expression_parser` does.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast

from rekindle.errors import BadData

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?(?![\w.]))|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<sign>==|!=|<=|>=|[=<>()\[\],+*/-]))"
)
_WORDS = {"True": "true", "False": "false", "None": "none"}


class ExpressionError(BadData):
    """A rule cannot be read.

    Args:
        text: The whole rule.
        position: The character it fails at, counted from 1.
        why: What is wrong there.
        remedy: What to write instead.
    """

    def __init__(self, text: str, position: int, why: str, remedy: str) -> None:
        excerpt = "".join(one if one.isprintable() else "?" for one in text[max(position - 21, 0) : position + 19]).strip()
        super().__init__(f"character {position}, near “{excerpt}”: {why}", remedy)
        self.position = position


def nearest(word: str, known: Mapping[str, object] | frozenset[str], otherwise: str) -> str:
    """A remedy that names the known word most like the one that was written."""
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"Did you mean '{close[0]}'?" if close else otherwise


class Token(NamedTuple):
    """A word of a rule."""

    kind: str  # number, word, text, sign or end
    text: str
    position: int


def tokens(text: str) -> Iterator[Token]:
    """The words of a rule, an `end` after the last.

    Raises:
        ExpressionError: A sign is none of the language.
    """
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            if text[at] in "'\"":
                raise ExpressionError(text, at + 1, "the quote opened here is not closed", f"Add {text[at]} at its end.")
            raise ExpressionError(text, at + 1, f"{text[at]!r} cannot stand here", "docs/segments.md shows what a rule may say.")
        kind = cast(str, match.lastgroup)
        yield Token(kind, _WORDS.get(match[kind], match[kind]) if kind == "word" else match[kind], match.start(kind) + 1)
        at = match.end()
    yield Token("end", "", len(text) + 1)


class Cursor:
    """Where a reader stands among the words of a rule.

    Args:
        text: The whole rule.
    """

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.tokens = list(tokens(text))

    @property
    def next(self) -> Token:
        """The word that comes next."""
        return self.tokens[min(self.at, len(self.tokens) - 1)]

    def step(self) -> Token:
        """The word that comes next, and past it."""
        token = self.next
        self.at += 1
        return token

    def take(self, text: str) -> bool:
        """Goes past a sign or word where it comes next, and says whether it did."""
        taken = self.next.text == text and self.next.kind in ("word", "sign")
        self.at += taken
        return taken

    def close(self, opened: Token) -> None:
        """Goes past the bracket that closes another.

        Raises:
            ExpressionError: It does not come next.
        """
        if not self.take(")"):
            raise self.error(self.next, f"the bracket of character {opened.position} is not closed", "Add ')'.")

    def quoted(self, token: Token) -> str:
        """What stands between the quotes of a text.

        Raises:
            ExpressionError: It has a character that cannot be printed.
        """
        if not token.text.isprintable():
            raise self.error(token, "a text holds a character that cannot be printed", "Remove it.")
        return token.text[1:-1]

    def error(self, token: Token, why: str, remedy: str) -> ExpressionError:
        """What is wrong at a word."""
        return ExpressionError(self.text, token.position, why, remedy)
