"""How numbers of the world become what a shop's export shows: ids, instants and amounts.

Knows nothing of what they count.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.simulate.chance import Ints

_IDS = {
    "order": ("order_id", "M", 8),
    "customer": ("customer_id", "C", 6),
    "product": ("product_id", "P", 4),
    "seller": ("seller_id", "S", 2),
    "shipment": ("shipment_id", "T", 8),
    "return": ("return_id", "R", 8),
    "review": ("review_id", "V", 8),
    "ticket": ("ticket_id", "K", 8),
    "event": ("message_id", "E", 9),
    "credit": ("credit_id", "G", 8),
    "promotion": ("promotion_id", "A", 5),
}
"""A column of numbers, and the column, letter and width of its ids."""

_MONEY = frozenset({"total", "amount", "discount", "shipping", "cost", "price", "spent"})


def ids(letter: str, numbers: Ints, width: int) -> pa.Array:
    """Ids of a letter and a padded number.

    >>> ids("M", np.array([7]), 8).to_pylist()
    ['M00000007']
    """
    return pc.binary_join_element_wise(letter, pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0"), "")


def customer_numbers(external: pa.Array) -> Ints:
    """The numbers of external customer ids; -1 where one is not of this world's form.

    >>> customer_numbers(pa.array(["C000041", "x"])).tolist()
    [41, -1]
    """
    ours = pc.match_substring_regex(external, r"^C\d{6,9}$")
    digits = pc.if_else(ours, pc.utf8_slice_codeunits(external, 1), "-1")
    return np.asarray(pc.cast(digits, pa.int64()), dtype=np.int64)


def instants(seconds: pa.Array) -> pa.Array:
    """Seconds since 1970-01-01 UTC as naive UTC timestamps."""
    return pc.cast(pc.cast(seconds, pa.timestamp("s")), pa.timestamp("us"))


def amounts(minor: Ints, exponent: int) -> pa.Array:
    """Minor units as exact decimals in units.

    >>> amounts(np.array([1235, -5]), 2).to_pylist()
    [Decimal('12.35'), Decimal('-0.05')]
    """
    words = np.empty((minor.size, 2), dtype="<i8")
    words[:, 0], words[:, 1] = minor, minor >> 63
    return pa.Array.from_buffers(pa.decimal128(18, exponent), minor.size, [None, pa.py_buffer(words.tobytes())])


def exported(table: pa.Table, exponent: int) -> pa.Table:
    """A table of the world as an export shows it: ids for numbers, timestamps for seconds, units for minor units."""
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if name in _IDS:
            shown, letter, width = _IDS[name]
            columns[shown] = ids(letter, np.asarray(column), width)
        elif name.endswith("_at"):
            columns[name] = instants(column)
        elif name in _MONEY:
            columns[name] = amounts(np.asarray(column), exponent)
        else:
            columns[name] = column
    return pa.table(columns)
