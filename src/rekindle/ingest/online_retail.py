"""The invoice lines of a wholesaler, as the UCI data set Online Retail has them.

Knows nothing of other shops. Cancelled invoices (C...) are returns; the file names no categories, and none are made up: the last
word of a description is as often a colour or a pattern as a noun.
"""

import ibis
import ibis.expr.types as ir

from rekindle.ingest.mapping import Source
from rekindle.ingest.presets import Preset, Step

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")

FEES = ("ADJUST", "AMAZONFEE", "B", "BANK CHARGES", "C2", "CRUK", "D", "DOT", "M", "POST", "S")
"""Stock codes of postage, carriage, discounts, samples, commission and manual entries: in an order's amount, but no products."""


def _source(present: tuple[str, ...]) -> Source:  # noqa: ARG001  the columns are always the same
    ours = ("order_id", "product_id", "name", "quantity", "ordered_at", "price", "customer_id", "country")
    columns = {**dict(zip(ours, COLUMNS, strict=True)), "returned": "cancelled"}
    return Source(kind="lines", columns=columns, currency="GBP", timezone="Europe/London", time_format="%m/%d/%Y %H:%M")


def _shape(rows: ir.Table) -> ir.Table:
    code, price = rows["StockCode"].strip(), rows["UnitPrice"]
    is_fee = code.upper().isin(FEES)
    return rows.mutate(
        cancelled=ibis.ifelse(rows["InvoiceNo"].strip().upper().startswith("C"), "yes", "no"),
        StockCode=ibis.ifelse(is_fee, ibis.null("string"), code),
        Description=ibis.ifelse(is_fee, ibis.null("string"), rows["Description"]),
        # A price of nothing is the warehouse's bookkeeping, not a sale.
        UnitPrice=ibis.ifelse(price.try_cast("float64") > 0, price, ibis.null("string")),
        CustomerID=rows["CustomerID"].re_replace(r"\.0$", ""),
    )


PRESET = Preset("online-retail", COLUMNS, (Step(_source, _shape),))
