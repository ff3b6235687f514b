"""Which parts of a rule hold for one customer, and by which values: each condition that `and` joins, in the language's own words.

Knows nothing of programs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import ibis.expr.types as ir

from rekindle.decide import rule_words
from rekindle.decide.rule_words import Show
from rekindle.insight.expression import Expression
from rekindle.insight.expression_tree import (
    Among,
    Arithmetic,
    Asked,
    Column,
    Comparison,
    Constant,
    EventCall,
    Junction,
    Missing,
    Node,
    Not,
    SegmentCall,
    walk,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One condition of a rule.

    Args:
        text: The condition.
        holds: Whether it holds; what is not known does not.
        values: The columns and calls that it reads, with the customer's values; None where one is not known.
        words: Of one that does not hold, what it asks for and what is, as a person would say it; empty where it holds.
    """

    text: str
    holds: bool
    values: dict[str, object]
    words: str = ""

    @property
    def shown(self) -> str:
        """The condition with the values that decide it.

        >>> Part("orders >= 4", False, {"orders": 2}).shown
        'orders >= 4 (orders is 2)'
        """
        told = [f"{name} is {_value(value)}" for name, value in self.values.items()]
        return self.text + (f" ({', '.join(told)})" if told else "")


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """Whether a rule holds for one customer.

    Args:
        text: The rule.
        holds: Whether it does.
        parts: Its conditions; the rule holds where all of them do.
    """

    text: str
    holds: bool
    parts: tuple[Part, ...]

    @property
    def unmet(self) -> str:
        """The conditions that do not hold, with the values that decide them."""
        return "; ".join(part.shown for part in self.parts if not part.holds)

    @property
    def words(self) -> str:
        """The same as a person would say it."""
        return ", and ".join(part.words for part in self.parts if not part.holds)


def _value(value: object) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}"
    return repr(value) if isinstance(value, str) else str(value)


def columns(table: ir.Table, rules: Iterable[Expression]) -> dict[str, ir.Value]:
    """Every part of rules as a column of a table that has what they need; parts that several rules share once."""
    found: dict[str, ir.Value] = {}
    for rule in rules:
        for node in _parts(rule.root):
            found.setdefault(_key(node), cast(ir.BooleanValue, node.compile(table)).fill_null(False))
    return found


def verdict(rule: Expression, row: Mapping[str, Any], show: Show) -> RuleVerdict:
    """A rule over one customer.

    Args:
        rule: The rule.
        row: The customer's columns, and those of `columns`.
        show: Minor units as an amount that people read.
    """
    parts = tuple(_part(node, row, show) for node in _parts(rule.root))
    return RuleVerdict(rule.text, all(part.holds for part in parts), parts)


def _part(node: Node, row: Mapping[str, Any], show: Show) -> Part:
    found = Part(text_of(node), bool(row[_key(node)]), _values(node, row))
    return found if found.holds else replace(found, words=rule_words.unmet(node, row, found.shown, show))


def _key(node: Node) -> str:
    return f"part:{text_of(node)}"


def _parts(root: Node) -> tuple[Node, ...]:
    """The conditions that `and` joins at the top."""
    if isinstance(root, Junction) and root.operator == "and":
        return tuple(part for operand in root.operands for part in _parts(operand))
    return (root,)


def _values(node: Node, row: Mapping[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    for one in walk(node):
        if isinstance(one, Column):
            found[one.name] = row[one.name]
        elif isinstance(one, EventCall):
            found[text_of(one)] = row[one.asked.column]
        elif isinstance(one, SegmentCall):
            found[text_of(one)] = row[one.column]
    return found


def text_of(node: Node) -> str:
    """A condition in the rules' language.

    >>> from rekindle.insight.expression import parse
    >>> text_of(parse("not (orders>=4 or count('Product Viewed',within='30d')>2)", {"orders": "int"}).root)
    "not (orders >= 4 or count('Product Viewed', within='30d') > 2)"
    """
    match node:
        case Column():
            return node.name
        case Constant():
            return _value(node.value) if isinstance(node.value, bool) else repr(str(node.value) if node.kind == "date" else node.value)
        case EventCall():
            return _call(node.asked)
        case SegmentCall():
            return f"in_segment('{node.segment}')"
        case Missing():
            return f"{text_of(node.operand)} is none"
        case Not():
            return f"not {_inner(node.operand)}"
        case Among():
            return f"{text_of(node.operand)} in ({', '.join(text_of(option) for option in node.options)})"
        case Comparison() | Arithmetic():
            return f"{_inner(node.left)} {node.operator} {_inner(node.right)}"
        case Junction():
            return f" {node.operator} ".join(_inner(operand) for operand in node.operands)


def _inner(node: Node) -> str:
    """What stands inside another condition: in brackets where it is joined itself."""
    return f"({text_of(node)})" if isinstance(node, Junction | Arithmetic) else text_of(node)


def _call(asked: Asked) -> str:
    filters = {"within": asked.within_days and f"{asked.within_days}d", "category": asked.category, "product": asked.product}
    arguments = [repr(asked.event), *([asked.number] if asked.number else [])]
    return f"{asked.function}({', '.join([*arguments, *(f'{name}={value!r}' for name, value in filters.items() if value)])})"
