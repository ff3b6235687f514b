"""The shape of a history that schema version 1 wrote, and facts in it."""

from datetime import datetime

import ibis
import pyarrow as pa

from rekindle.history.warehouse import stored_schemas

AT = datetime(2026, 11, 2, 12)
BROUGHT = {
    "events": {"value"}, "shipments": {"shipped_at"}, "people": {"birthday", "channel", "hour", "monthly"},
    "journal": {"scope", "seller_id", "seller_cost", "offer_value", "kind", "price", "once_key", "cause", "value_tier", "segments",
                "holdout_share", "control_share", "closed", "scales"},
}
"""Columns that later versions brought."""

BROUGHT_TABLES = {"credits", "promotions"}
STORED = {
    "events": {"message_id": "e1", "customer_id": "c1", "name": "Product Viewed", "occurred_at": AT, "product_id": "p1"},
    "shipments": {"shipment_id": "s1", "order_id": "o1", "customer_id": "c1", "promised_at": AT, "delivered_at": None},
    "people": {"customer_id": "c1", "timezone": "Europe/Berlin", "locale": None},
    "journal": {"plan": "a", "customer_id": "c1", "program": "win-back", "arm": "reminder"},
}
"""One row of each of those tables, without the version's columns."""

DIGESTS = {
    "events": "e1|c1|Product Viewed|2026-11-02 12:00:00|p1", "shipments": "s1|o1|c1|2026-11-02 12:00:00|~", "people": "c1|Europe/Berlin|~",
}
"""The texts whose MD5 version 1 kept as the facts' digests."""


def old_schemas() -> dict[str, ibis.Schema]:
    """Every table of version 1."""
    schemas = {name: schema for name, schema in stored_schemas().items() if name not in BROUGHT_TABLES}
    return {
        name: ibis.schema({column: kind for column, kind in schema.items() if column not in BROUGHT.get(name, ())})
        for name, schema in schemas.items()
    }


def old_tables() -> dict[str, pa.Table]:
    """The tables of version 1 with `STORED` in them, written as batch 1."""
    tables = {}
    for name, schema in old_schemas().items():
        digest = ibis.literal(DIGESTS.get(name, "")).hexdigest("md5").to_pyarrow().as_py()
        version = {"source": "shop", "batch": 1, "digest": digest}
        rows = [{**version, **STORED[name]}] if name in STORED else []
        rows = [{column: row.get(column) for column in schema} for row in rows]
        tables[name] = pa.Table.from_pylist(rows, schema=schema.to_pyarrow())
    return {**tables, "meta": pa.table({"schema_version": [1]})}
