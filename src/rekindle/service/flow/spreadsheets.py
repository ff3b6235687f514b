"""What a cell of a table may say that people open in a spreadsheet.

Knows nothing of what stands in it.
"""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings that a spreadsheet takes for a formula, as wide characters, too (OWASP, CSV Injection, 2026-11)."""


def cell(value: object) -> object:
    """A value as a cell: a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
