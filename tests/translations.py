"""The SQL of expressions that were written out before in this process: a copy, whichever history they are asked of.

Knows nothing of what the expressions mean. Writing a plan's SQL takes longer than answering it, and most tests ask what others asked
before them. What counts as the same is everything that the SQL is made from, but for the numbers of tables that were kept.
"""

import re
from typing import Any

import ibis
import ibis.expr.operations as ops
import pytest
from ibis.backends import BaseBackend
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from ibis.common.graph import Node
from sqlglot import exp

KEPT = re.compile(r"kept_\d+")
MOST = 1_000
"""How many are remembered, the latest; each is about 0.3 MB."""


class Seen:
    """One expression, told apart from every other that gives another SQL.

    Args:
        root: The operation.
    """

    def __init__(self, root: Node) -> None:
        self._numbers: dict[Node, int] = {root: 0}
        self._queue: list[Node] = [root]
        self.kept: dict[str, int] = {}
        self.key = tuple([self._one(node) for node in self._queue])  # the queue grows as it is read

    def _one(self, node: Node) -> tuple[object, ...]:
        if isinstance(node, ops.Literal):  # 1 equals 1.0 and True, but is written otherwise
            return (type(node), repr(node.value), node.dtype)
        return (type(node), *[self._told(value) for value in node.__args__])

    def _told(self, value: Any) -> object:
        kind = type(value)
        if isinstance(value, Node):
            if value not in self._numbers:
                self._numbers[value] = len(self._queue)
                self._queue.append(value)
            return self._numbers[value]
        if kind is tuple:
            return tuple([self._told(one) for one in value])
        if isinstance(value, dict):
            return (kind, tuple([(self._told(name), self._told(one)) for name, one in value.items()]))
        if isinstance(value, BaseBackend):
            return type(value)
        if kind is str and KEPT.fullmatch(value):
            return ("kept", self.kept.setdefault(value, len(self.kept)))
        return (kind, repr(value) if kind in (float, bool, int) else value)


def remembered(patch: pytest.MonkeyPatch) -> None:
    """Has every SQL that was written before copied."""
    write, written = SQLGlotCompiler.translate, dict[object, tuple[exp.Expression, list[str]]]()

    def translated(compiler: SQLGlotCompiler, op: Node, *, params: dict[Any, Any]) -> exp.Expression:
        if params:
            return write(compiler, op, params=params)
        seen = Seen(op)
        key = (type(compiler), ibis.options.sql.fuse_selects, seen.key)
        if key not in written:
            written[key] = (write(compiler, op, params=params), list(seen.kept))
            if len(written) > MOST:
                del written[next(iter(written))]
        first, names = written[key]
        return _renamed(first.copy(), dict(zip(names, seen.kept, strict=True)))

    patch.setattr(SQLGlotCompiler, "translate", translated)


def _renamed(query: exp.Expression, names: dict[str, str]) -> exp.Expression:
    if any(old != new for old, new in names.items()):
        for table in query.find_all(exp.Table):
            if table.name in names:
                table.this.set("this", names[table.name])
    return query
