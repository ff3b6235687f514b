"""What a store was like before a program began: levels over a period, frozen with the definitions that they were counted by.

Knows nothing of files and of the ledger. A baseline says how things stood; only a randomised control says what a program changed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.insight.segments import with_calls
from rekindle.learn.outcomes import Window, order_margins
from rekindle.moment import start_of_day
from rekindle.program.documents import Documents, Program
from rekindle.program.segments import definitions, version

DAYS = 365
"""The period of a baseline, up to the instant of its freezing; shorter where history is."""

WEEKS = 13
"""Whole weeks of a quarter: so many last weeks of a period are counted apart, so that a quarter is compared with as many days."""

LEAST_DAYS = 28
"""Days of orders below which there is nothing to freeze: a few weeks say nothing of a quarter."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What some customers did in a period.

    Args:
        customers: How many there are.
        buyers: Those with an order in the period.
        repeaters: Those who ordered on two days or more.
        orders: Orders that stand.
        spend: Goods after discounts, minor units.
        margin: What they earned, net of returns so far, minor units.
    """

    customers: int
    buyers: int
    repeaters: int
    orders: int
    spend: int
    margin: int

    @property
    def average_order_value(self) -> float | CannotTell:
        """Spend an order, minor units."""
        return self.spend / self.orders if self.orders else CannotTell("there is no order in the period")


@dataclass(frozen=True, slots=True)
class Spread:
    """What it takes to say by how much levels may differ by chance; orders of one customer belong together.

    Args:
        spend_spend, spend_orders, orders_orders: Over buyers of the period, sums of the products of what each spent (minor units) and how
            often each ordered.
        weeks: By number of last weeks of the period, from one on: buyers in them, and those who ordered on two days or more in them.
    """

    spend_spend: float
    spend_orders: float
    orders_orders: float
    weeks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """How things stood before a program began.

    Args:
        program: Its name.
        version: The program's digest.
        rule: Whom it is for, as its document says.
        since: First day of the period.
        until: Last day of it.
        audience: Levels of customers whom the rule held for at the end of the period.
        everyone: Levels of all customers.
        segments: Every segment of the store: name to version and rule, as they were.
        margin: The store's margin on goods of unknown cost, as it was.
        spread: Of everyone; None in baselines of before it was written down.
    """

    program: str
    version: str
    rule: str
    since: date
    until: date
    audience: Levels
    everyone: Levels
    segments: Mapping[str, tuple[str, str]]
    margin: str
    spread: Spread | None = None

    @property
    def digest(self) -> str:
        """What names it: the SHA-256 of its text."""
        return hashlib.sha256(write(self).encode()).hexdigest()


def write(baseline: Baseline) -> str:
    """A baseline as canonical JSON; what was not written down then is left out, so that an older one keeps its digest."""
    known = {name: value for name, value in asdict(baseline).items() if value is not None}
    return json.dumps(known, default=date.isoformat, sort_keys=True, ensure_ascii=False)


def read(text: str) -> Baseline:
    """A baseline from its text.

    Raises:
        BadData: A version of Rekindle wrote it that this one does not know.
    """
    held = json.loads(text)
    try:
        return Baseline(
            program=held["program"], version=held["version"], rule=held["rule"], since=date.fromisoformat(held["since"]),
            until=date.fromisoformat(held["until"]), audience=Levels(**held["audience"]), everyone=Levels(**held["everyone"]),
            segments={name: (one, rule) for name, (one, rule) in held["segments"].items()}, margin=held["margin"],
            spread=_spread(held["spread"]) if "spread" in held else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        remedy = "Use the version of Rekindle that wrote it, or freeze another with --again."
        raise BadData(f"a frozen baseline cannot be read: {error}", remedy) from error


def _spread(held: Mapping[str, Any]) -> Spread:
    return Spread(held["spend_spend"], held["spend_orders"], held["orders_orders"], tuple((one, more) for one, more in held["weeks"]))


def period(first: date | None, last: date) -> tuple[date, date] | CannotTell:
    """The days that a baseline covers.

    Args:
        first: Of the first order; None without one.
        last: The last whole day of facts.

    >>> period(date(2020, 1, 1), date(2026, 1, 31))
    (datetime.date(2025, 2, 1), datetime.date(2026, 1, 31))
    """
    since = max(first or last, last - timedelta(days=DAYS - 1))
    days = (last - since).days + 1
    if first is None or days < LEAST_DAYS:
        return CannotTell(f"orders go back {max(0, days) if first else 0} days, and a baseline needs {LEAST_DAYS}")
    return since, last


def bought(warehouse: Warehouse, window: Window, since: date) -> ir.Table:
    """What each customer bought from a day on, up to an instant, kept: customer_id, orders, days, spend, margin (minor units).

    Args:
        warehouse: Its open history.
        window: Its instant, and the store's margin.
        since: The first day, in the store's time zone.
    """
    begin = start_of_day(since, window.as_of.timezone).replace(tzinfo=None)
    sold = purchases.sales(warehouse, window.as_of)
    mine = sold.filter(sold.ordered_at >= ibis.literal(begin))
    rows = mine.select("customer_id", "order_id", "ordered_at", "purchase_day", "net", "lines")
    priced = order_margins(warehouse, rows, window)
    return warehouse.keep(
        priced.group_by("customer_id").aggregate(
            orders=priced.count(), days=priced.purchase_day.nunique(), spend=purchases.exact_sum(priced.spend),
            margin=purchases.exact_sum(priced.margin),
        )
    )


def levels(warehouse: Warehouse, customers: ir.Table, baskets: ir.Table) -> Levels:
    """The levels of some customers.

    Args:
        warehouse: Reduces.
        customers: One row per customer_id.
        baskets: From `bought`.
    """
    joined = customers.select("customer_id").left_join(baskets, "customer_id").drop("customer_id_right")
    row = warehouse.row(
        joined.aggregate(
            customers=joined.count(), buyers=joined.orders.count(), repeaters=(joined.days > 1).cast("int64").sum().fill_null(0),
            orders=joined.orders.sum().fill_null(0), spend=purchases.exact_sum(joined.spend).fill_null(0),
            margin=purchases.exact_sum(joined.margin).fill_null(0),
        )
    )
    return Levels(**{name: int(value) for name, value in row.items()})


def spread(warehouse: Warehouse, baskets: ir.Table, window: Window) -> Spread:
    """What it takes to say by how much levels may differ by chance.

    Args:
        warehouse: Reduces.
        baskets: From `bought`.
        window: Its instant: the last weeks end before it.
    """
    spend, orders = baskets.spend.cast("float64"), baskets.orders.cast("float64")
    products = {"spend_spend": spend * spend, "spend_orders": spend * orders, "orders_orders": orders * orders}
    sums = warehouse.row(baskets.aggregate(**{name: one.sum().fill_null(0.0) for name, one in products.items()}))
    last = window.as_of.last_day
    sold = purchases.sales(warehouse, window.as_of)
    recent = sold.filter(sold.purchase_day > ibis.literal(last - timedelta(weeks=WEEKS)), sold.purchase_day <= ibis.literal(last))
    days = purchases.per_customer(recent)
    counts: dict[str, ir.Value] = {}
    for week in range(1, WEEKS + 1):
        since = ibis.literal(last - timedelta(weeks=week))
        counts |= {f"buyers:{week}": (days.last_day > since).sum(), f"repeaters:{week}": (days.previous_day > since).sum()}
    found = warehouse.row(days.aggregate(**{name: one.fill_null(0) for name, one in counts.items()}))
    weeks = tuple((int(found[f"buyers:{week}"]), int(found[f"repeaters:{week}"])) for week in range(1, WEEKS + 1))
    return Spread(**{name: float(one) for name, one in sums.items()}, weeks=weeks)


@dataclass(frozen=True, slots=True)
class Frozen:
    """What programs' baselines are counted from.

    Args:
        profile: Of the window's instant, one row per customer.
        baskets: From `bought`, over the period.
        documents: The store's.
        window: The instant, and the store's margin.
        since: The first day of the period.
    """

    profile: ir.Table
    baskets: ir.Table
    documents: Documents
    window: Window
    since: date


def freeze(warehouse: Warehouse, programs: Iterable[Program], given: Frozen) -> tuple[Baseline, ...]:
    """The baseline of each program.

    Args:
        warehouse: Reduces.
        programs: Which.
        given: What they are counted from.
    """
    known = definitions(given.documents.segments)
    segments = {name: (version(name, given.documents.segments), rule.text) for name, rule in known.items()}
    everyone, found = levels(warehouse, given.profile, given.baskets), []
    apart = spread(warehouse, given.baskets, given.window)
    for program in programs:
        rule = program.audience.enter
        with warehouse.forgetting():
            told = with_calls(warehouse, given.profile, [rule], given.window.as_of, known)
            audience = levels(warehouse, told.filter(rule.compile(told)), given.baskets)
        until, margin = given.window.as_of.last_day, str(given.window.margin)
        found.append(Baseline(program.name, program.digest, rule.text, given.since, until, audience, everyone, segments, margin, apart))
    return tuple(found)
