"""What one import writes into history, and the tallies that its report is made of.

Knows nothing of presets and parked files. Every source of a file is a batch of its own, where it says something new.
"""

from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.errors import BadData
from rekindle.history.append import append, next_batch, record_batch
from rekindle.history.warehouse import Warehouse
from rekindle.ingest.facts import Scene, facts, seen_customers
from rekindle.ingest.mapping import Source
from rekindle.ingest.parked import Parking
from rekindle.ingest.quality import QualityReport
from rekindle.ingest.readers import REASON, Reading
from rekindle.ingest.rules import REASONS, Court, accepted, judge, without_erased
from rekindle.settings import Settings

CONTACTS = pa.schema(
    [
        ("customer_id", pa.string()), ("source", pa.string()), ("external_id", pa.string()), ("email", pa.string()),
        ("phone", pa.string()), ("first_name", pa.string()), ("last_name", pa.string()), ("locale", pa.string()),
        ("timezone", pa.string()), ("birthday", pa.date32()), ("email_consent", pa.bool_()), ("sms_consent", pa.bool_()),
        ("inapp_consent", pa.bool_()),
        ("consent_at", pa.timestamp("us")), ("consent_source", pa.string()),
    ]
)  # fmt: skip
"""People as the ledger takes them; one row per customer and file, `consent_at` naive UTC."""

EXTERNAL_IDS = pa.schema([("customer_id", pa.string()), ("source", pa.string()), ("external_id", pa.string())])
"""Which external id an opaque id stands for."""


@dataclass(frozen=True, slots=True)
class Item:
    """One kind of fact in one file.

    Args:
        place: Where its bad rows are parked.
        source: Which columns say what.
        reading: The file's rows, rewritten by the preset if there is one.
        original: The file's rows as they stand in it.
        counted: Whether the report counts its rows.
    """

    place: Parking
    source: Source
    reading: Reading
    original: Reading
    counted: bool


@dataclass(slots=True)
class Writing:
    """One import.

    Args:
        settings: The store's.
        warehouse: Its history, inside a transaction.
        court: What rows are judged by.
    """

    settings: Settings
    warehouse: Warehouse
    court: Court
    kinds: frozenset[str] = frozenset()
    judged: list[tuple[Item, ir.Table]] = field(default_factory=list)
    contacts: list[pa.Table] = field(default_factory=list)
    external_ids: list[pa.Table] = field(default_factory=list)
    buyers: list[ir.Table] = field(default_factory=list)
    people: list[ir.Table] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    read: int = 0
    duplicates: int = 0
    orders: int = 0
    returns: int = 0
    gross: int = 0
    new: int = 0
    changed: int = 0

    def run(self, items: list[Item]) -> None:
        """Judges and writes: an order is known before its lines are, and written after them, with their number."""
        self.kinds = frozenset(item.source.kind for item in items)
        stated = [(item, self._judge(item)) for item in items if item.source.kind == "orders"]
        for item in items:
            if item.source.kind == "lines":
                known = self._known([accepted(judged) for _, judged in stated])
                self._write(item, self._judge(item, known), known)
        for item, judged in stated:
            self._write(item, judged, self._known([]))
        for item in items:
            if item.source.kind not in ("orders", "lines"):
                known = self._known([])
                self._write(item, self._judge(item, known), known)

    def report(self) -> QualityReport:
        """The counts.

        Raises:
            BadData: No row could be used.
        """
        refused = {reason: self.rejected[reason] for reason in REASONS if reason in self.rejected}
        taken = self.read - self.duplicates - sum(refused.values())
        if taken == 0:
            raise self._nothing_usable(refused)
        customers = self._distinct(self.buyers or self.people)
        return QualityReport(
            self.read, taken, self.duplicates, refused, self.orders, self.returns, customers, self.gross, self.settings.currency,
            self.new, self.changed,
        )  # fmt: skip

    def _nothing_usable(self, refused: dict[str, int]) -> BadData:
        names = ", ".join(dict.fromkeys(item.place.name for item, _ in self.judged))
        if not self.read:
            return BadData(f"{names}: there is a header but no row", "Export it again; nothing was changed.")
        counts = ", ".join(f"{reason} {count:,}" for reason, count in refused.items())
        most = max(refused, key=lambda reason: refused[reason])
        remedy = REASONS[most]
        if most == "currency":
            remedy = f'Set currency = "{self._their_currency()}" in rekindle.toml: a store has one currency.'
        return BadData(f"none of the {self.read:,} rows of {names} can be used ({counts})", remedy)

    def _their_currency(self) -> str:
        for item, judged in self.judged:
            refused = judged.filter(judged[REASON] == "currency")
            stated = self.warehouse.scalar(refused["currency"].max()) if "currency" in judged.columns else None
            if found := stated or item.source.currency:
                return str(found)
        return self.settings.currency

    def _distinct(self, tables: list[ir.Table]) -> int:
        if not tables:
            return 0
        everyone = ibis.union(*tables) if len(tables) > 1 else tables[0]
        return int(self.warehouse.scalar(everyone["customer_id"].nunique()))

    def _known(self, stated: list[ir.Table]) -> ir.Table:
        """Orders that rows may name: those of this import before those that history holds."""
        columns = ("order_id", "customer_id", "ordered_at")
        held = self.warehouse.current("orders").select(*columns)
        for orders in stated:
            fresh = orders.select(*columns)
            held = fresh.union(held.anti_join(fresh, "order_id"))
        return held

    def _judge(self, item: Item, orders: ir.Table | None = None) -> ir.Table:
        source = item.source
        names_order = "order_id" in source.columns and not {"customer_id", "ordered_at"} <= set(source.columns)
        judged = judge(self.warehouse, self.court, item.reading, source, orders if names_order else None)
        judged = without_erased(self.warehouse, judged, self.court.key)
        if item.counted:
            self.judged.append((item, judged))
            self._count(item.reading, judged)
        return judged

    def _count(self, reading: Reading, judged: ir.Table) -> None:
        by_reason = self.warehouse.arrow(judged.filter(judged[REASON].notnull()).group_by(REASON).aggregate(rows=ibis._.count()))
        for row in by_reason.to_pylist():
            self.rejected[row[REASON]] = self.rejected.get(row[REASON], 0) + row["rows"]
        if reading.lost:
            self.rejected["unreadable"] = self.rejected.get("unreadable", 0) + reading.lost
        self.read += reading.read
        self.duplicates += reading.duplicates

    def _write(self, item: Item, judged: ir.Table, orders: ir.Table) -> None:
        rows = accepted(judged)
        scene = Scene(self.settings, item.source, self.kinds, orders)
        batch = next_batch(self.warehouse)
        before = self.new + self.changed
        for name, table in facts(rows, scene).items():
            self._append(name, self._with_line_counts(table) if item.source.kind == "orders" else table, item, batch)
        if item.source.kind == "lines":
            self._after_lines(rows, scene, item, batch)
        self._meet(rows, scene, item, batch)
        if self.new + self.changed > before:
            record_batch(self.warehouse, batch, item.source.source, item.place.name, self.court.recorded_at)

    def _append(self, name: str, table: ir.Table, item: Item, batch: int) -> None:
        kept = self.warehouse.keep(table)
        written = append(self.warehouse, name, kept, item.source.source, batch)
        self.new, self.changed = self.new + written.new, self.changed + written.changed
        if name == "orders":
            sums = self.warehouse.row(kept.aggregate(orders=kept.count(), gross=kept["net"].sum(where=~kept["cancelled"])))
            self.orders, self.gross = self.orders + sums["orders"], self.gross + int(sums["gross"] or 0)
            self.buyers.append(kept.select("customer_id"))
        if name == "returns" and item.source.kind == "returns":
            self.returns += self.warehouse.scalar(kept.count())

    def _with_line_counts(self, orders: ir.Table) -> ir.Table:
        of_orders = self.warehouse.current("order_lines").semi_join(orders, "order_id")
        per_order = of_orders.group_by("order_id").aggregate(counted=ibis._.count())
        joined = orders.drop("lines").left_join(per_order, "order_id").drop("order_id_right")
        return joined.mutate(lines=joined["counted"].fill_null(0)).drop("counted")

    def _after_lines(self, rows: ir.Table, scene: Scene, item: Item, batch: int) -> None:
        """Counts returns; tells orders that history held before how many lines they have now."""
        back = rows["returned"].fill_null(False)
        self.returns += self.warehouse.scalar(rows["order_id"].nunique(where=back | (rows["refunded"] > 0)))
        if scene.lines_make_orders or "orders" in self.kinds:
            return
        held = self.warehouse.current("orders")
        touched = self.warehouse.keep(self._with_line_counts(held.semi_join(rows, "order_id")))
        written = append(self.warehouse, "orders", touched, item.source.source, batch)
        self.new, self.changed = self.new + written.new, self.changed + written.changed

    def _meet(self, rows: ir.Table, scene: Scene, item: Item, batch: int) -> None:
        """Notes every customer of the rows: in history when first seen and from where, for the ledger the external id."""
        if "customer_id" not in rows.columns:
            return
        seen = self.warehouse.keep(seen_customers(rows, scene))
        self.people.append(seen.select("customer_id"))
        named = seen.filter(seen["external_id"].notnull())
        ids = named.select("customer_id", source=ibis.literal(item.source.source), external_id=named["external_id"])
        self.external_ids.append(self.warehouse.arrow(ids).cast(EXTERNAL_IDS))
        held = self.warehouse.current("customers").select("customer_id", held_at="first_seen_at", held_country="country")
        both = seen.left_join(held, "customer_id").drop("customer_id_right")
        now = ibis.literal(self.court.recorded_at.replace(tzinfo=None))
        first = ibis.least(ibis.coalesce(both["at"], both["held_at"], now), ibis.coalesce(both["held_at"], both["at"], now))
        country = ibis.coalesce(both["country"], both["held_country"])
        self._append("customers", both.select("customer_id", first_seen_at=first, country=country), item, batch)
        if item.source.kind == "contacts":
            people = rows.mutate(source=ibis.literal(item.source.source)).select(*CONTACTS.names)
            self.contacts.append(self.warehouse.arrow(people).cast(CONTACTS))
