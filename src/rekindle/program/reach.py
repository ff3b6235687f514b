"""Whether rules can hold for any customer at all, as far as what they compare with constants tells.

Columns with few values are looked at together, every other column and question by itself: what two of them do to each other is not known.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache, reduce
from itertools import pairwise, product
from math import floor, prod
from typing import Any

from rekindle.insight.expression import Expression
from rekindle.insight.expression_tree import Among, Column, Comparison, Constant, EventCall, Junction, Kind, Missing, Node, Not, walk
from rekindle.program.vocabulary import ALWAYS_KNOWN, VALUES

Outcome = bool | None  # None: unknown
Value = str | int | float | bool | date | None
MOST = 1_000_000
"""Values of columns to look at, times the length of the rules: beyond, nothing is ruled out. A second's work at most."""

_ANY: frozenset[Outcome] = frozenset({True, False, None})
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def can_hold(rules: Iterable[Expression]) -> bool:
    """Whether some customer meets all the rules; true where that cannot be ruled out."""
    return _can_hold(tuple(rules))


@lru_cache(maxsize=1_000)
def _can_hold(rules: tuple[Expression, ...]) -> bool:
    """Remembered: while somebody writes one document, the rules of all the others are asked again and again."""
    columns = sorted({column for rule in rules for column in rule.columns if column in VALUES})
    domains: list[tuple[Value, ...]] = [(*sorted(VALUES[one]), *(() if one in ALWAYS_KNOWN else (None,))) for one in columns]
    together = product(*domains) if prod(map(len, domains)) * sum(len(rule.text) for rule in rules) <= MOST else ()
    rows = [dict(zip(columns, values, strict=True)) for values in together]
    if rows and not any(_holds(rules, row) for row in rows):
        return False
    return all(any(_holds(rules, {name: value}) for value in values) for name, values in _alone(rules))


def _holds(rules: tuple[Expression, ...], row: Mapping[str, Value]) -> bool:
    return all(True in _outcomes(rule.root, row) for rule in rules)


def _alone(rules: tuple[Expression, ...]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Every column without a list of values, and every question about events, with a value for each case that the rules tell apart."""
    kinds: dict[str, Kind] = {}
    stated: dict[str, set[Value]] = {}
    for node in (node for rule in rules for node in walk(rule.root)):
        if (name := _name(node)) and name not in VALUES and isinstance(node, Column | EventCall):
            kinds[name] = node.kind
        for operand, constants in _compared(node):
            stated.setdefault(operand, set()).update(constants)
    for name, kind in kinds.items():
        yield name, (*_cases(kind, stated.get(name, set())), None)


def _name(node: Node) -> str:
    """The column that holds a node's value; empty where it is more than a column."""
    return node.name if isinstance(node, Column) else node.asked.column if isinstance(node, EventCall) else ""


def _compared(node: Node) -> Iterator[tuple[str, tuple[Value, ...]]]:
    match node:
        case Among(operand=operand, options=options) if _name(operand):
            yield _name(operand), tuple(option.value for option in options)
        case Comparison(left=Constant(value=value), right=operand) | Comparison(left=operand, right=Constant(value=value)):
            yield _name(operand), (value,)


def _cases(kind: Kind, constants: set[Value]) -> tuple[Value, ...]:
    """Each constant, what lies on either side of it, and between it and the next."""
    if kind == "bool":
        return True, False
    if kind == "str":
        return (*constants, "\0")
    if kind == "date":
        return tuple(one + timedelta(days=by) for one in constants if isinstance(one, date) for by in (-1, 0, 1))
    numbers = sorted(one for one in constants if isinstance(one, int | float)) or [0]
    if kind == "int":
        return tuple(floor(one) + by for one in numbers for by in (-1, 0, 1))
    return numbers[0] - 1, *numbers, *((here + there) / 2 for here, there in pairwise(numbers)), numbers[-1] + 1


def _outcomes(node: Node, row: Mapping[str, Value]) -> frozenset[Outcome]:
    match node:
        case Constant(value=bool() as value):
            return frozenset({value})
        case Column(kind="bool", name=name) if name in row:
            return frozenset({None if row[name] is None else bool(row[name])})
        case Missing(operand=operand) if _name(operand) in row:
            return frozenset({row[_name(operand)] is None})
        case Among(operand=operand, options=options) if _name(operand) in row:
            return _known(row[_name(operand)], "==", *(option.value for option in options))
        case Comparison(operator=sign, left=operand, right=Constant(value=value)) if _name(operand) in row:
            return _known(row[_name(operand)], sign, value)
        case Comparison(operator=sign, left=Constant(value=value), right=operand) if _name(operand) in row:
            return _known(row[_name(operand)], _MIRRORED[sign], value)
        case Not(operand=operand):
            return frozenset(None if one is None else not one for one in _outcomes(operand, row))
        case Junction(operator=joined, operands=operands):
            return reduce(lambda left, right: _joined(left, right, joined == "or"), (_outcomes(one, row) for one in operands))
    return _ANY


def _known(value: Value, sign: str, *others: Value) -> frozenset[Outcome]:
    """How a value stands to any of others; unknown where it is."""
    return frozenset({None if value is None else any(_COMPARED[sign](value, other) for other in others)})


def _joined(left: frozenset[Outcome], right: frozenset[Outcome], decisive: bool) -> frozenset[Outcome]:
    """Three-valued `or` (decisive true) and `and` (decisive false) over every pair of outcomes."""
    return frozenset(
        decisive if decisive in pair else None if None in pair else not decisive for pair in product(left, right)
    )
