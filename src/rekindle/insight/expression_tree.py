"""What a rule is made of: a frozen tree of conditions, each with its Ibis expression.

Knows nothing of text; `rekindle.insight.expression` reads it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from datetime import date
from functools import reduce
from typing import Literal, cast

import ibis
import ibis.expr.types as ir

Kind = Literal["str", "int", "float", "bool", "date"]
NUMBERS = frozenset({"int", "float"})

COMPARISONS: dict[str, Callable[[ir.Value, ir.Value], ir.Value]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_ARITHMETIC: dict[str, Callable[[ir.Value, ir.Value], ir.Value]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right.nullif(0.0),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column's value."""

    name: str
    kind: Kind
    position: int = field(default=0, compare=False)

    def compile(self, table: ir.Table) -> ir.Value:
        """The column."""
        return table[self.name]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks of a customer's events; equal questions have one answer, whoever asks.

    Args:
        function: count, sum, or last: whole days since the last one.
        event: A name of `expression_events.EVENTS`.
        number: What `sum` adds up; empty for the others.
        within_days: Only events less than this many days ago; all of them where None.
        category, product: Only events about such a product.
    """

    function: Literal["count", "sum", "last"]
    event: str
    number: str = ""
    within_days: int | None = None
    category: str | None = None
    product: str | None = None

    @property
    def column(self) -> str:
        """The column that holds the answer."""
        return f"{self.function}_{hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class EventCall:
    """An answer from a customer's events: `count(...)`, `sum(...)` or `last(...)`."""

    asked: Asked
    kind: Kind = "int"

    def compile(self, table: ir.Table) -> ir.Value:
        """The column that `segments.with_calls` has joined; `last` is unknown where there was no such event."""
        return table[self.asked.column]


@dataclass(frozen=True, slots=True)
class SegmentCall:
    """Whether a customer is in a segment: `in_segment(...)`."""

    segment: str
    position: int = field(default=0, compare=False)
    kind: Kind = "bool"

    @property
    def column(self) -> str:
        """The column that holds the answer."""
        return f"in_segment_{self.segment}"

    def compile(self, table: ir.Table) -> ir.Value:
        """The column that `segments.with_calls` has added."""
        return table[self.column]


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, number, truth or day that the rule states."""

    value: str | int | float | bool | date
    kind: Kind

    def compile(self, _: ir.Table) -> ir.Value:
        """The value as a literal; the engine's adapter quotes it."""
        return ibis.literal(self.value)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers made one, in floating point."""

    operator: str
    left: "Node"
    right: "Node"
    kind: Kind = "float"

    def compile(self, table: ir.Table) -> ir.Value:
        """The result; unknown where either number is, or where the divisor is zero."""
        return _ARITHMETIC[self.operator](*(side.compile(table).cast("float64") for side in (self.left, self.right)))


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two values stand to each other."""

    operator: str
    left: "Node"
    right: "Node"
    kind: Kind = "bool"

    def compile(self, table: ir.Table) -> ir.Value:
        """True, false, or unknown where either value is."""
        return COMPARISONS[self.operator](self.left.compile(table), self.right.compile(table))


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a value is one of several."""

    operand: "Node"
    options: tuple[Constant, ...]
    kind: Kind = "bool"

    def compile(self, table: ir.Table) -> ir.Value:
        """True, false, or unknown where the value is."""
        return self.operand.compile(table).isin([option.value for option in self.options])


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether a value is not known."""

    operand: Column | EventCall
    kind: Kind = "bool"

    def compile(self, table: ir.Table) -> ir.Value:
        """True or false."""
        return self.operand.compile(table).isnull()


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    operand: "Node"
    kind: Kind = "bool"

    def compile(self, table: ir.Table) -> ir.Value:
        """True, false, or unknown where the condition is."""
        return ~cast(ir.BooleanValue, self.operand.compile(table))


@dataclass(frozen=True, slots=True)
class Junction:
    """Several conditions joined by `and` or by `or`."""

    operator: Literal["and", "or"]
    operands: tuple["Node", ...]
    kind: Kind = "bool"

    def compile(self, table: ir.Table) -> ir.Value:
        """The conditions joined in pairs, so that two hundred of them are eight levels deep."""
        parts = [cast(ir.BooleanValue, operand.compile(table)) for operand in self.operands]
        while len(parts) > 1:
            parts = [self._join(parts[at : at + 2]) for at in range(0, len(parts), 2)]
        return parts[0]

    def _join(self, parts: Sequence[ir.BooleanValue]) -> ir.BooleanValue:
        return reduce(lambda left, right: left & right if self.operator == "and" else left | right, parts)


Node = Column | EventCall | SegmentCall | Constant | Arithmetic | Comparison | Among | Missing | Not | Junction


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    for child in _children(node):
        yield from walk(child)


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Arithmetic() | Comparison():
            return (node.left, node.right)
        case Not() | Missing():
            return (node.operand,)
        case Among():
            return (node.operand, *node.options)
        case Junction():
            return node.operands
    return ()
