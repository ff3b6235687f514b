"""Segments as of an instant: counted, compared with the instant before, kept as one small file each, and shown as a catalogue.

Knows nothing of how a rule is answered, nor of how the page looks.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from rekindle import money
from rekindle.errors import BadData, CannotTell, UsageError
from rekindle.history.warehouse import Warehouse
from rekindle.insight.event_features import never_had
from rekindle.insight.expression import Expression, nearest
from rekindle.insight.profile import COLUMNS
from rekindle.insight.segments import Segment as Counted
from rekindle.insight.segments import measure
from rekindle.learn.report.segment_facts import Catalogue, Entry, Point
from rekindle.moment import AsOf
from rekindle.program import checking
from rekindle.program.documents import Documents
from rekindle.program.reading import SEGMENTS, Unreadable, read
from rekindle.program.segments import Segment, builds_on, definitions, version
from rekindle.service.flow import documents, insights, worlds
from rekindle.service.flow.insights import label
from rekindle.service.programs import queries
from rekindle.settings import Settings

FOLDER, PAGE = "segments", "segments.html"


def catalogue(settings: Settings, warehouse: Warehouse, held: Documents, as_of: AsOf, publish: bool = True) -> Catalogue:
    """Counts the store's approved segments as of an instant.

    Args:
        settings: The store's.
        warehouse: Its open history.
        held: The approved documents.
        as_of: The instant; the profile is the published snapshot's where there is one.
        publish: Whether the counts are kept, for later instants to be compared with.

    Raises:
        BadData: No segments are approved, or there is no order before the instant.
    """
    if not held.segments:
        raise BadData("no segments are approved", "Write segments.yaml, then: rekindle approve --all. docs/segments.md shows one.")
    return record(settings, warehouse, held, as_of, _profile(settings, warehouse, as_of, publish), publish)


def note(settings: Settings, warehouse: Warehouse, as_of: AsOf, profile: ir.Table) -> Catalogue | None:
    """Keeps the counts of an insight's instant; None where no segments are approved.

    Args:
        settings: The store's.
        warehouse: Its open history.
        as_of: The instant of the profile.
        profile: From `insights.profiles`.
    """
    held = documents.approved(settings) if queries.approved(settings) else None
    return record(settings, warehouse, held, as_of, profile) if held and held.segments else None


def record(
    settings: Settings, warehouse: Warehouse, held: Documents, as_of: AsOf, profile: ir.Table, publish: bool = True
) -> Catalogue:
    """Counts the segments over a profile that is there already, as `insight` and `run` have one.

    Args:
        settings: The store's.
        warehouse: Its open history.
        held: The approved documents.
        as_of: The instant of the profile.
        profile: From `insights.profiles`.
        publish: Whether the counts are kept.
    """
    rules = definitions(held.segments)
    measured = measure(warehouse, profile, rules, as_of)
    never = never_had(warehouse, (call.event for rule in rules.values() for call in rule.calls), as_of)
    held_counts = kept(settings)
    before = [one for one in held_counts if one["as_of"] < as_of.instant.isoformat()]
    entries = tuple(
        _entry(segment, counted, held, before, as_of, never) for segment, counted in zip(held.segments, measured.segments, strict=True)
    )
    latest = datetime.fromisoformat(held_counts[-1]["as_of"]).astimezone(ZoneInfo(as_of.timezone)) if held_counts else None
    found = Catalogue(
        settings.name, settings.currency, settings.locale, as_of, measured.customers, entries, measured.overlaps,
        simulated=worlds.is_simulated(settings), newest=latest if latest and latest > as_of.instant else None,
    )  # fmt: skip
    if publish:
        insights.write_whole(settings.var / FOLDER / f"{label(as_of)}.json", json.dumps(to_json(found), ensure_ascii=False, indent=1))
    return found


def _profile(settings: Settings, warehouse: Warehouse, as_of: AsOf, publish: bool) -> ir.Table:
    """The published snapshot; built anew where there is none, or where one of an earlier Rekindle lacks a column."""
    snapshot = settings.var / "insight" / label(as_of) / "profile.parquet"
    if snapshot.is_file() and set(COLUMNS) <= set((found := warehouse.read_parquet(snapshot)).columns):
        return found
    built, _ = insights.profiles(settings, warehouse, as_of, publish=publish)
    return built.table


def kept(settings: Settings) -> list[dict[str, Any]]:
    """The counts of earlier instants as `to_json` tells them, oldest first; a file that cannot be read is left out."""
    found = (_counts(path, path.stat().st_mtime_ns) for path in (settings.var / FOLDER).glob("*.json"))
    return sorted((one for one in found if one is not None), key=lambda one: str(one["as_of"]))


@lru_cache(maxsize=1_000)
def _counts(path: Path, changed: int) -> dict[str, Any] | None:  # noqa: ARG001  a file that has changed is read anew
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return content if _whole(content) else None


def _whole(content: object) -> bool:
    """Whether a count file has what a history of counts reads."""
    if not isinstance(content, dict) or not isinstance(content.get("as_of"), str) or not isinstance(content.get("segments"), list):
        return False
    return all(isinstance(one, dict) and {"name", "customers", "version"} <= set(one) for one in content["segments"])


def _entry(
    segment: Segment, counted: Counted, held: Documents, before: list[dict[str, Any]], as_of: AsOf, never: frozenset[str]
) -> Entry:
    zone, hashed = ZoneInfo(as_of.timezone), version(segment.name, held.segments)
    earlier = [
        Point(datetime.fromisoformat(one["as_of"]).astimezone(zone), was["customers"], was["version"])
        for one in before
        for was in one["segments"]
        if was["name"] == segment.name
    ]
    now = Point(as_of.instant.astimezone(zone), counted.customers, hashed)
    asked = {call.event: None for rule in builds_on(segment.name, definitions(held.segments)).values() for call in rule.calls}
    return Entry(
        counted, segment.description, segment.rule.text, hashed, segment.owner, segment.valid_from, segment.reviewed, (*earlier, now),
        tuple(event for event in asked if event in never),
    )  # fmt: skip


def refuse_unknown(settings: Settings, held: Documents, name: str) -> None:
    """Sees before any work that a segment of a name is approved.

    Raises:
        BadData: It stands in segments.yaml alone.
        UsageError: There is none.
    """
    approved, written = definitions(held.segments), _written(settings)
    if name in approved:
        return
    if name in written:
        raise BadData(f"the segment '{name}' stands in segments.yaml, but is not approved", "rekindle check, then rekindle approve --all")
    names = frozenset(approved) | written
    otherwise = f"There are {', '.join(approved)}." if approved else "Define it in segments.yaml."
    raise UsageError(f"there is no segment '{name}'", nearest(name, names, otherwise))


def _written(settings: Settings) -> frozenset[str]:
    """The names in the store folder's segments.yaml; none where it cannot be read."""
    try:
        listed = read((settings.root / SEGMENTS).read_bytes()).value.get("segments")
    except (OSError, Unreadable):
        return frozenset()
    return frozenset(listed) if isinstance(listed, dict) else frozenset()


def unapproved(settings: Settings) -> str | None:
    """Why the approved segments are not those of the store folder's segments.yaml; None where they are, or where it is not there."""
    try:
        text = (settings.root / SEGMENTS).read_bytes().replace(b"\r\n", b"\n")
    except OSError:
        return None
    digest = queries.approved(settings).get(SEGMENTS)
    if digest and queries.text_of(digest).encode() == text:
        return None
    lines = [one.line for one in checking.check(settings.root) if one.file == SEGMENTS and one.severity == "error"]
    return f"{SEGMENTS} has a mistake in line {lines[0]}" if lines else f"{SEGMENTS} has changed since it was approved"


def one_of(found: Catalogue, name: str) -> Entry:
    """The entry of a segment that is there."""
    return next(entry for entry in found.entries if entry.name == name)


def to_json(found: Catalogue) -> dict[str, object]:
    """The catalogue as JSON: money in minor units."""
    return {
        "as_of": found.as_of.instant.isoformat(),
        "customers": found.customers,
        "segments": [_entry_json(entry) for entry in found.entries],
        "overlaps": [{"segments": list(pair), "customers": count} for pair, count in found.overlaps.items()],
    }


def one_to_json(found: Catalogue, entry: Entry) -> dict[str, object]:
    """One segment as JSON, with its overlaps."""
    others = [one for one in found.entries if one is not entry]
    overlaps = [{"segment": one.name, "customers": found.both(entry.name, one.name)} for one in others]
    return {"as_of": found.as_of.instant.isoformat(), "customers": found.customers, "segment": _entry_json(entry), "overlaps": overlaps}


def _entry_json(entry: Entry) -> dict[str, object]:
    counted = entry.counted
    return {
        "name": entry.name, "version": entry.version, "owner": entry.owner, "description": entry.description, "rule": entry.rule,
        "valid_from": entry.valid_from.isoformat(), "reviewed": entry.reviewed.isoformat(), "customers": counted.customers,
        "reachable": counted.reachable, "expected_margin": _told(counted.expected_margin), "margin_at_risk": _told(counted.margin_at_risk),
        "change": entry.change, "changed_since": entry.since.isoformat() if entry.since else None,
        "definition_changed": entry.redefined, "events_never_had": list(entry.never_had),
    }


def _told(value: int | CannotTell) -> int | dict[str, str]:
    return {"cannot_tell": value.reason} if isinstance(value, CannotTell) else value


def lines(found: Catalogue, settings: Settings) -> Iterator[str]:
    """The catalogue for people: a line for each segment."""
    yield f"As of          {found.as_of.day} (exclusive): {found.customers:,} customers, {len(found.entries)} segments"
    width = max(len(entry.name) for entry in found.entries) + 2
    for entry in found.entries:
        owner = entry.owner or "nobody"
        lacks = f"; {entry.lacks}" if entry.lacks else ""
        yield f"{entry.name:<{width}}{entry.counted.customers:>9,}   {_change(entry)}; {_stake(entry, settings)}; {owner}{lacks}"


def lines_of_one(found: Catalogue, entry: Entry, settings: Settings, rules: dict[str, Expression]) -> Iterator[str]:
    """One segment for people, with its overlaps."""
    counted = entry.counted
    yield f"Segment        {entry.name}, as of {found.as_of.day}: {entry.description}"
    yield f"Rule           {entry.rule}"
    if parts := ", ".join(call.segment for call in rules[entry.name].segments):
        yield f"Builds on      {parts}"
    dates = f"valid from {entry.valid_from}, last reviewed {entry.reviewed}"
    yield f"Version        {entry.version}, {dates}, owned by {entry.owner or 'nobody'}"
    yield f"Customers      {counted.customers:,} of {found.customers:,}; {counted.reachable:,} agreed to e-mail; {_change(entry)}"
    yield f"At stake       {_stake(entry, settings)}"
    if entry.lacks:
        yield f"Not in data    {entry.lacks}"
    others = sorted(((found.both(entry.name, one.name), one.name) for one in found.entries if one.name != entry.name), reverse=True)
    for both, name in others:
        if both:
            yield f"Also in        {name}: {both:,} ({both / counted.customers:.0%})"
    if not any(both for both, _ in others):
        yield "Also in        no other segment"


def _change(entry: Entry) -> str:
    if entry.change is None or entry.since is None:
        return "counted for the first time"
    redefined = ", defined anew since" if entry.redefined else ""
    return f"{entry.change:+,}" * (entry.change != 0) + "unchanged" * (entry.change == 0) + f" since {entry.since:%Y-%m-%d}{redefined}"


def _stake(entry: Entry, settings: Settings) -> str:
    expected, at_risk = entry.counted.expected_margin, entry.counted.margin_at_risk
    if isinstance(expected, CannotTell) or isinstance(at_risk, CannotTell):
        return "margin at stake cannot be told"
    shown = [money.show(value, settings.currency, whole=True) for value in (expected, at_risk)]
    return f"{shown[0]} expected, {shown[1]} at risk"


def page_path(settings: Settings) -> Path:
    """Where the catalogue page goes."""
    return settings.var / "reports" / PAGE
