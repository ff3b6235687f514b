"""Which customers a rule means: a small language of comparisons over named columns, as an Ibis boolean.

Knows nothing of what the columns hold. Text is parsed by hand into a frozen tree; nothing is ever evaluated and no SQL text is made.

    rule       = both {"or" both}                    both = negated {"and" negated}        negated = "not" negated | comparison
    comparison = sum [("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" "(" constant {"," constant} ")" | "is" ["not"] "none"]
    sum        = product {("+" | "-") product}       product = signed {("*" | "/") signed}
    signed     = "-" signed | "(" rule ")" | constant | column

An unknown value makes a comparison neither true nor false, and a rule that is not true does not hold: `category != 'Toys'` leaves out
customers without a category. Arithmetic is in floating point; a division by zero is unknown. A day is compared as `'2026-11-22'`.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, NamedTuple, TypeVar, cast

import ibis.expr.types as ir

from rekindle.errors import BadData
from rekindle.insight.expression_tree import (
    COMPARISONS,
    NUMBERS,
    Among,
    Arithmetic,
    Column,
    Comparison,
    Constant,
    Junction,
    Kind,
    Missing,
    Node,
    Not,
    walk,
)

LENGTH = 2_000
DEPTH = 20
DIGITS = 15

T = TypeVar("T")

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?(?![\w.]))|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>'[^']*'|\"[^\"]*\")|(?P<sign>==|!=|<=|>=|[<>()\[\],+*/-]))"
)
_WORDS = {"True": "true", "False": "false", "None": "none"}
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "true", "false", "none"})

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


@dataclass(frozen=True, slots=True)
class Expression:
    """A rule that was read; two are equal where they mean the same tree, however they are spaced.

    Args:
        text: As it was written.
        root: Its tree.
    """

    text: str = field(compare=False)
    root: Node

    @property
    def columns(self) -> frozenset[str]:
        """The names it uses."""
        return frozenset(node.name for node in walk(self.root) if isinstance(node, Column))

    def compile(self, table: ir.Table) -> ir.BooleanValue:
        """The rule over a table that has its columns: true or false, never unknown."""
        return cast(ir.BooleanValue, cast(ir.BooleanValue, self.root.compile(table)).fill_null(False))


def parse(text: str, columns: Mapping[str, str], values: Mapping[str, frozenset[str]] | None = None) -> Expression:
    """Reads a rule.

    Args:
        text: At most `LENGTH` characters, nested at most `DEPTH` deep.
        columns: The names a rule may use and their kinds: str, int, float, bool or date.
        values: All values that some of the text columns can have; another one in a rule is a slip.

    Raises:
        ExpressionError: At which character, why, and what to write.

    >>> parse("orders >= 4 and value_tier == 'mid'", {"orders": "int", "value_tier": "str"}).columns == {"orders", "value_tier"}
    True
    """
    if len(text) > LENGTH:
        raise ExpressionError(text, LENGTH + 1, f"the rule has {len(text):,} characters", f"Write at most {LENGTH:,}.")
    parser = _Parser(text, columns, values or {})
    return Expression(text, parser.whole())


def nearest(word: str, known: Mapping[str, object] | frozenset[str], otherwise: str) -> str:
    """A remedy that names the known word most like the one that was written."""
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"Did you mean '{close[0]}'?" if close else otherwise


class _Token(NamedTuple):
    kind: str  # number, word, text, sign or end
    text: str
    position: int


def _tokens(text: str) -> Iterator[_Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            remedy = "Write == to compare." if text[at] == "=" else "docs/programs.md shows what a rule may say."
            raise ExpressionError(text, at + 1, f"{text[at]!r} cannot stand here", remedy)
        kind = cast(str, match.lastgroup)
        yield _Token(kind, _WORDS.get(match[kind], match[kind]) if kind == "word" else match[kind], match.start(kind) + 1)
        at = match.end()
    yield _Token("end", "", len(text) + 1)


class _Parser:
    """Recursive descent over the tokens, one method per line of the grammar."""

    def __init__(self, text: str, columns: Mapping[str, str], values: Mapping[str, frozenset[str]]) -> None:
        self.text, self.columns, self.values = text, columns, values
        self.tokens = list(_tokens(text))
        self.at, self.depth, self.sums = 0, 0, 0

    def whole(self) -> Node:
        first = self._next
        root = self._condition(first, self._rule())
        if self._next.kind != "end":
            remedy = "Join conditions with 'and' or 'or'; compare two values at a time."
            raise self._error(self._next, f"'{self._next.text}' cannot follow", remedy)
        return root

    def _rule(self) -> Node:
        return self._joined("or", lambda: self._joined("and", self._negated))

    def _joined(self, operator: Literal["and", "or"], part: Callable[[], Node]) -> Node:
        parts = [(self._next, part())]
        while self._take(operator):
            parts.append((self._next, part()))
        return Junction(operator, tuple(self._condition(*one) for one in parts)) if len(parts) > 1 else parts[0][1]

    def _negated(self) -> Node:
        if not self._take("not"):
            return self._comparison()
        start = self._next
        return Not(self._condition(start, self._deeper(start, self._negated)))

    def _comparison(self) -> Node:
        start = self._next
        left = self._sum()
        token = self._next
        if token.text in COMPARISONS:
            self.at += 1
            return self._compared((start, left), token, (self._next, self._sum()))
        if self._take("is"):
            return self._missing(start, left)
        if self._take("in"):
            return self._among(token, left)
        if token.text == "not" and self.tokens[self.at + 1].text == "in":
            self.at += 2
            return Not(self._among(token, left))
        return left

    def _compared(self, first: tuple[_Token, Node], token: _Token, second: tuple[_Token, Node]) -> Comparison:
        (begin, left), (start, right) = first, second
        left, right = self._fitted(begin, left, right), self._fitted(start, right, left)
        if left.kind != right.kind and not {left.kind, right.kind} <= NUMBERS:
            why = f"{_shown(left)} cannot be compared with {_shown(right)}"
            raise self._error(start, why, "Compare text with text, numbers with numbers, days with days.")
        if token.text not in ("==", "!=") and left.kind in ("str", "bool"):
            raise self._error(token, f"'{token.text}' does not order {_shown(left)}", "Use ==, != or in.")
        return Comparison(token.text, left, right)

    def _among(self, token: _Token, left: Node) -> Among:
        close = ")" if self._take("(") else "]"
        if close == "]" and not self._take("["):
            raise self._error(self._next, "'in' needs a list", "Write it as in ('high', 'mid').")
        options: list[Node] = []
        while not options or self._take(","):
            start = self._next
            option = self._atom()
            if not isinstance(option, Constant):
                raise self._error(start, "a list holds constants only", "Write texts, numbers or days, such as ('high', 'mid').")
            options.append(self._compared((token, left), token._replace(text="=="), (start, option)).right)
        if not self._take(close):
            raise self._error(self._next, f"the list has no '{close}'", f"Add '{close}'.")
        return Among(left, tuple(cast(Constant, option) for option in options))

    def _missing(self, start: _Token, left: Node) -> Node:
        negated = self._take("not")
        if not isinstance(left, Column) or not self._take("none"):
            raise self._error(start, "'is' only asks whether a column is known", "Write it as category is none, or category is not none.")
        return Not(Missing(left)) if negated else Missing(left)

    def _sum(self) -> Node:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._signed))

    def _chain(self, operators: tuple[str, ...], part: Callable[[], Node]) -> Node:
        first, node = self._next, part()
        while self._next.kind == "sign" and self._next.text in operators:
            token = self._next
            self.at, self.sums = self.at + 1, self.sums + 1
            if self.sums > DEPTH:
                raise self._error(token, f"more than {DEPTH} calculations", "Simplify the rule.")
            start = self._next
            node = Arithmetic(token.text, self._number(first, node), self._number(start, part()))
        return node

    def _signed(self) -> Node:
        token = self._next
        if self._take("-"):
            operand = self._number(self._next, self._deeper(token, self._signed))
            if isinstance(operand, Constant):
                return replace(operand, value=-cast(float, operand.value))
            return Arithmetic("-", Constant(0, "int"), operand)
        if self._take("("):
            inner = self._deeper(token, self._rule)
            if not self._take(")"):
                raise self._error(self._next, f"the bracket of character {token.position} is not closed", "Add ')'.")
            return inner
        return self._atom()

    def _atom(self) -> Node:
        token = self._next
        self.at += 1
        if token.kind == "number":
            return self._numeral(token)
        if token.kind == "text":
            if not token.text.isprintable():
                raise self._error(token, "a text holds a character that cannot be printed", "Remove it.")
            return Constant(token.text[1:-1], "str")
        if token.text in ("true", "false"):
            return Constant(token.text == "true", "bool")
        if token.kind == "word" and token.text not in _KEYWORDS:
            return self._column(token)
        if token.text == "none":
            raise self._error(token, "'none' is not a value", "Write it as category is none.")
        if token.text == "-":
            self.at -= 1
            return self._signed()
        found = "the end" if token.kind == "end" else repr(token.text)
        raise self._error(token, f"{found} stands where a value is expected", "Write a column, a number or a text.")

    def _numeral(self, token: _Token) -> Constant:
        if len(token.text) > DIGITS:
            raise self._error(token, f"the number has more than {DIGITS} digits", "Write a smaller number.")
        return Constant(float(token.text), "float") if "." in token.text else Constant(int(token.text), "int")

    def _column(self, token: _Token) -> Column:
        if token.text not in self.columns:
            called = self._next.text == "("
            why = f"'{token.text}' is {'a call, and a rule calls nothing' if called else 'not a column'}"
            raise self._error(token, why, nearest(token.text, self.columns, "docs/programs.md lists the columns."))
        return Column(token.text, cast(Kind, self.columns[token.text]))

    def _fitted(self, token: _Token, side: Node, other: Node) -> Node:
        """A constant as what it is compared with: a day where that is a day, one of the column's values where these are known."""
        if not isinstance(side, Constant) or side.kind != "str" or not isinstance(other, Column):
            return side
        text = cast(str, side.value)
        if other.kind == "date":
            return Constant(self._day(token, text), "date")
        known = self.values.get(other.name)
        if known is not None and text not in known:
            raise self._error(token, f"{other.name} is never '{text}'", nearest(text, known, f"It is one of {', '.join(sorted(known))}."))
        return side

    def _day(self, token: _Token, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise self._error(token, f"'{text}' is not a day", "Write it as '2026-11-22'.") from None

    def _condition(self, token: _Token, node: Node) -> Node:
        if node.kind != "bool":
            raise self._error(token, f"{_shown(node)} is not a condition", "Compare it with something.")
        return node

    def _number(self, token: _Token, node: Node) -> Node:
        if node.kind not in NUMBERS:
            raise self._error(token, f"{_shown(node)} is not a number", "Calculate with numbers only.")
        return node

    def _deeper(self, token: _Token, part: Callable[[], T]) -> T:
        self.depth += 1
        if self.depth > DEPTH:
            raise self._error(token, f"nested more than {DEPTH} deep", "Simplify the rule.")
        found = part()
        self.depth -= 1
        return found

    @property
    def _next(self) -> _Token:
        return self.tokens[min(self.at, len(self.tokens) - 1)]

    def _take(self, text: str) -> bool:
        taken = self._next.text == text and self._next.kind in ("word", "sign")
        self.at += taken
        return taken

    def _error(self, token: _Token, why: str, remedy: str) -> ExpressionError:
        return ExpressionError(self.text, token.position, why, remedy)


def _shown(node: Node) -> str:
    kinds = {"str": "text", "int": "a number", "float": "a number", "bool": "a yes or no", "date": "a day"}
    return f"{node.name} ({kinds[node.kind]})" if isinstance(node, Column) else kinds[node.kind]
