"""The grammar of rules: from words to a tree, by recursive descent, one method per line of the grammar.

Knows nothing of what columns and events hold. The grammar stands in `rekindle.insight.expression`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Literal, TypeVar, cast

from rekindle.insight.expression_calls import CALLS, FUNCTIONS, read_call
from rekindle.insight.expression_tokens import Cursor, Token, nearest
from rekindle.insight.expression_tree import (
    COMPARISONS,
    NUMBERS,
    Among,
    Arithmetic,
    Column,
    Comparison,
    Constant,
    EventCall,
    Junction,
    Kind,
    Missing,
    Node,
    Not,
    SegmentCall,
)
from rekindle.insight.protected import protected_words

DEPTH = 20
DIGITS = 15

T = TypeVar("T")

_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "true", "false", "none"})


class Parser(Cursor):
    """Reads one rule.

    Args:
        text: The rule.
        columns: The names it may use and their kinds.
        values: All values that some text columns can have.
    """

    def __init__(self, text: str, columns: Mapping[str, str], values: Mapping[str, frozenset[str]]) -> None:
        super().__init__(text)
        self.columns, self.values = columns, values
        self.depth, self.sums, self.calls = 0, 0, 0

    def whole(self) -> Node:
        """The tree of the whole text.

        Raises:
            ExpressionError: It is not a rule.
        """
        first = self.next
        root = self._condition(first, self._rule())
        if self.next.kind != "end":
            remedy = "Join conditions with 'and' or 'or'; compare two values at a time."
            raise self.error(self.next, f"'{self.next.text}' cannot follow", remedy)
        return root

    def _rule(self) -> Node:
        return self._joined("or", lambda: self._joined("and", self._negated))

    def _joined(self, operator: Literal["and", "or"], part: Callable[[], Node]) -> Node:
        parts = [(self.next, part())]
        while self.take(operator):
            parts.append((self.next, part()))
        return Junction(operator, tuple(self._condition(*one) for one in parts)) if len(parts) > 1 else parts[0][1]

    def _negated(self) -> Node:
        if not self.take("not"):
            return self._comparison()
        start = self.next
        return Not(self._condition(start, self._deeper(start, self._negated)))

    def _comparison(self) -> Node:
        start = self.next
        left = self._sum()
        token = self.next
        if token.text in COMPARISONS:
            self.at += 1
            return self._compared((start, left), token, (self.next, self._sum()))
        if self.take("="):
            raise self.error(token, "'=' cannot stand here", "Write == to compare.")
        if self.take("is"):
            return self._missing(start, left)
        if self.take("in"):
            return self._among(token, left)
        if token.text == "not" and self.tokens[self.at + 1].text == "in":
            self.at += 2
            return Not(self._among(token, left))
        return left

    def _compared(self, first: tuple[Token, Node], token: Token, second: tuple[Token, Node]) -> Comparison:
        (begin, left), (start, right) = first, second
        left, right = self._fitted(begin, left, right), self._fitted(start, right, left)
        if left.kind != right.kind and not {left.kind, right.kind} <= NUMBERS:
            why = f"{_shown(left)} cannot be compared with {_shown(right)}"
            raise self.error(start, why, "Compare text with text, numbers with numbers, days with days.")
        if token.text not in ("==", "!=") and left.kind in ("str", "bool"):
            raise self.error(token, f"'{token.text}' does not order {_shown(left)}", "Use ==, != or in.")
        return Comparison(token.text, left, right)

    def _among(self, token: Token, left: Node) -> Among:
        close = ")" if self.take("(") else "]"
        if close == "]" and not self.take("["):
            raise self.error(self.next, "'in' needs a list", "Write it as in ('high', 'mid').")
        options: list[Node] = []
        while not options or self.take(","):
            start = self.next
            option = self._atom()
            if not isinstance(option, Constant):
                raise self.error(start, "a list holds constants only", "Write texts, numbers or days, such as ('high', 'mid').")
            options.append(self._compared((token, left), token._replace(text="=="), (start, option)).right)
        if not self.take(close):
            raise self.error(self.next, f"the list has no '{close}'", f"Add '{close}'.")
        return Among(left, tuple(cast(Constant, option) for option in options))

    def _missing(self, start: Token, left: Node) -> Node:
        negated = self.take("not")
        unknowable = isinstance(left, Column) or (isinstance(left, EventCall) and left.asked.function == "last")
        if not isinstance(left, Column | EventCall) or not unknowable or not self.take("none"):
            raise self.error(start, "'is' only asks whether a column is known", "Write it as category is none, or category is not none.")
        return Not(Missing(left)) if negated else Missing(left)

    def _sum(self) -> Node:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._signed))

    def _chain(self, operators: tuple[str, ...], part: Callable[[], Node]) -> Node:
        first, node = self.next, part()
        while self.next.kind == "sign" and self.next.text in operators:
            token = self.next
            self.at, self.sums = self.at + 1, self.sums + 1
            if self.sums > DEPTH:
                raise self.error(token, f"more than {DEPTH} calculations", "Simplify the rule.")
            start = self.next
            node = Arithmetic(token.text, self._number(first, node), self._number(start, part()))
        return node

    def _signed(self) -> Node:
        token = self.next
        if self.take("-"):
            operand = self._number(self.next, self._deeper(token, self._signed))
            if isinstance(operand, Constant):
                return replace(operand, value=-cast(float, operand.value))
            return Arithmetic("-", Constant(0, "int"), operand)
        if self.take("("):
            inner = self._deeper(token, self._rule)
            self.close(token)
            return inner
        return self._atom()

    def _atom(self) -> Node:
        token = self.step()
        if token.kind == "number":
            return self._numeral(token)
        if token.kind == "text":
            return Constant(self.quoted(token), "str")
        if token.text in ("true", "false"):
            return Constant(token.text == "true", "bool")
        if token.kind == "word" and token.text not in _KEYWORDS:
            return self._call(token) if self.next.text == "(" else self._column(token)
        if token.text == "none":
            raise self.error(token, "'none' is not a value", "Write it as category is none.")
        if token.text == "-":
            self.at -= 1
            return self._signed()
        found = "the end" if token.kind == "end" else repr(token.text)
        raise self.error(token, f"{found} stands where a value is expected", "Write a column, a number or a text.")

    def _numeral(self, token: Token) -> Constant:
        if len(token.text) > DIGITS:
            raise self.error(token, f"the number has more than {DIGITS} digits", "Write a smaller number.")
        return Constant(float(token.text), "float") if "." in token.text else Constant(int(token.text), "int")

    def _column(self, token: Token) -> Column:
        if token.text in self.columns:
            return Column(token.text, cast(Kind, self.columns[token.text]), token.position)
        if words := protected_words(token.text):
            raise self.error(token, f"{words}, and no column holds one", "Go by what the customer did: orders, views, returns, consent.")
        if token.text in FUNCTIONS:
            raise self.error(token, f"'{token.text}' is a call", f"Write it as in {FUNCTIONS[token.text]}.")
        raise self.error(token, f"'{token.text}' is not a column", nearest(token.text, self.columns, "docs/programs.md lists the columns."))

    def _call(self, token: Token) -> EventCall | SegmentCall:
        if token.text in self.columns:
            raise self.error(token, f"'{token.text}' is a column, and not a call", "Write it without brackets.")
        self.calls += 1
        if self.calls > CALLS:
            raise self.error(token, f"more than {CALLS} calls", "Simplify the rule, or name a part of it as a segment.")
        return read_call(self, token)

    def _fitted(self, token: Token, side: Node, other: Node) -> Node:
        """A constant as what it is compared with: a day where that is a day, one of the column's values where these are known."""
        if not isinstance(side, Constant) or side.kind != "str" or not isinstance(other, Column):
            return side
        text = cast(str, side.value)
        if other.kind == "date":
            return Constant(self._day(token, text), "date")
        known = self.values.get(other.name)
        if known is not None and text not in known:
            raise self.error(token, f"{other.name} is never '{text}'", nearest(text, known, f"It is one of {', '.join(sorted(known))}."))
        return side

    def _day(self, token: Token, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise self.error(token, f"'{text}' is not a day", "Write it as '2026-11-22'.") from None

    def _condition(self, token: Token, node: Node) -> Node:
        if node.kind != "bool":
            raise self.error(token, f"{_shown(node)} is not a condition", "Compare it with something.")
        return node

    def _number(self, token: Token, node: Node) -> Node:
        if node.kind not in NUMBERS:
            raise self.error(token, f"{_shown(node)} is not a number", "Calculate with numbers only.")
        return node

    def _deeper(self, token: Token, part: Callable[[], T]) -> T:
        self.depth += 1
        if self.depth > DEPTH:
            raise self.error(token, f"nested more than {DEPTH} deep", "Simplify the rule.")
        found = part()
        self.depth -= 1
        return found


def _shown(node: Node) -> str:
    kinds = {"str": "text", "int": "a number", "float": "a number", "bool": "a yes or no", "date": "a day"}
    name = node.name if isinstance(node, Column) else node.asked.function if isinstance(node, EventCall) else ""
    return f"{name} ({kinds[node.kind]})" if name else kinds[node.kind]
