"""Who is due for which stage of a program, derived from open rounds and the journal alone.

Knows nothing of arms. There is no enrolment to keep: a customer's place is the last stage drawn in a round that is open.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import ibis
import ibis.expr.types as ir

from rekindle.decide import sequence
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Documents, Program


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier plans decided, as seen at the instant.

    Args:
        journal: Rows of ready plans before the instant.
        contacts: Those rows of it that meant a message of marketing, less the ones settled without being sent.
    """

    journal: ir.Table
    contacts: ir.Table

    def without(self, service: frozenset[str]) -> Self:
        """The same past, the messages of these programs not counted among the contacts."""
        return replace(self, contacts=self.contacts.filter(~self.contacts.program.isin(sorted(service)))) if service else self


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
"""What ends a round, by the refusal that the journal has of it; an order and a review end it by the round's own columns."""


def places(past_rows: Past, program: Program, openings: ir.Table) -> ir.Table:
    """Where each open round stands in a program.

    Args:
        past_rows: From `past`.
        program: The program.
        openings: customer_id, episode: open rounds.

    Returns:
        customer_id, episode, standing, entered_at, stage_no (last stage drawn and not put off, -1 for none), reached_at, reached_arm,
        held_arm and held_propensity (of a draw that a cap put off), held_stage_no, last_reason, ended (by one of the program's exits).
    """
    rows = past_rows.journal.filter(past_rows.journal.program == program.name)
    rows = rows.semi_join(openings, ["customer_id", "episode"])
    numbers = {stage.name: number for number, stage in enumerate(program.stages)}
    rows = rows.mutate(stage_no=rows.stage.cases(*numbers.items(), else_=-1))
    rows = rows.mutate(drawn=rows.arm.notnull() & rows.reason.isnull(), put_off=rows.arm.notnull() & rows.reason.notnull())
    order = [ibis.desc("as_of"), ibis.desc("stage_no"), ibis.desc("drawn"), "plan"]
    rows = rows.mutate(
        latest=ibis.row_number().over(group_by=["customer_id", "episode"], order_by=order),
        latest_put_off=ibis.row_number().over(group_by=["customer_id", "episode", "put_off"], order_by=order),
        latest_drawn=ibis.row_number().over(group_by=["customer_id", "episode", "drawn"], order_by=order),
    )
    ending = [reason for exit_, reason in EXITS.items() if exit_ in program.exit]
    held = rows.put_off & (rows.latest_put_off == 0)
    return rows.group_by("customer_id", "episode").aggregate(
        standing=rows.standing.max(),
        entered_at=rows.entered_at.min(),
        stage_no=rows.stage_no.max(where=rows.drawn),
        reached_at=rows.as_of.max(where=rows.drawn),
        reached_arm=rows.arm.max(where=rows.drawn & (rows.latest_drawn == 0)),
        reached_channel=rows.channel.max(where=rows.drawn & (rows.latest_drawn == 0)),
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


@dataclass(frozen=True, slots=True)
class Rounds:
    """The open rounds of a program, where each stands, and what the last message of each came to.

    Args:
        openings: From `openings.find`, kept.
        place: From `places`, kept.
        outcome: From `sequence.outcomes`; None where the program does not ask.
    """

    openings: ir.Table
    place: ir.Table
    outcome: ir.Table | None


def rounds(warehouse: Warehouse, seen: Past, program: Program, openings: ir.Table, as_of: AsOf) -> Rounds:
    """Where the open rounds of a program stand.

    Args:
        warehouse: Keeps steps.
        seen: From `past`.
        program: The program.
        openings: From `openings.find`, kept.
        as_of: The instant.
    """
    place = warehouse.keep(places(seen, program, openings))
    asks = any(stage.branches for stage in program.stages)
    events = warehouse.current("events") if asks else None
    outcome = None if events is None else warehouse.keep(sequence.outcomes(place, seen.contacts, events, as_of))
    return Rounds(openings, place, outcome)


def candidates(profile: ir.Table, program: Program, found: Rounds, as_of: AsOf) -> ir.Table:
    """Rounds that are due now, with the number of the stage they are due for.

    A customer enters by the program's audience rule and stays until the round is no longer open: a segment that shrinks for a moment
    loses nobody's place.

    Args:
        profile: As of the instant.
        program: The program.
        found: From `rounds`.
        as_of: The instant.

    Returns:
        What `needed` names of the profile, and of the round: episode, opened_at, opening_order, opening_product, opening_category,
        opening_day; standing, entered_at, stage_no (of the stage due), held_arm, held_propensity, held_back (a stage waits for its
        rule), avoid_channel, last_reason.
    """
    enters = program.audience.enter
    going_on = found.place.filter(found.place.entered_at.notnull())
    may = profile.filter(enters.compile(profile) | profile.customer_id.isin(going_on.customer_id)).select(*needed(profile, program))
    joined = _beside(may.join(found.openings, "customer_id"), found.place)
    if found.outcome is not None:
        joined = _beside(joined, found.outcome)
    joined = sequence.staged(joined, program)
    entered, instant = joined.entered_at.notnull(), ibis.literal(as_of.naive)
    due_at = joined.reached_at.fill_null(joined.opened_at) + joined.delay_days.as_interval("D")
    young = instant < joined.entered_at + ibis.interval(days=program.caps.duration_days)
    in_time: ir.BooleanValue = ibis.literal(True)
    if program.trigger.on != "lapse":
        in_time = instant < due_at + ibis.interval(days=program.trigger.within_days)
    over = [joined[column] for exit_, column in (("order", "later_order"), ("reviewed", "reviewed")) if exit_ in program.exit]
    joined = joined.mutate(held_arm=(joined.held_stage_no == joined.stage_no).ifelse(joined.held_arm, ibis.null("string")))
    return joined.filter(
        entered.ifelse(young, enters.compile(joined) & in_time), instant >= due_at, joined.stage_no < len(program.stages),
        ~joined.ended.fill_null(False), *(~one.fill_null(False) for one in over),
    )


def _beside(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, ["customer_id", "episode"]).drop("customer_id_right", "episode_right")


def needed(profile: ir.Table, program: Program) -> list[str]:
    """The profile's columns that the program's rules and the arithmetic of offers read, in the profile's order."""
    wanted = _READ.union(*(rule.needs for rule in program.rules))
    return [name for name in profile.columns if name in wanted]


_READ = {
    "customer_id", "last_order_id", "last_day", "orders", "average_days_between_orders", "average_order_value", "expected_orders",
    "expected_margin", "margin_per_order", "value_tier", "lapsed_cohort", "return_share", "open_ticket", "open_return", "detractor",
    "credit_balance", "offer_category", "offer_product", "seller_id", "seller_promotion", "timezone", "email_consent", "sms_consent",
    "webpush_consent", "inapp_consent",
}


def with_counts(found: ir.Table, seen: Past, program: Program, documents: Documents, as_of: AsOf) -> ir.Table:
    """Adds what earlier messages mean for the next.

    Args:
        found: From `candidates`, kept.
        seen: Marketing messages as its contacts.
        program: Whose rounds they are.
        documents: Offers by name.
        as_of: The instant.

    Returns:
        The candidates and: contacts, price_offers, given (names of offers, each between bars), last_contact_at, of the round;
        price_offers_year, last_kind (of offer) and last_kind_run (how often it came in a row), of the customer over all programs.
    """
    of_round = _of_round(seen, program, documents)
    joined = _beside(found, of_round.semi_join(found, ["customer_id", "episode"]))
    of_customer = _of_customer(seen, documents, as_of)
    joined = joined.left_join(of_customer.semi_join(found, "customer_id"), "customer_id").drop("customer_id_right")
    zero = {name: joined[name].fill_null(0) for name in ("contacts", "price_offers", "price_offers_year")}
    return joined.mutate(**zero, given=joined.given.fill_null(""))


def _priced(documents: Documents) -> list[str]:
    return sorted(name for name, offer in documents.offers.items() if offer.price) or [""]


def _of_round(seen: Past, program: Program, documents: Documents) -> ir.Table:
    rows = seen.contacts.filter(seen.contacts.program == program.name)
    offer = rows.offer.fill_null("")
    return rows.group_by("customer_id", "episode").aggregate(
        contacts=rows.count(), price_offers=rows.offer.isin(_priced(documents)).sum(), last_contact_at=rows.as_of.max(),
        given=(ibis.literal("|") + offer + "|").collect().sort().join(""),
    )


def _of_customer(seen: Past, documents: Documents, as_of: AsOf) -> ir.Table:
    kinds = {name: offer.kind for name, offer in documents.offers.items()}
    since = ibis.literal(as_of.naive) - ibis.interval(days=DAYS_A_YEAR)
    rows = seen.contacts
    newest_first = ibis.window(group_by="customer_id", order_by=[ibis.desc("as_of"), "program", "stage", "episode"])
    rows = rows.mutate(kind=rows.offer.cases(*kinds.items(), else_=""), new=rows.as_of > since)
    rows = rows.mutate(latest=ibis.row_number().over(newest_first), last_kind=rows.kind.first().over(newest_first))
    return rows.group_by("customer_id").aggregate(
        price_offers_year=(rows.offer.isin(_priced(documents)) & rows.new).sum(),
        last_kind=rows.last_kind.max(),
        last_kind_run=ibis.coalesce(rows.latest.min(where=rows.kind != rows.last_kind), rows.count()),
    )


DAYS_A_YEAR = 365
