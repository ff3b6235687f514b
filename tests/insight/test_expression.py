"""The rules of documents: what they mean over rows, and what they refuse at which character."""

import time
from datetime import date

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.errors import BadData
from rekindle.insight.expression import LENGTH, ExpressionError, parse
from rekindle.insight.expression_parser import DEPTH

COLUMNS = {
    "orders": "int", "spend": "int", "rate": "float", "value_tier": "str", "category": "str", "open_ticket": "bool", "last_day": "date",
}
ALIKE = "Compare text with text, numbers with numbers, days with days."
VALUES = {"value_tier": frozenset({"high", "mid", "occasional"})}
WORDS = [*COLUMNS, *"()[],+-*/<>", "==", "in", "is", "not", "none", "and", "or", "1", "'a'"]
ROWS = {
    "orders": [1, 5, 9],
    "spend": [100, None, -7],
    "rate": [0.5, 2.0, None],
    "value_tier": ["high", "mid", "occasional"],
    "category": ["O'Brien; drop table x --", "Toys", None],
    "open_ticket": [True, False, None],
    "last_day": [date(2026, 1, 1), date(2026, 6, 1), None],
}
SCHEMA = {
    "orders": "int64", "spend": "int64", "rate": "float64", "value_tier": "string", "category": "string", "open_ticket": "boolean",
    "last_day": "date",
}


@pytest.fixture(scope="module")
def engine() -> ibis.BaseBackend:
    return ibis.duckdb.connect()


def held(engine: ibis.BaseBackend, text: str) -> list[int]:
    """The rows, counted from 0, for which a rule holds."""
    table = ibis.memtable(ROWS, schema=SCHEMA)
    holds = engine.to_pyarrow(table.select(holds=parse(text, COLUMNS, VALUES).compile(table))).column("holds").to_pylist()
    assert None not in holds
    return [number for number, one in enumerate(holds) if one]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("orders >= 5", [1, 2]),
        ("orders == 1 or orders == 9", [0, 2]),
        ("orders > 1 and not orders == 9", [1]),
        ("orders == 1 or orders == 5 and value_tier == 'high'", [0]),
        ("(orders == 1 or orders == 5) and value_tier == 'mid'", [1]),
        ("value_tier in ('high', \"mid\")", [0, 1]),
        ("value_tier not in ['high']", [1, 2]),
        ("orders in (-1, 9.0, 1)", [0, 2]),
        ("category == \"O'Brien; drop table x --\"", [0]),
        ("category != 'Toys'", [0]),
        ("not category == 'Toys'", [0]),
        ("category is none", [2]),
        ("category is not None", [0, 1]),
        ("open_ticket", [0]),
        ("not open_ticket", [1]),
        ("open_ticket != True", [1]),
        ("last_day >= '2026-02-01'", [1]),
        ("'2026-02-01' > last_day", [0]),
        ("last_day in ('2026-06-01',)".replace(",)", ")"), [1]),
        ("rate * 2 - 1 < 0.5", [0]),
        ("spend / (orders - 1) < 0", [2]),
        ("spend / 0 > 0 or spend / 0 <= 0", []),
        ("-spend == 7", [2]),
        ("- -orders == 5", [1]),
        ("1 - 1 - 1 == -1", [0, 1, 2]),
        ("8 / 4 / 2 == 1", [0, 1, 2]),
        ("1 + 2 * 3 == 7", [0, 1, 2]),
        ("true", [0, 1, 2]),
        ("false or 1 == 2", []),
        ("\n  orders   ==\n1 ", [0]),
    ],
)
def test_meaning(engine: ibis.BaseBackend, text: str, rows: list[int]) -> None:
    assert held(engine, text) == rows


@pytest.mark.parametrize(
    ("text", "position", "why", "remedy"),
    [
        ("ordes > 3", 1, "'ordes' is not a column", "Did you mean 'orders'?"),
        ("orders > 3 and valu_tier == 'mid'", 16, "'valu_tier' is not a column", "Did you mean 'value_tier'?"),
        ("value_tier == 'hihg'", 15, "value_tier is never 'hihg'", "Did you mean 'high'?"),
        ("'zzz' == value_tier", 1, "value_tier is never 'zzz'", "It is one of high, mid, occasional."),
        ("value_tier in ('mid', 'x')", 23, "value_tier is never 'x'", "It is one of high, mid, occasional."),
        ("orders > 'a'", 10, "orders (a number) cannot be compared with text", ALIKE),
        ("category == 3", 13, "category (text) cannot be compared with a number", ALIKE),
        ("value_tier < 'mid'", 12, "'<' does not order value_tier (text)", "Use ==, != or in."),
        ("last_day > '2026-13-01'", 12, "'2026-13-01' is not a day", "Write it as '2026-11-22'."),
        ("category + 1 > 2", 1, "category (text) is not a number", "Calculate with numbers only."),
        ("orders", 1, "orders (a number) is not a condition", "Compare it with something."),
        ("open_ticket and orders", 17, "orders (a number) is not a condition", "Compare it with something."),
        ("not orders", 5, "orders (a number) is not a condition", "Compare it with something."),
        ("category == none", 13, "'none' is not a value", "Write it as category is none."),
        ("orders = 3", 8, "'=' cannot stand here", "Write == to compare."),
        ("orders > 1 > 2", 12, "'>' cannot follow", "Join conditions with 'and' or 'or'; compare two values at a time."),
        ("orders in 3", 11, "'in' needs a list", "Write it as in ('high', 'mid')."),
        ("orders in (1, spend)", 15, "a list holds constants only", "Write texts, numbers or days, such as ('high', 'mid')."),
        ("orders in (1", 13, "the list has no ')'", "Add ')'."),
        ("category == 'Toys and orders > 1", 13, "the quote opened here is not closed", "Add ' at its end."),
        ('orders > 1 and category in ("Toys", "Games)', 37, "the quote opened here is not closed", 'Add " at its end.'),
        ("(orders > 1", 12, "the bracket of character 1 is not closed", "Add ')'."),
        ("", 1, "the end stands where a value is expected", "Write a column, a number or a text."),
        ("orders > 1 and", 15, "the end stands where a value is expected", "Write a column, a number or a text."),
    ],
)
def test_errors_point_at_the_character(text: str, position: int, why: str, remedy: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, COLUMNS, VALUES)
    assert (caught.value.position, caught.value.cause.partition("”: ")[2], caught.value.remedy) == (position, why, remedy)
    assert caught.value.cause.startswith(f"character {position}, near “")


@pytest.mark.parametrize(
    "text",
    [
        "orders.real > 1", "orders.__class__", "().__class__.__bases__", "__import__('os').system('true')", "__builtins__", "_",
        "open('x')", "orders(1)", "lambda: 1", "lambda orders: orders", "f'{orders}'", "b'x' == category", "orders[0] > 1",
        "orders := 1", "[x for x in (1, 2)]", "{1: 2}", "orders if open_ticket else spend", "*orders", "orders ** 9 > 1",
        "orders // 2 > 1", "orders % 2 > 1", "orders & 1", "~open_ticket", "1; drop table orders", "orders > 1 -- x",
        "orders > 1 /* x */", "'a' 'b' == category", "'a\\'' == category", "1e999 > orders", "0x10 > orders", "1_000 > orders",
        "1. > orders", ".5 > orders", "1j == orders", "inf > orders", "nan == nan", "9" * 16 + " > orders",
        "9" * 1_900 + " > orders", "rate > 0." + "3" * 20, "(" * (DEPTH + 1) + "open_ticket" + ")" * (DEPTH + 1), "(" * 1_000,
        ")" * 1_000, "not " * 400 + "open_ticket", "-" * 1_000 + "1 > 0", "orders" + " + 1" * 21 + " > 0", "category == 'a\x00'",
        "category == 'a\n'", "category == '\u202e'", "category == 'a", "\x00", "órders > 1", "оrders > 1", "orders > ١",
        "ｏrders > 1", "orders > 1 AND open_ticket", "age > 30", "gender == 'f'", "None", "in", "orders not 1", "orders is 1",
        "1 is none", "orders in ()", "x" * LENGTH + " > 1", " " * LENGTH + "true",
    ],
)
def test_hostile_rules_are_refused_at_once(text: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(ExpressionError):
        parse(text, COLUMNS, VALUES)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    "text",
    [
        " or ".join(["1==1"] * 250)[:LENGTH].removesuffix(" or "),
        "(" * DEPTH + "open_ticket" + ")" * DEPTH,
        "not " * DEPTH + "open_ticket",
        "orders" + " + 1" * DEPTH + " > 0",
        "open_ticket or (" * DEPTH + "true" + ")" * DEPTH,
        "spend " + "* 999999999999999 " * DEPTH + "> 1",
    ],
)
def test_the_largest_rules_run(engine: ibis.BaseBackend, text: str) -> None:
    assert len(text) <= LENGTH
    held(engine, text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_a_rule_or_an_error_within_it(text: str) -> None:
    position = 1
    try:
        parse(text, COLUMNS, VALUES)
    except ExpressionError as error:
        position = error.position
    assert 1 <= position <= len(text) + 1


def test_a_rule_knows_its_columns_and_its_text() -> None:
    rule = parse("orders > 1 and (category is none or rate / spend in (1, 2))", COLUMNS)
    assert rule.columns == {"orders", "category", "rate", "spend"}
    assert rule.text == "orders > 1 and (category is none or rate / spend in (1, 2))"


def test_rules_are_equal_by_meaning() -> None:
    assert parse("orders>1", COLUMNS) == parse(" orders > (1)", COLUMNS)
    assert hash(parse("orders>1", COLUMNS)) == hash(parse(" orders > (1)", COLUMNS))
    assert parse("orders > 1", COLUMNS) != parse("orders >= 1", COLUMNS)
    assert parse("orders == 1", COLUMNS) != parse("orders == true", {"orders": "bool"})


def test_the_error_is_bad_data_and_shows_no_control_character() -> None:
    with pytest.raises(BadData) as caught:
        parse("category == '\x1b[31m'", COLUMNS)
    assert str(caught.value).isprintable()


def test_no_sql_of_the_author_reaches_the_engine(engine: ibis.BaseBackend) -> None:
    assert held(engine, "category == 'x\" or 1=1 --'") == []
