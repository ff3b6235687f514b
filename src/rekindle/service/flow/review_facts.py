"""The facts of a monthly review, gathered from what other verbs have left: levels, lift, targets, plans, reviews, blockers, the audit.

Knows nothing of how they are shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rekindle import money
from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.learn import before_after, conduct
from rekindle.learn.conduct import Period, Reception
from rekindle.learn.doubt import ONCE, ZERO
from rekindle.learn.report.markup import capital
from rekindle.learn.review_pack import AuditRow, BlockerRow, Level, PackFacts, ProgramPart, ReviewRow
from rekindle.moment import AsOf, local_day, start_of_day
from rekindle.program.documents import Documents
from rekindle.service.experiments import queries as experiments
from rekindle.service.flow import audits, baselines, by_function, documents, plan_approving, policies, reviews, worlds
from rekindle.service.flow.baselines import Kept
from rekindle.service.flow.targets import learned_of, standings
from rekindle.service.programs import queries
from rekindle.settings import Settings

DAYS = 30
"""The period of a review, up to the instant."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a review is about.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved ones.
        as_of: The instant.
        at: The present, by which reviews are due.
        publish: Whether what is computed on the way is kept.
    """

    settings: Settings
    warehouse: Warehouse
    documents: Documents
    as_of: AsOf
    at: datetime
    publish: bool = True

    @property
    def period(self) -> Period:
        """The last 30 days."""
        since = start_of_day(self.as_of.day - timedelta(days=DAYS), self.as_of.timezone)
        return Period(since.replace(tzinfo=None), self.as_of.naive)


def page_path(settings: Settings, as_of: AsOf) -> Path:
    """Where the page of the month of an instant's last day goes."""
    return settings.var / "reviews" / f"{as_of.last_day:%Y-%m}.html"


def gather(review: Review) -> PackFacts:
    """Everything that the page of a review says."""
    settings, since = review.settings, review.as_of.day - timedelta(days=DAYS)
    held, receptions = baselines.first_kept(settings), conduct.receptions(review.warehouse, review.period)
    targets = standings(settings, review.warehouse, review.documents, review.as_of, review.publish)
    learned = learned_of(settings, review.as_of)
    now = baselines.period_of(settings, review.warehouse, review.as_of, since)
    return PackFacts(
        shop=settings.name, currency=settings.currency, locale=settings.locale, as_of=review.as_of, since=since,
        simulated=worlds.is_simulated(settings), levels=tuple(_levels(now, held, settings)), baseline=_days_of(held),
        programs=tuple(_programs(review, receptions, learned)), targets=targets, learned=tuple(_learned(review, learned)),
        proposed=tuple(_proposed(settings)), reviews=tuple(_reviews(review)), blockers=blockers(),
        functions=by_function.gather(review.settings, review.warehouse, review.documents, targets, review.period), audit=_audit(review),
    )  # fmt: skip


def _days_of(held: Kept | None) -> str:
    return f"the baseline of {held.baseline.since} to {held.baseline.until}" if held else ""


def _levels(now: before_after.Period, held: Kept | None, settings: Settings) -> Iterator[Level]:
    """Levels of the period beside the baseline's for as many days, and what an order and a buyer are like beside the baseline's."""
    before = held.baseline.everyone if held else None
    days = (held.baseline.until - held.baseline.since).days + 1 if held else 1
    for words, name in (("Orders", "orders"), ("Spend", "spend"), ("Margin", "margin")):
        was = getattr(before, name) * DAYS / days if before else None
        shown = [_shown(one, settings, counted=name == "orders") for one in (getattr(now.levels, name), was)]
        yield Level(words, shown[0], shown[1], getattr(now.levels, name) / was - 1 if was else None)
    then = before_after.Period(held.baseline.everyone, held.baseline.spread) if held else now
    for one in before_after.changes(now, then, DAYS // 7):
        if not isinstance(one.now, CannotTell):
            value, was = (_of_change(one, level, settings) for level in (one.now, one.before))
            yield Level(capital(one.words), value, was if held else "", None, one.told if held else "")


def _shown(value: float | None, settings: Settings, *, counted: bool) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if counted else money.show(round(value), settings.currency, settings.locale, whole=True)


def _of_change(one: before_after.Change, value: float | CannotTell, settings: Settings) -> str:
    if isinstance(value, CannotTell):
        return ""
    return f"{value:.1%}" if one.is_share else money.show(round(value), settings.currency, settings.locale)


def _programs(review: Review, receptions: Sequence[Reception], learned: Mapping[str, Any] | None) -> Iterator[ProgramPart]:
    stopped = {one.program: one.reason for one in queries.pauses() if one.resumed_at is None}
    for program in review.documents.programs:
        mine = [one for one in receptions if one.program == program.name]
        messages, opt_outs, complaints = (
            sum(getattr(one, name) for one in mine) for name in ("handed_over", "opt_outs", "complaints")
        )
        worth = "news of orders: not measured" if program.service else worth_of(learned, program.name, review.settings.currency)
        state = f"paused: {stopped[program.name]}" if program.name in stopped else "running"
        yield ProgramPart(program.name, program.owner, messages, opt_outs, complaints, worth, state)


def worth_of(learned: Mapping[str, Any] | None, program: str, currency: str) -> str:
    """What a program was worth by what `learn` found, in words.

    Args:
        learned: Its JSON; None where nothing was measured.
        program: The program's name.
        currency: Of the store.
    """
    found = next((one for one in learned["programs"] if one["program"] == program), None) if learned else None
    part = found["measures"].get("margin", {}) if found else {}
    if "difference" not in part:
        return f"not yet known: {part['cannot_tell']}" if "cannot_tell" in part else "not measured yet"
    low, middle, high = (money.show(round(part[name]), currency) for name in ("low", "difference", "high"))
    if part["low"] <= 0 <= part["high"]:
        shows = f"; {money.show(round(part['detectable']), currency)} would show four times in five" if part.get("detectable") else ""
        return f"{ZERO} ({low} to {high} margin a customer){shows}"
    lasting = part.get("any_day")
    once = f", {ONCE}" if lasting and lasting["low"] <= 0 <= lasting["high"] else ""
    return f"{middle} margin a customer ({low} to {high}){once}"


def _learned(review: Review, learned: Mapping[str, Any] | None) -> Iterator[str]:
    """What is more than chance among programs, and what experiments that ended in the period taught."""
    for one in learned["programs"] if learned else ():
        part = one["measures"].get("margin", {})
        if "difference" in part and not part["low"] <= 0 <= part["high"]:
            yield f"{one['program']} is worth {worth_of(learned, one['program'], review.settings.currency)}, against its control"
    since = review.period.since
    for told in experiments.learnings():
        if told.at.replace(tzinfo=None) >= since:
            yield f"{told.experiment}: {told.hypothesis.rstrip('.')}. {told.result.rstrip('.')}. Decision: {told.decision}"


def _proposed(settings: Settings) -> Iterator[str]:
    for plan in plan_approving.awaiting(settings):
        yield f"Plan {plan.plan[:12]} waits for a yes to {plan.messages} messages: rekindle approve {plan.plan[:12]} --send {plan.messages}"
    if name := policies.proposed(settings):
        yield f"The table of chances {name} is proposed: rekindle policy show, then rekindle policy approve"
    for name in documents.unsubmitted(settings):
        yield f"{name} says something else than its approved version: rekindle check, then rekindle approve --all"


def _reviews(review: Review) -> Iterator[ReviewRow]:
    zone = review.settings.timezone
    today = local_day(review.at, zone)
    for one in reviews.due(review.documents):
        last = local_day(one.last, zone) if one.last else None
        yield ReviewRow(one.program, one.owner, one.on, one.state(today), last, one.note)


def blockers() -> tuple[BlockerRow, ...]:
    """What is in the way, the most urgent first."""
    return tuple(BlockerRow(one.pk, one.text, one.function, one.program, one.owner, one.due) for one in queries.blockers())


def _audit(review: Review) -> AuditRow | None:
    made = audits.held()
    if not made:
        return None
    last = made[-1]
    return AuditRow(local_day(last.at, review.settings.timezone), last.digest, last.findings, last.signed_by)
