"""How a number, an amount or a day reads for people, in the store's locale.

Knows nothing of what is counted. The words around a figure are English, so days are written in English too.
"""

import math
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

from rekindle import money
from rekindle.insight.models import Interval
from rekindle.learn.report.facts import ReportFacts

SIGNIFICANT = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """Writes figures.

    Args:
        currency: ISO 4217 code.
        locale: Babel's name of a locale; a hyphen is taken for an underscore.
    """

    currency: str
    locale: str

    @classmethod
    def of(cls, facts: ReportFacts) -> "Figures":
        """The figures of a report."""
        return cls(facts.currency, facts.locale.replace("-", "_"))

    def count(self, number: float) -> str:
        """A whole number with its groups.

        >>> Figures("EUR", "en").count(20000)
        '20,000'
        """
        return format_decimal(round(number), locale=self.locale)

    def many(self, number: float, one: str, more: str) -> str:
        """A count with its noun.

        >>> Figures("EUR", "en").many(1, "order", "orders")
        '1 order'
        """
        return f"{self.count(number)} {one if round(number) == 1 else more}"

    def share(self, share: float) -> str:
        """A share of 1 in per cent; a little is never shown as none, nor all but a little as all.

        >>> Figures("EUR", "en").share(0.184), Figures("EUR", "en").share(0.003), Figures("EUR", "en").share(0.996)
        ('18 %', 'under 1 %', 'over 99 %')
        """
        if 0 < share < 0.005:
            return "under 1 %"
        return "over 99 %" if 0.995 <= share < 1 else f"{self.count(100 * share)} %"

    def whole(self, minor: float) -> str:
        """An exact amount without the digits after the point.

        >>> Figures("EUR", "en").whole(62_040)
        'EUR 620'
        """
        return money.show(minor, self.currency, self.locale, whole=True)

    def most(self, minor: float) -> str:
        """A limit without the digits after the point, rounded up so that it holds.

        >>> Figures("EUR", "en").most(62_040)
        'EUR 621'
        """
        unit = 10 ** money.exponent(self.currency)
        return self.whole(math.ceil(minor / unit) * unit)

    def exact(self, minor: float) -> str:
        """An exact amount.

        >>> Figures("EUR", "en").exact(310)
        'EUR 3.10'
        """
        return money.show(minor, self.currency, self.locale)

    def rough(self, minor: float) -> str:
        """An estimated amount, to three significant digits.

        >>> Figures("EUR", "en").rough(14_231_877)
        'EUR 142,000'
        """
        return self.whole(_significant(minor, self.currency))

    def rough_range(self, interval: Interval, dash: str = "-") -> str:
        """The ends of an estimated amount, without the currency.

        >>> Figures("EUR", "en").rough_range(Interval(13_100_000, 14_231_877, 15_430_000))
        '131,000-154,000'
        """
        ends = (self._units(_significant(end, self.currency)) for end in (interval.low, interval.high))
        return dash.join(format_decimal(end, "#,##0", self.locale) for end in ends)

    def signed(self, minor: float) -> str:
        """An amount a customer with its sign.

        >>> Figures("EUR", "en").signed(240), Figures("EUR", "en").signed(-5)
        ('EUR +2.40', 'EUR -0.05')
        """
        return f"{self.currency} {format_decimal(self._units(minor), f'+{self._pattern};-{self._pattern}', self.locale)}"

    def rough_signed(self, minor: float) -> str:
        """An estimated amount with its sign, to three significant digits.

        >>> Figures("EUR", "en").rough_signed(14_231_877)
        'EUR +142,000'
        """
        return f"{self.currency} {format_decimal(self._units(_significant(minor, self.currency)), '+#,##0;-#,##0', self.locale)}"

    def bare(self, minor: float) -> str:
        """An amount without its currency.

        >>> Figures("EUR", "en").bare(30)
        '0.30'
        """
        return format_decimal(self._units(minor), self._pattern, self.locale)

    def points(self, difference: float) -> str:
        """A difference of two shares in percentage points.

        >>> Figures("EUR", "en").points(0.0213)
        '+2.1'
        """
        return format_decimal(round(100 * difference, 1), "+0.0;-0.0", self.locale)

    def points_range(self, found: Interval) -> str:
        """A difference of two shares with its ends, in percentage points.

        >>> Figures("EUR", "en").points_range(Interval(0.003, 0.0213, 0.04))
        '+2.1 (+0.3 to +4.0)'
        """
        return f"{self.points(found.estimate)} ({self.points(found.low)} to {self.points(found.high)})"

    def day(self, day: date) -> str:
        """A day for a page; the terminal has ISO days.

        >>> Figures("EUR", "de").day(date(2026, 11, 21))
        '21 November 2026'
        """
        return format_date(day, "d MMMM yyyy", "en")

    @property
    def format_locale(self) -> dict[str, object]:
        """The locale as the axes of a chart take it (d3-format)."""
        return {
            "decimal": get_decimal_symbol(self.locale),
            "thousands": get_group_symbol(self.locale),
            "grouping": [3],
            "currency": [f"{self.currency} ", ""],
        }

    @property
    def _pattern(self) -> str:
        digits = money.exponent(self.currency)
        return "#,##0" + ("." + "0" * digits if digits else "")

    def _units(self, minor: float) -> float:
        return float(money.to_units(round(minor), self.currency))


def _significant(minor: float, currency: str) -> float:
    """Minor units rounded to three significant digits, but never finer than a whole unit."""
    if not minor:
        return 0.0
    step = 10 ** max(money.exponent(currency), math.floor(math.log10(abs(minor))) + 1 - SIGNIFICANT)
    return float(round(minor / step) * step)
