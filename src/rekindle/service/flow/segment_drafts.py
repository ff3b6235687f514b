"""A segment being written: whether it can be used, whom it means, and its submission as a new version of segments.yaml.

Knows nothing of pages. What is submitted here waits for a person's yes like any other document.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import ibis.expr.types as ir

from rekindle import moment
from rekindle.errors import CannotTell
from rekindle.history.published import published
from rekindle.insight import purchases
from rekindle.insight.expression import Expression
from rekindle.insight.segments import with_calls
from rekindle.moment import AsOf
from rekindle.program import checking
from rekindle.program.checking import Finding
from rekindle.program.editing import changed
from rekindle.program.reading import SEGMENTS, Place, Value, read_once
from rekindle.program.segments import Segment, builds_on, definitions
from rekindle.service.flow import documents, drafts, snapshots
from rekindle.service.flow.customer_lists import OF_EVENTS, asks_for_events, ranked
from rekindle.service.flow.document_versions import versions
from rekindle.service.flow.drafts import Base
from rekindle.service.programs import queries
from rekindle.settings import Settings

_IN = "in: "
"""What columns that tell segments begin with; no column of a profile does."""

EMPTY = "# What the shop calls its customers. docs/segments.md explains the language; `rekindle segments` counts them.\nsegments: {}\n"


@dataclass(frozen=True, slots=True)
class Draft:
    """A segment as somebody writes it.

    Args:
        name: Its key.
        description: Who that is.
        rule: Whom it means.
        owner: Who answers for it.
    """

    name: str
    description: str
    rule: str
    owner: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What a draft amounts to.

    Args:
        findings: What is wrong with it, errors and warnings; empty where nothing is.
        count: Customers, and those who are in other segments too, the most first; why it cannot be told here; None where it cannot be read.
        text: segments.yaml with it; empty where it cannot be read.
    """

    findings: tuple[Finding, ...]
    count: "Count | CannotTell | None"
    text: str

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What keeps it from being used."""
        return tuple(one for one in self.findings if one.severity == "error")


@dataclass(frozen=True, slots=True)
class Count:
    """Whom a draft means as of the published profiles.

    Args:
        customers: So many.
        everyone: Of so many.
        reachable: Of them, who may be written to by e-mail.
        margin_at_risk: Of them, minor units; why there is none.
        overlaps: Other segments with how many are in both, the most first.
    """

    customers: int
    everyone: int
    reachable: int
    margin_at_risk: int | CannotTell
    overlaps: tuple[tuple[str, int], ...]


def base(settings: Settings) -> Base:
    """The version of segments.yaml that was submitted last, approved or not; an empty one where there is none."""
    return drafts.base(settings, SEGMENTS) if versions(SEGMENTS) else Base("", EMPTY, approved=True)


def approved(settings: Settings) -> tuple[Segment, ...]:
    """The segments that plans go by."""
    return documents.approved(settings).segments if queries.approved(settings) else ()


def segments_of(settings: Settings, text: str) -> tuple[Segment, ...]:
    """The segments of a text, as far as it can be used beside the approved documents."""
    found = _examined(settings, text, None).documents
    return found.segments if found else ()


def tried(settings: Settings, draft: Draft, today: date) -> Tried:
    """Examines a draft as `rekindle check` would, and counts it over the published profiles.

    Args:
        settings: The store's; its ledger is in use.
        draft: What somebody wrote.
        today: The store's day.
    """
    text = _with(base(settings).text, draft, today)
    examined = _examined(settings, text, today)
    mine = tuple(one for one in examined.findings if one.severity == "error" or _about(one, text, draft.name))
    if examined.documents is None:
        return Tried(mine, None, text)
    return Tried(mine, _counted(settings, draft.name, examined.documents.segments), text)


def submit(settings: Settings, draft: Draft, began: str, by: str, at: datetime) -> str:
    """Submits segments.yaml with a draft in it, and gives its version.

    Args:
        settings: The store's; its ledger is in use.
        draft: What somebody wrote.
        began: The version that they began from.
        by: Who.
        at: When.

    Raises:
        Refused: It says nothing new, or somebody submitted another version in between.
        BadData: It cannot be used.
    """
    text = _with(base(settings).text, draft, moment.local_day(at, settings.timezone))
    return drafts.submit(settings, SEGMENTS, text, began, by, at)


def _with(text: str, draft: Draft, today: date) -> str:
    held = read_once(text.encode()).value.get("segments")
    was = held.get(draft.name) if isinstance(held, dict) else None
    said: dict[str, Value] = {"description": draft.description, "rule": draft.rule, "owner": draft.owner, "reviewed": today.isoformat()}
    if not isinstance(was, dict):
        place: Place = ("segments", draft.name)
        return changed(text, {place: {**said, "valid_from": today.isoformat()}})
    dated = said if was.get("rule") == draft.rule else {**said, "valid_from": today.isoformat()}
    return changed(text, {("segments", draft.name, key): value for key, value in dated.items()})


def _examined(settings: Settings, text: str, today: date | None) -> checking.Examined:
    """A text beside the approved documents."""
    question = checking.Question(float(settings.margin), settings.currency, today=today)
    return checking.examine({**drafts.beside(settings), SEGMENTS: text.encode()}, question)


def _about(finding: Finding, text: str, name: str) -> bool:
    """Whether a finding stands within the lines of one segment."""
    lines = read_once(text.encode()).lines
    starts = sorted(line for place, line in lines.items() if len(place) == 2 and place[0] == "segments")
    begins = lines.get(("segments", name), 0)
    ends = next((line for line in starts if line > begins), len(text))
    return finding.file == SEGMENTS and begins <= finding.line < ends


def _counted(settings: Settings, name: str, segments: Iterable[Segment]) -> Count | CannotTell:
    path, as_of = snapshots.profiles(settings.var), snapshots.as_of(settings)
    if path is None or as_of is None:
        return CannotTell("no profiles have been published yet: the first run does")
    rules = definitions(segments)
    if asks_for_events(name, rules):
        return CannotTell(OF_EVENTS)
    asked = {one: rule for one, rule in rules.items() if not asks_for_events(one, rules)}
    if not any(name in builds_on(one, asked) for one in asked if one != name):
        del asked[name]  # so that the others are the same while it is written
    engine, rule, known, file = published(), rules[name], snapshots.summary(settings.var), ranked(path)
    key = "segments", file, file.stat().st_mtime_ns, as_of, tuple(asked.items())
    marked = engine.named(key, lambda: _marked(engine.read_parquet(file), asked, as_of))
    mine = with_calls(engine, marked, [rule], as_of, rules).filter(rule.compile)
    sums = {"reachable": mine.email_consent.cast("int64").sum(), "margin_at_risk": purchases.exact_sum(mine.margin_at_risk)}
    sums |= {f"{_IN}{one}": mine[f"{_IN}{one}"].cast("int64").sum() for one in asked}
    found = {column: value or 0 for column, value in engine.row(mine.aggregate(customers=mine.count(), **sums)).items()}
    unfitted = known["margin_at_risk"].get("cannot_tell")
    at_risk = CannotTell(unfitted) if unfitted else found["margin_at_risk"]
    both = {one: found[f"{_IN}{one}"] for one in asked if one != name}
    overlaps = tuple(sorted(((one, n) for one, n in both.items() if n), key=lambda one: (-one[1], one[0])))
    return Count(found["customers"], known["customers"], found["reachable"], at_risk, overlaps)


def _marked(profiles: ir.Table, rules: Mapping[str, Expression], as_of: AsOf) -> ir.Table:
    """Profiles with a column for each segment, whether the customer is in it."""
    told = with_calls(published(), profiles, rules.values(), as_of, rules)
    return told.mutate(**{f"{_IN}{name}": rule.compile(told) for name, rule in rules.items()})
