"""A diagnosis in a few lines for a terminal.

Knows nothing of pages.
"""

from collections.abc import Iterator

from rekindle import money
from rekindle.errors import CannotTell
from rekindle.insight import opportunity
from rekindle.learn.diagnosis.facts import Diagnosis, Friction

MOST = 3


def headlines(found: Diagnosis) -> Iterator[str]:
    """The lines, each with its topic first."""
    yield f"As of          {found.as_of.day} (exclusive): {found.slipping:,} of {found.customers:,} customers slip away"
    yield f"Causes         {_causes(found)}"
    yield f"Looked at      {found.purchases:,} purchases old enough to tell, {found.lapsed:,} followed by a lapse"
    for one in found.frictions:
        yield f"{one.label.capitalize():<18}{_effect(one, found)}"
    if found.dropoffs:
        yield f"Last step      {_steps(found)}"
    yield f"Audit          {_audit(found)}"
    yield from _opportunities(found)


def _causes(found: Diagnosis) -> str:
    return ", ".join(f"{one.label} {one.customers:,}" for one in found.causes) or "nobody slips away"


def _steps(found: Diagnosis) -> str:
    steps = ", ".join(f"{one.label} {one.customers:,}" for one in found.dropoffs[:MOST])
    other = sum(one.customers for one in found.dropoffs[MOST:])
    return f"{steps}, other {other:,}" if other else steps


def _effect(one: Friction, found: Diagnosis) -> str:
    if isinstance(one.effect, CannotTell):
        reason = one.effect.reason.removesuffix(".")
        return f"cannot tell: {reason[:1].lower()}{reason[1:]}"
    ratio = one.effect.ratio
    text = f"{ratio.estimate:.2f} times as many lapses ({ratio.low:.2f} to {ratio.high:.2f}); {one.customers:,} customers"
    text += f"; {_placebo(one)}"
    if one.misled:
        return f"{text}; not to be believed, for its placebo is not 1"
    if one.matched:
        text += "; its placebo is as large"
    if not isinstance(one.at_stake, CannotTell):
        ends = (one.at_stake.low, one.at_stake.estimate, one.at_stake.high)
        low, middle, high = (money.show(value, found.currency, whole=True) for value in ends)
        text += f"; {middle} at stake ({low} to {high})"
    return text


def _placebo(one: Friction) -> str:
    if isinstance(one.placebo, CannotTell):
        return "placebo: too few to tell"
    ratio = one.placebo.ratio
    return f"placebo {ratio.estimate:.2f} ({ratio.low:.2f} to {ratio.high:.2f}; 1 is right)"


def _audit(found: Diagnosis) -> str:
    first = next(iter(found.audits.values()))
    total = money.show(first.ledger["net"], found.currency)
    wrong = {by: one.differences for by, one in found.audits.items() if one.differences}
    if wrong:
        parts = "; ".join(f"{by}: {', '.join(f'{name} {value:+,}' for name, value in one.items())}" for by, one in wrong.items())
        return f"{first.ledger['orders']:,} orders, {total}; the segments do NOT add up to the orders ({parts})"
    return f"{first.ledger['orders']:,} orders, {total}; the segments add up to the orders, to the cent"


def _opportunities(found: Diagnosis) -> Iterator[str]:
    held = found.opportunities
    for row in held.ranking.rows[:MOST]:
        gain = money.show(row.incremental_margin, found.currency, whole=True)
        yield f"Opportunity    {opportunity.name(row)}: {row.reachable:,} of {row.customers:,} reachable, {gain} (assumed)"
    state = "frozen" if held.frozen else "not written"
    note = "; what is known now would rank otherwise, and the first ranking stands" if held.differs else ""
    yield f"Ranking        {held.ranking.digest[:12]}, {state}{note}"
    for words in held.damaged:
        yield f"Left out       {words}"
