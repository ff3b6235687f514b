"""Money as integer minor units of one currency.

Knows nothing of exchange rates: a store has one currency.
"""

from decimal import ROUND_HALF_UP, Decimal

from babel.core import get_global
from babel.numbers import format_currency

from rekindle.errors import BadData


def exponent(currency: str) -> int:
    """Digits after the point: 2 for EUR, 0 for JPY.

    >>> exponent("EUR"), exponent("JPY")
    (2, 0)

    Raises:
        BadData: Not an ISO 4217 code.
    """
    if currency not in get_global("all_currencies"):
        raise BadData(f"'{currency}' is not an ISO 4217 currency", "Write a code such as EUR, GBP or USD.")
    fractions = get_global("currency_fractions")
    digits: int = fractions.get(currency, fractions["DEFAULT"])[0]
    return digits


def to_minor(amount: Decimal | int | str, currency: str) -> int:
    """An amount in units as minor units, half up.

    >>> to_minor("12.345", "EUR")
    1235
    """
    return int((Decimal(amount) * 10 ** exponent(currency)).to_integral_value(ROUND_HALF_UP))


def to_units(minor: int, currency: str) -> Decimal:
    """Minor units as an amount in units.

    >>> to_units(1235, "EUR")
    Decimal('12.35')
    """
    return Decimal(minor).scaleb(-exponent(currency))


def show(minor: float, currency: str, locale: str = "en", whole: bool = False) -> str:
    """Minor units for people to read; `whole` leaves out the digits after the point.

    >>> show(123456, "EUR"), show(123456, "EUR", whole=True), show(-2, "EUR", whole=True)
    ('EUR 1,234.56', 'EUR 1,235', 'EUR 0')
    """
    amount = Decimal(round(minor)).scaleb(-exponent(currency))
    amount = (amount.to_integral_value() if whole else amount) + 0  # so that nothing is written below zero that is shown as zero
    digits = "" if whole or exponent(currency) == 0 else "." + "0" * exponent(currency)
    return format_currency(amount, currency, f"¤¤ #,##0{digits}", locale=locale, currency_digits=False).replace("\xa0", " ")


def show_exactly(minor: float, currency: str, digits: int = 5) -> str:
    """Minor units with more digits than are ever paid, for sums that people recompute by hand.

    >>> show_exactly(-6.0512, "EUR"), show_exactly(-0.0001, "EUR")
    ('-EUR 0.06051', 'EUR 0.00000')
    """
    amount = Decimal(f"{minor / 10 ** exponent(currency):.{digits}f}") + 0
    return format_currency(amount, currency, f"¤¤ 0.{'0' * digits}", locale="en", currency_digits=False).replace("\xa0", " ")
