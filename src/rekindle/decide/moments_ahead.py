"""Which days ahead are worth a word to a customer: something used up, a credit that expires, an anniversary, a birthday.

Knows nothing of programs and of the journal.
"""

from dataclasses import dataclass
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import kept, replenishment
from rekindle.moment import AsOf

UNDATED_DAYS = 30
"""A credit that never expires is worth a word so many days after it was given (assumed)."""

FEBRUARY, LEAP_DAY = 2, 29


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        warehouse: An open history.
        profile: As of the instant, kept.
        as_of: Later facts are not seen.
        ahead: Days before its day that a moment is worth a word.
        back: Days that a moment which has passed is still looked at.
    """

    warehouse: Warehouse
    profile: ir.Table
    as_of: AsOf
    ahead: int
    back: int


def credit(question: Question) -> ir.Table:
    """Credits that are not spent and not expired.

    Returns:
        customer_id, episode (the credit's id), opened_at, opening_day (of expiry), opened_within_day (at an instant).
    """
    valid = unspent(question.warehouse, question.as_of)
    dated = _before(valid.expires_on, question.ahead)
    opened = ibis.greatest(valid.issued_at, dated.fill_null(valid.issued_at + ibis.interval(days=UNDATED_DAYS)))
    given = (opened == valid.issued_at) | valid.expires_on.isnull()
    return valid.select("customer_id", episode="credit_id", opened_at=opened, opening_day="expires_on", opened_within_day=given)


def unspent(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """The credits that are not spent and not expired at an instant."""
    given = warehouse.current("credits")
    left = given.filter(given.issued_at < ibis.literal(as_of.naive), given.amount > given.spent.fill_null(0))
    return left.filter(left.expires_on.isnull() | (left.expires_on >= ibis.literal(as_of.day)))


def run_out(question: Question) -> ir.Table:
    """What customers bought more than once and will soon have used up.

    Returns:
        customer_id, episode (the product and the day it was bought last: buying it again opens another), opened_at, opening_product,
        opening_day (so long after the last purchase as it lasts in the middle). The day that is expected of who has not bought yet would
        not do: it moves ahead with every day of silence, so that the days before it never come.
    """
    warehouse, as_of = question.warehouse, question.as_of
    products = warehouse.current("products")
    lines = kept.without_gifts(kept.kept_lines(warehouse, as_of, again=True), products)
    bought = warehouse.keep(kept.items(lines, products))
    fitted = replenishment.fit(warehouse, bought, as_of)
    if isinstance(fitted, CannotTell):
        return _nobody(question)
    found = replenishment.run_out(bought, fitted, as_of)
    found = found.filter(found.purchases > 1)
    # DuckDB makes a timestamp of a day and an interval, and Ibis takes a cast of it to a day for needless.
    found = found.mutate(used_up=(found.last_day + found.lasts_days.as_interval("D")).cast("timestamp").cast("date"))
    near = ibis.literal(as_of.day - timedelta(days=question.back)), ibis.literal(as_of.day + timedelta(days=question.ahead))
    found = found.filter(found.used_up >= near[0], found.used_up <= near[1])
    named = found.left_join(products.select("product_id", "category"), found.item == products.product_id)
    return named.select(
        "customer_id", episode=named.item + ":" + named.last_day.cast("string"), opened_at=_before(named.used_up, question.ahead),
        opening_product=named.item, opening_category=named.category, opening_day=named.used_up,
    )


def _nobody(question: Question) -> ir.Table:
    empty = question.profile.filter(ibis.literal(False))
    return empty.select("customer_id", episode="customer_id", opened_at=ibis.literal(question.as_of.naive))


def anniversary(question: Question) -> ir.Table:
    """The day of the first order, a year or more later: customer_id, episode (the year), opened_at, opening_day."""
    known = question.profile.filter(question.profile.first_day.notnull())
    days = known.select("customer_id", month=known.first_day.month(), day=known.first_day.day(), born=known.first_day.year())
    return _yearly(question, days).filter(lambda t: t.year > t.born).drop("born", "year")


def birthday(question: Question) -> ir.Table:
    """Birthdays, of which history knows no year: customer_id, episode (this year), opened_at, opening_day."""
    people = question.warehouse.current("people")
    said = people.filter(people.birthday.notnull())
    days = said.select("customer_id", month=said.birthday[:2].cast("int32"), day=said.birthday[3:].cast("int32"))
    return _yearly(question, days).drop("year")


def _yearly(question: Question, days: ir.Table) -> ir.Table:
    """The days of the year that are at hand: the last and the next in every year that the span touches."""
    first, last = question.as_of.day - timedelta(days=question.back), question.as_of.day + timedelta(days=question.ahead)
    found = [_in_year(days, year) for year in range(first.year, last.year + 1)]
    near = ibis.union(*found) if len(found) > 1 else found[0]
    near = near.filter(near.opening_day >= ibis.literal(first), near.opening_day <= ibis.literal(last))
    return near.mutate(episode=near.year.cast("string"), opened_at=_before(near.opening_day, question.ahead)).drop("month", "day")


def _in_year(days: ir.Table, year: int) -> ir.Table:
    """Every day in a year; a leap day falls on the day before in a year without one."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = ibis.literal(LEAP_DAY if leap else LEAP_DAY - 1)
    day = (days.month == FEBRUARY).ifelse(ibis.least(days.day, last), days.day)
    return days.mutate(year=ibis.literal(year), opening_day=ibis.date(ibis.literal(year), days.month.cast("int64"), day.cast("int64")))


def _before(day: ir.DateValue, days: int) -> ir.TimestampValue:
    return (day - ibis.interval(days=days)).cast("timestamp")
