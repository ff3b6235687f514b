"""Real shops as facts: the wholesaler of Online Retail and the grocer of Complete Journey, as far as insight looks at them.

Knows nothing of what is tested with them. Written by DuckDB from the shared files, without the import.
"""


import duckdb
import pyarrow as pa

from rekindle.history.tables import FACTS
from rekindle.history.warehouse import Warehouse
from tests.data import shared

FEES = "('ADJUST', 'AMAZONFEE', 'B', 'BANK CHARGES', 'C2', 'CRUK', 'D', 'DOT', 'M', 'POST', 'S')"

RETAIL = """
create table sold as
select distinct InvoiceNo order_id, CustomerID customer_id, trim(StockCode) product_id, null::varchar as name, null::varchar category,
       InvoiceDate sold_at, InvoiceDate::date as day, Quantity::bigint quantity, round(Quantity * UnitPrice * 100)::bigint amount
from '{path}' where CustomerID <> '' and UnitPrice > 0 and Quantity <> 0 and upper(trim(StockCode)) not in {fees}
"""

JOURNEY = """
create table sold as
select basket_id order_id, household_id customer_id, t.product_id, p.product_type as name, p.product_type category,
       transaction_timestamp sold_at, (transaction_timestamp - interval 5 hour)::date as day,
       greatest(round(quantity), 1)::bigint quantity, round(sales_value * 100)::bigint amount
from '{path}' t left join '{products}' p using (product_id)
"""

TABLES = {
    "orders": """
        select order_id, customer_id, min(sold_at) ordered_at, min(day) purchase_day, sum(amount)::bigint net,
               0 discount, 0 shipping, 0 tax, false cancelled, count(*)::int as lines
        from sold where quantity > 0 group by order_id, customer_id""",
    "order_lines": """
        select order_id, (row_number() over (partition by order_id order by product_id, quantity, amount))::int line_no, customer_id,
               product_id, min(day) over (partition by order_id) purchase_day, quantity, amount, 0 discount
        from sold where quantity > 0""",
    "products": "select product_id, min(name) as name, min(category) category from sold group by product_id",
    "returns": """
        select order_id || '-' || row_number() over (order by order_id, product_id, amount, quantity) return_id, customer_id, product_id,
               sold_at returned_at, -quantity quantity, -amount amount, false open
        from sold where quantity < 0""",
}


def online_retail(warehouse: Warehouse) -> None:
    """The wholesaler's orders and returns: December 2010 to 9 December 2011; the shop's clock is taken for UTC."""
    _write(warehouse, RETAIL.format(path=shared("online_retail.parquet"), fees=FEES))


def complete_journey(warehouse: Warehouse) -> None:
    """The grocer's sampled lines, about 1 in 20, of 2017. Instants are UTC, days five hours behind; a product's category is its type."""
    path, products = shared("complete_journey/transactions_sample.parquet"), shared("complete_journey/products.parquet")
    _write(warehouse, JOURNEY.format(path=path, products=products))


def _write(warehouse: Warehouse, sold: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(sold)
        for name, query in TABLES.items():
            found = connection.execute(query).fetch_arrow_table()
            schema = FACTS[name].schema.to_pyarrow()
            missing = {column: pa.nulls(found.num_rows, kind) for column, kind in zip(schema.names, schema.types, strict=True)}
            missing |= {"source": pa.array(["shop"] * found.num_rows), "batch": pa.array([1] * found.num_rows)}
            missing |= {"digest": pa.array([""] * found.num_rows)} | {column: found[column] for column in found.column_names}
            warehouse.insert(name, pa.table([missing[column] for column in schema.names], names=schema.names).cast(schema))


