"""Which stage of a program follows for a round, and how long after the one before: branches, stages passed over, waiting, delays.

Knows nothing of arms and chance.
"""

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.friction import BAD_RATING
from rekindle.insight.purchases import sales
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Delay, Program, Stage
from rekindle.program.stages import END

CLICKED = ("Email Link Clicked", "Link Clicked", "Push Notification Tapped")
"""Events that show that a message was followed."""

COMPLAINED = ("Email Marked as Spam",)
"""Events that complain of a message."""

FACTS = ("bought", "clicked", "complained")
"""What a message may come to, as columns of `outcomes`."""


def outcomes(warehouse: Warehouse, place: ir.Table, contacts: ir.Table, as_of: AsOf) -> ir.Table:
    """What came after the last message of each round left: customer_id, episode and a column for each of `FACTS`.

    Instants are compared, not days: what came earlier on the day of the message did not come of it. A click counts for the last message
    before it, whichever program sent that. A complaint is a ticket, a return, a low rating, or a mail marked as spam.

    Args:
        warehouse: Orders, events, tickets, returns and reviews.
        place: From `due.places`.
        contacts: Every message of marketing so far.
        as_of: Later facts are not seen.
    """
    reached = place.filter(place.reached_at.notnull(), place.reached_arm != NOTHING)
    last = reached.select("customer_id", "episode", left_at="reached_left_at")
    both = last.join(_answers(warehouse, as_of), "customer_id").filter(lambda t: t["at"] >= t.left_at)
    clicks = both.filter(both.what == "clicked")
    sent = contacts.select("customer_id", sent_at=contacts.send_at.fill_null(contacts.as_of)).distinct()
    later = clicks.join(sent, "customer_id").filter(lambda t: (t.sent_at > t.left_at) & (t.sent_at <= t["at"]))
    mine = both.anti_join(later, ["customer_id", "episode", "what", "at"])
    return mine.group_by("customer_id", "episode").aggregate(**{name: (mine.what == name).any() for name in FACTS})


def _answers(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """What customers did: customer_id, at, what."""
    events, reviews = warehouse.current("events"), warehouse.current("reviews")
    parts = (
        ("bought", sales(warehouse, as_of), "ordered_at"),
        ("clicked", events.filter(events.name.isin(CLICKED)), "occurred_at"),
        ("complained", events.filter(events.name.isin(COMPLAINED)), "occurred_at"),
        ("complained", warehouse.current("tickets"), "opened_at"),
        ("complained", warehouse.current("returns"), "returned_at"),
        ("complained", reviews.filter(reviews.rating <= BAD_RATING), "reviewed_at"),
    )
    every = ibis.union(*(table.select("customer_id", at=column, what=ibis.literal(what)) for what, table, column in parts))
    return every.filter(every["at"] < ibis.literal(as_of.naive))


def staged(joined: ir.Table, program: Program) -> ir.Table:
    """Adds the stage that follows, whether it waits, and its delay.

    Args:
        joined: Profile, opening and place of each round, and `FACTS` where a stage has branches.
        program: The program.

    Returns:
        stage_no (of the stage that follows; the number of stages where none does), last_no (of the last stage, -1 for none), delay_days,
        held_back, avoid_channel.
    """
    numbers = {stage.name: number for number, stage in enumerate(program.stages)} | {END: len(program.stages)}
    passes = _from(joined, program)
    last = joined.stage_no.fill_null(-1)
    joined = joined.mutate(last_no=last)
    stage_cases, after_cases, channel_cases = [], [], []
    for number, stage in enumerate(program.stages):
        followed = _followed(joined, stage) if stage.branches else {}
        for outcome, branch in stage.branches.items():
            here = (last == number) & followed[outcome]
            stage_cases.append((here, passes[numbers[branch.to]]))
            if branch.after_days is not None and branch.to != END:
                after_cases.append((here & (passes[numbers[branch.to]] == numbers[branch.to]), branch.after_days))
            channel_cases += [here] if branch.change else []
        stage_cases.append((last == number, passes[number + 1]))
    elsewhere = ibis.or_(*channel_cases) if channel_cases else ibis.literal(False)
    joined = joined.mutate(
        after_days=ibis.cases(*after_cases, else_=ibis.null("int64")) if after_cases else ibis.null("int64"),
        avoid_channel=elsewhere.ifelse(joined.reached_channel, ibis.null("string")),
        stage_no=ibis.cases(*stage_cases, else_=passes[0]),
    )
    return joined.mutate(delay_days=joined.after_days.fill_null(_delay(joined, program)), held_back=_held_back(joined, program)).drop(
        "after_days"
    )


def _followed(joined: ir.Table, stage: Stage) -> dict[str, ir.BooleanValue]:
    """Whether the last message came to a complaint, an order, a click or nothing; a round drawn to hear nothing came to none of them.

    A stage without a branch for complaints does not look at them.
    """
    sent = (joined.reached_arm != NOTHING).fill_null(False)
    looks = "complained" in stage.branches
    complained = sent & joined.complained.fill_null(False) if looks else ibis.literal(False)
    bought = sent & ~complained & joined.bought.fill_null(False)
    clicked = sent & ~complained & ~bought & joined.clicked.fill_null(False)
    return {"complained": complained, "bought": bought, "clicked": clicked, "ignored": sent & ~complained & ~bought & ~clicked}


def _from(joined: ir.Table, program: Program) -> list[ir.IntegerValue]:
    """For every number of a stage: the first stage from it on that is not passed over."""
    count = len(program.stages)
    found: list[ir.IntegerValue] = [ibis.literal(count)]
    for number, stage in reversed(list(enumerate(program.stages))):
        skipped = _passed_over(joined, program, stage)
        found.insert(0, ibis.literal(number) if skipped is None else skipped.ifelse(found[0], number))
    return found


def _passed_over(joined: ir.Table, program: Program, stage: Stage) -> ir.BooleanValue | None:
    """Whether a stage is not for a customer; None where it is for everyone."""
    cohorts = [cohort for cohort in program.variants if stage not in program.stages_for(cohort)]
    skipped = [joined.lapsed_cohort.isin(cohorts).fill_null(False)] if cohorts else []
    if stage.only_if is not None:
        skipped.append(~stage.only_if.compile(joined).fill_null(False))
    return ibis.or_(*skipped) if skipped else None


def _held_back(joined: ir.Table, program: Program) -> ir.BooleanValue:
    waits = [
        (joined.stage_no == number, ~stage.hold_until.compile(joined).fill_null(False))
        for number, stage in enumerate(program.stages) if stage.hold_until is not None
    ]
    return ibis.cases(*waits, else_=False) if waits else ibis.literal(False)


def _delay(joined: ir.Table, program: Program) -> ir.IntegerValue:
    """Days from the stage before, or from the opening, to the stage that follows, in the customer's own rhythm."""
    cases = []
    for number, stage in enumerate(program.stages):
        usual = stage.delay
        for cohort in program.variants:
            if (own := program.delay_for(stage.name, cohort)) != usual:
                cases.append(((joined.stage_no == number) & (joined.lapsed_cohort == cohort), _days(joined, own)))
        cases.append((joined.stage_no == number, _days(joined, usual)))
    return ibis.cases(*cases, else_=0)


def _days(joined: ir.Table, delay: Delay) -> ir.IntegerValue:
    least: ir.IntegerValue = ibis.literal(delay.at_least_days)
    if delay.by_category:
        least = joined.opening_category.cases(*delay.by_category.items(), else_=delay.at_least_days)
    days = ibis.greatest((joined.average_days_between_orders * delay.rhythm).round().cast("int64").fill_null(0), least)
    return days if delay.at_most_days is None else days.clip(upper=delay.at_most_days)
