"""How the store stands, for the first page: who slips away, who came back, what it was worth, what was spent, who is left alone.

Knows nothing of pages. Read from the ledger and from what was published last; a store that published nothing has no standing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from rekindle import moment, money
from rekindle.decide.guardrails import REASONS
from rekindle.insight.lifecycle import SLIPPING
from rekindle.learn.report.standings import STANDINGS
from rekindle.service.config.web import store_in_use
from rekindle.service.console.stages import named
from rekindle.service.flow import documents, plan_approving, plan_counts, snapshots, targets
from rekindle.service.flow.plan_approving import KEPT_SECONDS, Waiting
from rekindle.service.flow.plan_counts import Counts
from rekindle.service.outbox.models import SENT, UNKNOWN, Touch
from rekindle.service.outbox.queries import ready_plans
from rekindle.service.people.queries import has_contacts
from rekindle.settings import Settings

BACK = ("probation", "reactivated")
"""The lifecycle stages of customers who had lapsed and ordered again."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What messages were worth, by a randomised comparison.

    Args:
        against: What is compared, for people.
        difference: Margin a customer, minor units, with its ends; None where it cannot be told yet.
        told_apart: Whether the interval leaves nought out.
        due: The day on which the next customers can be counted; None where nobody waits to be.
        why: Why nothing can be told.
    """

    against: str
    difference: tuple[float, float, float] | None
    told_apart: bool
    due: date | None
    why: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What was promised of the budget over everything.

    Args:
        cost: Expected, minor units.
        budget: Minor units.
        days: In so many days.
    """

    cost: float
    budget: int
    days: int

    @property
    def share(self) -> float:
        """Of the budget."""
        return self.cost / self.budget if self.budget else 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What the first page says.

    Args:
        as_of: The instant of the last published profiles.
        customers: Known ones.
        slipping: Who slows down past their own rhythm, or has lapsed.
        at_risk: Their margin in the horizon, minor units; None where it cannot be told.
        back: Who had lapsed and ordered again.
        groups: How all customers stand by their own rhythm, each with label, colour, share and words.
        plan: The plan to look at: one that waits for a yes, or the last one; None before the first.
        waiting: The plans that wait for a yes.
        proposed: Messages of that plan.
        went: Those of them that were sent; 0 while a plan waits.
        left_alone: Who was due in it and is left alone, by reason for people.
        rehearsal: Whether no contact is known, so that nothing can be sent.
        worth: What messages were worth.
        spent: Of the budget.
        targets: As they stood last.
    """

    as_of: datetime
    customers: int
    slipping: int
    at_risk: float | None
    back: int
    groups: tuple[Mapping[str, object], ...]
    plan: Counts | None
    waiting: tuple[Waiting, ...]
    proposed: int
    went: int
    left_alone: Mapping[str, int]
    rehearsal: bool
    worth: Worth
    spent: Spent | None
    targets: tuple[Mapping[str, Any], ...]


def standing() -> Standing | None:
    """The standing of the store that is served; None where nothing was published yet."""
    store = store_in_use()
    summary = snapshots.summary(store.var)
    if not summary:
        return None
    waiting = plan_approving.awaiting_lately(store)
    plan = plan_to_look_at(store, waiting)
    lifecycle, risk, told = summary["lifecycle"], summary["margin_at_risk"], targets.published(store.var)
    return Standing(
        as_of=datetime.fromisoformat(summary["as_of"]), customers=summary["customers"],
        slipping=sum(lifecycle.get(stage, 0) for stage in SLIPPING), at_risk=risk.get("estimate"),
        back=sum(lifecycle.get(stage, 0) for stage in BACK), groups=_groups(lifecycle), plan=plan, waiting=waiting,
        proposed=sum(one.messages for one in waiting) or (messages_of(plan) if plan else 0), went=0 if waiting else _went(store, plan),
        left_alone=left_alone_by(plan) if plan else {}, rehearsal=not has_contacts(), worth=worth(learned(store)),
        spent=_spent(store), targets=tuple(told["targets"]) if told else (),
    )  # fmt: skip


def _groups(lifecycle: Mapping[str, int]) -> tuple[Mapping[str, object], ...]:
    """The parts of a bar one after the other: each with where it begins."""
    found: list[Mapping[str, object]] = []
    total, before = sum(lifecycle.get(stage, 0) for one in STANDINGS for stage in one.stages) or 1, 0
    for one in STANDINGS:
        count = sum(lifecycle.get(stage, 0) for stage in one.stages)
        found.append({"label": one.name, "color": one.color, "share": count / total, "words": f"{count:,}", "before": before / total})
        before += count
    return tuple(found)


def plan_to_look_at(store: Settings, waiting: tuple[Waiting, ...]) -> Counts | None:
    """The newest plan that waits for a yes, else the newest of all."""
    wanted = {one.plan for one in waiting} or ready_plans()
    found = plan_counts.counts(store.var, wanted) or plan_counts.counts(store.var)
    return found[0] if found else None


def _went(store: Settings, plan: Counts | None) -> int:
    """How many messages of a plan went, counted within the last `KEPT_SECONDS`; of one that is not ready, none."""
    slot = int(moment.now().timestamp()) // KEPT_SECONDS
    return _sent(str(store.root), plan.plan, slot) if plan and plan.plan in ready_plans() else 0


@lru_cache(maxsize=4)
def _sent(root: str, plan: str, slot: int) -> int:
    return Touch.objects.filter(plan_id=plan, status__in=(SENT, UNKNOWN)).count()


def messages_of(plan: Counts) -> int:
    """How many messages a plan proposes."""
    return sum(cell.customers for cell in plan.cells if cell.channel)


def left_alone_by(plan: Counts) -> dict[str, int]:
    """How many a plan leaves alone, by reason for people, the most frequent first; to hear nothing can be drawn too."""
    found: dict[str, int] = {}
    for cell in plan.cells:
        if not cell.channel:
            words = REASONS[cell.reason] if cell.reason else "drawn to hear nothing"
            found[words] = found.get(words, 0) + cell.customers
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def learned(store: Settings) -> Mapping[str, Any]:
    """What `learn` found last; empty where it found nothing."""
    found = sorted((store.var / "learn").glob("*.json"), key=lambda path: path.name)
    return _read(found[-1], found[-1].stat().st_mtime_ns) if found else {}


@lru_cache(maxsize=4)
def _read(path: Path, written: int) -> Mapping[str, Any]:
    """A file, read again where `written` says that it was written anew."""
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def worth(found: Mapping[str, Any]) -> Worth:
    """The widest comparison that can be told: all programs against the holdout, else the program with the most customers."""
    programs = sorted(found.get("programs", ()), key=lambda one: -(one["treated"] + one["control"]))
    epochs = (found.get("suite") or {}).get("epochs") or ()
    parts = [("all programs against the holdout", one["measures"]["margin"]) for one in reversed(epochs)]
    parts += [(f"{named(one['program'])} against its control", one["measures"]["margin"]) for one in programs if _compared(one)]
    days = [day for one in programs if (day := one.get("maturity", {}).get("next_on"))]
    due = date.fromisoformat(min(days)) if days else None
    for against, part in parts:
        if "difference" in part:
            ends = (part["low"], part["difference"], part["high"])
            return Worth(against, ends, part.get("told_apart", not part["low"] <= 0 <= part["high"]), due, "")
    return Worth("", None, told_apart=False, due=due, why=parts[0][1].get("cannot_tell", "") if parts else "")


def _compared(program: Mapping[str, Any]) -> bool:
    return bool(program["treated"] and program["control"] and "margin" in program["measures"])


def _spent(store: Settings) -> Spent | None:
    """What the messages of the budget's last days are expected to cost; None where no documents are approved."""
    rules = documents.approved_rules(store)
    if rules is None:
        return None
    found = plan_counts.counts(store.var, ready_plans())
    since = found[0].at - timedelta(days=rules.budget.per_days) if found else None
    cells = [cell for one in found if since and one.at > since for cell in one.cells if cell.channel and cell.fresh]
    return Spent(sum(cell.cost for cell in cells), money.to_minor(rules.budget.amount, store.currency), rules.budget.per_days)
