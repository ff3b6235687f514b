"""What makes history forget customers, and what it holds of one.

Knows nothing of the ledger and of files. Of an erased decision a digest stays, so that what was planned can still be verified; of an
erased customer and order a keyed one, so that a file that still names them does not bring them back.
"""

from collections.abc import Mapping
from datetime import datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse

PERSONAL = (*(name for name, table in FACTS.items() if "customer_id" in table.columns), "journal", "transitions")
"""The tables whose rows are about a customer."""

_KEYS = ("customer_id", "program", "stage", "episode", "arm", "reason", "send_at")
_INPUTS = ("version", "standing", "context", "eligible", "closed", "policy", "scales")
_GRAIN = 2**52
"""A draw is a whole number over this."""


def row_digest(journal: ir.Table) -> ir.StringValue:
    """A digest of a decision: who, which stage of which round, variant or reason, time and chance; and what it was drawn from.

    The last of decisions that say what budgets left alone: those of before have the digest that they were sealed with.
    """
    parts = [journal[name].cast("string").fill_null("~") for name in _KEYS]
    parts.append(journal.propensity.fill_null(-1.0).round(6).cast("string"))
    inputs = [journal[name].fill_null("~") for name in _INPUTS]
    inputs.append((journal.draw.fill_null(0.0) * _GRAIN).round().cast("int64").cast("string"))
    short, whole = (ibis.literal("|").join(one) for one in (parts, [*parts, *inputs]))
    return journal.scales.isnull().ifelse(short, whole).hexdigest("md5")


def keyed(kind: str, text: ir.StringValue, key: str) -> ir.StringValue:
    """What stays of the id of something erased: nobody without the store's key can tell what it was.

    Args:
        kind: `customer` or `order`.
        text: The id.
        key: The store's identity key.
    """
    return (ibis.literal(f"{key}:erased:{kind}:") + text).hexdigest("sha256")


def forget(warehouse: Warehouse, customers: pa.Table, key: str, at: datetime) -> Mapping[str, int]:
    """Removes every version of every fact and decision of some customers. What the file held of them is gone once history is closed.

    Args:
        warehouse: An open history.
        customers: A column customer_id.
        key: The store's identity key.
        at: The instant, aware.

    Returns:
        Table to how many rows went.
    """
    counts: dict[str, int] = {}
    who = warehouse.keep(customers.select(["customer_id"]))
    with warehouse.transaction():
        _remember(warehouse, who, key, at)
        for name in PERSONAL:
            mine = warehouse.table(name).semi_join(who, "customer_id")
            counts[name] = warehouse.scalar(mine.count())
            if counts[name]:
                _remove(warehouse, name, who)
    warehouse.forget(who)
    warehouse.compact()
    return {name: count for name, count in counts.items() if count}


def orders_of(warehouse: Warehouse, customers: pa.Table) -> list[str]:
    """The ids of every order that some customers ever had."""
    who = ibis.memtable(customers.select(["customer_id"]))
    rows = warehouse.table("orders").semi_join(who, "customer_id").select("order_id").distinct()
    return [str(one) for one in warehouse.arrow(rows)["order_id"].to_pylist()]


def everyone(warehouse: Warehouse) -> list[str]:
    """Every customer that history knows."""
    return [str(one) for one in warehouse.arrow(warehouse.table("customers").select("customer_id").distinct())["customer_id"].to_pylist()]


def of_customer(warehouse: Warehouse, customer_id: str) -> Mapping[str, list[dict[str, object]]]:
    """Every row about a customer, by table; of facts every version."""
    found = {name: warehouse.table(name) for name in PERSONAL}
    rows = {name: warehouse.arrow(table.filter(table.customer_id == customer_id)).to_pylist() for name, table in found.items()}
    return {name: listed for name, listed in rows.items() if listed}


def _remove(warehouse: Warehouse, name: str, who: ir.Table) -> None:
    table = warehouse.table(name)
    if name in FACTS:
        mine = table.semi_join(who, "customer_id")
        gone = warehouse.keep(mine.select(gone_key=mine[FACTS[name].key], gone_batch="batch").distinct())
        held = warehouse.table("superseded")
        same = [held.name == ibis.literal(name), held.key == gone.gone_key, held.batch == gone.gone_batch]
        warehouse.replace("superseded", held.anti_join(gone, same))
        warehouse.forget(gone)
    warehouse.replace(name, table.anti_join(who, "customer_id"))


def _remember(warehouse: Warehouse, who: ir.Table, key: str, at: datetime) -> None:
    journal = warehouse.table("journal").semi_join(who, "customer_id")
    warehouse.insert("erased_decisions", journal.select("plan", digest=row_digest(journal)))
    orders = warehouse.table("orders").semi_join(who, "customer_id").select("order_id").distinct()
    named = who.select(digest=keyed("customer", who.customer_id, key)).union(orders.select(digest=keyed("order", orders.order_id, key)))
    fresh = named.distinct().anti_join(warehouse.table("forgotten"), "digest")
    warehouse.insert("forgotten", fresh.mutate(at=ibis.literal(at.replace(tzinfo=None))))
