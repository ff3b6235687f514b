"""Whether rules can hold for any customer at all, as far as the columns with few values tell.

Knows nothing of numbers: a comparison of numbers may always come out either way.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from itertools import product
from math import prod

from rekindle.insight.expression import Expression
from rekindle.insight.expression_tree import Among, Column, Comparison, Constant, Junction, Missing, Node, Not
from rekindle.program.vocabulary import ALWAYS_KNOWN, VALUES

Outcome = bool | None  # None: unknown
MOST = 1_000_000
"""Values of columns to look at, times the length of the rules: beyond, nothing is ruled out. A second's work at most."""

_ANY: frozenset[Outcome] = frozenset({True, False, None})


def can_hold(rules: Iterable[Expression]) -> bool:
    """Whether some customer meets all the rules; true where that cannot be ruled out."""
    rules = tuple(rules)
    columns = sorted({column for rule in rules for column in rule.columns if column in VALUES})
    domains = [(*sorted(VALUES[column]), *(() if column in ALWAYS_KNOWN else (None,))) for column in columns]
    if prod(map(len, domains)) * sum(len(rule.text) for rule in rules) > MOST:
        return True
    rows = (dict(zip(columns, values, strict=True)) for values in product(*domains))
    return any(all(True in _outcomes(rule.root, row) for rule in rules) for row in rows)


def _outcomes(node: Node, row: Mapping[str, str | None]) -> frozenset[Outcome]:
    match node:
        case Constant(value=bool() as value):
            return frozenset({value})
        case Missing(operand=Column() as column) if column.name in row:
            return frozenset({row[column.name] is None})
        case Among(operand=Column() as column, options=options) if column.name in row:
            return _known(row[column.name], frozenset(option.value for option in options), wanted=True)
        case Comparison(operator="==" | "!=" as sign, left=Column() as column, right=Constant() as constant) if column.name in row:
            return _known(row[column.name], frozenset({constant.value}), wanted=sign == "==")
        case Not(operand=operand):
            return frozenset(None if one is None else not one for one in _outcomes(operand, row))
        case Junction(operator=operator, operands=operands):
            return reduce(lambda left, right: _joined(left, right, operator == "or"), (_outcomes(one, row) for one in operands))
    return _ANY


def _known(value: str | None, options: frozenset[object], wanted: bool) -> frozenset[Outcome]:
    return frozenset({None if value is None else (value in options) == wanted})


def _joined(left: frozenset[Outcome], right: frozenset[Outcome], decisive: bool) -> frozenset[Outcome]:
    """Three-valued `or` (decisive true) and `and` (decisive false) over every pair of outcomes."""
    return frozenset(
        decisive if decisive in pair else None if None in pair else not decisive for pair in product(left, right)
    )
