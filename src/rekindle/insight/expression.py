"""Which customers a rule means: a small language of comparisons over named columns and events, as an Ibis boolean.

Knows nothing of what the columns hold. Text is parsed by hand into a frozen tree; nothing is ever evaluated and no SQL text is made.

    rule       = both {"or" both}                    both = negated {"and" negated}        negated = "not" negated | comparison
    comparison = sum [("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" "(" constant {"," constant} ")" | "is" ["not"] "none"]
    sum        = product {("+" | "-") product}       product = signed {("*" | "/") signed}
    signed     = "-" signed | "(" rule ")" | constant | column | call
    call       = "count" "(" event {"," filter} ")" | "sum" "(" event "," number {"," filter} ")" | "last" "(" event {"," filter} ")"
               | "in_segment" "(" name ")"           filter = ("within" | "category" | "product") "=" text

An unknown value makes a comparison neither true nor false, and a rule that is not true does not hold: `category != 'Toys'` leaves out
customers without a category. Arithmetic is in floating point; a division by zero is unknown. A day is compared as `'2026-11-22'`.
A rule with calls is compiled over a table that `rekindle.insight.segments.with_calls` has given their answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import ibis.expr.types as ir

from rekindle.insight.expression_parser import Parser
from rekindle.insight.expression_tokens import ExpressionError as ExpressionError
from rekindle.insight.expression_tokens import nearest as nearest
from rekindle.insight.expression_tree import Asked, Column, EventCall, Node, SegmentCall, walk

LENGTH = 2_000


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
        """The names of the columns it uses."""
        return frozenset(node.name for node in walk(self.root) if isinstance(node, Column))

    @property
    def calls(self) -> tuple[Asked, ...]:
        """What it asks of a customer's events, each question once, in the order of the text."""
        return tuple(dict.fromkeys(node.asked for node in walk(self.root) if isinstance(node, EventCall)))

    @property
    def segments(self) -> tuple[SegmentCall, ...]:
        """The segments it builds on, each once, in the order of the text."""
        return tuple(dict.fromkeys(node for node in walk(self.root) if isinstance(node, SegmentCall)))

    @property
    def needs(self) -> frozenset[str]:
        """The columns of the table that it is compiled over: its own, and those of its calls' answers."""
        return self.columns | {asked.column for asked in self.calls} | {call.column for call in self.segments}

    def compile(self, table: ir.Table) -> ir.BooleanValue:
        """The rule over a table that has the columns it `needs`: true or false, never unknown."""
        return cast(ir.BooleanValue, cast(ir.BooleanValue, self.root.compile(table)).fill_null(False))


def parse(text: str, columns: Mapping[str, str], values: Mapping[str, frozenset[str]] | None = None) -> Expression:
    """Reads a rule.

    Args:
        text: At most `LENGTH` characters, nested at most `DEPTH` deep.
        columns: The names a rule may use and their kinds: str, int, float, bool or date.
        values: All values that some of the text columns can have; another one in a rule is a slip.

    Raises:
        ExpressionError: At which character, why, and what to write.

    >>> parse("count('Product Viewed', within='30d') >= 3", {}).calls[0].within_days
    30
    >>> parse("orders >= 4 and value_tier == 'mid'", {"orders": "int", "value_tier": "str"}).columns == {"orders", "value_tier"}
    True
    """
    if len(text) > LENGTH:
        raise ExpressionError(text, LENGTH + 1, f"the rule has {len(text):,} characters", f"Write at most {LENGTH:,}.")
    parser = Parser(text, columns, values or {})
    return Expression(text, parser.whole())
