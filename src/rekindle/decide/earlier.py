"""What earlier rounds and messages mean for the next: how many, of which kinds, which offers were given, when another round ended.

Knows nothing of who is due. Worked out once for all programs of a plan.
"""

from dataclasses import dataclass
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.decide import gaming, given
from rekindle.decide.due import ROUND, Past
from rekindle.decide.inputs import Inputs
from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import sales
from rekindle.moment import AsOf
from rekindle.program import offer_kinds
from rekindle.program.documents import Documents

DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Earlier:
    """What went before.

    Args:
        of_round: program, customer_id, episode, contacts, price_offers, given (names of offers, each between bars), last_contact_at.
        of_customer: customer_id, last_any_at (when the last message left), price_offers_year, last_kind (of what was given last: words
            between do not count) and last_kind_run (how often it came in a row), rungs (steps of ladders, and names of other offers, each
            between bars), ordered_since_rung (since the last step of a ladder left); of all marketing.
        waiting: customer_id of those who learned that silence pays.
        rounds: program, customer_id, episode, opened: every round that began.
    """

    of_round: ir.Table
    of_customer: ir.Table
    waiting: ir.Table
    rounds: ir.Table


def find(warehouse: Warehouse, seen: Past, inputs: Inputs) -> Earlier:
    """Works it out.

    Args:
        warehouse: Keeps steps.
        seen: Marketing messages as its contacts.
        inputs: Of the plan.
    """
    documents, journal = inputs.documents, seen.journal
    begun = journal.filter(journal.entered_at.notnull())
    longest = max(program.caps.duration_days + program.audience.reenter.not_before_days for program in documents.programs)
    begun = begun.filter(begun.entered_at >= ibis.literal(inputs.as_of.naive - timedelta(days=longest)))
    return Earlier(
        warehouse.keep(_of_round(seen, documents)),
        warehouse.keep(_of_customer(warehouse, seen, inputs)),
        warehouse.keep(gaming.waiting(warehouse, seen, documents.offers, documents.rules, inputs.as_of).select("customer_id")),
        warehouse.keep(begun.group_by("program", "customer_id", "episode").aggregate(opened=begun.entered_at.min())),
    )


def _left_at(rows: ir.Table) -> ir.TimestampValue:
    """When a message left, to the day: quiet days count, the hours of a night do not."""
    return ibis.greatest(rows.as_of, rows.send_at.fill_null(rows.as_of) - ibis.interval(days=1))


def _listed(values: ir.StringValue) -> ir.StringScalar:
    return (ibis.literal("|") + values + "|").collect().sort().join("")


def _of_round(seen: Past, documents: Documents) -> ir.Table:
    rows = seen.contacts
    return rows.group_by("program", "customer_id", "episode").aggregate(
        contacts=rows.count(), price_offers=given.price(rows, documents.offers).sum(), last_contact_at=_left_at(rows).max(),
        given=_listed(rows.offer.fill_null("")),
    )


def _of_customer(warehouse: Warehouse, seen: Past, inputs: Inputs) -> ir.Table:
    offers = inputs.documents.offers
    newest_first = ibis.window(group_by=["customer_id", "card"], order_by=[ibis.desc("as_of"), "program", "stage", "episode"])
    rows = seen.contacts
    rows = rows.mutate(
        kind=given.kind(rows, offers), price=given.price(rows, offers), step=given.once_key(rows, offers),
        new=rows.as_of > ibis.literal(inputs.as_of.naive - timedelta(days=DAYS_A_YEAR)),
    )
    rows = rows.mutate(card=rows.kind.isin(sorted(offer_kinds.carded())))
    rows = rows.mutate(latest=ibis.row_number().over(newest_first), last_kind=rows.kind.first().over(newest_first))
    found = rows.group_by("customer_id").aggregate(
        last_any_at=_left_at(rows).max(),
        price_offers_year=(rows.price & rows.new).sum(),
        last_kind=rows.last_kind.max(where=rows.card),
        last_kind_run=ibis.coalesce(rows.latest.min(where=rows.card & (rows.kind != rows.last_kind)), rows.card.sum()),
        rungs=_listed(rows.step),
        last_rung_at=rows.send_at.fill_null(rows.as_of).max(where=rows.step.contains(":")),
    )
    if not any(offer.ladder is not None and offer.ladder.rung > 1 for offer in offers.values()):
        return found.drop("last_rung_at").mutate(ordered_since_rung=False)
    rung = warehouse.keep(found)
    laddered = rung.filter(rung.last_rung_at.notnull()).select("customer_id", "last_rung_at")
    since = laddered.join(sales(warehouse, inputs.as_of).select("customer_id", "ordered_at"), "customer_id")
    since = since.filter(since.ordered_at >= since.last_rung_at).select("customer_id").distinct().mutate(ordered_since_rung=True)
    joined = rung.left_join(since, "customer_id").drop("customer_id_right", "last_rung_at")
    return joined.mutate(ordered_since_rung=joined.ordered_since_rung.fill_null(False))


def beside(found: ir.Table, earlier: Earlier, as_of: AsOf) -> ir.Table:
    """The candidates of all programs with what went before.

    Args:
        found: From `due.candidates`, with wait_days, lapse and duration_days of their programs.
        earlier: From `find`.
        as_of: The instant.

    Returns:
        The candidates and contacts, price_offers, given, last_contact_at, last_any_at, price_offers_year, last_kind, last_kind_run, rungs,
        ordered_since_rung, waits_for_offers, reentry_open.
    """
    joined = found.left_join(earlier.of_round, ROUND).drop(*(f"{name}_right" for name in ROUND))
    joined = joined.left_join(earlier.of_customer, "customer_id").drop("customer_id_right")
    joined = joined.left_join(earlier.waiting.mutate(waits_for_offers=True), "customer_id").drop("customer_id_right")
    empty = {"contacts": 0, "price_offers": 0, "price_offers_year": 0, "given": "", "rungs": ""}
    empty |= {"waits_for_offers": False, "ordered_since_rung": False}
    joined = joined.mutate(**{name: joined[name].fill_null(value) for name, value in empty.items()})
    return _with_reentry(joined, found, earlier, as_of)


def _with_reentry(joined: ir.Table, found: ir.Table, earlier: Earlier, as_of: AsOf) -> ir.Table:
    """Adds whether a new round may begin: enough time has passed since another of the customer, and it is the first of those at hand.

    A round that a lapse opened has ended by the order after it, or by its duration; of others the time counts from their beginning. A
    program that waits no time begins as many rounds as there are.
    """
    others = earlier.rounds.select("program", "customer_id", "opened", other="episode")
    mine = found.filter(found.wait_days > 0).select(*ROUND, "last_day", "wait_days", "lapse", "duration_days")
    both = mine.join(others, ["program", "customer_id"]).filter(lambda t: t.episode != t.other)
    ended = both.lapse.ifelse(
        ibis.least(both.opened + both.duration_days.as_interval("D"), both.last_day.cast("timestamp")), both.opened
    )
    recent = both.filter(ended + both.wait_days.as_interval("D") > ibis.literal(as_of.naive))
    clash = recent.select("program", "customer_id").distinct().mutate(clash=True)
    whole = joined.left_join(clash, ["program", "customer_id"]).drop("program_right", "customer_id_right")
    new = whole.entered_at.isnull()
    place = ibis.row_number().over(group_by=["program", "customer_id", new], order_by=["opened_at", "episode"])
    first = whole.clash.isnull() & (place == 0)
    return whole.mutate(reentry_open=(whole.wait_days == 0) | ~new | first).drop("clash")
