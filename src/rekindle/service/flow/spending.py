"""What redemptions have taken of the budgets, and whether a hard one has room for one more.

Knows nothing of checkouts and pages. A budget's period ends today and has so many days, those of the store's time zone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rekindle import moment, money
from rekindle.decide.budget import RESERVE
from rekindle.program.checking import Finding
from rekindle.program.reading import RULES, Place, read
from rekindle.program.rules import PartBudget
from rekindle.service.config import use_ledger
from rekindle.service.flow import documents
from rekindle.service.outbox.actions import withdraw
from rekindle.service.outbox.models import PLANNED, Touch
from rekindle.service.programs import queries
from rekindle.service.redemptions.models import Coupon
from rekindle.service.redemptions.queries import spent
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Used:
    """A budget and what redemptions took of it in its period; money in minor units.

    Args:
        budget: The budget.
        amount: The most.
        cost: What redemptions cost.
    """

    budget: PartBudget
    amount: int
    cost: int

    @property
    def spent(self) -> bool:
        """Whether redemptions have taken all of a hard budget but its reserve, so that no more is offered of it."""
        return self.budget.hard and self.cost >= self.amount * (1 - RESERVE)


def used(settings: Settings, budget: PartBudget, today: date) -> Used:
    """What redemptions took of a budget.

    Args:
        settings: The store's.
        budget: The budget.
        today: In the store's time zone.
    """
    since = today - timedelta(days=budget.per_days - 1)
    cost = sum(cost for part, cost in spent(since).items() if budget.covers(*part))
    return Used(budget, money.to_minor(budget.amount, settings.currency), cost)


def beyond(settings: Settings, coupon: Coupon, discount: int, at: datetime) -> bool:
    """Whether a redemption would take more than a hard budget has; never where the code's message did not say that it may.

    Args:
        settings: The store's.
        coupon: The code.
        discount: What it takes off the order.
        at: The instant, aware.
    """
    rules = documents.approved_rules(settings) if coupon.limited else None
    today, costs = moment.local_day(at, settings.timezone), coupon.costs(discount)
    for budget in rules.every_budget if rules else ():
        mine = sum(cost for payer, cost in costs.items() if budget.covers(coupon.program, payer))
        if budget.hard and mine:
            found = used(settings, budget, today)
            if found.cost + mine > found.amount:
                return True
    return False


def closed(settings: Settings, code: str, at: datetime) -> bool:
    """Whether a code that was given is not taken for now, whatever the order, because a hard budget has no room for the least it costs.

    Args:
        settings: The store's.
        code: As it was given.
        at: The instant, aware.
    """
    coupon = Coupon.objects.filter(pk=code, limited=True).first()
    return coupon is not None and beyond(settings, coupon, 1 if coupon.percent else coupon.amount or 0, at)


def each(settings: Settings, at: datetime) -> tuple[Used, ...]:
    """Every budget, the one over everything first, with what redemptions took of it; none before anything is approved."""
    rules, today = documents.approved_rules(settings), moment.local_day(at, settings.timezone)
    return tuple(used(settings, one, today) for one in rules.every_budget) if rules else ()


def words(settings: Settings, found: Used) -> str:
    """What redemptions took of a budget."""
    cost, amount = (money.show(one, settings.currency, settings.locale) for one in (found.cost, found.amount))
    return f"{named(found.budget)} is spent: codes took {cost} of {amount} in {found.budget.per_days} days"


def withdraw_spent(settings: Settings, at: datetime) -> int:
    """Suppresses waiting messages whose code a spent hard budget would refuse, and says how many.

    Args:
        settings: The store's.
        at: The instant, aware.
    """
    codes = Coupon.objects.filter(limited=True)
    gone = Coupon.objects.none()
    for budget in (one.budget for one in each(settings, at) if one.spent):
        mine = codes.filter(program=budget.program) if budget.program else codes
        borne = {"shop": mine.filter(seller_part__lt=1), "seller": mine.filter(seller_part__gt=0), None: mine}
        gone |= borne[budget.payer]
    waiting = Touch.objects.filter(status=PLANNED, service=False, code__in=gone.values("code"))
    return withdraw(list(waiting.order_by("pk").values_list("pk", flat=True)), "the budget of its offer is spent", at)


def named(budget: PartBudget) -> str:
    """Of what a budget is, in words.

    >>> named(PartBudget(amount=10, per_days=7, program="win-back")), named(PartBudget(amount=10, per_days=7))
    ('the budget of win-back', 'the budget')
    """
    parts = [f"of {budget.program}"] if budget.program else []
    parts += [f"of what the {budget.payer} pays"] if budget.payer else []
    return " ".join(["the budget", *parts])


def examined(settings: Settings, at: datetime) -> Iterator[Finding]:
    """Hard budgets that are spent.

    Args:
        settings: The store's.
        at: The instant, aware.
    """
    use_ledger(settings)
    held = queries.approved(settings)
    if RULES not in held:
        return
    reading = read(queries.text_of(held[RULES]).encode())
    for number, found in enumerate(each(settings, at)):
        if found.spent:
            place: Place = ("budgets", number - 1) if number else ("budget",)
            remedy = "Nothing more is offered of it, and its codes are refused, until older days drop out or the amount is raised."
            yield Finding(RULES, reading.line(place), "budget-spent", words(settings, found), remedy, "warning")
