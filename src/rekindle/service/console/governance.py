"""Governance: who is left alone and why, the limits and whether they hold, consent, fairness, and the audits that people stand for.

Knows nothing of how a limit works. Read from the counts of plans, the published profiles, the ledger and the audits kept in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from rekindle import moment
from rekindle.decide.guardrails import PUT_OFF, REASONS
from rekindle.errors import BadData
from rekindle.history.published import published
from rekindle.insight.profile import CHANNELS
from rekindle.program.documents import NOTHING
from rekindle.program.rules import Cap, Rules
from rekindle.service.config.web import store_in_use
from rekindle.service.console import jobs
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show
from rekindle.service.console.stages import named
from rekindle.service.flow import audits, plan_counts, snapshots
from rekindle.service.flow import documents as documents_of
from rekindle.service.flow.plan_counts import Cell, Counts
from rekindle.service.outbox.queries import ready_plans
from rekindle.service.people.models import Consent, Suppression
from rekindle.service.privacy.models import Receipt
from rekindle.service.programs import queries

PERIOD = timedelta(days=30)
KEPT_SECONDS = 60
"""So long a page may be behind with what a large ledger takes a while to count."""

CHANNEL_WORDS = {"email": "e-mail", "sms": "SMS", "webpush": "web push", "inapp": "in-app"}

GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("To learn what messages are worth", "drawn by chance, so that the others can be compared with them", ("held_out", "control", NOTHING)),
    ("Their wish", "they have not agreed, or asked for less", ("no_consent", "paused", "topic_refused", "wished_less")),
    ("Something is open", "no marketing while a complaint or a return is", ("open_complaint", "open_return", "detractor")),
    ("Enough for now", "caps on messages and offers were reached", ("touches_used", "too_soon", "reentry", *PUT_OFF)),
    ("Nothing that pays", "no variant fits within its margin floor, or the budget has no room", ("no_variant", "budget_reached")),
    ("Not the moment", "it will be said later, or something newer is told", ("held_back", "overtaken")),
)
"""Reasons that belong together, with what they have in common; what a later version adds stands by itself."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A reason.

    Args:
        label: In words.
        share: Of the most frequent.
        words: How many, and how many that is new in the period.
    """

    label: str
    share: float
    words: str


@dataclass(frozen=True, slots=True)
class Group:
    """Reasons that belong together.

    Args:
        title: In words.
        about: What they have in common.
        customers: How many in the last plan.
        bars: Reason by reason.
    """

    title: str
    about: str
    customers: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """A cap of the rules.

    Args:
        words: What it limits.
        limit: How far.
        held_back: How many customers the last plan left alone because of it.
        breaches: Messages that were one too many at the last audit; None before the first.
    """

    words: str
    limit: str
    held_back: int
    breaches: int | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Who may be written to by a channel.

    Args:
        channel: In words.
        agreed: Customers who may be written to.
        share: Of all.
        agreed_lately, withdrawn: Words that were said in the period, yes and no.
        stopped: Addresses that get nothing, by reason.
    """

    channel: str
    agreed: int
    share: float
    agreed_lately: int
    withdrawn: int
    stopped: tuple[tuple[str, int], ...]


@may(Role.VIEWER)
def governance(request: HttpRequest) -> HttpResponse:
    """All of it on one page."""
    store, now = store_in_use(), moment.now()
    plans = plan_counts.counts(store.var, ready_plans()) or plan_counts.counts(store.var)
    rules = documents_of.approved_rules(store)
    made = audits.held()[::-1]
    last = made[0] if made else None
    path = snapshots.profiles(store.var)
    judged = next((plan for plan in plans if plan.fairness), None)
    said = {
        "plan": plans[0] if plans else None, "groups": _groups(plans), "left": sum(group.customers for group in _groups(plans)),
        "limits": _limits(rules, plans[0].cells if plans else (), last.facts if last else {}) if rules else [], "rules": rules,
        "reach": _reach(path, int(now.timestamp()) // KEPT_SECONDS, str(store.root)) if path else [],
        "judged": judged, "audits": made[:6], "due": audits.is_due(now), "job": jobs.newest("audit"), "requests": _requests(),
        "days": PERIOD.days,
    }  # fmt: skip
    return show(request, "governance.html", said)


def _groups(plans: Iterable[Counts]) -> tuple[Group, ...]:
    """The last plan's customers who hear nothing, by reason; how many of a reason are new, of all plans in the period."""
    found = tuple(plans)
    if not found:
        return ()
    now, fresh = _by_reason(found[0].cells), dict[str, int]()
    for plan in found:
        if plan.at > found[0].at - PERIOD:
            for reason, count in _by_reason(cell for cell in plan.cells if cell.fresh).items():
                fresh[reason] = fresh.get(reason, 0) + count
    most = max(now.values(), default=1)
    known = {reason for _, _, reasons in GROUPS for reason in reasons}
    rest = tuple(reason for reason in now if reason not in known)
    groups = (*GROUPS, ("Other reasons", "", rest)) if rest else GROUPS
    return tuple(
        Group(title, about, sum(now.get(reason, 0) for reason in reasons), tuple(
            Bar(_words(reason), now.get(reason, 0) / most, f"{now.get(reason, 0):,} now, {fresh.get(reason, 0):,} new")
            for reason in sorted(reasons, key=lambda one: -now.get(one, 0)) if now.get(reason) or fresh.get(reason)
        ))
        for title, about, reasons in groups if any(now.get(reason) or fresh.get(reason) for reason in reasons)
    )  # fmt: skip


def _by_reason(cells: Iterable[Cell]) -> dict[str, int]:
    found: dict[str, int] = {}
    for cell in cells:
        reason = cell.reason or (NOTHING if cell.arm == NOTHING else "")
        if reason:
            found[reason] = found.get(reason, 0) + cell.customers
    return found


def _words(reason: str) -> str:
    words = "drawn to hear nothing this time" if reason == NOTHING else REASONS.get(reason, reason.replace("_", " "))
    return words[:1].upper() + words[1:]


def _limits(rules: Rules, cells: Iterable[Cell], audit: Mapping[str, object]) -> list[Limit]:
    held, caps, breaches = _by_reason(cells), rules.caps, _breaches(audit)

    def limit(words: str, limit: str, reason: str) -> Limit:
        return Limit(words, limit, held.get(reason, 0), breaches.get(reason, 0) if breaches is not None else None)

    found = [limit("Marketing messages to a customer", f"{caps.touches} in {caps.per_days} days", "cap_reached")]
    if caps.gap_days:
        found.append(limit("Time between two", f"{caps.gap_days} days", "gap"))
    if caps.price_offers:
        found.append(limit("Price offers to a customer", _most(caps.price_offers), "price_cap_reached"))
    found += [limit(f"Messages of {named(name)}", _most(cap), "program_cap_reached") for name, cap in caps.programs.items()]
    found += [limit(f"Offers of the kind {name}", _most(cap), "kind_cap_reached") for name, cap in caps.kinds.items()]
    if rules.fatigue:
        words = f"Messages to who left {rules.fatigue.ignored} unanswered"
        found.append(limit(words, f"{rules.fatigue.touches} in {caps.per_days} days", "tired"))
    return found


def _most(cap: Cap) -> str:
    return f"{cap.touches} in {cap.per_days} days"


def _breaches(audit: Mapping[str, object]) -> dict[str, int] | None:
    caps = audit.get("caps")
    return {str(one["cap"]): int(one["breaches"]) for one in caps} if isinstance(caps, list) else None


@lru_cache(maxsize=2)
def _reach(path: Path, minute: int, root: str) -> tuple[Reach, ...]:
    """Who may be written to, by the published profiles, and what was said lately; counted once a minute."""
    profile = published().read_parquet(path)
    sums = {name: profile[f"{name}_consent"].fill_null(False).cast("int64").sum() for name in CHANNELS}
    row = _row(published().arrow(profile.aggregate(customers=profile.count(), **sums)))
    since = moment.now() - PERIOD
    said = Consent.objects.filter(recorded_at__gte=since).values_list("channel", "granted").annotate(n=Count("id")).order_by("channel")
    lately = {(channel, granted): n for channel, granted, n in said}
    stopped: dict[str, list[tuple[str, int]]] = {}
    for channel, reason, n in Suppression.objects.values_list("channel", "reason").annotate(n=Count("id")).order_by("channel", "-n"):
        stopped.setdefault(channel, []).append((reason.replace("_", " "), n))
    everyone = row["customers"] or 1
    return tuple(
        Reach(CHANNEL_WORDS[name], row[name] or 0, (row[name] or 0) / everyone, lately.get((name, True), 0), lately.get((name, False), 0),
              tuple(stopped.get(name, ())))
        for name in CHANNELS
    )  # fmt: skip


def _row(table: pa.Table) -> dict[str, int]:
    found: dict[str, int] = table.to_pylist()[0]
    return found


def _requests() -> list[tuple[str, int, datetime | None]]:
    """What customers asked for of their data and is still open: the kind, how many, since when the oldest."""
    rows: dict[str, list[datetime]] = {}
    for kind, asked_at in Receipt.objects.filter(done_at=None).values_list("kind", "asked_at"):
        rows.setdefault(str(kind), []).append(asked_at)
    return [(kind.replace("_", " "), len(found), min(found)) for kind, found in sorted(rows.items())]


@may(Role.APPROVER, post=Role.APPROVER)
def audit(request: HttpRequest) -> HttpResponse:
    """Asks for an audit, or puts one's name to one that was made."""
    back = HttpResponseRedirect(reverse("governance"))
    if request.method != "POST":
        return back
    by, at, wanted = operator_of(request).email, moment.now(), request.POST.get("audit", "")
    if not wanted:
        job = jobs.start("audit", [], by, at)
        return HttpResponseRedirect(reverse("jobs-job", args=[job.key]))
    try:
        signed = audits.sign_off(wanted, by, at)
    except BadData as error:
        return show(request, "documents-refused.html", {"error": error, "section": "governance"}, status=400)
    note(request, f"You stand for the audit of {moment.local_day(signed.at, store_in_use().timezone)}.")
    return back


@may(Role.VIEWER)
def one(request: HttpRequest, digest: str) -> HttpResponse:
    """One audit: what was looked at and what was found."""
    found = next((held for held in audits.held() if held.digest.startswith(digest)), None) if len(digest) >= 6 else None
    if found is None:
        return show(request, "absent.html", {"what": "audit"}, status=404)
    return show(request, "governance-audit.html", {"audit": found, "facts": found.facts, "pauses": queries.pauses()})
