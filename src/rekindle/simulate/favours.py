"""What the marketplace gives of its own accord: store credit after orders, and what sellers take off by themselves.

Knows nothing of programs. Credit is a way to pay: an order that spends one shows its full amount; a promotion moves nobody's own demand,
but touches work better while it runs (`response`).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.simulate.catalogue import Catalogue
from rekindle.simulate.chance import Chance, Flags, Floats, Ints
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.population import Calendar
from rekindle.simulate.purchases import DAY, Orders

NEVER = 1 << 40
"""Seconds since 1970 of what does not happen."""

PERCENTS = (0.10, 0.15, 0.20)
_SHORTEST, _LONGEST = 7, 21


def credits_given(parameters: Parameters, orders: Orders, delivered: Ints, minor: int, chance: Chance) -> pa.Table:
    """Credits, most of them where something went wrong; some are spent on the next order, others expire.

    Args:
        parameters: The marketplace's.
        orders: The baseline.
        delivered: When each order arrived, seconds since 1970-01-01 UTC.
        minor: Minor units in a unit of currency.
        chance: The world's.

    Returns:
        credit, customer, amount and spent (minor units), issued_at, spent_at (`NEVER` where it is not), expires_on; one row a credit.
    """
    size = orders.customer.size
    usual, troubled = parameters.credited
    share = np.where(orders.troubles.any(axis=1), troubled, usual)
    order = np.flatnonzero(chance.stream("credited").random(size) < share)
    issued = (delivered + chance.stream("credited-after").integers(1 * DAY, 6 * DAY, size))[order]
    amount = round(parameters.credit * minor) * (1 + (chance.stream("credit-amount").random(size) < 0.25))[order]
    expires = issued // DAY + parameters.credit_days
    following = _next_order(orders, orders.customer[order], issued)
    found = following < size
    at = np.where(found, orders.instant[np.minimum(following, size - 1)], NEVER)
    spends = found & (at // DAY <= expires) & (chance.stream("credit-spent").random(size)[order] < parameters.credit_spent)
    return pa.table(
        {
            "credit": order, "customer": orders.customer[order], "amount": amount, "spent": np.where(spends, amount, 0),
            "issued_at": issued, "spent_at": np.where(spends, at, NEVER),
            "expires_on": pa.array(expires.astype(np.int32)).cast(pa.date32()),
        }
    )


def _next_order(orders: Orders, customer: Ints, after: Ints) -> Ints:
    """The number of each customer's first order after an instant; the number of orders where there is none."""
    by_customer = np.lexsort((orders.instant, orders.customer))
    keys = orders.customer[by_customer] * NEVER + orders.instant[by_customer]
    place = np.searchsorted(keys, customer * NEVER + after, side="right")
    order = by_customer[np.minimum(place, by_customer.size - 1)]
    ours: Flags = (place < by_customer.size) & (orders.customer[order] == customer)
    return np.where(ours, order, orders.customer.size)


def promotions(parameters: Parameters, catalogue: Catalogue, days: Calendar, chance: Chance) -> pa.Table:
    """Every seller's promotions: of one category, or now and then of all its goods; promotion, seller, category, percent, begin and end."""
    rounds = days.horizon // parameters.promotion_days
    draw = chance.stream("promotions")
    runs = draw.random((parameters.sellers, rounds)) < parameters.promoted
    seller, turn = np.nonzero(runs)
    size = seller.size
    whole = draw.random(size) < 0.2
    product = draw.integers(0, catalogue.seller.size, size)
    begins = (days.first + turn * parameters.promotion_days + draw.integers(0, parameters.promotion_days - _LONGEST + 1, size)) * DAY
    names = pa.array([one.name for one in parameters.categories]).take(pa.array(catalogue.category[product]))
    return pa.table(
        {
            "promotion": np.arange(size), "seller": seller, "category": pa.array(names.to_pylist(), pa.string(), mask=whole),
            "percent": np.array(PERCENTS)[draw.integers(0, len(PERCENTS), size)], "starts_at": begins,
            "ends_at": begins + draw.integers(_SHORTEST, _LONGEST + 1, size) * DAY,
        }
    )


def promoted_share(parameters: Parameters, catalogue: Catalogue, days: Calendar, runs: pa.Table) -> Floats:
    """Which share of each category's products sellers promote on each day of the calendar [categories, days].

    Args:
        parameters: The marketplace's.
        catalogue: What each seller sells.
        days: The calendar.
        runs: From `promotions`.
    """
    categories = [one.name for one in parameters.categories]
    count = np.zeros((parameters.sellers, len(categories)))
    np.add.at(count, (catalogue.seller, catalogue.category), 1)
    named = np.asarray(pc.fill_null(pc.index_in(runs["category"], value_set=pa.array(categories)), -1))
    covers = (named[:, None] == -1) | (named[:, None] == np.arange(len(categories)))
    weight = covers * count[np.asarray(runs["seller"])] / catalogue.per_category
    first, after = (np.asarray(runs[name]) // DAY - days.first for name in ("starts_at", "ends_at"))
    change = np.zeros((days.horizon + 1, len(categories)))
    np.add.at(change, np.clip(first, 0, days.horizon), weight)
    np.add.at(change, np.clip(after, 0, days.horizon), -weight)
    share: Floats = np.clip(change.cumsum(axis=0).T, 0.0, 1.0)
    return share
