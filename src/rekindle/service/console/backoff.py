"""How long wrong guesses at one operator's password make the next one wait, wherever they come from.

Knows nothing of passwords and of browsers: what is counted has a name. Counts are in the ledger, and hold in every process.
"""

from dataclasses import dataclass

from allauth.core.internal.ratelimit import cache_lock
from django.core.cache import cache

FREE = 10
"""Wrong guesses that cost no time; each further one doubles the wait, from a second on."""

LONGEST, FORGOTTEN = 900.0, 86_400.0
"""Seconds: the longest wait, and how long a wrong guess counts."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess that may be made now; it counts as wrong until it is taken back.

    Args:
        key: Of what is counted.
        at: When, as a timestamp.
    """

    key: str
    at: float

    def take_back(self) -> None:
        """It was right."""
        with cache_lock(self.key) as alone:
            if alone:
                cache.set(self.key, [one for one in _lately(self.key, self.at) if one != self.at], FORGOTTEN)


def guess(name: str, now: float) -> Guess | float:
    """A guess at a name, or how many seconds it is too early for one; a guess that is too early is not counted.

    Args:
        name: What is guessed at.
        now: As a timestamp.
    """
    key = f"console:guesses:{name}"
    with cache_lock(key) as alone:
        before = _lately(key, now)
        early = before[-1] + wait(len(before)) - now if before else 0.0
        if not alone or early > 0:
            return max(early, 1.0)
        cache.set(key, [*before, now], FORGOTTEN)
    return Guess(key, now)


def wait(wrong: int) -> float:
    """Seconds between the last of so many wrong guesses and the next."""
    return 0.0 if wrong < FREE else float(min(2 ** min(wrong - FREE, 10), LONGEST))


def _lately(key: str, now: float) -> list[float]:
    """The wrong guesses that still count, the earliest first."""
    return [one for one in cache.get(key, []) if one > now - FORGOTTEN]
