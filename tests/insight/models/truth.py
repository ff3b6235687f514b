"""A shop whose customers' rates, chances to lapse and fates are known.

Knows nothing of the models under test: it plays one order after another.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rekindle.insight.models import LapseTuples
from rekindle.insight.models.tuples import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What happened and what stands behind it, one row per customer."""

    histories: LapseTuples
    alive: npt.NDArray[np.bool_]
    rate: Floats
    chance: Floats


def shop(rng: np.random.Generator, customers: int, parameters: tuple[float, ...], weeks: float, first_coin: int) -> Truth:
    """Customers who join evenly over `weeks`, order at gamma rates and lapse with beta chances (r, alpha, a, b)."""
    r, alpha, a, b = parameters
    rate, chance = rng.gamma(r, 1 / alpha, customers), rng.beta(a, b, customers)
    age, clock, last = rng.uniform(0, weeks, customers), np.zeros(customers), np.zeros(customers)
    repeats = np.zeros(customers, dtype=np.int64)
    alive = rng.random(customers) >= chance * first_coin
    going = np.flatnonzero(alive)
    while len(going):
        clock[going] += rng.exponential(1 / rate[going])
        going = going[clock[going] <= age[going]]
        last[going] = clock[going]
        repeats[going] += 1
        alive[going] = rng.random(len(going)) >= chance[going]
        going = going[alive[going]]
    return Truth(LapseTuples(repeats, last, age, np.ones(customers, dtype=np.int64)), alive, rate, chance)


def orders_after(rng: np.random.Generator, truth: Truth, weeks: float) -> Ints:
    """Orders in the `weeks` after a `shop`'s end: at most those of the rate, at most those before the coin that ends it."""
    return truth.alive * np.minimum(rng.poisson(truth.rate * weeks), rng.geometric(truth.chance))


def leaving_shop(rng: np.random.Generator, customers: int, parameters: tuple[float, ...], weeks: float) -> Truth:
    """Customers who join evenly over `weeks`, order at gamma rates and lapse at gamma rates, `chance` a week (r, alpha, s, beta)."""
    r, alpha, s, beta = parameters
    rate, chance = rng.gamma(r, 1 / alpha, customers), rng.gamma(s, 1 / beta, customers)
    age, life = rng.uniform(0, weeks, customers), rng.exponential(1 / np.maximum(chance, 1e-12))
    seen = np.minimum(age, life)
    repeats = rng.poisson(rate * seen)
    last = np.where(repeats > 0, seen * rng.random(customers) ** (1 / np.maximum(repeats, 1)), 0.0)
    return Truth(LapseTuples(repeats, last, age, np.ones(customers, dtype=np.int64)), life > age, rate, chance)


def orders_after_leaving(rng: np.random.Generator, truth: Truth, weeks: float) -> Ints:
    """Orders in the `weeks` after a `leaving_shop`'s end."""
    stay = np.minimum(rng.exponential(1 / np.maximum(truth.chance, 1e-12)), weeks)
    return truth.alive * rng.poisson(truth.rate * stay)


def histories(*rows: tuple[int, float, float]) -> LapseTuples:
    """One customer per (repeats, last, age)."""
    repeats, last, age = zip(*rows, strict=True) if rows else ((), (), ())
    floats = np.array(last, dtype=np.float64), np.array(age, dtype=np.float64)
    return LapseTuples(np.array(repeats, dtype=np.int64), *floats, np.ones(len(rows), dtype=np.int64))
