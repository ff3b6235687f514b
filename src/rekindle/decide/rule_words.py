"""A condition of a rule over one customer as a person would say it: what must be, and what is.

Knows nothing of programs. What has no words of its own is told as it is written.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rekindle.insight.expression_tree import Among, Column, Comparison, Constant, EventCall, Junction, Missing, Node, Not, SegmentCall

Row = Mapping[str, Any]
Show = Callable[[float], str]
"""Minor units as an amount that people read."""

NOUNS = {
    "lifecycle": "stage", "orders": "number of orders", "purchase_days": "number of days with an order", "value_tier": "value",
    "premium": "taste for dearer things", "price_sensitive": "habit of buying at a discount",
    "quick_solution": "habit of buying one thing at a time", "threshold_distance": "way to the next threshold", "overdue": "days overdue",
    "silence_days": "days of silence", "spend": "spending so far", "first_day": "first order", "last_day": "last order",
    "category": "usual category", "credit_balance": "unspent credit", "p_alive": "chance of being a customer still",
}
"""Columns that are called otherwise than they are named."""

MONEY = frozenset({
    "spend", "margin", "average_order_value", "margin_per_order", "expected_margin", "predicted_clv", "margin_at_risk", "tier_margin",
    "credit_balance",
})  # fmt: skip
"""Columns in minor units."""

STATES = {
    "open_ticket": ("a complaint of theirs must be open (none is)", "no complaint of theirs may be open (one is)"),
    "open_return": ("a return of theirs must be open (none is)", "no return of theirs may be open (one is)"),
    "detractor": ("they must be unhappy with us (they never told us so)", "they must not be unhappy with us (they told us that they are)"),
}
"""Columns that are true or false: what to say where one must be true and is not, and where it must not be and is."""

OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
COMPARED = {"==": "be {}", "!=": "not be {}", "<": "be under {}", "<=": "be at most {}", ">": "be over {}", ">=": "be at least {}"}
ON_DAYS = COMPARED | {"<": "be before {}", "<=": "be on {} or before", ">": "be after {}", ">=": "be on {} or after"}


def unmet(node: Node, row: Row, written: str, show: Show, wanted: bool = True) -> str:
    """What a condition that does not hold asks for, and what is, in brackets.

    Args:
        node: The condition.
        row: The customer's columns, and those of the calls.
        written: The condition in the rules' language with the values, for what has no words.
        show: Minor units as an amount.
        wanted: Whether it should hold; its opposite should where not.

    >>> from rekindle.insight.expression import parse
    >>> unmet(parse("orders >= 4", {"orders": "int"}).root, {"orders": 3}, "", str)
    'their number of orders must be at least 4 (it is 3)'
    >>> unmet(parse("not (a or overdue > 0)", {"a": "bool", "overdue": "int"}).root, {"a": True, "overdue": 9}, "", str)
    'their a must not hold (it does), and their next order must not be overdue (it is, by 9 days)'
    """
    match node:
        case Not():
            return unmet(node.operand, row, written, show, not wanted)
        case Junction():
            told = [unmet(one, row, written, show, wanted) for one in node.operands]
            return "either " + ", or ".join(told) if (node.operator == "or") == wanted else ", and ".join(told)
        case Column() | SegmentCall():
            return _holding(node, row, wanted)
        case Missing():
            known = _value(node.operand, _of(node.operand, row), show)
            return f"{_noun(node.operand)} must {'not be known' if wanted else 'be known'} (it is {known if wanted else 'not'})"
        case Among(operand=Column() | EventCall() as operand):
            *most, last = (_value(operand, option.value, show) for option in node.options)
            among = f"{', '.join(most)} or {last}" if most else last
            return f"{_noun(operand)} must {'be' if wanted else 'not be'} {among} (it is {_value(operand, _of(operand, row), show)})"
        case Comparison(left=Column() | EventCall() as left, right=Constant() as right):
            return _compared(left, node.operator if wanted else OPPOSITE[node.operator], right, row, show)
    return f"this must {'hold' if wanted else 'not hold'}: {written}"


def _holding(node: Column | SegmentCall, row: Row, wanted: bool) -> str:
    """A column that is true or false, or a segment."""
    if isinstance(node, SegmentCall):
        name = node.segment.replace("_", " ")
        return f"they must be in the segment {name} (they are not)" if wanted else f"they must not be in the segment {name} (they are)"
    if row[node.name] is not None and node.name in STATES:
        return STATES[node.name][0 if wanted else 1]
    if node.name.endswith("_consent"):
        channel = node.name.removesuffix("_consent")
        return f"they must have agreed to {channel} (they have not)" if wanted else f"they must not have agreed to {channel} (they have)"
    what = "that is not known" if row[node.name] is None else "it does not" if wanted else "it does"
    return f"{_noun(node)} must {'hold' if wanted else 'not hold'} ({what})"


def _compared(left: Column | EventCall, operator: str, right: Constant, row: Row, show: Show) -> str:
    value = _of(left, row)
    if isinstance(left, Column) and right.value == 0 and (left.name, operator) in AT_ZERO:
        return AT_ZERO[left.name, operator](value)
    words = (ON_DAYS if right.kind == "date" else COMPARED)[operator].format(_value(left, right.value, show))
    return f"{_noun(left)} must {words} (it is {_value(left, value, show)})"


def _not_late(days: int | None) -> str:
    when = "when it is due is not known" if days is None else f"it is not expected for {-days} days" if days else "it is expected today"
    return f"their next order must be overdue ({when})"


AT_ZERO: dict[tuple[str, str], Callable[[Any], str]] = {
    ("overdue", ">"): _not_late,
    ("overdue", "<="): lambda days: f"their next order must not be overdue (it is, by {days} days)",
    ("credit_balance", ">"): lambda _credit: "they must have unspent credit (they have none)",
}
"""Comparisons with nought that say more in other words."""


def _of(node: Node, row: Row) -> object:
    return row[node.name] if isinstance(node, Column) else row[node.asked.column] if isinstance(node, EventCall) else None


def _noun(node: Column | EventCall) -> str:
    if isinstance(node, Column):
        return f"their {NOUNS.get(node.name, node.name.replace('_', ' '))}"
    asked = node.asked
    of = {"count": "number of", "sum": f"sum of {asked.number} of", "last": "days since the last"}[asked.function]
    about = "".join(f" of {one}" for one in (asked.category, asked.product) if one)
    within = f" in {asked.within_days} days" if asked.within_days else ""
    return f"their {of} “{asked.event}”{about}{within}"


def _value(of: Node, value: object, show: Show) -> str:
    """A value of a column or a call, as people write it."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(of, Column) and of.name in MONEY and isinstance(value, int | float):
        return show(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("_", " ")
