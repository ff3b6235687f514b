"""Credit beside lift, in words and as plain values: what followed messages, what they caused, and why the two differ.

Knows nothing of how either is measured.
"""

from collections.abc import Iterator

from rekindle import money
from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.attribution import METHODS, Credit, Shares

LABEL = "credit, a way to share a sum; not what messages caused"

WORDS = {"last_touch": "last message", "position": "by position", "shapley": "Shapley"}


def in_all(difference: Interval | CannotTell, customers: int) -> Interval | CannotTell:
    """What a difference a customer comes to over all of them.

    >>> in_all(Interval(1.0, 2.0, 3.0), 10)
    Interval(low=10.0, estimate=20.0, high=30.0)
    """
    if isinstance(difference, CannotTell):
        return difference
    return Interval(*(value * customers for value in (difference.low, difference.estimate, difference.high)))


def why(found: Credit) -> str:
    """Why credit and lift differ."""
    if isinstance(found.caused, CannotTell):
        return f"How much of it would have come anyway is not known: {found.caused.reason}."
    if not found.told_apart:
        return "What the program brought is not yet distinguishable from zero, so no share of it is either."
    if found.caused.estimate <= 0:
        return "The program brought less than nothing, whoever gets the credit."
    anyway = 1 - found.caused.estimate / found.followed
    come = f"{anyway:.0%} of what followed messages would have come anyway: the control ordered too."
    rest = come if anyway > 0 else "The program brought more than the orders after its messages show."
    return f"{rest} Shares are scaled so that they add up to what it brought."


def as_json(found: Credit | CannotTell) -> dict[str, object]:
    """The credit of a program; minor units. `credit` is the share of what followed messages, `scaled` of what was caused."""
    if isinstance(found, CannotTell):
        return {"label": LABEL, "cannot_tell": found.reason}
    scaled = found.scaled

    def both(name: str, method: str, shares: Shares) -> dict[str, object]:
        known = scaled[name][method] if scaled else {}
        return {one: {"credit": round(share), "scaled": round(known[one]) if scaled else None} for one, share in shares.items()}

    by = {name: {method: both(name, method, shares) for method, shares in methods.items()} for name, methods in found.by.items()}
    caused = found.caused
    told = {"cannot_tell": caused.reason} if isinstance(caused, CannotTell) else {
        "estimate": caused.estimate, "low": caused.low, "high": caused.high,
    }  # fmt: skip
    return {
        "label": LABEL, "followed": found.followed, "unmessaged": found.unmessaged, "caused": told, "scale": found.scale, "by": by,
        "why": why(found),
    }  # fmt: skip


def lines(found: Credit | CannotTell, currency: str) -> Iterator[str]:
    """A program's credit for people: a line for each channel and stage, of what was caused where that is told, else of what followed."""
    if isinstance(found, CannotTell):
        return
    followed = money.show(round(found.followed), currency)
    yield f"Credit         orders after a message brought {followed} of margin. {why(found)}"
    shown = (found.scaled if found.told_apart else None) or found.by
    for name, methods in shown.items():
        for one in methods[METHODS[-1]]:
            shares = ", ".join(f"{WORDS[method]} {money.show(round(methods[method].get(one, 0.0)), currency)}" for method in METHODS)
            yield f"{'':<15}{name} {one}: {shares}"
