"""What a store means to find out: experiments/NAME.yaml, a comparison of a stage's arms that is written down before it begins.

Knows nothing of how it went. While it runs its arms have equal chances; a winner is declared by orders and margin alone.
"""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rekindle.program.fields import Entry, Name, ProgramName, digest, mistake
from rekindle.program.stages import NOTHING, Arm, Stage

ExperimentMetric = Literal["margin", "spend", "orders", "retained"]
Factor = Literal["contact", "offer", "channel", "subject", "hour", "several"]

_NEVER = ("open", "click", "view", "visit", "read", "sign")


def _of_orders(value: object) -> object:
    if isinstance(value, str) and value.startswith(_NEVER):
        why = f"'{value}' declares no winner: what was opened or clicked is no order, and machines do it too"
        raise mistake("experiment-metric", why, "Write margin, spend, orders or retained; what was clicked is shown beside it.")
    return value


class Experiment(Entry):
    """A comparison of arms, with the measure, the size and the looks fixed beforehand."""

    name: ProgramName = Field(alias="experiment")
    """What it is called; two experiments never share a name."""
    owner: str = Field(max_length=200)
    """The person who answers for it; approval is refused while it is empty."""
    hypothesis: str = Field(min_length=10, max_length=500)
    """What is believed, in a sentence that can turn out wrong."""
    program: ProgramName
    """The program that it is in."""
    stage: Name
    """Its stage; one experiment runs in it at a time."""
    arms: tuple[Name, ...] = Field(min_length=1, max_length=6)
    """The stage's arms that are compared, each with `against`; they should differ in one thing."""
    against: Name = NOTHING
    """What they are compared with: nothing, or another arm."""
    metric: Annotated[ExperimentMetric, BeforeValidator(_of_orders)] = "margin"
    """What decides: margin (the default), spend, orders, or retained (whether there was an order)."""
    size: Annotated[int, Field(ge=50, le=10_000_000, strict=True)]
    """Decisions of each arm, with the program's horizon behind them, at which it ends."""
    looks: Annotated[int, Field(ge=1, le=50, strict=True)] = 4
    """How often it is looked at, evenly up to its size; it stops at the first look that crosses its boundary."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if len(set(self.arms)) < len(self.arms) or self.against in self.arms:
            raise mistake("experiment-arms", "an arm is named twice", "Name each arm once; against is one more.")
        if NOTHING in self.arms:
            raise mistake("experiment-arms", "nothing is what arms are compared with", "Write it as against: nothing.")
        return self

    @property
    def compared(self) -> tuple[str, ...]:
        """Every arm that has a chance while it runs, `nothing` aside."""
        return tuple(name for name in (*self.arms, self.against) if name != NOTHING)

    @property
    def digest(self) -> str:
        """A content hash, as a program's."""
        return digest(self)

    def factor(self, stage: Stage) -> Factor:
        """What is varied: the one thing in which the arms differ, or `several`.

        Args:
            stage: Its stage; has all arms that it names.
        """
        if self.against == NOTHING and len(self.arms) == 1:
            return "contact"
        differing = differences([stage.arm(name) for name in self.compared])
        return differing[0] if len(differing) == 1 else "several"


def differences(arms: list[Arm]) -> tuple[Factor, ...]:
    """In what some arms differ.

    Args:
        arms: Two or more.
    """
    found: list[Factor] = []
    factors: tuple[tuple[Factor, str], ...] = (("offer", "offer"), ("channel", "channel"), ("subject", "subject"), ("hour", "hour"))
    for factor, attribute in factors:
        if len({getattr(arm, attribute) for arm in arms}) > 1:
            found.append(factor)
    return tuple(found)
