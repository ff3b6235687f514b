"""Whether a tenth more of a budget would bring more than it costs, or a tenth less would lose nothing: what the last of it brings.

Knows nothing of single customers. The table that the evidence speaks for is worked out at either size; both are judged by the same draws of
what is not known, so that the interval is of the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from rekindle import money
from rekindle.errors import CannotTell, Refused
from rekindle.insight.models import Interval
from rekindle.learn.evidence import Evidence
from rekindle.learn.policies import Learning
from rekindle.learn.policy_terms import Terms
from rekindle.learn.proposals.proposal import Change, Proposal
from rekindle.learn.versions.outlook import outlook
from rekindle.program.documents import Program, Rules
from rekindle.program.reading import Place

STEP = 0.10
USED = 0.90
"""A budget of which less is spent needs no raising."""

_SHOP = ("budget", "amount")


@dataclass(frozen=True, slots=True)
class Asked:
    """What budgets are judged by.

    Args:
        evidence: One of each stage.
        terms: Budgets and floors in force.
        programs: As they are now.
        rules: The store's.
        currency: The store's.
    """

    evidence: Sequence[Evidence]
    terms: Terms
    programs: Sequence[Program]
    rules: Rules
    currency: str


@dataclass(frozen=True, slots=True)
class Margin:
    """What the last part of a budget brings.

    Args:
        spent: By how much the two tables differ in what they are expected to spend, minor units.
        more: By how much the dearer one is expected to bring more, net of that, minor units.
    """

    spent: float
    more: Interval

    @property
    def each(self) -> float:
        """Margin that one more unit of money brings, net of the unit."""
        return self.more.estimate / self.spent


def of_budgets(asked: Asked) -> tuple[Proposal, ...]:
    """Proposals for the shop's budget and for those of single programs; none where the evidence does not tell."""
    if not asked.evidence or asked.terms.budget is None:
        return ()
    places: list[tuple[str, Place, Decimal]] = [("", _SHOP, Decimal(asked.rules.budget.amount))]
    for number, one in enumerate(asked.rules.budgets):
        if one.program and one.payer is None:
            places.append((one.program, ("budgets", number, "amount"), Decimal(one.amount)))
    found = (_of_one(asked, *place) for place in places)
    return tuple(one for one in found if one is not None)


def _of_one(asked: Asked, program: str, place: Place, amount: Decimal) -> Proposal | None:
    now, more, less = (_sized(asked.terms, program, 1 + step) for step in (0.0, STEP, -STEP))
    used = _used(asked, now, program)
    raised = margin(asked, now, more) if used is not None and used >= USED else None
    lowered = margin(asked, less, now)
    if raised is not None and raised.more.low > 0:
        return _proposal(asked, program, place, (amount, 1 + STEP), raised)
    if lowered is not None and lowered.more.high < 0:
        return _proposal(asked, program, place, (amount, 1 - STEP), lowered)
    return None


def margin(asked: Asked, smaller: Terms, larger: Terms) -> Margin | None:
    """What the larger budget brings more; None where it would be spent no differently.

    Args:
        asked: The evidence.
        smaller: With the smaller budget.
        larger: With the larger one.
    """
    try:
        tables = [Learning().propose(asked.evidence, terms).policy for terms in (smaller, larger)]
    except Refused:
        return None
    seen = outlook((tables[0], tables[1]), asked.programs, asked.evidence, larger, asked.rules.budget.per_days)
    if isinstance(seen, CannotTell) or seen.spend - seen.spend_before < 1:
        return None
    return Margin(seen.spend - seen.spend_before, seen.more)


def _sized(terms: Terms, program: str, factor: float) -> Terms:
    if not program:
        return replace(terms, budget=None if terms.budget is None else terms.budget * factor)
    return replace(terms, budgets=MappingProxyType({**terms.budgets, program: terms.budgets[program] * factor}))


def _used(asked: Asked, terms: Terms, program: str) -> float | None:
    """How much of a budget the table in it is expected to spend; of a program's, what that program spends."""
    mine = [one for one in asked.evidence if program in ("", one.program)]
    limit = terms.budgets.get(program) if program else terms.spendable
    if not mine or not limit:
        return None
    try:
        table = Learning().propose(asked.evidence, terms).policy
    except Refused:
        return None
    seen = outlook((table, table), asked.programs, mine, terms, asked.rules.budget.per_days)
    return None if isinstance(seen, CannotTell) else seen.spend / limit


def _proposal(asked: Asked, program: str, place: Place, sizes: tuple[Decimal, float], found: Margin) -> Proposal:
    amount, factor = sizes
    after = float(round(amount * Decimal(str(factor)), money.exponent(asked.currency)))
    low, middle, high = (money.show(round(one), asked.currency) for one in (found.more.low, found.more.estimate, found.more.high))
    whose = f"of {program}" if program else "of all programs"
    spent, days = money.show(round(found.spent), asked.currency), asked.rules.budget.per_days
    last = f"the next {spent}" if factor > 1 else f"the last {spent}"
    why = f"Of the budget {whose}, {last} in {days} days are expected to bring {middle} ({low} to {high}), net of themselves"
    evidence = {"spent": found.spent, "low": found.more.low, "estimate": found.more.estimate, "high": found.more.high, "each": found.each}
    return Proposal(f"budget-{program or 'all'}", "", (Change(place, float(amount), after),), f"{why}.", evidence)
