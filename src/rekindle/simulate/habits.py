"""What customers do and say between orders: what they save for later, and how they answer when asked how it was.

Knows nothing of touches. The numbers of these events lie above those of looks and stockouts.
"""

import numpy as np
import pyarrow as pa

from rekindle.simulate.chance import Chance, Flags, Ints
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.purchases import DAY, Orders

SAVED, ANSWERED, CLICKED, TOLD, OPENED, SCANNED = (kind * 10**9 for kind in (1, 2, 3, 4, 5, 6))
"""Where the numbers of saved items, of answers, of clicks, of answers to a touch, of opened e-mails and of machines' clicks begin."""

SURVEY = "Survey Answered"


def saved(parameters: Parameters, orders: Orders, per_category: int, chance: Chance) -> pa.Table:
    """After some orders another product of the same shelf is saved for later."""
    size, lead = orders.customer.size, orders.lines.lead
    order = np.flatnonzero(chance.stream("saved").random(size) < parameters.saved)
    other = chance.stream("saved-product").integers(1, per_category, size)
    shelf = lead // per_category * per_category
    after = chance.stream("saved-after").integers(3_600, 20 * DAY, size)
    return pa.table(
        {
            "event": SAVED + order, "customer": orders.customer[order], "name": pa.repeat("Product Added to Wishlist", order.size),
            "occurred_at": (orders.instant + after)[order], "product": (shelf + (lead - shelf + other) % per_category)[order],
            "value": pa.nulls(order.size, pa.string()),
        }
    )


def answers(parameters: Parameters, orders: Orders, delivered: Ints, chance: Chance) -> pa.Table:
    """Some say from 0 to 10 how an order was; where something went wrong, mostly at most 6."""
    size = orders.customer.size
    order = np.flatnonzero(chance.stream("answered").random(size) < parameters.answered)
    after = chance.stream("answered-after").integers(2 * DAY, 12 * DAY, size)
    troubled: Flags = np.asarray(orders.troubles.any(axis=1))
    said = score(troubled, chance.stream("answer").random(size))
    return told(ANSWERED + order, orders.customer[order], (delivered + after)[order], orders.lines.lead[order], said[order])


def score(troubled: Flags, luck: np.ndarray) -> Ints:
    """An answer from 0 to 10 of a number from 0 to 1; what went wrong takes four off."""
    best = np.searchsorted(np.array((0.02, 0.05, 0.10, 0.20, 0.40, 0.70)), luck, side="right") + 4
    found: Ints = np.clip(best - 4 * troubled, 0, 10).astype(np.int64)
    return found


def told(event: Ints, customer: Ints, at: Ints, product: Ints, said: Ints) -> pa.Table:
    """Answers as events."""
    return pa.table(
        {
            "event": event, "customer": customer, "name": pa.repeat(SURVEY, event.size), "occurred_at": at, "product": product,
            "value": pa.array(said).cast(pa.string()),
        }
    )
