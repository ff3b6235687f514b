"""Which rows can be taken, and why each other one cannot.

Knows nothing of what is done with them. The first rule that a row breaks is its reason, in the order of `REASONS`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from rekindle import money
from rekindle.errors import BadData
from rekindle.history.erasing import keyed
from rekindle.history.warehouse import Warehouse
from rekindle.ingest import values
from rekindle.ingest.identity import SHOP, customer_id
from rekindle.ingest.kinds import KINDS, Field
from rekindle.ingest.mapping import Source
from rekindle.ingest.readers import REASON, ROW, Reading
from rekindle.settings import Settings

ERASED = "erased"
"""The reason of rows about customers, or orders of theirs, who were erased: such rows are not parked either."""

_LETTERS = 16
_MADE = re.compile(rf"(?=[0-9]*[a-f])[0-9a-f]{{{_LETTERS}}}(?:-\d+)?")
"""How an id that was made looks; one of digits alone may as well be the shop's."""

REASONS = {
    "unreadable": "Save it as UTF-8 text, fields that hold the separator in double quotes, without NUL bytes and fields over 1 MB.",
    "customer": "Map customer_id to the column that says who bought.",
    "price": "Map total, price or amount to a column of plain numbers such as 12.50; for 12,50 write decimal: \",\" in the mapping.",
    "date": "Map the time to a column such as 2026-11-22 08:00:00, or give time_format in the mapping; no time may lie in the future.",
    "quantity": "Map quantity to a column of positive numbers; mark what came back with the column returned.",
    "currency": "Set currency in rekindle.toml to the file's, or import only rows in the store's: a store has one currency.",
    "order": "Import the orders that these rows belong to first; one order has one customer.",
    "id": "Map the id to a column that is never empty, or leave it out so that ids are made.",
    "flag": "Write yes or no in columns that say so.",
    "rating": "Write ratings as whole numbers from 1 to 5.",
    "discount": "Give a promotion either percent, as a share of 1 such as 0.10, or amount, above 0.",
    "spent": "A credit's spent is the part of its amount that was used so far: map the amount that was given, not what is left of it.",
    "period": "What ends or expires does so after it begins: map starts_at and ends_at, or issued_at and expires_on, the right way round.",
    ERASED: "Nothing is to be done: these customers asked to be erased. Take their rows out of the file, if it is yours to keep.",
    "repeated": "The file states two different things under one id: keep one, or map one row per line as kind lines.",
}
"""Every reason in the order in which the rules are tried, with what to do about it."""

_FIELD_LIMIT = 1_000_000
_EARLIEST = datetime(1970, 1, 1)  # naive UTC, as history's instants are
_RATINGS = (1, 5)


@ibis.udf.scalar.builtin(name="unhex")  # type: ignore[untyped-decorator]  # Ibis does not annotate it
def _unhex(text: str) -> bytes:  # type: ignore[empty-body]  # the engine has the body
    ...


@ibis.udf.scalar.builtin(name="decode")  # type: ignore[untyped-decorator]  # Ibis does not annotate it
def _decode(blob: bytes) -> str:  # type: ignore[empty-body]  # the engine has the body
    ...


@dataclass(frozen=True, slots=True)
class Court:
    """What rows are judged by.

    Args:
        settings: The store's currency and time zone.
        key: The store's identity key.
        recorded_at: Times over a day later are in the future; aware.
    """

    settings: Settings
    key: str
    recorded_at: datetime

    @property
    def digits(self) -> int:
        """Digits after the point of the store's currency."""
        return money.exponent(self.settings.currency)


def judge(warehouse: Warehouse, court: Court, reading: Reading, source: Source, orders: ir.Table | None = None) -> ir.Table:
    """Reads the text of a source's rows and gives each row its reason, null where it can be taken.

    Args:
        warehouse: An open history.
        court: What rows are judged by.
        reading: The file's rows.
        source: Whose columns the file has.
        orders: Orders known so far (order_id, customer_id, ordered_at): who and when, for rows that name an order only.

    Returns:
        A kept table: `ROW`, all columns of the kind, `external_id`, and `REASON`.

    Raises:
        BadData: A column mixes times with and without an offset, and the source states no time zone.
    """
    _require_one_clock(warehouse, reading, source)
    rows = _typed(_texts(reading.rows, source), court, source)
    if orders is not None:
        rows = _with_order(rows, orders, source)
    rows = warehouse.keep(_with_made_ids(rows, source))
    broken = _broken(rows, court, source)
    reason = ibis.cases(*((broken[name].fill_null(False), name) for name in REASONS if name in broken))
    judged = rows.select(ROW, "external_id", *KINDS[source.kind].fields, reason.name(REASON))
    return _consistent(warehouse, warehouse.keep(judged), source)


def without_erased(warehouse: Warehouse, judged: ir.Table, key: str) -> ir.Table:
    """The same rows, those about erased customers and their orders refused."""
    forgotten = warehouse.table("forgotten")
    if not warehouse.scalar(forgotten.count()):
        return judged
    found = [
        keyed(kind, judged[column], key).isin(forgotten.digest).fill_null(False)
        for kind, column in (("customer", "customer_id"), ("order", "order_id")) if column in judged.columns
    ]
    if not found:
        return judged
    erased = found[0] | found[1] if len(found) > 1 else found[0]
    return warehouse.keep(judged.mutate(erased.ifelse(ERASED, judged[REASON]).name(REASON)))


def accepted(judged: ir.Table) -> ir.Table:
    """The rows that can be taken."""
    return judged.filter(judged[REASON].isnull())


def _text_of(name: str) -> str:
    return f"{name}_text"


def _texts(rows: ir.Table, source: Source) -> ir.Table:
    return rows.select(ROW, **{_text_of(ours): values.trimmed(rows[theirs]) for ours, theirs in source.columns.items()})


def _require_one_clock(warehouse: Warehouse, reading: Reading, source: Source) -> None:
    fields = KINDS[source.kind].fields
    times = [theirs for ours, theirs in source.columns.items() if fields[ours].holds == "instant"]
    if source.timezone is not None or not times:
        return
    rows = reading.rows
    given = {theirs: values.trimmed(rows[theirs]) for theirs in times}
    counts = {f"{place}": values.is_aware(text).mean() for place, text in enumerate(given.values())}
    for theirs, share in zip(times, warehouse.row(rows.aggregate(**counts)).values(), strict=True):
        if share is not None and 0 < share < 1:
            raise BadData(
                f"column '{theirs}' of {reading.file} mixes times with and without an offset from UTC",
                "Give the source a timezone in the mapping: it is where times without an offset are local.",
            )


def _typed(rows: ir.Table, court: Court, source: Source) -> ir.Table:
    """Adds every column of the kind, and `external_id`; null where the file has none or its text cannot be read."""
    fields = KINDS[source.kind].fields
    rows = rows.mutate(
        **{
            name: _value(rows[_text_of(name)], field, court, source) if name in source.columns else ibis.null(_TYPES[field.holds])
            for name, field in fields.items()
        }
    )
    if "customer_id" in fields:
        external = rows["customer_id"]
        if source.kind == "contacts":
            external = ibis.coalesce(external, rows["email"])
        external = ibis.ifelse(external.contains("@"), external.lower(), external)
        rows = rows.mutate(external_id=external)
        rows = rows.mutate(customer_id=customer_id(rows["external_id"], source.source, court.key))
    else:
        rows = rows.mutate(external_id=ibis.null("string"))
    return _with_amounts(rows, court, source)


_TYPES = {
    "text": "string", "id": "string", "customer": "string", "currency": "string", "money": "int64", "unit": "decimal(15, 6)",
    "quantity": "decimal(12, 3)", "instant": "timestamp", "day": "date", "flag": "boolean", "rating": "int32",
    "share": "float64",
}


def _value(text: ir.StringValue, field: Field, court: Court, source: Source) -> ir.Value:
    match field.holds:
        case "money":
            return values.minor(values.decimal(text, source.decimal), court.digits)
        case "unit" | "quantity":
            return values.decimal(text, source.decimal).try_cast(_TYPES[field.holds])
        case "share":
            return values.decimal(text, source.decimal).cast("float64")
        case "instant":
            return values.instant(text, source.timezone or court.settings.timezone, source.time_format)
        case "flag":
            return values.flag(text)
        case "currency":
            return text.upper()
        case "id" if source.source != SHOP:
            return ibis.literal(f"{source.source}:") + text
        case "day" | "rating":
            return text.try_cast(_TYPES[field.holds])
    return values.masked(text) if field.masked else text


def _with_amounts(rows: ir.Table, court: Court, source: Source) -> ir.Table:
    """Discounts and what came back as positive amounts; a line's amount from its price where the file states none."""
    signless = {str(name): rows[name].abs() for name in ("discount", "order_discount") if name in KINDS[source.kind].fields}
    if source.kind == "returns":
        signless |= {name: rows[name].abs() for name in ("quantity", "amount")}
    rows = rows.mutate(**signless)
    if source.kind != "lines":
        return rows
    back = rows["returned"].fill_null(False)
    quantity = rows["quantity"] if "quantity" in source.columns else ibis.literal(1).cast("decimal(12, 3)")
    rows = rows.mutate(quantity=ibis.ifelse(back, quantity.abs(), quantity))
    priced = values.minor(rows["price"].cast("decimal(24, 6)") * rows["quantity"], court.digits) - rows["discount"].fill_null(0)
    amount = rows["amount"] if "amount" in source.columns else priced
    return rows.mutate(amount=ibis.ifelse(back, amount.abs(), amount))


def _with_order(rows: ir.Table, orders: ir.Table, source: Source) -> ir.Table:
    """Fills in who and when from the order, where the source does not map them."""
    known = orders.select("order_id", order_customer="customer_id", order_time="ordered_at")
    rows = rows.left_join(known, "order_id").drop("order_id_right")
    found = {} if "customer_id" in source.columns else {"customer_id": rows["order_customer"]}
    if source.kind == "lines" and "ordered_at" not in source.columns:
        found["ordered_at"] = rows["order_time"]
    return rows.mutate(**found).drop("order_customer", "order_time")


def is_made(text: str) -> bool:
    """Whether an id was made here, because the source has none: nobody but Rekindle calls the order so.

    >>> is_made("6947ee0c12ab34cd"), is_made("6947ee0c12ab34cd-2"), is_made("M1042"), is_made("1234567890123456")
    (True, True, False, False)
    """
    return _MADE.fullmatch(text) is not None


def _with_made_ids(rows: ir.Table, source: Source) -> ir.Table:
    """Makes the id that the file has not, from what identifies the row; equal ones are told apart by an ordinal."""
    kind = KINDS[source.kind]
    name = kind.key or "order_id"
    if name in source.columns or not kind.identity:
        return rows
    parts = [ibis.literal(source.source)] + [rows[part].cast("string").fill_null("") for part in kind.identity]
    rows = rows.mutate(**{name: ibis.literal("|").join(parts).hexdigest("md5").substr(0, _LETTERS)})
    if not kind.key:
        return rows
    ordinal = ibis.row_number().over(group_by=name, order_by=[rows[field] for field in kind.fields])
    return rows.mutate(**{name: ibis.ifelse(ordinal == 0, rows[name], rows[name] + "-" + (ordinal + 1).cast("string"))})


def _broken(rows: ir.Table, court: Court, source: Source) -> dict[str, ir.BooleanValue]:
    """The condition of each reason that the source's columns can give."""
    conditions: dict[str, list[ir.BooleanValue]] = {
        "unreadable": [_unusable(rows[_text_of(name)]) for name in source.columns],
        "currency": _other_currency(rows, court, source),
    }
    for name, field in KINDS[source.kind].fields.items():
        mapped = name in source.columns
        reason = _REASON_OF.get(field.holds)
        if mapped and reason:
            conditions.setdefault(reason, []).append(rows[_text_of(name)].notnull() & rows[name].isnull())
        if field.required:
            by_order = not mapped and field.holds in ("customer", "instant")
            conditions.setdefault("order" if by_order and source.kind != "contacts" else reason or "id", []).append(rows[name].isnull())
        if mapped and (limit := _outside(rows[name], field, court)) is not None:
            conditions.setdefault(reason or "id", []).append(limit)
    if source.kind == "lines":
        wrong = rows["amount"].isnull() | (rows["amount"] < 0)
        conditions["price"].append(wrong if "amount" in source.columns else rows["price"].isnull() | (wrong & _sold(rows, source)))
    if source.kind in _CONTRADICTIONS:
        for reason, contradiction in _CONTRADICTIONS[source.kind](rows, court).items():
            conditions.setdefault(reason, []).append(contradiction)
    return {reason: ibis.or_(*tests) for reason, tests in conditions.items() if tests}


_REASON_OF = {
    "customer": "customer", "money": "price", "unit": "price", "instant": "date", "day": "date", "quantity": "quantity",
    "flag": "flag", "rating": "rating", "share": "discount",
}


def _credit_contradicts(rows: ir.Table, court: Court) -> dict[str, ir.BooleanValue]:
    """More spent than was given, nothing given, or an expiry before the day of giving."""
    given_on = values.local_day(rows["issued_at"], court.settings.timezone)
    return {"price": rows["amount"] == 0, "spent": rows["spent"] > rows["amount"], "period": rows["expires_on"] < given_on}


def _promotion_contradicts(rows: ir.Table, court: Court) -> dict[str, ir.BooleanValue]:  # noqa: ARG001  as the other
    """Two discounts at once or none, or an end that does not come after the beginning."""
    unclear = rows["percent"].notnull() == rows["amount"].notnull()
    return {"discount": unclear | (rows["amount"] == 0).fill_null(False), "period": rows["ends_at"] <= rows["starts_at"]}


_CONTRADICTIONS: dict[str, Callable[[ir.Table, Court], dict[str, ir.BooleanValue]]] = {
    "credits": _credit_contradicts, "promotions": _promotion_contradicts,
}
"""What a row of a kind must not say about itself, by reason."""


def _sold(rows: ir.Table, source: Source) -> ir.BooleanValue:
    """Whether the quantity can be multiplied with; where it cannot, it is the reason and not the price."""
    return (rows["quantity"] > 0).fill_null(False) if "quantity" in source.columns else ibis.literal(True)


def _outside(value: ir.Value, field: Field, court: Court) -> ir.BooleanValue | None:
    """Whether a value that was read is none that a shop can have."""
    latest = (court.recorded_at + timedelta(days=1)).replace(tzinfo=None)
    match field.holds:
        case "money" | "unit":
            return value < 0
        case "quantity":
            return value <= 0
        case "share":
            return (value <= 0) | (value >= 1)
        case "instant":
            early = value < ibis.literal(_EARLIEST)
            return early if field.ahead else early | (value > ibis.literal(latest))
        case "rating":
            return ~value.between(*_RATINGS)
    return None


def _unusable(text: ir.StringValue) -> ir.BooleanValue:
    return (text.length() > _FIELD_LIMIT) | text.contains(_decode(_unhex(ibis.literal("00"))))


def _other_currency(rows: ir.Table, court: Court, source: Source) -> list[ir.BooleanValue]:
    fields = KINDS[source.kind].fields
    if not any(field.holds in ("money", "unit") for field in fields.values()):
        return []
    stated = rows["currency"] if "currency" in fields else ibis.null("string")
    return [ibis.coalesce(stated, ibis.literal(source.currency or court.settings.currency)) != court.settings.currency]


def _consistent(warehouse: Warehouse, judged: ir.Table, source: Source) -> ir.Table:
    """Rejects what contradicts another row of the file: a second row with one id, an order of two customers."""
    kind, taken = KINDS[source.kind], accepted(judged)
    if not kind.key:
        shared = taken.group_by("order_id").having(taken["customer_id"].nunique() > 1).aggregate()
        if warehouse.scalar(shared.count()) == 0:
            return judged
        clash, reason = taken.semi_join(shared, "order_id"), "order"
    else:
        if warehouse.scalar(taken[kind.key].nunique() == taken.count()):
            return judged
        latest = [taken[kind.moment].desc(nulls_first=False)] if kind.moment else []
        order = latest + [taken[field] for field in kind.fields if field != kind.moment]
        ranked = taken.mutate(rank=ibis.row_number().over(group_by=kind.key, order_by=order))
        clash, reason = ranked.filter(ranked["rank"] > 0), "repeated"
    marked = judged.left_join(clash.select(ROW, clash=ibis.literal(reason)), ROW).drop(f"{ROW}_right")
    return warehouse.keep(marked.mutate(**{REASON: ibis.coalesce(marked[REASON], marked["clash"])}).drop("clash"))
