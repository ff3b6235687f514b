"""The regular audit: chains, replayed decisions, caps, complaints, texts and groups, kept as a document that a person signs off.

Knows nothing of how each is found. One is due every 30 days: `run` makes it, and only a person can sign it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis

from rekindle.decide import fairness
from rekindle.decide.guardrails import REASONS
from rekindle.deliver.delivery_events import too_many
from rekindle.errors import BadData
from rekindle.history import chain
from rekindle.history.warehouse import Warehouse
from rekindle.learn import conduct
from rekindle.learn.conduct import Kept, Period, Reception
from rekindle.moment import local_day
from rekindle.program.documents import Documents
from rekindle.service.flow import linting, replaying
from rekindle.service.flow.last_profile import last_profile
from rekindle.service.flow.replaying import Replayed
from rekindle.service.programs import actions, log, queries
from rekindle.service.programs.actions import Submission
from rekindle.service.programs.models import Document
from rekindle.service.programs.queries import AUDIT
from rekindle.settings import Settings

EVERY = timedelta(days=30)
"""How long after an audit the next one is due, and the period that one looks at."""


@dataclass(frozen=True, slots=True)
class Held:
    """An audit that was made.

    Args:
        digest: What names it.
        at: When.
        facts: What it found, as `facts` has it.
        signed_by: Who stands for it; empty as long as nobody does.
        signed_at: When.
    """

    digest: str
    at: datetime
    facts: Mapping[str, Any]
    signed_by: str
    signed_at: datetime | None

    @property
    def findings(self) -> tuple[str, ...]:
        """What needs a person's attention, in sentences without a full stop."""
        return tuple(self.facts["findings"])


def held() -> tuple[Held, ...]:
    """Every audit, the first first."""
    signed = queries.sign_offs()
    return tuple(_held(one, signed) for one in queries.kept(AUDIT))


def _held(one: Document, signed: Mapping[str, Any]) -> Held:
    yes = signed.get(one.digest)
    return Held(one.digest, one.submitted_at, json.loads(one.text), yes.by if yes else "", yes.at if yes else None)


def is_due(at: datetime) -> bool:
    """Whether none was made in the last 30 days."""
    made = [one.submitted_at for one in queries.kept(AUDIT)]
    return not made or at - max(made) >= EVERY


def make(settings: Settings, warehouse: Warehouse, documents: Documents, at: datetime) -> Held:
    """Makes an audit of the last 30 days and keeps it.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved ones.
        at: When.
    """
    return keep(settings, facts(settings, warehouse, documents, at), at)


def keep(settings: Settings, found: Mapping[str, Any], at: datetime) -> Held:
    """Keeps what an audit found.

    Args:
        settings: The store's.
        found: From `facts`.
        at: When.
    """
    text = json.dumps(found, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    actions.submit([Submission(f"audit/{local_day(at, settings.timezone)}", AUDIT, text, digest=digest)], at)
    return next(one for one in held() if one.digest == digest)


def sign_off(wanted: str, by: str, at: datetime) -> Held:
    """Records that a person has read an audit and stands for it.

    Args:
        wanted: How its digest begins, or `last`.
        by: Who.
        at: When.

    Raises:
        BadData: There is no such audit, or it was signed off before.
    """
    found = named(wanted)
    actions.sign_off(found.digest, by, at)
    return next(one for one in held() if one.digest == found.digest)


def named(wanted: str) -> Held:
    """The audit that a digest, or its beginning, names.

    Args:
        wanted: At least one character, or `last`.

    Raises:
        BadData: There is none, or there are several.
    """
    every = held()
    found = every[-1:] if wanted == "last" else tuple(one for one in every if one.digest.startswith(wanted))
    if len(found) != 1:
        raise BadData(f"'{wanted}' names {'several audits' if found else 'no audit'}", "Make one with: rekindle audit")
    return found[0]


def facts(settings: Settings, warehouse: Warehouse, documents: Documents, at: datetime) -> dict[str, Any]:
    """What an audit of the last 30 days finds, as plain values.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved ones.
        at: The end of the period.
    """
    period = Period((at - EVERY).replace(tzinfo=None), at.replace(tzinfo=None))
    services = [one.name for one in documents.programs if one.service]
    links = chain.verify(warehouse)
    shown: dict[str, Any] = {
        "since": period.since.isoformat(), "until": period.until.isoformat(),
        "chain": {"plans": len(links), "broken": [one.plan for one in links if not one.good]},
        "log": {"entries": log.head()[0], "broken": [f"{one.what} {one.key[:40]}: {one.why}" for one in log.verify()]},
        "heads": {"log": list(log.head()), "plans": _last_seal(warehouse)},
        "cut": list(_cut(warehouse)),
        "replayed": _replayed(replaying.of_sample(settings, warehouse, period.since)),
        "caps": [_cap(one) for one in conduct.caps_kept(warehouse, documents.rules, documents.offers, services, _ruled(period))],
        "receptions": [_reception(one) for one in conduct.receptions(warehouse, period)],
        "lint": _lint(settings),
        "disparities": _disparities(settings, warehouse, documents, period),
    }
    return {**shown, "findings": list(_findings(shown))}


def _ruled(period: Period) -> Period:
    """The period since the rules are what they are: earlier decisions were bound by others."""
    yes = queries.approved_at("rules.yaml")
    return Period(max(period.since, yes.replace(tzinfo=None)), period.until) if yes and yes.replace(tzinfo=None) < period.until else period


def _last_seal(warehouse: Warehouse) -> list[Any]:
    rows = warehouse.arrow(warehouse.table("seals").order_by(ibis.desc("number")).limit(1)).to_pylist()
    return [rows[0]["number"], rows[0]["seal"]] if rows else [0, ""]


def _cut(warehouse: Warehouse) -> Iterator[str]:
    """Chains that no longer hold what an earlier audit saw as their end: they were cut short."""
    seals = warehouse.table("seals")
    for one in held():
        (entry, seal), (number, plan) = one.facts["heads"]["log"], one.facts["heads"]["plans"]
        if not log.holds(entry, seal):
            yield f"the document log no longer holds what the audit of {one.at:%Y-%m-%d} saw"
        if number and not warehouse.scalar(seals.filter(seals.number == number, seals.seal == plan).count()):
            yield f"the chain of plans no longer holds what the audit of {one.at:%Y-%m-%d} saw"


def _replayed(found: tuple[Replayed, ...]) -> dict[str, Any]:
    untold = Counter(one.why for one in found if one.same is None)
    return {
        "decisions": len(found), "same": sum(one.same is True for one in found), "different": sum(one.same is False for one in found),
        "cannot_tell": dict(sorted(untold.items())),
    }  # fmt: skip


def _cap(one: Kept) -> dict[str, Any]:
    return {
        "cap": one.reason, "words": REASONS[one.reason], "touches": one.touches, "days": one.days, "messages": one.messages,
        "breaches": one.breaches, "customers": one.customers,
    }  # fmt: skip


def _reception(one: Reception) -> dict[str, Any]:
    return {
        "program": one.program, "channel": one.channel, "handed_over": one.handed_over, "complaints": one.complaints,
        "opt_outs": one.opt_outs,
    }  # fmt: skip


def _lint(settings: Settings) -> dict[str, Any]:
    found = linting.examined(settings).findings
    return {
        "errors": sum(one.severity == "error" for one in found), "warnings": sum(one.severity == "warning" for one in found),
        "rules": dict(sorted(Counter(one.rule for one in found).items())),
    }  # fmt: skip


def _disparities(settings: Settings, warehouse: Warehouse, documents: Documents, period: Period) -> list[dict[str, Any]]:
    """How groups of customers fared in the decisions of the period, by the groups that the rules name."""
    published = last_profile(settings, warehouse)
    if documents.rules.fairness is None or published is None:
        return []
    journal = warehouse.table("journal")
    services = [one.name for one in documents.programs if one.service]
    rows = journal.filter(period.holds(journal["as_of"])).mutate(service=journal.program.isin(services or [""]))
    found = fairness.verdicts(warehouse, rows, published.table, documents.rules)
    return [{name: getattr(one, name) for name in ("column", "group", "customers", "words", "passed")} for one in found]


def _findings(shown: Mapping[str, Any]) -> Iterator[str]:
    """What is not as it should be, what was changed behind everybody's back first."""
    yield from (f"plan {plan[:12]} is not what was sealed" for plan in shown["chain"]["broken"])
    yield from shown["log"]["broken"]
    yield from shown["cut"]
    if shown["replayed"]["different"]:
        yield f"{shown['replayed']['different']} of {shown['replayed']['decisions']} decisions come out otherwise"
    for cap in shown["caps"]:
        if cap["breaches"]:
            yield f"{cap['breaches']} messages were more than {cap['touches']} in {cap['days']} days ({cap['cap']})"
    for one in shown["receptions"]:
        if too_many(one["complaints"], one["handed_over"]):
            yield f"{one['complaints']} of {one['handed_over']} messages of {one['program']} brought a complaint"
    if shown["lint"]["errors"]:
        yield f"the texts have {shown['lint']['errors']} errors"
    yield from (one["words"] for one in shown["disparities"] if not one["passed"])


