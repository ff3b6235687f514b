"""Offers: what each costs and where it may be made, how many take it, and what is left of the budgets.

Knows nothing of how a budget binds. What was sent and taken is published with each plan, and so is what was promised.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse

from rekindle import moment, money
from rekindle.decide.budget import PAYERS, RESERVE
from rekindle.program.documents import Documents, Offer
from rekindle.program.rules import PartBudget
from rekindle.service.config.web import store_in_use
from rekindle.service.console.roles import Role, may
from rekindle.service.console.shell import show
from rekindle.service.console.stages import named
from rekindle.service.flow import codes_taken, plan_counts
from rekindle.service.flow import documents as documents_of
from rekindle.service.flow.codes_taken import Taken
from rekindle.service.flow.plan_counts import Counts
from rekindle.service.flow.spending import Used, used
from rekindle.service.outbox.queries import ready_plans
from rekindle.service.programs import queries
from rekindle.settings import Settings

PAYER_WORDS = {"shop": "the shop", "seller": "the seller", "shared": "shop and seller"}


@dataclass(frozen=True, slots=True)
class Row:
    """An offer.

    Args:
        offer: As it is approved.
        kind: In words.
        cost: What it costs, in words.
        floor: The least margin an order keeps, of all stages that make it; 0: it lowers no price.
        places: The programs that may make it, each with its stages.
        given: Messages with it, of the plans that are counted.
        taken: Of its codes.
    """

    offer: Offer
    kind: str
    cost: str
    floor: float
    places: tuple[tuple[str, str], ...]
    given: int
    taken: Taken

    @property
    def rate(self) -> float | None:
        """The share of codes that was taken; None before any was given."""
        return self.taken.orders / self.taken.codes if self.taken.codes else None


@dataclass(frozen=True, slots=True)
class Burn:
    """A budget and what is left of it; money in minor units.

    Args:
        words: Of what it is.
        amount: The most.
        days: In so many days.
        promised: What the messages of these days are expected to cost.
        usable: The amount less its reserve.
        used: What redemptions took of it.
    """

    words: str
    amount: int
    days: int
    promised: float
    usable: float
    used: Used

    @property
    def share(self) -> float:
        """Promised, of what is usable."""
        return self.promised / self.usable if self.usable else 0.0

    @property
    def full(self) -> bool:
        """Whether next to nothing is left."""
        return self.share > 0.9


@may(Role.VIEWER)
def offers(request: HttpRequest) -> HttpResponse:
    """All offers, and the budgets."""
    store = store_in_use()
    if not queries.approved(store):
        return show(request, "offers.html", {"rows": []})
    held, plans = documents_of.approved(store), plan_counts.counts(store.var, ready_plans())
    now = plans[0].at if plans else moment.now()
    taken = codes_taken.taken(store.var)
    given: Counter[str] = Counter()
    for plan in plans:
        for cell in plan.cells:
            if cell.offer and cell.channel and cell.fresh:
                given[cell.offer] += cell.customers
    rows = [_row(store, held, offer, given[offer.name], taken) for offer in held.offers.values()]
    said = {
        "rows": [row for row in rows if row.offer.costly], "words": [row for row in rows if not row.offer.costly],
        "burns": [_burn(store, held, one, plans, now) for one in held.rules.every_budget], "since": plans[-1].at if plans else None,
        "plans": _columns(plans), "reserve": RESERVE,
    }  # fmt: skip
    return show(request, "offers.html", said)


def _row(store: Settings, held: Documents, offer: Offer, given: int, taken: Mapping[str, Taken]) -> Row:
    every = [(program, stage) for program in held.programs for stage in program.stages]
    places = [(program, stage) for program, stage in every if any(arm.offer == offer.name for arm in stage.arms)]
    floors = [max(offer.margin_floor, stage.offers.margin_floor) for _, stage in places] or [offer.margin_floor]
    stages: dict[str, list[str]] = {}
    for program, stage in places:
        stages.setdefault(program.name, []).append(stage.name.replace("_", " "))
    named = tuple((program, ", ".join(mine)) for program, mine in stages.items())
    floor = max(floors) if offer.price else 0.0
    return Row(offer, offer.traits.words, cost_words(offer, store), floor, named, given, taken.get(offer.name, Taken()))


def cost_words(offer: Offer, store: Settings) -> str:
    """What one redemption costs, for people."""

    def cash(amount: object) -> str:
        return money.show(money.to_minor(str(amount), store.currency), store.currency, store.locale)

    most = f", at most {cash(offer.cap)}" if offer.cap is not None else ""
    if offer.percent is not None:
        return f"{offer.percent * 100:g} % of the price{most}"
    if offer.share_of_margin is not None:
        return f"{offer.share_of_margin * 100:g} % of the margin expected of the customer{most}"
    if offer.curve is not None:
        return f"more for whom more is expected of, at most {cash(offer.cap or offer.curve.top)}"
    if offer.amount is not None and offer.amount:
        return cash(offer.amount)
    return cash(offer.unit_cost) if offer.unit_cost else "nothing"


def _burn(store: Settings, held: Documents, budget: PartBudget, plans: Iterable[Counts], now: datetime) -> Burn:
    since = now - timedelta(days=budget.per_days)
    promised = sum(
        cell.cost for plan in plans if plan.at > since for cell in plan.cells
        if cell.channel and cell.fresh and not cell.service and _covers(budget, cell.program, held.offers.get(cell.offer or ""))
    )
    amount = money.to_minor(budget.amount, store.currency)
    whole = budget.program is None and budget.payer is None
    parts = [f"of {named(budget.program)}"] if budget.program else []
    parts += [f"that {PAYER_WORDS[budget.payer]} pays"] if budget.payer else []
    words = " ".join(["Everything" if whole else "All", *parts])
    redeemed = used(store, budget, moment.local_day(moment.now(), store.timezone))
    return Burn(words, amount, budget.per_days, promised, amount * (1 - RESERVE), redeemed)


def _covers(budget: PartBudget, program: str, offer: Offer | None) -> bool:
    """Whether a message's cost comes out of a budget; the part of an offer that two pay is counted whole."""
    return any(budget.covers(program, payer) for payer in PAYERS[offer.payer if offer else "shop"])


def _columns(plans: Iterable[Counts]) -> list[tuple[int, datetime, float, float, float]]:
    """The plans, the oldest first, as columns of a picture: x, instant, cost, height and top of a hundred."""
    found = [(plan.at.astimezone(UTC), sum(cell.cost for cell in plan.cells if cell.channel and cell.fresh)) for plan in plans][:60][::-1]
    most = max((cost for _, cost in found), default=0) or 1
    return [(10 * at, when, cost, 100 * cost / most, 100 - 100 * cost / most) for at, (when, cost) in enumerate(found)]
