"""Customers in parts of about one size, so that memory holds what is grouped of one part at a time.

Knows nothing of what is grouped.
"""

import math
from itertools import pairwise

import ibis.expr.types as ir

LETTERS = ".0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""Ids are keyed hashes and begin with any of these alike; the parts of other ids are uneven."""

Part = tuple[str, str]
"""From which id on, and before which one; empty where there is no such end."""


def parts(rows: int, at_a_time: int) -> list[Part]:
    """Parts of the customers by the first letters of their ids, from one up to another: as many as rows need, up to one per letter.

    >>> parts(5, 20), parts(50, 20)
    ([('', '')], [('', 'K'), ('K', 'e'), ('e', '')])
    """
    number = min(max(math.ceil(rows / at_a_time), 1), len(LETTERS))
    edges = ["", *(LETTERS[at * len(LETTERS) // number] for at in range(1, number)), ""]
    return list(pairwise(edges))


def among(table: ir.Table, part: Part) -> ir.Table:
    """The rows of a table whose customer_id is in a part."""
    table = table.filter(table.customer_id >= part[0]) if part[0] else table
    return table.filter(table.customer_id < part[1]) if part[1] else table
