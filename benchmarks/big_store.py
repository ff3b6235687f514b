"""A large history, made in the engine: customers with gamma rates and dropout, orders, lines, products and an old journal.

Knows nothing of the simulator: customers order at gamma rates, and leave after an order with a chance
of 1 to 36 %; the rest is only big. `orders` is ten times `customers`, lines two and a half times the orders, journal rows three
times the customers. Beyond the first million, customers are copies of those, with ids of their own that are as long, each million a day
earlier.
"""

import sys
from pathlib import Path

import duckdb

from rekindle.history.warehouse import open_history

FIRST_DAY = "2024-11-22"
AS_OF = "2026-11-22"
RATE = 0.064
"""Orders a day of an average customer before leaving: about ten orders each come out over the two years."""

FIRST = 1_000_000
"""Customers made one by one; a window over all orders of more would not fit into memory."""

COPIES = """
insert into orders select * replace (
    order_id || '-{copy}' as order_id, {own} as customer_id, ordered_at - interval {copy} day as ordered_at,
    purchase_day - {copy} as purchase_day) from orders where rowid < {orders};
insert into order_lines select * replace (
    order_id || '-{copy}' as order_id, {own} as customer_id, purchase_day - {copy} as purchase_day)
from order_lines where rowid < {lines};
insert into consents select * replace (consent_key || '-{copy}' as consent_key, {own} as customer_id)
from first_consents;
insert into people_table select * replace ({own} as customer_id) from first_people;
insert into journal select * replace ({own} as customer_id) from first_journal;
"""
OWN = "substr(customer_id, {copy} + 1) || left(customer_id, {copy})"
"""A copy's id: the letters turned round, so that all ids are as long as a store's own, which DuckDB groups faster than longer ones."""

COUNTED = {"orders": "orders", "lines": "order_lines"}
"""What is copied from the first so many rows."""

ONCE = """
insert into products
select 'p' || i, 'Product ' || i, 'category ' || (i % 40), 's' || (i % 200), 2000, case when i % 3 > 0 then 1200 end, true, 'shop', 1, ''
from range(20000) t(i);
insert into plans values ('old', timestamp '2026-09-01', false, {customers});
insert into batches values (1, 'shop', 'benchmark', timestamp '2026-11-22');
"""

ORDERS = """
create temp table crowd as
select i, translate(base64(unhex(left(sha256(i::varchar), 18))), '+/', '_.') as customer_id, (hash(i) % 700)::int as first_day,
       -(ln(1 - (hash(i, 1) % 1000000) / 1e6) + ln(1 - (hash(i, 5) % 1000000) / 1e6)) / 2 * {rate} as rate,
       1 + ln(1 - (hash(i, 2) % 1000000) / 1e6) / ln(0.99 - 0.35 * pow((hash(i, 4) % 1000) / 1e3, 2)) as life
from range({customers}) t(i);
create temp table sold as
select row_number() over (order by day, h) as n, * from (
    select customer_id, hash(i, k) as h,
           ('{first}'::date + (first_day + sum(
               case when k = 0 then 0 else -ln(1 - (hash(i, k, 3) % 1000000) / 1e6) / greatest(rate, 1e-4) end
           ) over (partition by i order by k))::int)::date as day
    from crowd, range(120) r(k) where k < life)
where day < '{last}'::date;
insert into orders
select 'o' || n, customer_id, day + interval (h % 86400) second, day, 1500 + (h % 9000)::bigint, case when h % 5 = 0 then 300 else 0 end,
       490, 0, case when h % 5 = 0 then 'CODE' end, false, 2, 'shop', 1, ''
from sold order by n;
insert into order_lines
select 'o' || n, k, customer_id,
       'p' || (40 * (hash(n, k, 2) % 500) + case when hash(n, k) % 4 > 0 then (hash(customer_id) + 7 * (hash(n, k) % 3)) % 40
                                                 else hash(k, n) % 40 end),
       's1', day, 1, (1500 + (h % 9000)) // (2 + n % 2), 0, null, 'shop', 1, ''
from sold, range(3) r(k) where k < 2 + n % 2 order by n;
insert into consents
select customer_id || ':email:marketing', customer_id, 'email', 'marketing', i % 3 > 0, timestamp '{first}', null, 'ledger',
       1, '' from crowd;
insert into people_table by name
select customer_id, 'Europe/Berlin' as timezone, 'en' as locale, 'ledger' as source, 1 as batch, '' as digest from crowd;
insert into journal
select 'old', timestamp '2026-09-01' - interval (k * 7) day, customer_id, 'win-back', 'v',
       ['reconnect', 'tailor', 'reassure'][k + 1], 'o' || (i * 3),
       timestamp '2026-08-01', 'treated', '', 'reminder', 'reminder', 0.25, 0.5, 'equal-chance', null, 'email', 'value_summary',
       timestamp '2026-09-01', null, 0, 0, 0, 0, 'other', null, null, 0, 0, null, null, null,
       null, null, null, null, null, null, null
from crowd, range(3) t(k);
"""


def make(folder: Path, customers: int) -> None:
    """Writes the history of a store of a number of customers, at most a million or whole millions, about ten orders each."""
    with open_history("duckdb://var/history.duckdb", folder):
        pass
    connection = duckdb.connect(str(folder / "var" / "history.duckdb"))
    connection.execute("set memory_limit='6GB'")
    connection.execute(ONCE.format(customers=customers))
    people = '"main"."people"'
    made = min(customers, FIRST)
    connection.execute(ORDERS.replace("people_table", people).format(customers=made, first=FIRST_DAY, last=AS_OF, rate=RATE))
    for name, table in (("first_people", people), ("first_consents", "consents"), ("first_journal", "journal")):
        connection.execute(f"create temp table {name} as from {table}")
    counts = {name: connection.table(table).count("*").fetchall()[0][0] for name, table in COUNTED.items()}
    for copy in range(1, customers // FIRST):
        connection.execute(COPIES.replace("people_table", people).format(copy=copy, own=OWN.format(copy=copy), **counts))
    connection.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
