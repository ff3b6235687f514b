"""What the rows of a source say, as rows of history's tables.

Knows nothing of files and of what history holds already, except which orders it knows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle import money
from rekindle.history.tables import FACTS
from rekindle.ingest import values
from rekindle.ingest.mapping import Source
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Scene:
    """What else the call imports, which decides what order lines stand for.

    Args:
        settings: The store's currency and time zone.
        source: Whose rows they are.
        kinds: Kinds of all sources of the call: lines make orders, products or sellers only where no other source does.
        orders: Orders known so far: order_id, customer_id, ordered_at.
    """

    settings: Settings
    source: Source
    kinds: frozenset[str]
    orders: ir.Table

    @property
    def lines_make_orders(self) -> bool:
        """Whether orders are the sums of their lines."""
        return "orders" not in self.kinds and {"customer_id", "ordered_at"} <= set(self.source.columns)


def facts(rows: ir.Table, scene: Scene) -> dict[str, ir.Table]:
    """Rows of history's tables, by table, in the order in which they are to be written.

    Args:
        rows: Accepted rows of the scene's source.
        scene: What else the call imports.
    """
    if scene.source.kind in ("contacts", "customers"):
        return {}
    return _MAKERS.get(scene.source.kind, _as_they_are)(rows, scene)


def seen_customers(rows: ir.Table, scene: Scene) -> ir.Table:
    """Who appears in the rows: customer_id, external_id, at (null where no time is told), country (of the latest row)."""
    moment = _MOMENTS.get(scene.source.kind)
    at = rows[moment] if moment else ibis.null("timestamp")
    country = rows["country"] if "country" in rows.columns else ibis.null("string")
    told = rows.filter(rows["customer_id"].notnull()).select("customer_id", "external_id", at=at, country=country)
    per = told.group_by("customer_id", "country").aggregate(
        external_id=told["external_id"].max(), first=told["at"].min(), last=told["at"].max()
    )
    latest = ibis.row_number().over(group_by="customer_id", order_by=[per["country"].isnull(), per["last"].desc(), per["country"]])
    per = per.mutate(place=latest)
    return per.group_by("customer_id").aggregate(
        external_id=per["external_id"].max(), at=per["first"].min(), country=per["country"].max(where=per["place"] == 0)
    )


_MOMENTS = {
    "orders": "ordered_at", "lines": "ordered_at", "returns": "returned_at", "reviews": "reviewed_at", "tickets": "opened_at",
    "events": "occurred_at", "customers": "first_seen_at", "credits": "issued_at",
}


def _columns(table_name: str, rows: ir.Table, /, **more: ir.Value) -> ir.Table:
    """The rows in a table's columns; null where they have none."""
    table = FACTS[table_name].columns
    given = {column: more.get(column, rows[column] if column in rows.columns else ibis.null(kind)) for column, kind in table.items()}
    return rows.select(**{column: value.cast(table[column]) for column, value in given.items()})


def _pieces(quantity: ir.DecimalValue) -> ir.IntegerValue:
    """Whole pieces: what is sold by weight counts rounded, and at least one."""
    return ibis.greatest(quantity.cast("int64"), 1)


def _as_they_are(rows: ir.Table, scene: Scene) -> dict[str, ir.Table]:
    return {scene.source.kind: _columns(scene.source.kind, rows)}


def _orders(rows: ir.Table, scene: Scene) -> dict[str, ir.Table]:
    day = values.local_day(rows["ordered_at"], scene.settings.timezone)
    zeros = {name: rows[name].fill_null(0) for name in ("discount", "shipping", "tax")}
    cancelled = rows["cancelled"].fill_null(False)
    return {"orders": _columns("orders", rows, purchase_day=day, net=rows["total"], cancelled=cancelled, lines=ibis.literal(0), **zeros)}


def _returns(rows: ir.Table, scene: Scene) -> dict[str, ir.Table]:  # noqa: ARG001  every maker has the same arguments
    return {"returns": _columns("returns", rows, quantity=_pieces(rows["quantity"]), open=rows["open"].fill_null(False))}


def _credits(rows: ir.Table, scene: Scene) -> dict[str, ir.Table]:  # noqa: ARG001  every maker has the same arguments
    return {"credits": _columns("credits", rows, spent=rows["spent"].fill_null(0))}


def _lines(rows: ir.Table, scene: Scene) -> dict[str, ir.Table]:
    back = rows["returned"].fill_null(False)
    sold, returned = rows.filter(~back), rows.filter(back)
    if scene.lines_make_orders:
        orders = _summed(sold, scene)
        made = {"order_lines": _order_lines(sold, orders), "orders": orders}
    else:
        known = scene.orders.mutate(purchase_day=values.local_day(scene.orders["ordered_at"], scene.settings.timezone))
        made = {"order_lines": _order_lines(sold, known)}
        orders = known
    if "name" in scene.source.columns and "products" not in scene.kinds:
        made["products"] = _products(sold, scene)
    if {"seller_id", "customer_id"} <= set(scene.source.columns) and "sellers" not in scene.kinds:
        sellers = sold.filter(sold["seller_id"].notnull()).select("seller_id").distinct()
        made["sellers"] = _columns("sellers", sellers, name=sellers["seller_id"])
    if {"returned", "refunded"} & set(scene.source.columns):
        made["returns"] = _returned_lines(returned, orders).union(_refunds(sold))
    return made


def _summed(sold: ir.Table, scene: Scene) -> ir.Table:
    """Orders from their lines; what the file says of the whole order wins over the sum."""
    orders = sold.group_by("order_id").aggregate(
        customer_id=sold["customer_id"].min(), ordered_at=sold["ordered_at"].min(),
        net=ibis.coalesce(sold["order_total"].max(), sold["amount"].sum()),
        discount=ibis.coalesce(sold["order_discount"].max(), sold["discount"].sum(), 0),
        shipping=ibis.coalesce(sold["shipping"].max(), 0), tax=ibis.coalesce(sold["tax"].max(), 0),
        code=sold["code"].max(), cancelled=sold["cancelled"].fill_null(False).any(), lines=sold.count(),
    )  # fmt: skip
    return _columns("orders", orders, purchase_day=values.local_day(orders["ordered_at"], scene.settings.timezone))


def _order_lines(sold: ir.Table, orders: ir.Table) -> ir.Table:
    """Numbered by content, not by place, so that the same lines in another order are the same lines."""
    of_order = orders.select("order_id", order_customer="customer_id", order_day="purchase_day")
    lines = sold.inner_join(of_order, "order_id")
    content = [lines[name] for name in ("product_id", "quantity", "amount", "discount", "cost", "seller_id")]
    number = ibis.row_number().over(group_by="order_id", order_by=content) + 1
    return _columns(
        "order_lines", lines, line_no=number, customer_id=lines["order_customer"], purchase_day=lines["order_day"],
        quantity=_pieces(lines["quantity"].fill_null(1)), discount=lines["discount"].fill_null(0),
    )  # fmt: skip


def _products(sold: ir.Table, scene: Scene) -> ir.Table:
    """What the latest line says of each product."""
    named = sold.filter(sold["product_id"].notnull())
    latest = [named["ordered_at"].desc(), named["name"], named["price"]]
    named = named.mutate(place=ibis.row_number().over(group_by="product_id", order_by=latest))
    last = named.filter(named["place"] == 0)
    price = values.minor(last["price"], money.exponent(scene.settings.currency))
    return _columns("products", last, price=price, cost=ibis.null("int64"))


def _returned_lines(returned: ir.Table, orders: ir.Table) -> ir.Table:
    content = [returned[name] for name in ("product_id", "quantity", "amount", "ordered_at")]
    number = ibis.row_number().over(group_by="order_id", order_by=content) + 1
    rows = returned.mutate(return_id=returned["order_id"] + "/" + number.cast("string"))
    known = orders.select("order_id", known_order="order_id")
    rows = rows.left_join(known, "order_id")
    return _columns(
        "returns", rows, order_id=rows["known_order"], returned_at=rows["ordered_at"],
        quantity=_pieces(rows["quantity"].fill_null(1)), open=ibis.literal(False),
    )  # fmt: skip


def _refunds(sold: ir.Table) -> ir.Table:
    """One return per order that was refunded in part or whole; which product came back is not told."""
    back = sold.filter(sold["refunded"] > 0)
    rows = back.group_by("order_id").aggregate(
        customer_id=back["customer_id"].min(), amount=back["refunded"].max(), returned_at=back["refunded_at"].max()
    )
    return _columns("returns", rows, return_id=rows["order_id"] + "/refund", reason=ibis.literal("refund"), open=ibis.literal(False))


_MAKERS: dict[str, Callable[[ir.Table, Scene], dict[str, ir.Table]]] = {
    "orders": _orders, "lines": _lines, "returns": _returns, "credits": _credits,
}
