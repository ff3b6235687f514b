"""Who is due for which stage of a program, derived from the journal alone.

Knows nothing of arms. There is no enrolment to keep: a customer's place is the last stage drawn in the episode that the last order opened.
"""

from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Delay, Offer, Program


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier plans decided, as seen at the instant.

    Args:
        journal: Rows of ready plans before the instant.
        contacts: Those rows of it that meant a message, less the ones settled without being sent.
    """

    journal: ir.Table
    contacts: ir.Table


def past(journal: ir.Table, plans: ir.Table, touches: ir.Table, as_of: AsOf, inclusive: bool) -> Past:
    """The journal of ready plans before the instant, or up to and at it.

    Args:
        journal: The stored journal.
        plans: Ready plans.
        touches: Current facts of settled touches.
        as_of: The instant.
        inclusive: Whether plans made for this very instant are seen too.
    """
    instant = ibis.literal(as_of.naive)
    ready = plans.filter(~plans.rehearsal, plans.as_of <= instant if inclusive else plans.as_of < instant)
    rows = journal.semi_join(ready, "plan")
    unsent = touches.filter(touches.status.isin(("failed", "suppressed", "expired")), touches.settled_at < instant)
    made = rows.filter(rows.arm.notnull(), rows.arm != NOTHING, rows.reason.isnull())
    return Past(rows, made.anti_join(unsent, ["program", "customer_id", "episode", "stage"]))


EXITS = {"opt_out": "no_consent", "complaint_opened": "open_complaint", "return_opened": "open_return"}
"""What ends a round, by the refusal that the journal has of it; an order ends it by opening another episode."""


def places(past_rows: Past, program: Program, profile: ir.Table) -> ir.Table:
    """Where the open episode of each customer stands in a program: the one that the last order opened.

    Args:
        past_rows: From `past`.
        program: The program.
        profile: customer_id, last_order_id.

    Returns:
        customer_id, episode, standing, entered_at, stage_no (last stage drawn and not put off, -1 for none), reached_at,
        held_arm and held_propensity (of a draw that a cap put off), held_stage_no, last_reason, ended (by one of the program's exits).
    """
    rows = past_rows.journal.filter(past_rows.journal.program == program.name)
    rows = rows.semi_join(profile, ["customer_id", ("episode", "last_order_id")])
    numbers = {stage.name: number for number, stage in enumerate(program.stages)}
    rows = rows.mutate(stage_no=rows.stage.cases(*numbers.items(), else_=-1))
    rows = rows.mutate(drawn=rows.arm.notnull() & rows.reason.isnull(), put_off=rows.arm.notnull() & rows.reason.notnull())
    order = [ibis.desc("as_of"), ibis.desc("stage_no"), ibis.desc("drawn"), "plan"]
    rows = rows.mutate(
        latest=ibis.row_number().over(group_by=["customer_id", "episode"], order_by=order),
        latest_put_off=ibis.row_number().over(group_by=["customer_id", "episode", "put_off"], order_by=order),
    )
    ending = [reason for exit_, reason in EXITS.items() if exit_ in program.exit]
    held = rows.put_off & (rows.latest_put_off == 0)
    return rows.group_by("customer_id", "episode").aggregate(
        standing=rows.standing.max(),
        entered_at=rows.entered_at.min(),
        stage_no=rows.stage_no.max(where=rows.drawn),
        reached_at=rows.as_of.max(where=rows.drawn),
        held_arm=rows.arm.max(where=held),
        held_propensity=rows.propensity.max(where=held),
        held_stage_no=rows.stage_no.max(where=held),
        last_reason=rows.reason.max(where=rows.latest == 0),
        ended=(rows.standing.notnull() & rows.reason.isin(ending or [""])).fill_null(False).any(),
    )


def other_rounds(past_rows: Past, program: Program, since: datetime) -> ir.Table:
    """Rounds of a program that opened at an instant or later: customer_id, episode, opened; a row for every row of the journal."""
    rows = past_rows.journal
    return rows.filter(rows.program == program.name, rows.entered_at >= ibis.literal(since)).select(
        "customer_id", "episode", opened="entered_at"
    )


def counts(past_rows: Past, program: Program, offers: dict[str, Offer], kept_rows: ir.Table) -> ir.Table:
    """Contacts so far, per customer and episode of the program.

    Args:
        past_rows: From `past`.
        program: Whose contacts.
        offers: By name.
        kept_rows: From `places`; only its episodes are counted.

    Returns:
        customer_id, episode, contacts, price_offers, last_contact_at, last_kind (of offer), last_kind_run (how often it came in a row).
    """
    price_offers = sorted(name for name, offer in offers.items() if offer.price)
    kinds = {name: offer.kind for name, offer in offers.items()}
    rows = past_rows.contacts.filter(past_rows.contacts.program == program.name).semi_join(kept_rows, ["customer_id", "episode"])
    newest_first = ibis.window(group_by=["customer_id", "episode"], order_by=ibis.desc("as_of"))
    rows = rows.mutate(kind=rows.offer.cases(*kinds.items(), else_=""))
    rows = rows.mutate(latest=ibis.row_number().over(newest_first), last_kind=rows.kind.first().over(newest_first))
    return rows.group_by("customer_id", "episode").aggregate(
        contacts=rows.count(),
        price_offers=rows.offer.isin(price_offers or [""]).sum(),
        last_contact_at=rows.as_of.max(),
        last_kind=rows.last_kind.max(),
        last_kind_run=ibis.coalesce(rows.latest.min(where=rows.kind != rows.last_kind), rows.count()),
    )


def candidates(profile: ir.Table, program: Program, place: ir.Table, count: ir.Table, as_of: AsOf) -> ir.Table:
    """Profiles that are due now, with the number of the stage they are due for.

    A customer enters by the program's audience rule and stays until the next order: the episode is the last order's id, so an order
    ends it and a later lapse opens another. A segment that shrinks for a moment loses nobody's place.

    Returns:
        The profile and of `places` and `counts`: standing, entered_at, stage_no (of the stage due), held_arm, held_propensity,
        last_reason, contacts, price_offers, last_contact_at, last_kind, last_kind_run.
    """
    going_on = place.filter(place.entered_at.notnull())
    may = profile.filter(
        profile.last_order_id.notnull(), program.audience.enter.compile(profile) | profile.customer_id.isin(going_on.customer_id)
    )
    may = may.select(*_needed(profile, program)).mutate(episode=may.last_order_id)
    joined = may.left_join(place, ["customer_id", "episode"]).drop("customer_id_right", "episode_right")
    joined = joined.left_join(count, ["customer_id", "episode"]).drop("customer_id_right", "episode_right")
    entered = joined.entered_at.notnull()
    instant = ibis.literal(as_of.naive)
    joined = joined.mutate(
        stage_no=_next_stage(joined, program), contacts=joined.contacts.fill_null(0), price_offers=joined.price_offers.fill_null(0),
    )
    joined = joined.mutate(held_arm=(joined.held_stage_no == joined.stage_no).ifelse(joined.held_arm, ibis.null("string")))
    young = instant < joined.entered_at + ibis.interval(days=program.caps.duration_days)
    waited = instant >= joined.reached_at + _delay(joined, program).as_interval("D")
    return joined.filter(
        entered.ifelse(young & (joined.reached_at.isnull() | waited), program.audience.enter.compile(joined)),
        joined.stage_no < len(program.stages),
        ~joined.ended.fill_null(False),
    )


def _needed(profile: ir.Table, program: Program) -> list[str]:
    """The profile's columns that the program's rules and the arithmetic of offers read, in the profile's order."""
    wanted = _READ.union(*(rule.needs for rule in program.rules))
    return [name for name in profile.columns if name in wanted]


_READ = {
    "customer_id", "last_order_id", "last_day", "average_days_between_orders", "average_order_value", "expected_orders", "expected_margin",
    "margin_per_order", "value_tier", "lapsed_cohort", "open_ticket", "open_return", "timezone", "email_consent", "sms_consent",
    "webpush_consent", "inapp_consent",
}


def _next_stage(joined: ir.Table, program: Program) -> ir.IntegerValue:
    """The stage after the last one drawn; a cohort's variant may skip some."""
    following = joined.stage_no.fill_null(-1) + 1
    numbers = {stage.name: number for number, stage in enumerate(program.stages)}
    cases = []
    for cohort in program.variants:
        goes_through = [numbers[stage.name] for stage in program.stages_for(cohort)]
        for number in set(numbers.values()) - set(goes_through):
            after = next((later for later in goes_through if later > number), len(numbers))
            cases.append(((joined.lapsed_cohort == cohort) & (following == number), after))
    return ibis.cases(*cases, else_=following) if cases else following


def _delay(joined: ir.Table, program: Program) -> ir.IntegerValue:
    """Days from the last stage's draw to the stage due, in the customer's own rhythm."""
    cases = []
    for number, stage in enumerate(program.stages):
        usual = stage.delay
        for cohort in program.variants:
            if (own := program.delay_for(stage.name, cohort)) != usual:
                cases.append(((joined.stage_no == number) & (joined.lapsed_cohort == cohort), _days(joined, own)))
        cases.append((joined.stage_no == number, _days(joined, usual)))
    return ibis.cases(*cases, else_=0)


def _days(joined: ir.Table, delay: Delay) -> ir.IntegerValue:
    days = (joined.average_days_between_orders * delay.rhythm).round().cast("int64").clip(lower=delay.at_least_days)
    return days if delay.at_most_days is None else days.clip(upper=delay.at_most_days)
