"""The SQL of expressions, written once for all that differ in days, instants and the names of passing tables alone.

Knows nothing of what the expressions mean, nor of an engine. To write the SQL of a plan takes longer than to answer it of few rows, and a
walk over a year asks the same of every week.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import ibis.expr.operations as ops
from ibis.backends import BaseBackend
from ibis.common.graph import Node

MOST = 1_000
"""How many expressions' SQL is remembered, the latest; each takes some 30 kB."""

_PASSING = re.compile(r"kept_\d+|ibis_\w+")
"""Names of tables that are there for a while."""


class Shape:
    """An expression without what passes: days, instants and the names of passing tables.

    Args:
        root: The operation.

    Attributes:
        key: The same for expressions whose SQL is the same but for what passes.
        passing: What passes in this one, in the order in which it is met: literals and tables.
    """

    def __init__(self, root: Node) -> None:
        self._numbers: dict[Node, int] = {root: 0}
        self._queue: list[Node] = [root]
        self.passing: list[Node] = []
        self.key = tuple([self._one(node) for node in self._queue])  # the queue grows as it is read

    def _one(self, node: Node) -> tuple[object, ...]:
        if isinstance(node, ops.Literal):
            if node.dtype.is_temporal() and node.value is not None:
                self.passing.append(node)
                return (type(node), node.dtype)
            return (type(node), repr(node.value), node.dtype)  # 1 equals 1.0 and True, but is written otherwise
        if isinstance(node, ops.DatabaseTable | ops.InMemoryTable) and _PASSING.fullmatch(node.name):
            self.passing.append(node)
            return (type(node), node.schema)
        return (type(node), *[self._told(value) for value in node.__args__])

    def _told(self, value: Any) -> object:  # noqa: ANN401  whatever an operation is made of
        kind = type(value)
        if isinstance(value, Node):
            if value not in self._numbers:
                self._numbers[value] = len(self._queue)
                self._queue.append(value)
            return self._numbers[value]
        if kind is tuple:
            return tuple([self._told(one) for one in value])
        if isinstance(value, Mapping):
            return tuple([(self._told(name), self._told(one)) for name, one in value.items()])
        if isinstance(value, BaseBackend):
            return kind
        return (kind, repr(value)) if kind in (float, bool, int) else value


class Gapped:
    """SQL with gaps for what passes.

    Args:
        sql: The SQL of an expression.
        passing: What passes, as it is written in it; no two alike.
    """

    def __init__(self, sql: str, passing: list[str]) -> None:
        numbers = {text: number for number, text in enumerate(passing)}
        pieces = re.split(f"({'|'.join(map(re.escape, passing))})", sql) if passing else [sql]
        self._texts, self._gaps = pieces[::2], [numbers[text] for text in pieces[1::2]]
        self.whole = set(self._gaps) == set(numbers.values())

    def filled(self, passing: list[str]) -> str:
        """The SQL of an expression of the same shape."""
        return self._texts[0] + "".join([passing[gap] + text for gap, text in zip(self._gaps, self._texts[1:], strict=True)])


class Written:
    """What was written by one engine.

    Args:
        piece: Writes a literal, or a table's name.
    """

    def __init__(self, piece: Callable[[Node], str]) -> None:
        self._piece = piece
        self._found: dict[object, Gapped] = {}

    def query(self, root: Node, merged: bool, write: Callable[[], str]) -> str:
        """The SQL of an operation, written now where it was not before.

        Args:
            root: The operation.
            merged: Whether steps are merged into one select.
            write: Writes it.
        """
        shape = Shape(root)
        passing = [self._piece(one) for one in shape.passing]
        if len(set(passing)) < len(passing):
            return write()
        key = (merged, shape.key)
        if known := self._found.get(key):
            return known.filled(passing)
        sql = write()
        if (gapped := Gapped(sql, passing)).whole:
            self._found[key] = gapped
            if len(self._found) > MOST:
                del self._found[next(iter(self._found))]
        return sql
