"""Shopify's export of orders: one row per line item, an order's own fields on its first row.

Knows nothing of Shopify's API. A customer is the order's lower-cased e-mail, or its phone number where there is none.
"""

import ibis
import ibis.expr.types as ir

from rekindle.ingest.mapping import Source
from rekindle.ingest.presets import Preset, Step

NEEDS = ("Name", "Email", "Financial Status", "Created at", "Subtotal", "Total", "Lineitem quantity", "Lineitem name", "Lineitem price")

_OF_ORDER = (
    "Email", "Phone", "Financial Status", "Paid at", "Fulfilled at", "Accepts Marketing", "Currency", "Subtotal", "Shipping", "Taxes",
    "Total", "Discount Code", "Discount Amount", "Created at", "Cancelled at", "Refunded Amount", "Billing Name", "Billing Country",
    "Shipping Country",
)
_OF_LINE = ("Lineitem sku", "Lineitem discount", "Vendor")
_NEVER_PAID = ("voided", "expired")

_LINES = {
    "order_id": "Name", "customer_id": "customer", "ordered_at": "Created at", "product_id": "product", "name": "Lineitem name",
    "seller_id": "Vendor", "quantity": "Lineitem quantity", "price": "Lineitem price", "discount": "Lineitem discount",
    "code": "Discount Code", "shipping": "Shipping", "tax": "Taxes", "cancelled": "cancelled", "country": "country",
    "currency": "Currency", "order_total": "goods", "order_discount": "Discount Amount", "refunded": "refund", "refunded_at": "last known",
}
_CONTACTS = {
    "customer_id": "customer", "email": "Email", "phone": "Phone", "first_name": "first", "last_name": "last",
    "email_consent": "Accepts Marketing", "consent_at": "Created at", "consent_source": "origin",
}


def _lines(present: tuple[str, ...]) -> Source:  # noqa: ARG001  absent columns are filled in by the shape
    return Source(kind="lines", columns=_LINES)


def _contacts(present: tuple[str, ...]) -> Source:  # noqa: ARG001  absent columns are filled in by the shape
    return Source(kind="contacts", columns=_CONTACTS)


def _amount(text: ir.StringValue) -> ir.DecimalValue:
    return text.try_cast("decimal(18, 6)").fill_null(0)


def _whole_orders(rows: ir.Table) -> ir.Table:
    """Every row with its order's fields."""
    absent = {name: ibis.null("string") for name in (*_OF_ORDER, *_OF_LINE) if name not in rows.columns}
    rows = rows.mutate(**absent)
    blank = {name: rows[name].strip().nullif("") for name in (*_OF_ORDER, "Lineitem sku")}
    rows = rows.mutate(**blank)
    same_order = ibis.window(group_by="Name")
    rows = rows.mutate(**{name: rows[name].max().over(same_order) for name in _OF_ORDER})
    return rows.mutate(customer=ibis.coalesce(rows["Email"], rows["Phone"].re_replace("^'", "")).lower())


def _line_shape(rows: ir.Table) -> ir.Table:
    rows = _whole_orders(rows)
    paid, goods = _amount(rows["Total"]), _amount(rows["Subtotal"])
    shipping, taxes, refund = _amount(rows["Shipping"]), _amount(rows["Taxes"]), _amount(rows["Refunded Amount"])
    # Where prices include tax the total is goods and shipping alone: the goods' share of the tax is taken out.
    includes_tax = (taxes > 0) & (paid == goods + shipping)
    share = (taxes.cast("float64") * (goods / (goods + shipping).nullif(0))).fill_null(0).cast("decimal(18, 6)")
    net = ibis.ifelse(includes_tax, goods - share, goods)
    cancelled = rows["Cancelled at"].notnull() | rows["Financial Status"].lower().isin(_NEVER_PAID)
    moments = ibis.greatest(*(ibis.coalesce(rows[name], rows["Created at"]) for name in ("Created at", "Paid at", "Fulfilled at")))
    return rows.mutate(
        {
            "product": ibis.coalesce(rows["Lineitem sku"], rows["Lineitem name"]),
            "country": ibis.coalesce(rows["Shipping Country"], rows["Billing Country"]),
            "cancelled": ibis.ifelse(cancelled, "yes", "no"),
            "goods": ibis.ifelse(rows["Subtotal"].try_cast("decimal(18, 6)").isnull(), rows["Subtotal"], net.cast("string")),
            # What came back is at most the goods; shipping and tax that were refunded too are no returned goods.
            "refund": ibis.ifelse((refund > 0) & ~cancelled, ibis.least(refund, net).cast("string"), ibis.null("string")),
            "last known": moments,
        }
    )


def _contact_shape(rows: ir.Table) -> ir.Table:
    first_rows = rows.filter(rows["Subtotal"].strip() != "")
    rows = _whole_orders(first_rows)
    name = ibis.coalesce(rows["Billing Name"], ibis.literal("")).strip()
    return rows.mutate(
        first=name.re_extract(r"^(\S+)", 1), last=name.re_extract(r"^\S+\s+(.+)$", 1), origin=ibis.literal("shopify export")
    ).filter(rows["customer"].notnull())


PRESET = Preset("shopify-orders", NEEDS, (Step(_lines, _line_shape), Step(_contacts, _contact_shape, counted=False)))
