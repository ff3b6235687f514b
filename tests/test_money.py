"""Money is exact: what goes in as units comes out as units, in every currency's own digits."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle import money
from rekindle.errors import BadData


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("GBP", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_its_own_digits(currency: str, digits: int) -> None:
    assert money.exponent(currency) == digits


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "DEFAULT", "XYZ"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(BadData, match="is not an ISO 4217 currency"):
        money.exponent(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("0.005", "EUR", 1), ("-0.005", "EUR", -1), ("0.0049", "EUR", 0), ("2.675", "GBP", 268), ("1.5", "JPY", 2), (7, "KWD", 7000)],
)
def test_units_are_rounded_half_up_to_minor_units(amount: str | int, currency: str, minor: int) -> None:
    assert money.to_minor(amount, currency) == minor


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_minor_units_survive_the_way_to_units_and_back(minor: int, currency: str) -> None:
    assert money.to_minor(money.to_units(minor, currency), currency) == minor


def test_sums_are_exact_where_floats_are_not() -> None:
    assert sum([money.to_minor(Decimal("0.1"), "EUR")] * 3) == money.to_minor("0.3", "EUR") == 30


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "whole", "shown"),
    [
        (888720889, "GBP", "en", False, "GBP 8,887,208.89"),
        (888720889, "GBP", "en", True, "GBP 8,887,209"),
        (-5, "EUR", "en", False, "-EUR 0.05"),
        (123456, "JPY", "en", False, "JPY 123,456"),
        (123456, "EUR", "de", False, "EUR 1.234,56"),
        (240.4, "EUR", "en", False, "EUR 2.40"),
    ],
)
def test_money_is_shown_with_its_code(minor: float, currency: str, locale: str, whole: bool, shown: str) -> None:
    assert money.show(minor, currency, locale, whole) == shown
