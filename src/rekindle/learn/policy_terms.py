"""What the next table of chances has to keep: budgets, capacities, fairness, margin floors, exploration.

Knows nothing of what variants bring.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Self

from rekindle.decide.budget import RESERVE
from rekindle.program.documents import Rules


@dataclass(frozen=True, slots=True)
class Group:
    """A group of customers whose offers are compared with the others'.

    Args:
        name: As people call it.
        shares: Context to the share of its customers that belongs to the group; a context that is not named has none.
    """

    name: str
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the next table has to keep, in the period of the evidence's `candidates`; amounts are minor units.

    Args:
        budget: The most that all programs may spend together; None: no limit.
        budgets: The same of single programs.
        capacity: By channel, messages.
        groups: Groups that `disparity` holds for.
        disparity: By how much a group's expected offer may be worth less or more than the others', as a share of the greater.
        barred: (program, stage, context, arm) that stay below the margin floor: never given.
        floor_arm: The least chance of every variant.
        floor_nothing: The least chance of `nothing`.
        overspent: What the last period spent above its budget; the next one has so much less.
    """

    budget: float | None = None
    budgets: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    capacity: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    groups: tuple[Group, ...] = ()
    disparity: float = 1.0
    barred: frozenset[tuple[str, str, str, str]] = frozenset()
    floor_arm: float = 0.02
    floor_nothing: float = 0.05
    overspent: float = 0.0

    @property
    def spendable(self) -> float | None:
        """The budget, lowered by what was spent too much: throttling lowers the next table, for all customers alike."""
        return None if self.budget is None else max(0.0, self.budget - max(0.0, self.overspent))

    @classmethod
    def of_rules(cls, rules: Rules, minor: Callable[[Decimal], float]) -> Self:
        """The budgets and floors of rules.yaml, in the period of its first budget, less the reserve that every plan keeps back.

        Budgets of one payer alone are left to the plan, which holds them all. A budget of another period counts in proportion.

        Args:
            rules: Budgets and exploration.
            minor: Units as minor units, such as `Shop.minor`.
        """
        period = rules.budget.per_days
        whole: list[float] = []
        parts: dict[str, float] = {}
        for one in rules.every_budget:
            amount = minor(Decimal(one.amount)) * (1 - RESERVE) * period / one.per_days
            if one.payer is None and one.program is None:
                whole.append(amount)
            elif one.payer is None and one.program is not None:
                parts[one.program] = min(amount, parts.get(one.program, amount))
        return cls(min(whole), parts, floor_arm=rules.exploration.arm, floor_nothing=rules.exploration.nothing)
