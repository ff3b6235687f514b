"""What redemptions have taken of the budgets, and whether a hard one has room for one more.

Knows nothing of checkouts and pages. A budget's period ends today and has so many days, those of the store's time zone.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from rekindle import moment, money
from rekindle.decide.budget import RESERVE
from rekindle.program.checking import Finding
from rekindle.program.reading import RULES, Place, read
from rekindle.program.rules import PartBudget
from rekindle.service.config import use_ledger
from rekindle.service.config.prepared import Prepared, columns, stored
from rekindle.service.flow import documents
from rekindle.service.outbox.actions import withdraw
from rekindle.service.outbox.models import PLANNED, Touch
from rekindle.service.people.last_look import REDEEMED
from rekindle.service.programs import queries
from rekindle.service.redemptions.models import Coupon
from rekindle.service.redemptions.queries import spent
from rekindle.settings import Settings

SPENT = "the budget of its offer is spent"


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

    def refuses(self, coupon: Coupon, discount: int) -> bool:
        """Whether a redemption would take more of a hard budget than there is.

        Args:
            coupon: The code.
            discount: What it takes off the order, minor units.
        """
        mine = _part(self.budget, coupon, discount)
        return mine > 0 and self.cost + mine > self.amount


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
    today, budgets = moment.local_day(at, settings.timezone), rules.every_budget if rules else ()
    return any(used(settings, one, today).refuses(coupon, discount) for one in budgets if _part(one, coupon, discount))


def closed(settings: Settings, code: str, at: datetime) -> bool:
    """Whether a code that was given is not taken for now, whatever the order, because a hard budget has no room for the least it costs.

    Args:
        settings: The store's.
        code: As it was given.
        at: The instant, aware.
    """
    coupon = Coupon.objects.filter(pk=code, limited=True).first()
    return coupon is not None and beyond(settings, coupon, _least(coupon), at)


def withheld(settings: Settings, codes: Collection[str], at: datetime) -> dict[str, str]:
    """Which of some codes no message may promise any more, and why: one query where no hard budget binds any of them, none for no codes.

    Args:
        settings: The store's.
        codes: As they were given.
        at: The instant, aware.

    Returns:
        Code to reason, of those whose round ended by another code of it, and of those of a hard budget that is spent or has no room for
        the least that they cost.
    """
    rows = _HELD_BACK(*codes) if codes else []
    limited = [coupon for coupon, _ in rows if coupon.limited]
    gone = _refused(settings, limited, at) if limited else set()
    return dict.fromkeys(gone, SPENT) | {coupon.code: REDEEMED for coupon, ended in rows if ended}


def _refused(settings: Settings, limited: Sequence[Coupon], at: datetime) -> set[str]:
    """Which codes under hard budgets one of them refuses."""
    found = each(settings, at)
    gone = set(_of_spent(Coupon.objects.filter(pk__in=[one.code for one in limited]), found).values_list("pk", flat=True))
    return gone | {coupon.code for coupon in limited if any(one.refuses(coupon, _least(coupon)) for one in found)}


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
    gone = _of_spent(Coupon.objects.filter(limited=True), each(settings, at))
    waiting = Touch.objects.filter(status=PLANNED, service=False, code__in=gone.values("code"))
    return withdraw(list(waiting.order_by("pk").values_list("pk", flat=True)), SPENT, at)


def _part(budget: PartBudget, coupon: Coupon, discount: int) -> int:
    """What a redemption takes of a hard budget, minor units; nothing of any other."""
    costs = coupon.costs(discount) if budget.hard else {}
    return sum(cost for payer, cost in costs.items() if budget.covers(coupon.program, payer))


def _least(coupon: Coupon) -> int:
    """The least that a code takes off an order, minor units."""
    return 1 if coupon.percent else coupon.amount or 0


def _of_spent(codes: QuerySet[Coupon], found: Iterable[Used]) -> QuerySet[Coupon]:
    """Those of some codes whose cost comes out of a budget that is spent."""
    gone = Coupon.objects.none()
    for budget in (one.budget for one in found if one.spent):
        mine = codes.filter(program=budget.program) if budget.program else codes
        borne = {"shop": mine.filter(seller_part__lt=1), "seller": mine.filter(seller_part__gt=0), None: mine}
        gone |= borne[budget.payer]
    return gone


def _held_back(*codes: str) -> QuerySet[Coupon, Any]:
    same = Coupon.objects.filter(redeemed__gt=0, **{name: OuterRef(name) for name in ("customer_id", "program", "episode")})
    mine = Coupon.objects.filter(pk__in=codes).annotate(ended=Exists(same))
    return mine.filter(Q(limited=True) | Q(ended=True)).values_list(*_STORED, "ended")


_STORED = columns(Coupon)
_HELD_BACK = Prepared(_held_back, lambda row: (stored(Coupon, _STORED, row[:-1]), bool(row[-1])))
"""Codes of hard budgets and of rounds that a redemption has ended, each with whether it has."""


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
