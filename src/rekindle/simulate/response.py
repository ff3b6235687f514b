"""What each touch would change: the chance, the day and the basket of an extra order, and what its offer would take off.

Knows nothing of which touches are sent; a touch's potential follows from the baseline, the touches before it, and the seed.
An extra order comes on top of the baseline and changes nothing else in it.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rekindle.simulate.baskets import Lines, fill, rearranged, together
from rekindle.simulate.chance import Flags, Floats, Ints
from rekindle.simulate.favours import promoted_share, promotions
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.purchases import DAY
from rekindle.simulate.touches import Touches
from rekindle.simulate.world import Scenery

_WIDE = 1 << 36
NONE = -1


@dataclass(frozen=True, slots=True)
class Terms:
    """What each touch's offer takes off an order.

    Args:
        percent: Of the goods.
        cap: Most that the percentage takes off, minor units.
        amount: Minor units.
        most: Share of the goods that an amount never exceeds.
        ships_free: Whether shipping is free.
        valid: Seconds; 0 where an order cannot show that the offer was used.
    """

    percent: Floats
    cap: Ints
    amount: Ints
    most: float
    ships_free: Flags
    valid: Ints

    def discount(self, goods: Ints) -> Ints:
        """What is taken off an order of so many minor units of goods."""
        by_share = np.minimum(np.rint(goods * self.percent).astype(np.int64), self.cap)
        return np.where(self.percent > 0, by_share, np.minimum(self.amount, (goods * self.most).astype(np.int64)))


@dataclass(frozen=True, slots=True)
class Potential:
    """What each touch could do, before chance decides.

    Args:
        touches: The touches.
        lift: Chance of an extra order.
        scale: Of its delay, seconds.
        terms: Of the offer.
        next_order: Number of the baseline's order that could use the offer, or `NONE`.
        gap: Seconds to that order.
        last_order: Number of the customer's last order in the baseline, or `NONE`.
        last_product: What the customer led it with.
        baskets: Of the extra orders.
    """

    touches: Touches
    lift: Floats
    scale: Floats
    terms: Terms
    next_order: Ints
    gap: Ints
    last_order: Ints
    last_product: Ints
    baskets: Lines


@dataclass(frozen=True, slots=True)
class Standing:
    """How customers stand at the moments at which they might be touched, one element each.

    Args:
        customer: Number in the population.
        silence: Since the last order, in the customer's own mean gaps.
        befell: What went wrong with that order; one column per friction.
        earlier: Touches within the days of fatigue before.
        day: Of the calendar.
    """

    customer: Ints
    silence: Floats
    befell: Flags
    earlier: Ints
    day: Ints


def potential(scene: Scenery, orders: pa.Table, touches: Touches) -> Potential:
    """Works out what each touch could do.

    Args:
        scene: The world's.
        orders: The baseline's.
        touches: All that the customers ever felt, in the sequence of their recording.
    """
    customer, instant = np.asarray(orders["customer"]), np.asarray(orders["ordered_at"])
    by_customer = np.lexsort((instant, customer))
    keys = (customer * _WIDE + instant)[by_customer]
    place = np.searchsorted(keys, touches.customer * _WIDE + touches.felt)
    last = _neighbour(by_customer, place - 1, customer, touches.customer)
    terms = _terms(scene, touches)
    after = _neighbour(by_customer, place, customer, touches.customer)
    gap = np.where(after == NONE, 0, instant[after] - touches.felt)
    codeless = np.asarray(orders["code"].is_null())
    usable = (after != NONE) & (gap < terms.valid) & codeless[after]
    next_order = _claimed_once(np.where(usable, after, NONE))
    delay = np.array([arm.delay for arm in scene.parameters.every_arm])[touches.arm] * DAY
    lift = _lift(scene, orders, touches, last, instant)
    baskets = _baskets(scene, touches)
    return Potential(touches, lift, delay, terms, next_order, gap, last, np.asarray(orders["lead"])[last], baskets)


def _neighbour(by_customer: Ints, place: Ints, customer: Ints, wanted: Ints) -> Ints:
    """The order at a place of the sorted baseline, `NONE` where it is not the wanted customer's."""
    order = by_customer[np.clip(place, 0, by_customer.size - 1)]
    fits = (place >= 0) & (place < by_customer.size) & (customer[order] == wanted)
    return np.where(fits, order, NONE)


def _claimed_once(order: Ints) -> Ints:
    """Of several touches whose offer one order could use, the last one keeps it."""
    backwards = order[::-1]
    keeps = np.zeros(order.size, dtype=bool)
    keeps[np.unique(backwards, return_index=True)[1]] = True
    return np.where(keeps[::-1], order, NONE)


def _terms(scene: Scenery, touches: Touches) -> Terms:
    arms, minor = scene.parameters.every_arm, scene.minor
    valid = [arm.valid_days * DAY if arm.redeemable else 0 for arm in arms]
    return Terms(
        np.array([arm.percent for arm in arms])[touches.arm],
        np.array([round(arm.cap * minor) for arm in arms])[touches.arm],
        np.array([round(arm.amount * minor) for arm in arms])[touches.arm],
        scene.parameters.amount_most,
        np.array([arm.ships_free for arm in arms])[touches.arm],
        np.array(valid)[touches.arm],
    )


def _lift(scene: Scenery, orders: pa.Table, touches: Touches, last: Ints, instant: Ints) -> Floats:
    """The chance of an extra order; nobody responds who has not ordered yet."""
    who, kinds = touches.customer, [friction.kind for friction in scene.parameters.frictions]
    standing = Standing(
        customer=who,
        silence=(touches.felt - instant[last]) / DAY * scene.population.rate[who],
        befell=np.column_stack([np.asarray(orders[kind]) for kind in kinds])[last],
        earlier=touches.earlier,
        day=np.clip(touches.felt // DAY - scene.calendar.first, 0, scene.calendar.horizon - 1),
    )
    return np.where(last == NONE, 0.0, lift(scene, mood(scene), touches.arm, standing))


def mood(scene: Scenery) -> Floats:
    """How much better or worse any touch works by favourite category and day [categories, days]: the season's pace, sellers' promotions."""
    parameters, days = scene.parameters, scene.calendar
    pace = np.diff(days.clock) ** parameters.season_pull
    runs = promotions(parameters, scene.catalogue, days, scene.chance)
    promoted = promoted_share(parameters, scene.catalogue, days, runs)[:, : days.horizon]
    found: Floats = pace * (1 + parameters.promotion_pull * promoted)
    return found


def lift(scene: Scenery, moods: Floats, arm: Ints, at: Standing) -> Floats:
    """The chance of an extra order after a touch.

    Args:
        scene: The world's.
        moods: From `mood`.
        arm: Number in `Parameters.every_arm`, one a standing.
        at: How the customers stand.
    """
    parameters, people, who = scene.parameters, scene.population, at.customer
    rhythms, factors = zip(*parameters.lift_by_lapse, strict=True)
    chance = np.array([one.lift for one in parameters.every_arm])[arm] * _persona_factor(parameters, people.persona[who], arm)
    chance = chance * people.responsiveness[who] * np.interp(at.silence, rhythms, factors)
    chance = chance * np.exp(people.value[who] - people.typical) ** parameters.value_lift
    chance = chance * _cause_factor(parameters, at.befell, arm) * parameters.fatigue**at.earlier
    least: Floats = np.minimum(chance * moods[people.category[who], at.day], parameters.lift_most)
    return least


def _persona_factor(parameters: Parameters, persona: Ints, arm: Ints) -> Floats:
    for_price = np.array([one.price_lift for one in parameters.personas])[persona]
    for_service = np.array([one.service_lift for one in parameters.personas])[persona]
    by_price = np.array([one.persona == "price" for one in parameters.every_arm])[arm]
    return np.where(by_price, for_price, for_service)


def _cause_factor(parameters: Parameters, befell: Flags, arm: Ints) -> Floats:
    """What went wrong with the last order makes an arm that mends it better, and every other worse."""
    kinds = [friction.kind for friction in parameters.frictions]
    mends = np.array([[kind in one.mends for kind in kinds] for one in parameters.every_arm])[arm]
    return np.select([(befell & mends).any(axis=1), befell.any(axis=1)], [parameters.mending, parameters.unmended], 1.0)


def _baskets(scene: Scenery, touches: Touches) -> Lines:
    """The basket of each touch's extra order, by customer and number of the touch."""
    everyone, parts, places = np.arange(scene.population.size), [], []
    for ordinal in np.unique(touches.ordinal).tolist():
        lines = fill(scene.parameters, scene.population, scene.catalogue, everyone, scene.chance.stream("extra", ordinal))
        place = np.flatnonzero(touches.ordinal == ordinal)
        parts.append(rearranged(lines, touches.customer[place]))
        places.append(place)
    if not parts:
        return Lines(*(np.zeros(0, dtype=np.int64) for _ in range(4)))
    return rearranged(together(parts), np.argsort(np.concatenate(places)))
