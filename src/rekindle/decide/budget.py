"""What budgets leave of every chance of a message, by program and payer: they are met in expectation, before any draw.

Knows nothing of customers. Scaling takes from every chance alike, so nobody is cut for standing late in a list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

import ibis
import ibis.expr.types as ir

from rekindle.decide.arms import MILLI, Shop
from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf
from rekindle.program.documents import Offer, Rules
from rekindle.program.rules import PartBudget

RESERVE = 0.05
"""The part of every budget that is kept back, because draws vary about what is expected of them."""

PAYERS = {"shop": ("shop",), "seller": ("seller",), "shared": ("shop", "seller")}
"""By payer of an offer, whose budgets it falls under."""

Part = tuple[str, str]
"""A program and who pays: `shop` or `seller`."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a program has cost a payer since an instant of the past.

    Args:
        part: Program and payer.
        days: So many days back.
        cost: What its messages were expected to cost, thousandths of a minor unit.
        redeemed: What codes redeemed in these days cost, thousandths.
    """

    part: Part
    days: int
    cost: int
    redeemed: int = 0


def limits(budgets: Iterable[PartBudget], shop: Shop) -> dict[PartBudget, int]:
    """The amounts of budgets, thousandths of a minor unit of the store's currency."""
    return {one: int(Decimal(shop.minor(one.amount)) * MILLI) for one in budgets}


def scaled(
    budgets: Iterable[PartBudget], limits: Mapping[PartBudget, int], wanted: Mapping[Part, int], spent: Iterable[Spent],
    held: Mapping[Part, int] = MappingProxyType({}),
) -> dict[Part, float]:
    """The least of the factors of the budgets that cover a part, each worked out as if it stood alone; between 0 and 1.

    Of what the messages of a budget's period were expected to cost and what redemptions did cost in it, the more is gone.
    A budget's factor takes all that is wanted of it into account, so where another budget scales a part of that down further, less is
    spent than it allows: the least is cautious, and no budget is exceeded in expectation.

    Args:
        budgets: All that hold.
        limits: Their amounts, thousandths of a minor unit.
        wanted: By part, thousandths.
        spent: By part and period.
        held: What is drawn already, by part, thousandths: it comes first, and where a budget has no room for it all, the factor is 0.
    """
    past = tuple(spent)
    found = dict.fromkeys(wanted, 1.0)
    for budget in budgets:
        covered = [part for part in wanted if budget.covers(*part)]
        mine = [one for one in past if one.days == budget.per_days and budget.covers(*one.part)]
        gone = max(sum(one.cost for one in mine), sum(one.redeemed for one in mine))
        first = sum(held.get(part, 0) for part in covered)
        left, asked = limits[budget] * (1 - RESERVE) - gone - first, sum(wanted[part] for part in covered)
        if asked > max(left, 0.0) or (first and left < 0):
            factor = round(max(left, 0.0) / asked, 6) if asked else 0.0
            found |= {part: min(found[part], factor) for part in covered}
    return found


def spent(
    warehouse: Warehouse, contacts: ir.Table, budgets: Iterable[PartBudget], as_of: AsOf, offers: Mapping[str, Offer]
) -> tuple[Spent, ...]:
    """What messages were expected to cost in the period of every budget.

    Args:
        warehouse: Sums it.
        contacts: Messages of marketing so far: program, offer, as_of, expected_cost and seller_cost (thousandths of a minor unit).
        budgets: Their periods are looked at.
        as_of: The instant.
        offers: By name: who pays where the journal does not say.
    """
    periods = {one.per_days for one in budgets}
    since = {days: ibis.literal(as_of.naive - timedelta(days=days)) for days in sorted(periods)}
    rows = contacts.filter(contacts.as_of > since[max(since)])
    theirs = [name for name, offer in offers.items() if offer.payer == "seller"]
    whole = rows.offer.isin(sorted(theirs) or [""]).fill_null(False).ifelse(rows.expected_cost, 0)
    seller = rows.seller_cost.fill_null(whole) if "seller_cost" in rows.columns else whole
    rows = rows.mutate(by_seller=seller, by_shop=rows.expected_cost - seller)
    sums = {
        f"{payer}:{days}": rows[f"by_{payer}"].sum(where=rows.as_of > instant)
        for days, instant in since.items() for payer in ("shop", "seller")
    }
    found = warehouse.arrow(rows.group_by("program").aggregate(**sums)).to_pylist()
    return tuple(
        Spent((row["program"], payer), days, int(row[f"{payer}:{days}"] or 0))
        for row in found for days in since for payer in ("shop", "seller")
    )


def redeemed(warehouse: Warehouse, budgets: Iterable[PartBudget], as_of: AsOf) -> tuple[Spent, ...]:
    """What redemptions cost in the period of every budget: its last days, up to the last of which anything is seen.

    Args:
        warehouse: Sums it.
        budgets: Their periods are looked at.
        as_of: The instant.
    """
    spend = warehouse.current("spend")
    since = {days: ibis.literal(as_of.seen_day - timedelta(days=days - 1)) for days in sorted({one.per_days for one in budgets})}
    rows = spend.filter(spend.spent_on <= ibis.literal(as_of.seen_day))
    sums = {f"cost:{days}": rows.cost.sum(where=rows.spent_on >= day) for days, day in since.items()}
    found = warehouse.arrow(rows.group_by("program", "payer").aggregate(**sums)).to_pylist()
    return tuple(
        Spent((row["program"], row["payer"]), days, 0, int(row[f"cost:{days}"] or 0) * MILLI) for row in found for days in since
    )


def payers(offer: Offer, rules: Rules) -> tuple[str, ...]:
    """Whose budgets an offer falls under; where a seller's own promotion runs, rules may let the seller bear a part of the shop's."""
    shared = offer.payer == "shop" and rules.sellers.collision == "share"
    return PAYERS["shared" if shared else offer.payer]


def binding(program: str, offer: Offer, rules: Rules) -> tuple[PartBudget, ...]:
    """The hard budgets that a redemption of an offer comes out of.

    Args:
        program: Which makes it.
        offer: The offer; one that costs nothing or takes no code comes out of none.
        rules: With the budgets.
    """
    if not (offer.costly and offer.redeemed):
        return ()
    return tuple(one for one in rules.every_budget if one.hard and any(one.covers(program, payer) for payer in payers(offer, rules)))


def scale_of(left: Mapping[Part, float], program: str, offer: Offer, rules: Rules) -> float:
    """What the budgets leave of every chance of an offer in a program.

    Args:
        left: From `scales`; a part that is not named is not scaled.
        program: Its name.
        offer: The offer.
        rules: With what holds between the shop and its sellers.
    """
    return min(left.get((program, payer), 1.0) for payer in payers(offer, rules))
