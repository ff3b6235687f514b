"""Segments as of an instant: counted, compared with the instant before, kept as one small file each, and shown as a catalogue.

Knows nothing of how a rule is answered, nor of how the page looks.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from rekindle import money
from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.expression import Expression, nearest
from rekindle.insight.profile import COLUMNS
from rekindle.insight.segments import Measured, measure
from rekindle.learn.report.segment_facts import Catalogue, Entry, Point
from rekindle.moment import AsOf
from rekindle.program.documents import Documents
from rekindle.program.segments import Segment, definitions, version
from rekindle.service.flow import documents, insights
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
    measured = measure(warehouse, profile, definitions(held.segments), as_of)
    before = [one for one in _kept(settings) if one["as_of"] < as_of.instant.isoformat()]
    entries = tuple(_entry(segment, at, held, measured, before, as_of) for at, segment in enumerate(held.segments))
    found = Catalogue(settings.name, settings.currency, settings.locale, as_of, measured.customers, entries, measured.overlaps)
    if publish:
        path = settings.var / FOLDER / f"{label(as_of)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(to_json(found), ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(path)
    return found


def _profile(settings: Settings, warehouse: Warehouse, as_of: AsOf, publish: bool) -> ir.Table:
    """The published snapshot; built anew where there is none, or where one of an earlier Rekindle lacks a column."""
    snapshot = settings.var / "insight" / label(as_of) / "profile.parquet"
    if snapshot.is_file() and set(COLUMNS) <= set((found := warehouse.read_parquet(snapshot)).columns):
        return found
    built, _ = insights.profiles(settings, warehouse, as_of, publish=publish)
    return built.table


def _kept(settings: Settings) -> list[dict[str, Any]]:
    """The counts of earlier instants, oldest first; a file that cannot be read is left out."""
    found: list[dict[str, Any]] = []
    for path in sorted((settings.var / FOLDER).glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if isinstance(content, dict) and isinstance(content.get("segments"), list):
            found.append(content)
    return sorted(found, key=lambda one: str(one["as_of"]))


def _entry(
    segment: Segment, at: int, held: Documents, measured: Measured, before: list[dict[str, Any]], as_of: AsOf
) -> Entry:
    zone = ZoneInfo(as_of.timezone)
    counted, hashed = measured.segments[at], version(segment.name, held.segments)
    earlier = [
        Point(datetime.fromisoformat(one["as_of"]).astimezone(zone), was["customers"], was["version"])
        for one in before
        for was in one["segments"]
        if was["name"] == segment.name
    ]
    now = Point(as_of.instant.astimezone(zone), counted.customers, hashed)
    return Entry(
        counted, segment.description, segment.rule.text, hashed, segment.owner, segment.valid_from, segment.reviewed, (*earlier, now)
    )


def one_of(found: Catalogue, name: str) -> Entry:
    """The entry of a segment.

    Raises:
        BadData: There is none of that name.
    """
    entries = {entry.name: entry for entry in found.entries}
    if name not in entries:
        raise BadData(f"there is no segment '{name}'", nearest(name, entries, f"There are {', '.join(entries)}."))
    return entries[name]


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
        "definition_changed": entry.redefined,
    }


def _told(value: int | CannotTell) -> int | dict[str, str]:
    return {"cannot_tell": value.reason} if isinstance(value, CannotTell) else value


def lines(found: Catalogue, settings: Settings) -> Iterator[str]:
    """The catalogue for people: a line for each segment."""
    yield f"As of          {found.as_of.day} (exclusive): {found.customers:,} customers, {len(found.entries)} segments"
    width = max(len(entry.name) for entry in found.entries) + 2
    for entry in found.entries:
        owner = entry.owner or "nobody"
        yield f"{entry.name:<{width}}{entry.counted.customers:>9,}   {_change(entry)}; {_stake(entry, settings)}; {owner}"


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
    others = sorted(((found.both(entry.name, one.name), one.name) for one in found.entries if one.name != entry.name), reverse=True)
    for both, name in others:
        share = f" ({both / counted.customers:.0%})" if counted.customers else ""
        yield f"Also in        {name}: {both:,}{share}"


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
