"""What needs an operator today, the most urgent first: plans and versions that wait, alarms, reviews, fixes, settings still to write.

Knows nothing of pages. Every entry says what to press, and to whom it is shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst

from rekindle import moment
from rekindle.errors import RekindleError
from rekindle.service.config.web import store_in_use
from rekindle.service.console.roles import Role
from rekindle.service.console.stages import named, words_of
from rekindle.service.console.standing import Standing, learned
from rekindle.service.flow import document_versions, documents, placeholders, registering, reviews, snapshots, spending
from rekindle.service.outbox.queries import unknown
from rekindle.service.programs import queries
from rekindle.settings import Settings

BEHIND = "behind"
"""The status of a target that is not met."""


@dataclass(frozen=True, slots=True)
class Todo:
    """Something that waits for somebody.

    Args:
        title: What it is.
        text: Why it matters, a sentence.
        link: Where it is done.
        words: What the button says.
        role: Who can do it, at least.
        privacy: Whether it takes the right to personal data as well.
        urgent: Whether it is an alarm.
    """

    title: str
    text: str
    link: str
    words: str
    role: Role = Role.VIEWER
    privacy: bool = False
    urgent: bool = False


def todo(standing: Standing) -> list[Todo]:
    """Everything that waits."""
    store = store_in_use()
    told = (
        _alarms(learned(store)), _spent(store), _plans(standing), _versions(), _reviews(store), _targets(standing), _fix(store),
        _contacts(standing), _settings(store),
    )  # fmt: skip
    return [one for part in told for one in part]


def _alarms(found: Mapping[str, Any]) -> Iterator[Todo]:
    programs = sorted({named(one["program"]) or "the holdout" for one in found.get("srm", ()) if one["alarm"]})
    if programs:
        text = f"The groups of {', '.join(programs)} are not as large as they were drawn. Do not trust their lift before that is explained."
        yield Todo("A comparison is broken", text, _page("governance"), "Look", urgent=True)
    if leaks := sum((found.get("leaks") or {}).values()):
        text = f"{leaks:,} messages went to customers who were drawn to hear nothing."
        yield Todo("Messages reached the control", text, _page("governance"), "Look", urgent=True)
    if lost := unknown():
        text = f"Of {lost:,} nobody can say whether they were handed over; they are never sent twice."
        yield Todo("Messages with an unknown outcome", text, _page("messages"), "See them", urgent=True)


def _spent(store: Settings) -> Iterator[Todo]:
    for one in spending.each(store, moment.now()):
        if one.spent:
            text = f"{capfirst(spending.words(store, one))}. Nothing more is offered of it, and its codes are refused for now."
            yield Todo("A hard budget is spent", text, reverse("offers"), "Look", urgent=True)


def _plans(standing: Standing) -> Iterator[Todo]:
    for one in standing.waiting:
        text = f"{one.messages:,} messages leave this machine when somebody says yes."
        yield Todo("A plan waits for a yes", text, reverse("plan-one", args=[one.plan[:12]]), "Review proposal", Role.APPROVER)


def _versions() -> Iterator[Todo]:
    for one in document_versions.waiting():
        text = f"Submitted{f' by {one.by}' if one.by else ''}, not yet approved: plans still go by the version before."
        yield Todo(f"Approve: {words_of(one.document)}", text, reverse("documents-one", args=[one.document]), "Review", Role.APPROVER)


def _reviews(store: Settings) -> Iterator[Todo]:
    if not queries.approved(store):
        return
    today = moment.local_day(moment.now(), store.timezone)
    late = [one for one in reviews.due(documents.approved(store)) if one.state(today) in ("overdue", "past its grace")]
    if late:
        names = ", ".join(named(one.program) for one in late[:3]) + (f" and {len(late) - 3} more" if len(late) > 3 else "")
        text = f"{names}: a review was due on {late[0].on:%d %B %Y}. A program that nobody reviews is paused."
        yield Todo("Reviews are overdue", text, _page("reviews"), "Review", Role.APPROVER)


def _targets(standing: Standing) -> Iterator[Todo]:
    for one in standing.targets:
        if one["status"] == BEHIND:
            text = f"{one['shown']} where {one['expected']} is expected; {one['owner']} answers for it."
            yield Todo(f"Behind: {one['words']}{', ' + named(one['program']) if one['program'] else ''}", text, _page("reviews"), "Look")


def _fix(store: Settings) -> Iterator[Todo]:
    found = snapshots.diagnosis(store.var)
    causes = [one for one in (found or {}).get("causes", ()) if one["kind"] in registering.CAUSES]
    if not causes:
        return
    try:
        mended = {one.cause for one in registering.fixes(store)}
    except RekindleError as error:
        yield Todo("content/facts.yaml cannot be used", str(error), _page("causes"), "Look", Role.EDITOR, urgent=True)
        return
    if left := [one for one in causes if one["kind"] not in mended]:
        worst = max(left, key=lambda one: one["customers"])
        text = f"{worst['customers']:,} customers slip away after it. A message may say that it is mended once a fix is registered."
        yield Todo(f"Register a fix for {worst['label']}", text, _page("causes"), "See the evidence", Role.EDITOR)


def _contacts(standing: Standing) -> Iterator[Todo]:
    if standing.rehearsal:
        text = "Nobody's address is known, so every plan is a rehearsal: decided as if consented, and never sent."
        yield Todo("Bring contacts with consent", text, reverse("start-contacts"), "Import contacts", Role.EDITOR, privacy=True)


def _settings(store: Settings) -> Iterator[Todo]:
    said = [*placeholders.warnings(store), *(one.message for one in placeholders.examined(store))]
    if said:
        address = any("postal_address" in one for one in said)
        text = "Every marketing mail carries it. " if address else ""
        more = f"{len(said)} settings still say what the example says." if len(said) > 1 else f"{said[0].partition(':')[0]}."
        title = "Add your postal address" if address else "Finish the shop's settings"
        yield Todo(title, text + more, reverse("shop"), "Write it", Role.ADMIN)


def _page(name: str) -> str:
    """The address of a part of the console; of the first page where a store's edition has none."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return reverse("overview")
