"""Everything that a diagnosis says.

Knows nothing of pages and files. Money in minor units, shares of 1, days.
"""

from dataclasses import dataclass

from rekindle.errors import CannotTell
from rekindle.insight.audit import Audit
from rekindle.insight.friction_effect import Effect
from rekindle.insight.models import Interval
from rekindle.insight.opportunity import Ranking
from rekindle.insight.reactivation import Curve
from rekindle.moment import AsOf


@dataclass(frozen=True, slots=True)
class Friction:
    """One friction in the store.

    Args:
        kind: A key of `friction_effect.RANK`.
        label: In words.
        effect: On the chance of a lapse, or why it cannot be told.
        placebo: The same with the friction of the next purchase, which cannot have caused the silence before it.
        customers: Who had it, with a purchase old enough to tell.
        at_stake: Margin that its extra lapses would have brought in the horizon, or why it cannot be told.
    """

    kind: str
    label: str
    effect: Effect | CannotTell
    placebo: Effect | CannotTell
    customers: int
    at_stake: Interval | CannotTell

    @property
    def misled(self) -> bool:
        """Whether the placebo shows an effect where there can be none, so that the effect is not to be believed."""
        return not isinstance(self.placebo, CannotTell) and not self.placebo.ratio.low <= 1 <= self.placebo.ratio.high

    @property
    def matched(self) -> bool:
        """Whether the interval says that there is an effect, and the placebo is as large, so that the friction is not to be credited."""
        if isinstance(self.effect, CannotTell) or isinstance(self.placebo, CannotTell):
            return False
        return self.effect.ratio.low > 1 and self.placebo.ratio.estimate >= self.effect.ratio.estimate


@dataclass(frozen=True, slots=True)
class Cause:
    """How many who slip away have a cause first.

    Args:
        kind: A key of `friction.CAUSES`.
        label: In words.
        customers: With it in the first place.
        any_place: With evidence of it at all.
        margin_at_risk: Of those with it in the first place.
    """

    kind: str
    label: str
    customers: int
    any_place: int
    margin_at_risk: int


@dataclass(frozen=True, slots=True)
class Dropoff:
    """After which step customers fell silent.

    Args:
        step: A key of `journey.STEPS`.
        label: In words.
        customers: All.
        cohorts: By lapsed cohort.
    """

    step: str
    label: str
    customers: int
    cohorts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Came:
    """What was assumed of a cohort in an earlier ranking, and what the randomised comparison measured since.

    Args:
        cohort: Lapsed cohort.
        assumed: Margin a reachable customer, minor units.
        measured: Margin a customer by assignment, or why it cannot be told.
    """

    cohort: str
    assumed: float
    measured: Interval | CannotTell


@dataclass(frozen=True, slots=True)
class Opportunities:
    """The ranking, and how it stands to what was frozen.

    Args:
        ranking: The frozen one where there is one for this instant, else this one.
        frozen: Whether it is on file.
        differs: Whether what is known now would rank otherwise than what is on file for this instant.
        earlier: The instant of the ranking that `came` is about; "" where there is none.
        came: By cohort.
        launched: Whether the programs had already decided before the instant of `earlier`, so that it is not of before any launch.
        damaged: Rankings of other instants on file that cannot be read or were changed, in words.
    """

    ranking: Ranking
    frozen: bool
    differs: bool
    earlier: str
    came: tuple[Came, ...]
    launched: bool = False
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The whole of it.

    Args:
        shop: The store's name.
        currency: ISO 4217 code.
        locale: For figures.
        as_of: The instant.
        horizon_weeks: What margin at stake is counted over.
        simulated: Whether the store is made up.
        purchases: Looked at for the effects of friction.
        lapsed: Of them, followed by a lapse.
        customers: With an order.
        slipping: Lapsing or lapsed.
        frictions: In the order of `RANK`.
        causes: The most frequent first.
        dropoffs: The most frequent first.
        by_category: Time to the next order after a lapse began.
        by_offer: Time to the next order after a message, by kind of offer.
        audits: By what the segments are.
        opportunities: Before any launch.
    """

    shop: str
    currency: str
    locale: str
    as_of: AsOf
    horizon_weeks: int
    simulated: bool
    purchases: int
    lapsed: int
    customers: int
    slipping: int
    frictions: tuple[Friction, ...]
    causes: tuple[Cause, ...]
    dropoffs: tuple[Dropoff, ...]
    by_category: dict[str, Curve | CannotTell]
    by_offer: dict[str, Curve | CannotTell]
    audits: dict[str, Audit]
    opportunities: Opportunities
