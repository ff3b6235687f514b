"""Rules a second time, in plain Python: read by Python's own parser, and answered by loops over rows and facts."""

import ast
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

import numpy as np

from tests.insight.histories import Fact, Facts

Row = Mapping[str, object]
Answer = Callable[[str, str, list[object], dict[str, object]], object]
BROWSING = ["Product Viewed", "Products Searched", "Product Added to Wishlist", "Product Added", "Cart Viewed", "Email Opened"]


def holds(text: str, row: Row, answer: Answer | None = None) -> bool:
    """Whether a rule holds for a row; `answer` is asked (customer, function, arguments, filters) for calls."""
    pythonic = re.sub(r"\bnone\b", "None", re.sub(r"\btrue\b", "True", re.sub(r"\bfalse\b", "False", text)))
    return _value(ast.parse(pythonic.strip(), mode="eval").body, row, answer) is True


def _value(node: ast.expr, row: Row, answer: Answer | None) -> object:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return row[node.id]
        case ast.Call():
            assert answer is not None
            assert isinstance(node.func, ast.Name)
            arguments = [_value(one, row, answer) for one in node.args]
            filters = {str(one.arg): _value(one.value, row, answer) for one in node.keywords}
            return answer(str(row["customer_id"]), node.func.id, arguments, filters)
        case ast.UnaryOp():
            inner = _value(node.operand, row, answer)
            return None if inner is None else (not inner) if isinstance(node.op, ast.Not) else -inner  # type: ignore[operator]  a number
        case ast.BinOp():
            return _calculated(node.op, _value(node.left, row, answer), _value(node.right, row, answer))
        case ast.BoolOp():
            parts = [_value(one, row, answer) for one in node.values]
            decisive = isinstance(node.op, ast.Or)
            return decisive if decisive in parts else None if None in parts else not decisive
        case ast.Compare(ops=[sign], comparators=[right]):
            return _compared(sign, _value(node.left, row, answer), right, row, answer)
    raise AssertionError(ast.dump(node))


def _calculated(operator: ast.operator, left: object, right: object) -> float | None:
    if left is None or right is None or (isinstance(operator, ast.Div) and right == 0):
        return None
    one, other = float(str(left)), float(str(right))
    ways = {ast.Add: one.__add__, ast.Sub: one.__sub__, ast.Mult: one.__mul__, ast.Div: one.__truediv__}
    return ways[type(operator)](other)


def _compared(sign: ast.cmpop, left: object, right: ast.expr, row: Row, answer: Answer | None) -> bool | None:
    if isinstance(sign, ast.Is | ast.IsNot):
        return (left is None) == isinstance(sign, ast.Is)
    if isinstance(sign, ast.In | ast.NotIn):
        items = right.elts if isinstance(right, ast.Tuple | ast.List) else [right]
        options = [_alike(left, _value(one, row, answer)) for one in items]
        return None if left is None else (left in options) == isinstance(sign, ast.In)
    other = _value(right, row, answer)
    if left is None or other is None:
        return None
    one, two = _alike(other, left), _alike(left, other)
    ways = {ast.Eq: "__eq__", ast.NotEq: "__ne__", ast.Lt: "__lt__", ast.LtE: "__le__", ast.Gt: "__gt__", ast.GtE: "__ge__"}
    if isinstance(one, int | float) and isinstance(two, int | float):
        one, two = float(one), float(two)
    return bool(getattr(one, ways[type(sign)])(two))


def _alike(pattern: object, value: object) -> object:
    """A text as a day where it is compared with one."""
    return date.fromisoformat(str(value)) if isinstance(pattern, date) and isinstance(value, str) else value


class Past:
    """What customers did before an instant, by loops over facts."""

    def __init__(self, facts: Facts, as_of: datetime) -> None:
        self.as_of = as_of.replace(tzinfo=None)
        self.categories = {one["product_id"]: one.get("category") for one in facts["products"]}
        void = {one["order_id"] for one in facts["orders"] if one["cancelled"]}
        orders = {one["order_id"]: one for one in facts["orders"] if not one["cancelled"]}
        lines = [{**one, "at": orders[one["order_id"]]["ordered_at"]} for one in facts["order_lines"] if one["order_id"] in orders]
        self.lines = lines
        self.kinds: dict[str, list[Fact]] = {
            "Order Completed": [{**one, "at": one["ordered_at"]} for one in orders.values()],
            "Order Refunded": [{**one, "at": one["returned_at"]} for one in facts["returns"] if one.get("order_id") not in void],
            "Product Reviewed": [{**one, "at": one["reviewed_at"]} for one in facts["reviews"]],
            "Ticket Opened": [{**one, "at": one["opened_at"]} for one in facts["tickets"]],
            "Message Sent": [{**one, "at": one["settled_at"]} for one in facts["touches"] if one["status"] == "sent"],
        }
        for one in facts["events"]:
            self.kinds.setdefault(str(one["name"]), []).append({**one, "at": one["occurred_at"]})

    def answer(self, customer: str, function: str, arguments: list[object], filters: dict[str, object]) -> object:
        """One call for one customer."""
        event, number = str(arguments[0]), str(arguments[1]) if len(arguments) > 1 else ""
        by_line = event == "Order Completed" and ("category" in filters or "product" in filters or number in ("amount", "quantity"))
        rows = [one for one in (self.lines if by_line else self.kinds.get(event, [])) if one["customer_id"] == customer]
        met = [one for one in rows if self._meant(one, filters)]
        if function == "sum":
            return sum(int(str(one[number])) for one in met if one.get(number) is not None)
        if function == "count":
            return len({one["order_id"] for one in met}) if by_line else len(met)
        ages = [self.as_of - one["at"] for one in met if isinstance(one["at"], datetime)]
        return min(math.floor(age / timedelta(days=1)) for age in ages) if ages else None

    def _meant(self, one: Fact, filters: dict[str, object]) -> bool:
        at = one["at"]
        assert isinstance(at, datetime)
        if at >= self.as_of:
            return False
        if "within" in filters:
            text = str(filters["within"])
            if at <= self.as_of - timedelta(days=int(text[:-1]) * (7 if text[-1] == "w" else 1)):
                return False
        product = one.get("product_id")
        if "category" in filters and (product is None or self.categories.get(product) != filters["category"]):
            return False
        return "product" not in filters or product == filters["product"]


def browsed(seed: int, customers: list[str], as_of: datetime, count: int) -> list[Fact]:
    """Events around an instant, some of them exactly on the edge of a window."""
    chance, end = np.random.default_rng(seed), as_of.astimezone(UTC).replace(tzinfo=None)
    edges = [timedelta(days=7), timedelta(days=30), timedelta(0), timedelta(microseconds=1), timedelta(days=30, seconds=-1)]
    found: list[Fact] = []
    for number in range(count):
        back = edges[number % 5] if chance.random() < 0.3 else timedelta(minutes=int(chance.integers(-60 * 24 * 40, 60 * 24 * 400)))
        product = f"ap{chance.integers(0, 10)}" if chance.random() < 0.7 else None
        name, customer = str(chance.choice(BROWSING)), str(chance.choice(customers))
        found.append({"message_id": f"b{number}", "customer_id": customer, "name": name, "occurred_at": end - back, "product_id": product})
    return found
