"""Who is due for which stage of a program, derived from open rounds and the journal alone.

Knows nothing of arms. There is no enrolment to keep: a customer's place is the last stage drawn in a round that is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import ibis
import ibis.expr.types as ir

from rekindle.decide import sequence, wishes
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING, Program


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
    made = rows.filter(rows.arm.notnull(), rows.arm != NOTHING, rows.reason.isnull())
    return Past(rows, made.anti_join(unsent(touches, as_of), ["program", "customer_id", "episode", "stage"]))


def unsent(touches: ir.Table, as_of: AsOf) -> ir.Table:
    """The touches that were settled before the instant without being sent."""
    return touches.filter(touches.status.isin(("failed", "suppressed", "expired")), touches.settled_at < ibis.literal(as_of.naive))


ROUND = ["program", "customer_id", "episode"]

EXITS = {"opt_out": "no_consent", "pause": "paused", "complaint_opened": "open_complaint", "return_opened": "open_return"}
"""What ends a round, by the refusal that the journal has of it. A pause that was asked for, a ticket or a return that was opened while the
round was under way ends it too where nobody was due that day; an order and a review end it by the round's own columns."""


def places(past_rows: Past, programs: Sequence[Program], openings: ir.Table) -> ir.Table:
    """Where each open round stands.

    Args:
        past_rows: From `past`.
        programs: Whose rounds they are.
        openings: program, customer_id, episode: open rounds.

    Returns:
        program, customer_id, episode, standing, entered_at, stage_no (last stage drawn and not put off, -1 for none; one that has lost
        its name since still counts as a step), reached_at, reached_left_at (when its message left), reached_arm, reached_channel, held_arm
        and held_propensity (of a draw that a cap put off), held_stage_no, last_reason, ended_by (one of the program's exits).
    """
    rows = _told_apart(past_rows.journal.semi_join(openings, ROUND), programs)
    rows = rows.mutate(drawn=rows.arm.notnull() & rows.reason.isnull(), put_off=rows.arm.notnull() & rows.reason.notnull())
    order = [ibis.desc("as_of"), ibis.desc("stage_no"), ibis.desc("drawn"), "plan"]
    rows = rows.mutate(
        latest=ibis.row_number().over(group_by=ROUND, order_by=order),
        latest_put_off=ibis.row_number().over(group_by=[*ROUND, "put_off"], order_by=order),
        latest_drawn=ibis.row_number().over(group_by=[*ROUND, "drawn"], order_by=order),
    )
    held, reached = rows.put_off & (rows.latest_put_off == 0), rows.drawn & (rows.latest_drawn == 0)
    return rows.group_by(*ROUND).aggregate(
        standing=rows.standing.max(),
        entered_at=rows.entered_at.min(),
        stage_no=ibis.greatest(rows.stage_no.max(where=rows.drawn), rows.stage.nunique(where=rows.drawn) - 1),
        reached_at=rows.as_of.max(where=rows.drawn),
        reached_left_at=rows.send_at.fill_null(rows.as_of).max(where=reached),
        reached_arm=rows.arm.max(where=reached),
        reached_channel=rows.channel.max(where=reached),
        held_arm=rows.arm.max(where=held),
        held_propensity=rows.propensity.max(where=held),
        held_stage_no=rows.stage_no.max(where=held),
        last_reason=rows.reason.max(where=rows.latest == 0),
        ended_by=rows.exit.max(),
    )


def _told_apart(rows: ir.Table, programs: Sequence[Program]) -> ir.Table:
    """Rows of the journal with the number of their stage, and the exit that they mean, if their program has it."""
    numbers = [
        ((rows.program == program.name) & (rows.stage == stage.name), number)
        for program in programs for number, stage in enumerate(program.stages)
    ]
    rows = rows.mutate(stage_no=ibis.cases(*numbers, else_=-1), exit=rows.reason.cases(*((why, exit_) for exit_, why in EXITS.items())))
    ending = rows.standing.notnull() & _ends(rows, programs)
    return rows.mutate(exit=ending.ifelse(rows.exit, ibis.null("string")))


def _ends(rows: ir.Table, programs: Sequence[Program]) -> ir.BooleanValue:
    """Whether a row's exit is one of its program's."""
    mine = ((rows.program == program.name) & rows.exit.isin(program.exit or ("",)) for program in programs)
    return ibis.or_(*mine).fill_null(False)


def _ended(warehouse: Warehouse, place: ir.Table, programs: Sequence[Program], as_of: AsOf) -> ir.Table:
    """The places with what has ended their rounds since: a ticket or a return opened, a pause asked for, a code redeemed with an order."""
    tickets, returns, events = warehouse.current("tickets"), warehouse.current("returns"), warehouse.current("events")
    redeemed = events.filter(events.name == REDEEMED)
    met = ibis.union(
        tickets.select("customer_id", at="opened_at", exit=ibis.literal("complaint_opened")),
        returns.select("customer_id", at="returned_at", exit=ibis.literal("return_opened")),
        _pauses(warehouse).select("customer_id", at="recorded_at", exit=ibis.literal("pause")),
        redeemed.select("customer_id", at="occurred_at", exit=ibis.literal("order")),
    )
    met = met.filter(met["at"] < ibis.literal(as_of.naive))
    both = place.select(*ROUND, "entered_at").join(met, "customer_id").filter(lambda t: t["at"] >= t.entered_at)
    both = both.filter(_ends(both, programs)).group_by(*ROUND).aggregate(exit=both.exit.max())
    joined = place.left_join(both, ROUND).drop(*(f"{name}_right" for name in ROUND))
    return joined.mutate(ended_by=joined.ended_by.fill_null(joined.exit)).drop("exit")


REDEEMED = "Coupon Redeemed"
"""The event of a code that an order took: it ends what an order ends, before the order itself is known."""

PAUSE = "pause"
"""The purpose of a consent that is none: a customer asks to hear nothing until it expires, or until another word where it does not."""


def _pauses(warehouse: Warehouse) -> ir.Table:
    consents = warehouse.current("consents")
    return consents.filter(consents.purpose == PAUSE, consents.granted)


def paused(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Customers who have asked for a pause that lasts: customer_id, paused."""
    asked, instant = _pauses(warehouse), ibis.literal(as_of.naive)
    lasting = asked.filter(asked.recorded_at < instant, asked.expires_at.isnull() | (asked.expires_at > instant))
    return lasting.select("customer_id").distinct().mutate(paused=True)


@dataclass(frozen=True, slots=True)
class Rounds:
    """The open rounds of a program, where each stands, and what the last message of each came to.

    Args:
        openings: From `openings.find`, kept.
        place: Of `places`, the program's.
        outcome: From `sequence.outcomes`; None where the program does not ask.
    """

    openings: ir.Table
    place: ir.Table
    outcome: ir.Table | None


def rounds(
    warehouse: Warehouse, seen: Past, programs: Sequence[Program], opened: Mapping[str, ir.Table], as_of: AsOf
) -> dict[str, Rounds]:
    """Where the open rounds of programs stand, by the program's name.

    Args:
        warehouse: Keeps steps.
        seen: From `past`.
        programs: Those that have open rounds.
        opened: By name, what `openings.find` gives, kept.
        as_of: The instant.
    """
    if not programs:
        return {}
    every = [opened[one.name].select("customer_id", "episode", program=ibis.literal(one.name)) for one in programs]
    place = warehouse.keep(places(seen, programs, ibis.union(*every) if len(every) > 1 else every[0]))
    place = warehouse.keep(_ended(warehouse, place, programs, as_of))
    found = {}
    for program in programs:
        mine, outcome = place.filter(place.program == program.name).drop("program"), None
        if any(stage.branches for stage in program.stages):
            outcome = warehouse.keep(sequence.outcomes(warehouse, mine, seen.contacts, as_of))
        found[program.name] = Rounds(opened[program.name], mine, outcome)
    return found


def candidates(stood: ir.Table, program: Program, columns: list[str]) -> ir.Table:
    """Rounds that are due now, with the number of the stage they are due for.

    Args:
        stood: From `stands`.
        program: The program.
        columns: Of the profile, from `needed`.

    Returns:
        The columns of the profile, program, and of the round what `OF_ROUND` names.
    """
    joined = stood.mutate(held_arm=(stood.held_stage_no == stood.stage_no).ifelse(stood.held_arm, ibis.null("string")))
    open_now = joined.filter(joined.state == "due")
    of_round = {name: open_now[name].cast(kind) for name, kind in OF_ROUND.items()}
    return open_now.select(*columns, program=ibis.literal(program.name), **of_round)


def those_who_may(profile: ir.Table, program: Program, found: Rounds, columns: list[str]) -> ir.Table:
    """The profiles of those who may have a round at all.

    A customer enters by the program's audience rule and stays until the round is no longer open: a segment that shrinks for a moment loses
    nobody's place.

    Args:
        profile: As of the instant.
        program: The program.
        found: From `rounds`.
        columns: Of the profile, from `needed`.
    """
    going_on = found.place.filter(found.place.entered_at.notnull())
    return profile.filter(program.audience.enter.compile(profile) | profile.customer_id.isin(going_on.customer_id)).select(*columns)


STATES = {
    "due": "due", "not_for": "not for this customer", "not_due": "not due yet", "missed": "began too long ago", "ended": "ended",
    "done": "went through all its stages", "over": "lasted as long as it may", "passed_over": "every stage is passed over",
    "no_round": "nothing opened a round", "cannot_tell": "cannot be told",
}
"""Where a round can stand, with the words people read."""


def stands(profile: ir.Table, program: Program, found: Rounds, as_of: AsOf) -> ir.Table:
    """Where the open rounds of customers stand at the instant: due, or why not, and from when on.

    Args:
        profile: As of the instant, with what the program's rules need.
        program: The program.
        found: From `rounds`.
        as_of: The instant.

    Returns:
        The profile, `openings.COLUMNS`, what `places` and `sequence.staged` say of each round, and: due_at; begins_by (a round that has not
        begun by then never does; null without such a limit) and ends_at (null of one that has not begun); why (what ended it, null where
        nothing did); state (a key of `STATES`).
    """
    joined = _beside(profile.join(found.openings, "customer_id"), found.place)
    if found.outcome is not None:
        joined = _beside(joined, found.outcome)
    joined = sequence.staged(joined, program)
    exits = [(joined[column].fill_null(False), exit_) for exit_, column in OVER.items() if exit_ in program.exit]
    joined = joined.mutate(
        due_at=joined.reached_at.fill_null(joined.opened_at) + joined.delay_days.as_interval("D"),
        ends_at=joined.entered_at + ibis.interval(days=program.caps.duration_days),
        why=joined.ended_by.fill_null(ibis.cases(*exits, else_=ibis.null("string"))) if exits else joined.ended_by,
    )
    begins_by: ir.TimestampValue = ibis.null("timestamp")
    if program.trigger.on != "lapse":
        limit = joined.due_at + ibis.interval(days=program.trigger.within_days)
        begins_by = joined.entered_at.isnull().ifelse(limit, ibis.null("timestamp"))
    joined = joined.mutate(begins_by=begins_by)
    return joined.mutate(state=_state(joined, program, ibis.literal(as_of.naive)))


OVER = {"order": "later_order", "reviewed": "reviewed"}
"""Exits that end a round by its own columns."""


def _state(joined: ir.Table, program: Program, instant: ir.TimestampScalar) -> ir.StringValue:
    """The first that holds."""
    may = joined.entered_at.notnull() | program.audience.enter.compile(joined).fill_null(False)
    gone = joined.stage_no >= len(program.stages)
    return ibis.cases(
        (joined.why.notnull(), "ended"),
        (~may, "not_for"),
        ((instant >= joined.ends_at).fill_null(False), "over"),
        ((instant >= joined.begins_by).fill_null(False), "missed"),
        (gone & (joined.last_no >= 0), "done"),
        (gone, "passed_over"),
        (instant < joined.due_at, "not_due"),
        else_="due",
    )


OF_ROUND = {
    "episode": "string", "opened_at": "timestamp", "opening_order": "string", "opening_product": "string", "opening_category": "string",
    "opening_day": "date", "standing": "string", "entered_at": "timestamp", "stage_no": "int64", "held_arm": "string",
    "held_propensity": "float64", "held_back": "boolean", "avoid_channel": "string", "last_reason": "string",
}
"""What a candidate is of its round: `stage_no` of the stage due, `held_arm` of a draw that a cap put off, `held_back` where the stage waits
for its rule, `avoid_channel` where a branch asks for another."""


def _beside(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, ["customer_id", "episode"]).drop("customer_id_right", "episode_right")


def needed(profile: ir.Table, programs: Sequence[Program]) -> list[str]:
    """The profile's columns that programs' rules and the arithmetic of offers read, in the profile's order."""
    wanted = READ.union(*(rule.needs for program in programs for rule in program.rules))
    return [name for name in profile.columns if name in wanted]


READ = {
    "customer_id", "last_order_id", "last_day", "orders", "average_days_between_orders", "average_order_value", "expected_orders",
    "expected_margin", "margin_per_order", "value_tier", "lapsed_cohort", "cause", "return_share", "open_ticket", "open_return",
    "detractor", "credit_balance", "offer_category", "offer_product", "seller_id", "seller_promotion", "timezone", "email_consent",
    "sms_consent", "webpush_consent", "inapp_consent", *wishes.COLUMNS,
}
"""What is read of a profile whatever the rules say."""
