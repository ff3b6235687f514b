"""Who is in which segment as of an instant: calls of rules answered for a table of customers, and segments counted in one pass.

Knows nothing of documents and files. A segment is a name and a rule; it may build on other segments, never on itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from operator import add

import ibis
import ibis.expr.types as ir
import numpy as np

from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.insight.event_features import features
from rekindle.insight.expression import Expression, nearest
from rekindle.insight.expression_tree import SegmentCall
from rekindle.moment import AsOf

MOST = 50
"""The most segments of a store: their memberships are the bits of one number."""

NOT_FITTED = "no lapse model could be fitted, so that no margin is expected of anyone"


@dataclass(frozen=True, slots=True)
class Segment:
    """What one segment amounts to.

    Args:
        name: Its name.
        customers: Who is in it.
        reachable: Those of them who may be written to by e-mail.
        expected_margin: What they are expected to bring in the horizon, minor units.
        margin_at_risk: What they would bring besides if all were customers still, minor units.
    """

    name: str
    customers: int
    reachable: int
    expected_margin: int | CannotTell
    margin_at_risk: int | CannotTell


@dataclass(frozen=True, slots=True)
class Measured:
    """All segments as of an instant.

    Args:
        customers: Known customers.
        segments: In the order of their definitions.
        overlaps: Customers in both, by two names in that order.
    """

    customers: int
    segments: tuple[Segment, ...]
    overlaps: dict[tuple[str, str], int]

    def both(self, one: str, other: str) -> int:
        """How many customers are in two segments."""
        return self.overlaps[one, other] if (one, other) in self.overlaps else self.overlaps[other, one]


def with_calls(
    warehouse: Warehouse,
    table: ir.Table,
    rules: Iterable[Expression],
    as_of: AsOf,
    definitions: Mapping[str, Expression] | None = None,
) -> ir.Table:
    """A table of customers with the columns that rules' calls read; the same rows, and the same table where no rule calls.

    Args:
        warehouse: An open history.
        table: One row per customer_id, with the columns that the rules and the segments name.
        rules: What is going to be compiled over the table.
        as_of: The instant; later events are not seen.
        definitions: The store's segments: name to rule.

    Raises:
        BadData: A segment is not defined, or builds on itself.
    """
    known, wanted = definitions or {}, tuple(rules)
    order = _in_order(wanted, known)
    asked = dict.fromkeys(one for rule in (*wanted, *(known[name] for name in order)) for one in rule.calls)
    for answers in features(warehouse, asked, as_of):
        table = table.left_join(answers, "customer_id").drop("customer_id_right")
    zero = [one.column for one in asked if one.function != "last"]
    table = table.mutate(**{name: table[name].fill_null(0) for name in zero}) if zero else table
    for name in order:
        table = table.mutate(**{SegmentCall(name).column: known[name].compile(table)})
    return table


def _in_order(rules: tuple[Expression, ...], definitions: Mapping[str, Expression]) -> list[str]:
    """The segments that rules build on, each after those that it builds on itself."""
    builds_on: dict[str, set[str]] = {}
    open_names = [call.segment for rule in rules for call in rule.segments]
    while open_names:
        name = open_names.pop()
        if name not in definitions:
            raise BadData(f"there is no segment '{name}'", nearest(name, definitions, "Define it in segments.yaml."))
        if name not in builds_on:
            builds_on[name] = {call.segment for call in definitions[name].segments}
            open_names.extend(sorted(builds_on[name]))
    try:
        return list(TopologicalSorter({name: sorted(builds_on[name]) for name in sorted(builds_on)}).static_order())
    except CycleError as error:
        way = " -> ".join(reversed(error.args[1]))
        raise BadData(f"a segment builds on itself: {way}", "Take one of these in_segment(...) out.") from error


def measure(warehouse: Warehouse, table: ir.Table, definitions: Mapping[str, Expression], as_of: AsOf) -> Measured:
    """Counts every segment and every overlap of two, from one aggregate over the customers.

    Args:
        warehouse: Runs the aggregate.
        table: The profile: email_consent, expected_margin, margin_at_risk, p_alive, and what the rules name.
        definitions: Name to rule, at most `MOST`.
        as_of: The instant.

    Raises:
        BadData: More segments than that, or as `with_calls`.
    """
    if len(definitions) > MOST:
        raise BadData(f"there are {len(definitions)} segments", f"Keep at most {MOST}.")
    told = with_calls(warehouse, table, definitions.values(), as_of, definitions)
    bits = [rule.compile(told).cast("int64") * 2**place for place, rule in enumerate(definitions.values())]
    marked = told.mutate(mask=reduce(add, bits, ibis.literal(0, "int64")))
    groups = marked.group_by("mask").aggregate(
        customers=marked.count(),
        reachable=marked.email_consent.cast("int64").sum(),
        expected_margin=purchases.exact_sum(marked.expected_margin),
        margin_at_risk=purchases.exact_sum(marked.margin_at_risk),
        fitted=marked.p_alive.notnull().cast("int64").sum(),
    )
    found = warehouse.arrow(groups)
    columns = {name: found[name].fill_null(0).to_numpy().astype(np.int64) for name in groups.columns}
    return _measured(columns, tuple(definitions))


def named(warehouse: Warehouse, table: ir.Table, definitions: Mapping[str, Expression], as_of: AsOf) -> ir.Table:
    """The segments of each customer as one text, such as `|advocates|cart_left|`, and `|` of who is in none: customer_id, segments.

    Args:
        warehouse: An open history.
        table: Profiles, with the columns that the rules name.
        definitions: Name to rule.
        as_of: The instant.

    Raises:
        BadData: As `with_calls`.
    """
    told = with_calls(warehouse, table, definitions.values(), as_of, definitions)
    parts = [rule.compile(told).fill_null(False).ifelse(f"{name}|", "") for name, rule in definitions.items()]
    return told.select("customer_id", segments=reduce(add, parts, ibis.literal("|")))


def _measured(columns: dict[str, np.ndarray], names: tuple[str, ...]) -> Measured:
    """Sums over the few distinct memberships: `columns` has a row for each."""
    member = (columns["mask"][:, None] >> np.arange(len(names), dtype=np.int64)) & 1
    counts = member.T @ (member * columns["customers"][:, None])
    reachable, expected, at_risk = (member.T @ columns[name] for name in ("reachable", "expected_margin", "margin_at_risk"))
    fitted = int(columns["fitted"].sum()) > 0
    segments = tuple(
        Segment(
            name, int(counts[at, at]), int(reachable[at]), int(expected[at]) if fitted else CannotTell(NOT_FITTED),
            int(at_risk[at]) if fitted else CannotTell(NOT_FITTED),
        )
        for at, name in enumerate(names)
    )
    overlaps = {(one, names[j]): int(counts[i, j]) for i, one in enumerate(names) for j in range(i + 1, len(names))}
    return Measured(int(columns["customers"].sum()), segments, overlaps)
