"""Calls of the language: what they ask, what they refuse at which character, and what no text can make of them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.insight.expression import LENGTH, Expression, ExpressionError, parse
from rekindle.insight.expression_calls import CALLS, FUNCTIONS
from rekindle.insight.expression_events import EVENTS
from rekindle.insight.expression_tree import Asked
from rekindle.insight.protected import PROTECTED, protected_kind
from rekindle.program.vocabulary import COLUMNS

VIEWED, BOUGHT = "'Product Viewed'", "'Order Completed'"
NUMBERS = "'net' or 'discount' or 'shipping' or 'tax' or 'amount' or 'quantity'"
OF_LINES = "Add up 'amount' or 'quantity', which are of its lines, or leave category and product out."
LIKE_COUNT = "Write it as in count('Product Viewed', within='30d')."
DAYS = "Write days or weeks, such as '30d' or '4w'."
NAMES = "A segment's name has small letters, digits and '_', as in in_segment('new_buyers')."
ALIKE = "Compare text with text, numbers with numbers, days with days."
UNKNOWN = "Write it as category is none, or category is not none."
NO_WINDOW = "Compare its days, as in last('Cart Viewed') < 30."
WORDS = [
    *FUNCTIONS, *EVENTS, "'Product Viewed'", "'Order Completed'", "'net'", "'30d'", "'buyers'", "within", "category", "product", "orders",
    *"()[],=+-*/<>", "==", "in", "is", "not", "none", "and", "or", "1", "'a'", "age", "\x00", "é", "--", ";", "select",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (f"count({VIEWED}) > 0", Asked("count", "Product Viewed")),
        (f"count({VIEWED}, within='30d') > 0", Asked("count", "Product Viewed", within_days=30)),
        (f"count({VIEWED}, within = \"4w\", category='Toys') > 0", Asked("count", "Product Viewed", "", 28, "Toys")),
        (f"count({BOUGHT}, product='p-1') > 0", Asked("count", "Order Completed", product="p-1")),
        (f"sum({BOUGHT}, 'net', within='90d') > 0", Asked("sum", "Order Completed", "net", 90)),
        (f"sum({BOUGHT}, 'quantity', category='Toys') > 0", Asked("sum", "Order Completed", "quantity", category="Toys")),
        ("last('Cart Viewed') < 3", Asked("last", "Cart Viewed")),
        ("last('Cart Viewed') is none", Asked("last", "Cart Viewed")),
        ("last('Product Added', product='p') is not none", Asked("last", "Product Added", product="p")),
    ],
)
def test_what_a_call_asks(text: str, asked: Asked) -> None:
    rule = parse(text, COLUMNS)
    assert rule.calls == (asked,)
    assert rule.needs == {asked.column}


def test_a_question_is_asked_once_and_named_by_what_it_asks() -> None:
    rule = parse(f"count({VIEWED}) > 3 or count( {VIEWED} ) < 1 or count({VIEWED}, within='7d') == count({VIEWED}, within='1w')", {})
    assert [one.within_days for one in rule.calls] == [None, 7]
    assert len({one.column for one in rule.calls}) == 2
    assert parse("in_segment('a') and (in_segment('b') or in_segment('a'))", {}).needs == {"in_segment_a", "in_segment_b"}


@pytest.mark.parametrize(
    ("text", "position", "why", "remedy"),
    [
        (f"cuont({VIEWED}) > 1", 1, "'cuont' is a call that there is not", "Did you mean 'count'?"),
        ("eval('x')", 1, "'eval' is a call that there is not", "It may be count, sum, last, in_segment."),
        ("orders(1)", 1, "'orders' is a column, and not a call", "Write it without brackets."),
        ("count > 1", 1, "'count' is a call", LIKE_COUNT),
        ("count() > 1", 7, "count needs an event's name here", LIKE_COUNT),
        ("count(orders) > 1", 7, "count needs an event's name here", LIKE_COUNT),
        ("count('Product View') > 1", 7, "there is no event 'Product View'", "Did you mean 'Product Viewed'?"),
        ("count('zzz') > 1", 7, "there is no event 'zzz'", "docs/segments.md lists the events."),
        (f"count({VIEWED}, witin='30d') > 1", 25, "'witin' is not a filter of count", "Did you mean 'within'?"),
        (f"count({VIEWED}, '30d') > 1", 25, "''30d'' is not a filter of count", LIKE_COUNT),
        (f"count({VIEWED}, within '30d') > 1", 32, "'within' has no value", LIKE_COUNT),
        (f"count({VIEWED}, within=30) > 1", 32, "count needs a text for 'within' here", LIKE_COUNT),
        (f"count({VIEWED}, within='1y') > 1", 32, "'1y' is not a window of 1 to 3660 days", DAYS),
        (f"count({VIEWED}, within='0d') > 1", 32, "'0d' is not a window of 1 to 3660 days", DAYS),
        (f"count({VIEWED}, within='9999d') > 1", 32, "'9999d' is not a window of 1 to 3660 days", DAYS),
        (f"count({VIEWED}, within='1d', within='2d') > 1", 38, "'within' stands twice", "Keep one."),
        (f"count({VIEWED} > 1", 24, "the bracket of character 6 is not closed", "Add ')'."),
        ("count('Cart Viewed', product='p') > 1", 30, "'Cart Viewed' is not about a product", "Leave category and product out."),
        ("last('Cart Viewed', within='30d') < 3", 21, "last looks back without a window", NO_WINDOW),
        (f"sum({BOUGHT}) > 1", 22, "sum does not say what to add up", f"It may be {NUMBERS}."),
        (f"sum({BOUGHT}, 'nett') > 1", 24, "'Order Completed' has no number 'nett'", "Did you mean 'net'?"),
        (f"sum({VIEWED}, 'price') > 1", 5, "'Product Viewed' has no number to add up", "Write count(...) instead of sum(...)."),
        (f"sum({BOUGHT}, 'net', category='Toys') > 1", 24, "'net' is of the whole order", OF_LINES),
        ("in_segment(buyers)", 12, "in_segment needs a segment's name here", "Write it as in in_segment('new_buyers')."),
        ("in_segment('No Name')", 12, "'No Name' is no segment's name", NAMES),
        ("in_segment('a') > 1", 19, "a yes or no cannot be compared with a number", ALIKE),
        (f"count({VIEWED}) is none", 1, "'is' only asks whether a column is known", UNKNOWN),
        (f"count({VIEWED})", 1, "count (a number) is not a condition", "Compare it with something."),
        (f"count({VIEWED}, within='30d', category='a\u202e') > 1", 48, "a text holds a character that cannot be printed", "Remove it."),
    ],
)  # fmt: skip
def test_errors_point_at_the_character(text: str, position: int, why: str, remedy: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, COLUMNS)
    assert (caught.value.position, caught.value.cause.partition("”: ")[2], caught.value.remedy) == (position, why, remedy)


@pytest.mark.parametrize(
    "text",
    [
        "count('Product Viewed'; drop table events) > 1", "count('Product Viewed' or 1=1) > 1", "count(select 1) > 1", "count(*) > 1",
        "sum(count('Product Viewed')) > 1", "last(last('Cart Viewed')) > 1", "in_segment(in_segment('a'))", "count.__class__('x') > 1",
        "count('Product Viewed', within='9" + "9" * 1_500 + "d') > 1", "count('Product Viewed', within='-1d') > 1",
        "count('Product Viewed', within='١d') > 1", "count('Product\x00Viewed') > 1", "count('Product Viewed\n') > 1", "in_segment('')",
        "count('Product Viewed', product='') > 1", "count('Product Viewed',) > 1", "count(,) > 1", "count(" * 300, "in_segment('a" * 150,
        "count('" + "Product Viewed" * 130 + "') > 1", " + ".join(["count('Cart Viewed')"] * (CALLS + 1)) + " > 1",
        "in_segment('x') and " * 90, "in_segment('../../etc/passwd')", "in_segment('a;b')",
        "сount('Product Viewed') > 1", "count(\ufeff) > 1",
    ],
)  # fmt: skip
def test_hostile_calls_are_refused_at_once(text: str) -> None:
    assert len(text) <= LENGTH
    begun = time.perf_counter()
    with pytest.raises(ExpressionError):
        parse(text, COLUMNS)
    assert time.perf_counter() - begun < 1


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=80) | st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.lists(st.sampled_from(WORDS)).map("".join))
def test_any_text_is_a_rule_or_an_error_within_it(text: str) -> None:
    found = attempted(text)
    assert isinstance(found, Expression) or (1 <= found.position <= len(text) + 1 and found.cause.isprintable() and found.remedy)


def attempted(text: str) -> Expression | ExpressionError:
    try:
        return parse(text, COLUMNS)
    except ExpressionError as error:
        return error


@pytest.mark.parametrize("name", ["age", "gender", "sex", "birthday", "religion", "ethnicity", "nationality", "health", "disability",
                                  "sexual_orientation", "pregnant", "trade_union", "marital_status", "income", "postcode", "first_name",
                                  "customer_age", "Is_Married"])  # fmt: skip
def test_what_a_person_is_cannot_be_asked(name: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(f"orders > 1 and {name} == 'x'", COLUMNS)
    assert caught.value.position == 16
    same = protected_kind(name) == name
    assert f"'{name}' is a protected attribute{', and' if same else f' ({protected_kind(name)}), and'} no column" in caught.value.cause
    assert caught.value.remedy == "Go by what the customer did: orders, views, returns, consent."


def test_only_the_country_is_a_protected_column() -> None:
    """`age_days` is how long someone has been a customer."""
    assert [name for name in COLUMNS if name in {one for names in PROTECTED.values() for one in names}] == ["country"]
    assert parse("age_days > 3 and country == 'DE'", COLUMNS).columns == {"age_days", "country"}
    assert protected_kind("country") == "place"
