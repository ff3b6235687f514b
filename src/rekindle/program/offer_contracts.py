"""What is wrong between offers and the stages, rules and dates that they stand in, where each offer is well formed by itself.

Knows nothing of files and lines: a mistake names the keys it stands at. Only what is proved is refused: by the documents, and by the most
that an order of any customer earns where that is known.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from rekindle.insight.expression import nearest
from rekindle.program.documents import Program, Stage
from rekindle.program.offer_kinds.kind import sent_back
from rekindle.program.offers import Offer
from rekindle.program.reading import Place
from rekindle.program.rules import Rules
from rekindle.program.validating import Mistake
from rekindle.program.vocabulary import PRICELESS_STAGES

if TYPE_CHECKING:
    from rekindle.program.contracts import Surroundings

Misfit = tuple[str, str, str]
"""Rule, reason, remedy."""


@dataclass(frozen=True, slots=True)
class Earnings:
    """What one order of a customer is expected to earn, units.

    Args:
        most: Of the customer whose orders earn most.
        usual: What the orders of 99 in 100 customers do not pass.
    """

    most: Decimal
    usual: Decimal


@dataclass(frozen=True, slots=True)
class Means:
    """What there is to pay for offers.

    Args:
        margin: The store's margin on goods of unknown cost, share of the price.
        rules: With the budgets and, where a person has set them, the value tiers; None where they cannot be read.
        earns: What orders earn; None where no customer is known.
    """

    margin: float
    rules: Rules | None
    earns: Earnings | None = None


def of_stage(program: Program, stage: Stage, around: "Surroundings") -> Iterator[Mistake]:
    """Offers that a stage's arms may not make."""
    path: Place = ("stages", stage.name)
    if stage.offers.price and stage.name in PRICELESS_STAGES:
        why = f"stages.{stage.name}.offers.price: the stage {stage.name} never makes a price offer"
        yield Mistake((*path, "offers", "price"), "price-too-early", why, "Write price: false; the stage tailor is for it.")
    for arm in stage.arms:
        where, at = f"stages.{stage.name}.arms.{arm.name}", (*path, "arms", arm.name, "offer")
        if around.names is not None and arm.offer not in around.names:
            remedy = nearest(arm.offer, around.names, "offers.yaml lists the offers.")
            yield Mistake(at, "offer-unknown", f"{where}: there is no offer '{arm.offer}'", remedy)
        elif offer := around.offers.get(arm.offer):
            for rule, why, remedy in (*_price(program, stage, offer, around.margin), *_terms(stage, offer)):
                yield Mistake(at, rule, f"{where}: {offer.name} {why}", remedy)
            if around.today and offer.valid_until and offer.valid_until < around.today:
                why = f"{where}: {offer.name} ended on {offer.valid_until}, so nobody gets it"
                yield Mistake(at, "offer-ended", why, "Give it a later valid_until, or remove the arm.", "warning")


def _price(program: Program, stage: Stage, offer: Offer, margin: float) -> Iterator[Misfit]:
    """Why a price may not be lowered in a stage, or not by so much."""
    permits, floor = stage.offers, stage.offers.margin_floor
    if offer.price and not permits.price:
        yield "price-forbidden", "is a price offer, and the stage permits none", "Choose one that is not, or move the arm to tailor."
    if offer.price and program.caps.price_offers == 0:
        yield "price-forbidden", "is a price offer, and caps.price_offers is 0", "Remove the arm, or allow a price offer."
    if offer.price and floor < offer.margin_floor:
        why = f"asks for a margin floor of {offer.margin_floor}, and the stage's is {floor}"
        yield "margin-floor", why, f"Write margin_floor: {offer.margin_floor} in the stage's offers."
    if offer.percent is not None and (kept := (margin - offer.percent) / (1 - offer.percent)) < floor:
        why = f"leaves {kept:.0%} of the price as margin, under the floor of {floor:.0%} (margin without it: {margin:.0%})"
        most = max(math.floor(100 * (margin - floor) / (1 - floor)), 0) / 100
        yield "margin-floor", why, f"Write percent: {most} or less." if most else "Remove the arm: no percentage leaves that much."
    yield from _least_order(stage, offer, margin)


def _least_order(stage: Stage, offer: Offer, margin: float) -> Iterator[Misfit]:
    """A fixed amount that the smallest order it holds for does not bear, by the stage's floor."""
    if not offer.price or not offer.minimum_spend or offer.fixed is None or stage.offers.margin_floor == 0:
        return
    least, value = float(offer.minimum_spend), float(offer.fixed)
    earns, paid = least * margin - value * (1 - offer.seller_part), least - value
    if paid > 0 and earns < paid * stage.offers.margin_floor:
        why = f"leaves {earns / paid:.0%} of an order of its minimum spend as margin, under the floor of {stage.offers.margin_floor:.0%}"
        yield "margin-floor", why, "Raise minimum_spend, or lower the amount."


def _terms(stage: Stage, offer: Offer) -> Iterator[Misfit]:
    """Why an offer's worth, its end or its minimum spend does not suit a stage."""
    permits = stage.offers
    if permits.value_at_most is not None and offer.percent is not None and offer.cap is None:
        why = f"has no cap, so it may be worth more than the stage's value_at_most of {permits.value_at_most}"
        yield "offer-too-dear", why, f"Write cap: {permits.value_at_most} in the offer."
    if permits.value_at_most is not None and offer.worth > permits.value_at_most:
        why = f"is worth {offer.worth}, more than the stage's value_at_most of {permits.value_at_most}"
        yield "offer-too-dear", why, "Choose a smaller offer, or raise value_at_most."
    if (offer.costly or offer.redeemed) and permits.valid_days is not None and permits.valid_days < offer.minimum_valid_days:
        why = f"may not be given for less than {offer.minimum_valid_days}d, and the stage's offers are valid for {permits.valid_days}d"
        yield "offer-too-short", why, "Lengthen valid in the stage's offers, or shorten minimum_valid."
    if offer.minimum_spend and (not permits.price or permits.minimum_spend_at_most == 0):
        asks = f"asks for a minimum spend of {offer.minimum_spend}"
        why = f"{asks}, and a stage {'that permits no price' if not permits.price else 'whose minimum_spend_at_most is 0'} asks for none"
        yield "minimum-spend", why, "Leave minimum_spend out of the offer, or move the arm to a stage that makes price offers."


def of_offers(offers: Mapping[str, Offer], means: Means) -> Iterator[Mistake]:
    """What is wrong among the offers, and between them and the money that there is.

    Args:
        offers: By name.
        means: That money.
    """
    yield from _ladders(offers)
    for offer in offers.values():
        yield from _losses(offer, means.margin)
        yield from _beyond_orders(offer, means.earns)
        if means.rules is not None:
            yield from _money(offer, means.rules)


def _ladders(offers: Mapping[str, Offer]) -> Iterator[Mistake]:
    rungs: dict[tuple[str, int], str] = {}
    for offer in offers.values():
        if offer.ladder is None:
            continue
        path, rung = ("offers", offer.name, "ladder"), (offer.ladder.name, offer.ladder.rung)
        if rung in rungs:
            why = f"offers.{offer.name}.ladder: rung {rung[1]} of {rung[0]} is {rungs[rung]} already"
            yield Mistake(path, "ladder-rung", why, "Give each rung one offer.")
        rungs[rung] = offer.name
    for (name, number), offer_name in rungs.items():
        if number > 1 and (name, number - 1) not in rungs:
            why = f"offers.{offer_name}.ladder: rung {number} of {name} cannot be reached, for there is no rung {number - 1}"
            yield Mistake(("offers", offer_name, "ladder"), "ladder-rung", why, f"Write one with rung: {number - 1}, or lower this one.")


def _losses(offer: Offer, margin: float) -> Iterator[Mistake]:
    """An offer that sells orders at a loss, whoever takes it: what it takes off is more than the goods earn."""
    path: Place = ("offers", offer.name)
    own = 1 - offer.seller_part
    if offer.percent is not None and offer.percent * own >= margin:
        why = f"offers.{offer.name}: it takes {offer.percent * own:.0%} off the price, and goods earn {margin:.0%} of it"
        yield Mistake(path, "offer-over-margin", why, "Lower percent, or let the seller pay.")
    yield from _curve_losses(offer)
    falls_due = offer.traits.due is not sent_back
    if offer.minimum_spend and offer.fixed is not None and falls_due and (value := float(offer.fixed) * own) > 0:
        earns = float(offer.minimum_spend) * margin
        if value >= earns:
            why = f"offers.{offer.name}: one redemption costs {value:g}, and an order of its minimum spend earns {earns:g}"
            yield Mistake(path, "offer-over-margin", why, f"Raise minimum_spend above {value / margin:.2f}." if margin else "Remove it.")


def _curve_losses(offer: Offer) -> Iterator[Mistake]:
    """A curve that gives more than the whole margin wherever it says something of a margin."""
    curve, own = offer.curve, Decimal(str(1 - offer.seller_part))
    if curve is None or offer.cap is None:
        return
    besides = curve.orders[0][1] if curve.orders else Decimal(0)
    points = [(place, min(value + besides, offer.cap) * own) for place, value in curve.margin if place > 0]
    if points and all(value > place for place, value in points):
        place, value = points[0]
        why = f"offers.{offer.name}.curve: at every point it is worth more than the margin that is expected there: {_units(value)} "
        why += f"at {_units(place)}"
        yield Mistake(("offers", offer.name, "curve"), "offer-over-margin", why, "Write values below the margins that they stand at.")


def _beyond_orders(offer: Offer, earns: Earnings | None) -> Iterator[Mistake]:
    """An offer of which a redemption costs the shop more than any customer's order earns; a warning where only some bear what it costs."""
    if earns is None:
        return
    path, own = ("offers", offer.name), Decimal(str(1 - offer.seller_part))
    least, most = (round(one * own, 2) for one in _span(offer))
    costs, best = f"offers.{offer.name}: one redemption", f"no customer's order is expected to earn more than {_units(earns.most)}"
    if least > earns.most:
        why = f"{costs} costs {_units(least)}, and {best}"
        yield Mistake(path, "offer-over-margin", why, "Lower what it costs, or let the seller pay.")
    elif most > earns.most:
        remedy = "Lower the upper end of its curve, or its cap."
        yield Mistake(path, "offer-over-margin", f"{costs} may cost {_units(most)}, and {best}", remedy, "warning")
    elif least > earns.usual:
        few = f"the orders of 99 in 100 customers are not expected to earn more than {_units(earns.usual)}, so hardly anybody gets it"
        yield Mistake(path, "offer-over-margin", f"{costs} costs {_units(least)}, and {few}", "Lower what it costs.", "warning")


def _span(offer: Offer) -> tuple[Decimal, Decimal]:
    """The least and the most that one redemption costs, units, as far as the offer alone tells; of a return by its assumed share."""
    if offer.curve is not None and offer.cap is not None:
        return min(offer.curve.bottom, offer.cap), min(offer.curve.top, offer.cap)
    share = Decimal(str(offer.returns_share)) if offer.traits.due is sent_back else Decimal(1)
    cost = (offer.fixed or Decimal(0)) * share
    return cost, cost


def _parts(offer: Offer) -> dict[str, Decimal]:
    """What one redemption may cost each payer, and both together under an empty name."""
    sellers = offer.worth * Decimal(str(offer.seller_part))
    return {"": offer.worth, "shop": offer.worth - sellers, "seller": sellers}


def of_budgets(program: Program, offers: Mapping[str, Offer], rules: Rules) -> Iterator[Mistake]:
    """Offers of a program of which a single redemption takes more than the program's own budgets hold.

    Args:
        program: The program.
        offers: By name; one that is not there is another check's to name.
        rules: With the budgets.
    """
    for stage in program.stages:
        for arm in stage.arms:
            offer = offers.get(arm.offer)
            for budget in rules.budgets if offer else ():
                cost = _parts(offer)[budget.payer or ""] if offer else Decimal(0)
                if budget.program == program.name and cost > budget.amount > 0:
                    why = f"stages.{stage.name}.arms.{arm.name}: one redemption of {arm.offer} may cost {_units(cost)}, more than the "
                    why += f"whole budget of {program.name} of {_units(budget.amount)}"
                    path: Place = ("stages", stage.name, "arms", arm.name, "offer")
                    yield Mistake(path, "offer-over-budget", why, "Choose a smaller offer, or raise the budget in rules.yaml.")


def _money(offer: Offer, rules: Rules) -> Iterator[Mistake]:
    """An offer of which a single redemption takes more than there is to spend, or than a customer of the upper tier brings."""
    path: Place = ("offers", offer.name)
    costs = _parts(offer)
    shops = costs["shop"]
    limits = [("shop", rules.budget.amount)]
    limits += [(one.payer or "", one.amount) for one in rules.budgets if one.program is None]
    over = [(costs[payer], most) for payer, most in limits if costs[payer] > most > 0]
    if over:
        cost, most = over[0]
        why = f"offers.{offer.name}: one redemption may cost {_units(cost)}, more than the whole budget of {_units(most)}"
        yield Mistake(path, "offer-over-budget", why, "Lower what it costs, or raise the budget in rules.yaml.")
    if rules.value_tiers is not None and shops > rules.value_tiers.high:
        brings = f"the {_units(rules.value_tiers.high)} that a customer of the upper tier brings in {rules.value_tiers.over_days} days"
        why = f"offers.{offer.name}: one redemption may cost {_units(shops)}, more than {brings}"
        yield Mistake(path, "offer-over-margin", why, "Lower what it costs.", "warning")


def _units(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
