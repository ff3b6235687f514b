"""What the finance page knows: everything that was learned, and what it is held against.

Knows nothing of how it was measured or how it is shown. Money is in minor units of the store's currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.learn.attribution import Credit
from rekindle.learn.baseline import Baseline
from rekindle.learn.before_after import Change
from rekindle.learn.comparison import Comparison
from rekindle.learn.credit_words import in_all
from rekindle.learn.learnings import Learning
from rekindle.learn.lift import Lift
from rekindle.learn.maturity import Maturity
from rekindle.learn.measures import FIRST
from rekindle.learn.scorecard import Standing
from rekindle.learn.stages import StageLift
from rekindle.learn.suite import Suite
from rekindle.moment import AsOf

FUNNEL = ("planned", "handed_over", "opened", "clicked", "ordered")


@dataclass(frozen=True, slots=True)
class Step:
    """Messages of one program to some customers with one offer, each counted once in every step.

    Args:
        program: Its name.
        customers: Who they are in words: the lapsed cohort, or outside of any the value tier; empty where neither was written down.
        offer: As the offers call it; empty where there was none.
        counts: As many as `FUNNEL`.
    """

    program: str
    customers: str
    offer: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """The one number of the page.

    Args:
        what: What was compared with what, a clause such as `all programs against the holdout of 2026`.
        treated, control: Customers on either side.
        maturity: Over how many days each customer is counted, and is to be.
        margin: A customer's.
        cost: What offers and messages to those who were treated cost over these days, minor units.
        anytime: Whether the interval holds however often it is looked at.
    """

    what: str
    treated: int
    control: int
    maturity: Maturity
    margin: Comparison
    cost: float
    anytime: bool

    @property
    def total(self) -> Interval | CannotTell:
        """Incremental margin of all who were treated; or why it is not known."""
        return in_all(self.margin.difference, self.treated)


@dataclass(frozen=True, slots=True)
class FinanceFacts:
    """Everything that the page says.

    Args:
        shop: The store's name, as its owner wrote it.
        currency: ISO 4217 code.
        locale: For numbers.
        as_of: The instant, exclusive.
        simulated: Whether the marketplace is made up.
        lifts: Of every program of marketing.
        stages: By program, of its stages that drew.
        suite: All programs against the holdout; None where nobody entered yet.
        alarms: What makes numbers of this page wrong, each a sentence without a full stop.
        funnel: What became of recent messages.
        credits: By program.
        targets: Of the quarter, as they stand.
        baseline: What was frozen first; None where nothing was.
        learnings: What experiments taught, the latest first.
        changes: The quarter's levels against the baseline.
    """

    shop: str
    currency: str
    locale: str
    as_of: AsOf
    simulated: bool
    lifts: tuple[Lift, ...]
    stages: Mapping[str, tuple[StageLift, ...]]
    suite: Suite | None
    alarms: tuple[str, ...]
    funnel: tuple[Step, ...]
    credits: Mapping[str, Credit | CannotTell]
    targets: tuple[Standing, ...]
    baseline: Baseline | None
    learnings: tuple[Learning, ...]
    changes: tuple[Change, ...] = ()

    @property
    def begun(self) -> tuple[Lift, ...]:
        """The programs that somebody has entered."""
        return tuple(one for one in self.lifts if one.maturity.counted or one.maturity.young)

    @property
    def wrong(self) -> tuple[str, ...]:
        """Every reason not to believe the page's numbers: the alarms, and each program whose number turns its sign among like customers."""
        turned = (one for one in self.begun if one.reversed_by)
        signs = (f"over everybody at once {one.program} has the other sign than among like customers" for one in turned)
        return (*self.alarms, *signs)

    @property
    def headline(self) -> Headline | None:
        """All programs against the holdout of the last year that can be compared, else the largest program; None before any began."""
        if self.suite is not None and self.suite.last is not None:
            epoch = self.suite.last
            since = "" if epoch is self.suite.epochs[-1] else ", the last year that can be told yet"
            what = f"all programs against the holdout of {epoch.year}{since}"
            return Headline(what, epoch.others, epoch.holdout, self.suite.maturity, epoch.measures[FIRST], epoch.cost, self.suite.anytime)
        mine = [one for one in self.begun if FIRST in one.measures]
        if not mine:
            return None
        known = [one for one in mine if isinstance(one.measures[FIRST].difference, Interval)]
        lift = max(known or mine, key=lambda one: one.treated)
        what = f"the program {lift.program} against its control"
        return Headline(what, lift.treated, lift.control, lift.maturity, lift.measures[FIRST], cost_of(lift), anytime=False)


def cost_of(lift: Lift) -> float:
    """What the offers and messages of a program's counted rounds cost, minor units; a lower price is in the margin alone."""
    if lift.cells is None:
        return 0.0
    rows = lift.cells.sums.only(lift.cells.keys["standing"] == "treated")
    return float((rows["y:incentives"] + rows["y:messages"]).sum())
