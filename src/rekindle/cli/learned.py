"""What was learned, in lines for people: what is wrong first, then what each program was worth, then all together.

Knows nothing of how it was measured.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rekindle import money
from rekindle.errors import CannotTell

if TYPE_CHECKING:
    from rekindle.insight.models import Interval
    from rekindle.learn.comparison import Comparison
    from rekindle.learn.lift import Lift
    from rekindle.learn.mismatch import Check
    from rekindle.learn.stages import StageLift
    from rekindle.learn.suite import Suite
    from rekindle.service.flow.learning import Learned

Show = Callable[[float], str]


def lines(learned: "Learned", currency: str) -> Iterator[str]:
    """Everything, program by program.

    Args:
        learned: From `flow.learning`.
        currency: The store's.
    """
    from rekindle.learn import credit_words, experiment_words

    def show(value: float) -> str:
        return money.show(value, currency)

    for program, check in learned.alarms:
        yield from _alarm(program, check)
    for program, messages in learned.leaks.items():
        yield f"LEAK           {program}: {messages:,} messages to customers who were to have none; its numbers are wrong by as much"
    for lift in learned.lifts:
        yield from of_program(lift, learned.stages.get(lift.program, ()), show)
        if lift.program in learned.credits:
            yield from credit_words.lines(learned.credits[lift.program], currency)
    for one in learned.experiments:
        if one.status == "running":
            yield f"Experiment     {experiment_words.headline(one.experiment, one.looks)}"
    if learned.suite is not None:
        yield from _together(learned.suite, show)
    for name, kind in learned.kinds.items():
        told = f"{kind.customers:,} customers of a year: {show(kind.spend)} each in {kind.orders:.1f} orders"
        yield f"{name.capitalize():<15}{told}, {show(kind.messages)} of messages; {kind.speak_well:.0%} speak well of the shop"


def _alarm(program: str, check: "Check") -> Iterator[str]:
    from rekindle.learn.mismatch import ALARM

    where = f"{program}, {check.group}" if program else check.group
    worst, whole = check.worst, f"{check.seen:,} of {check.counted:,}, where the draw gives {check.expected:,.0f}"
    if worst and check.p_value >= ALARM:
        day = f"{worst.seen:,}, where the draw gives {worst.expected:,.0f} (p {worst.p_value:.1g}, with all {check.cells} looked at)"
        yield f"ALARM          {where} on {worst.cell}: {day}"
        yield f"               all together {whole} (p {check.p_value:.1g})"
    else:
        yield f"ALARM          {where}: {whole} (p {check.p_value:.1g})"
        if worst and worst.p_value <= check.p_value:
            yield f"               worst on {worst.cell}: {worst.seen:,}, where it gives {worst.expected:,.0f}"
    yield "               Believe no number of it until that is explained."


def of_program(lift: "Lift", stages: tuple["StageLift", ...], show: Show) -> Iterator[str]:
    """A program's lift.

    Args:
        lift: Of it.
        stages: Its stages that drew.
        show: Writes an amount of minor units.
    """
    from rekindle.learn.doubt import doubt
    from rekindle.learn.trend import trend

    yield f"{lift.program:<14} {lift.treated:,} assigned to the program, {lift.control:,} to its control"
    margin = lift.measures["margin"]
    if isinstance(margin.difference, CannotTell):
        yield f"Worth          {doubt(margin, show)}"
        yield from _young(lift)
        return
    yield f"Worth          {_ends(margin.difference, show)} margin a customer in {lift.weeks} weeks{_share(margin)}{_but(margin, show)}"
    if margin.any_day:
        ends = f"{show(margin.any_day.low)} to {show(margin.any_day.high)}"
        yield f"Any day        {ends} holds however often it is looked at; every other interval is for one look"
    for name, words in (("spend", "spend a customer"), ("reactivated", "of it of customers who were lapsed at entry")):
        part = lift.measures[name]
        if not isinstance(part.difference, CannotTell):
            yield f"{name.capitalize():<15}{_ends(part.difference, show)} {words}{_share(part)}{_but(part, show)}"
    for name, words in (("retained", "ordered"), ("activated", "came back"), ("opted_out", "took a consent back")):
        part = lift.measures[name]
        if not isinstance(part.difference, CannotTell):
            found = part.difference
            ends = f"{found.estimate * 100:+.1f} in a hundred {words} ({found.low * 100:+.1f} to {found.high * 100:+.1f})"
            yield f"{name.capitalize().replace('_', ' '):<15}{ends}{_but(part, _in_a_hundred)}"
    if margin.narrower:
        yield f"Interval       {margin.narrower:.0%} narrower by what was expected of each customer anyway"
    for name in lift.reversed_by:
        yield f"ALARM          pooled over {name} the margin has the other sign ({_pooled(lift, show)}): the mix of customers changed"
    for words in trend(lift).alarms:
        yield f"ALARM          {words}"
    yield from _parts(lift, show)
    yield from _variants(stages, show)
    yield from _young(lift)


def _ends(found: "Interval", show: Show) -> str:
    return f"{show(found.estimate)} ({show(found.low)} to {show(found.high)})"


def _pooled(lift: "Lift", show: Show) -> str:
    return lift.pooled.reason if isinstance(lift.pooled, CannotTell) else show(lift.pooled.estimate)


def _but(part: "Comparison", show: Show) -> str:
    """What follows a difference: nothing where it is told apart."""
    from rekindle.learn.doubt import doubt

    found = doubt(part, show)
    return f": {found}" if found else ""


def _share(part: "Comparison") -> str:
    """A difference as a share of the control's, after it."""
    from rekindle.learn.doubt import of_control

    found = of_control(part)
    return f", {found}" if found else ""


def _in_a_hundred(value: float) -> str:
    return f"{value * 100:.1f} in a hundred"


def _parts(lift: "Lift", show: Show) -> Iterator[str]:
    """The parts that can be told apart from nought, all looked at taken into account."""
    looked = 0
    for dimension, found in lift.parts.items():
        for value, part in found.items():
            one = part.measures["margin"]
            looked += one.p_value is not None
            if one.told_apart and not isinstance(one.difference, CannotTell):
                yield f"  {dimension:<12} {value}: {_ends(one.difference, show)}"
    if looked:
        yield f"               {looked} parts looked at; an interval is of its part alone, told apart is with all {looked} looked at"


def _variants(stages: tuple["StageLift", ...], show: Show) -> Iterator[str]:
    for stage in stages:
        for arm, one in stage.by["arm"].items():
            part = one.measures["margin"]
            if not isinstance(part.difference, CannotTell):
                yield f"  {stage.stage:<12} {arm} against nothing: {_ends(part.difference, show)} a decision{_but(part, show)}"


def _young(lift: "Lift") -> Iterator[str]:
    found = lift.maturity
    if found.early and found.window_days:
        days = f"{found.window_days} of {found.horizon_days} days"
        yield f"Early          counted over {days}; a look before the planned day is fooled more often"
    if found.next_on and found.all_on:
        young = f"{found.young:,} rounds are too young" if found.young else "no round has its whole horizon"
        yield f"Not yet        {young}; the next are whole on {found.next_on}, all on {found.all_on}"


def _together(suite: "Suite", show: Show) -> Iterator[str]:
    from rekindle.learn.doubt import doubt

    for epoch in suite.epochs:
        part = epoch.measures["margin"]
        told = f"{epoch.others:,} against {epoch.holdout:,} held out"
        if isinstance(part.difference, CannotTell):
            yield f"Together {epoch.year}  {doubt(part, show)}"
            continue
        yield f"Together {epoch.year}  {_ends(part.difference, show)} margin a customer, {told}{_but(part, show)}"
    if suite.epochs and suite.anytime:
        yield "               Read it as often as you like; the intervals of other measures, in --json, are for one look."
    elif suite.epochs:
        early = f"{suite.maturity.window_days} of {suite.maturity.horizon_days} days"
        yield f"               Early: over {early}. It may not be read again and again, for the days that are counted change."
