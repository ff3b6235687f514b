"""Segments as of several instants: counted, kept, compared, and shown."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from rekindle.errors import BadData, UsageError
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.profile import COLUMNS
from rekindle.learn.report.segment_facts import Catalogue
from rekindle.learn.report.segment_page import render_segments
from rekindle.moment import AsOf
from rekindle.program.checking import assemble
from rekindle.program.documents import Documents
from rekindle.program.segments import Segment, definitions
from rekindle.service.flow import segments as flow
from rekindle.service.flow.insights import label
from rekindle.settings import Settings
from tests.insight.histories import order, write
from tests.program.store import Store

LAST = datetime(2026, 5, 1, 12)
MARCH, MAY = (AsOf(datetime(2026, month, 3, tzinfo=UTC), "UTC", shifted=True) for month in (3, 5))


def segment(name: str, rule: str, description: str = "Some") -> Segment:
    known = {"description": description, "owner": "Ada", "valid_from": date(2026, 1, 1), "reviewed": date(2026, 1, 2)}
    return Segment.model_validate({"(name)": name, "rule": rule, **known})


@pytest.fixture
def held(tmp_path: Path) -> Documents:
    root = tmp_path / "documents"
    root.mkdir()
    texts = {path: (Store(root).root / path).read_bytes() for path in ("offers.yaml", "rules.yaml", "programs/win-back.yaml")}
    chosen = (segment("buyers", "orders > 0"), segment("often", "count('Order Completed', within='60d') >= 2", "<b>Often</b> & more"),
              segment("both", "in_segment('often') and orders < 100"))  # fmt: skip
    return replace(assemble(texts), segments=chosen)


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    with open_history(store.history, store.root) as opened:
        made = [(n, at) for n in range(20) for at in range(n % 5 + 1)]
        write(opened, {"orders": [order(f"o{n}-{at}", f"c{n}", LAST - timedelta(days=at * (5 * n + 6)), 2_000 + n) for n, at in made]})
        yield opened


def counted(store: Settings, warehouse: Warehouse, held: Documents, as_of: AsOf, publish: bool = True) -> Catalogue:
    """A count over a snapshot that is as small as can be: to fit models is not what these tests are about."""
    snapshot = store.var / "insight" / label(as_of) / "profile.parquet"
    if not snapshot.exists():
        known = [{**dict.fromkeys(COLUMNS), "customer_id": f"c{n}", "orders": n % 5 + 1, "email_consent": n % 2 == 0} for n in range(20)]
        warehouse.write_parquet(warehouse.keep(pa.Table.from_pylist(known, schema=ibis.schema(COLUMNS).to_pyarrow())), snapshot)
    return flow.catalogue(store, warehouse, held, as_of, publish)


def often(rows: list[tuple[str, datetime]], as_of: AsOf) -> int:
    recent = [who for who, at in rows if as_of.naive - timedelta(days=60) < at < as_of.naive]
    return sum(recent.count(who) >= 2 for who in set(recent))


def test_counts_are_kept_and_compared(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    orders = warehouse.arrow(warehouse.table("orders")).to_pylist()
    rows = [(row["customer_id"], row["ordered_at"]) for row in orders]
    later = counted(store, warehouse, held, MAY)
    first = counted(store, warehouse, held, MARCH)
    assert [entry.change for entry in (*later.entries, *first.entries)] == [None] * 6
    again = counted(store, warehouse, held, MAY)
    was, now = often(rows, MARCH), often(rows, MAY)
    assert was != now
    entry = flow.one_of(again, "often")
    assert (entry.counted.customers, entry.change, entry.since, entry.redefined) == (now, now - was, MARCH.instant, False)
    assert [(point.at, point.customers) for point in entry.history] == [(MARCH.instant, was), (MAY.instant, now)]
    assert sorted(path.name for path in (store.var / "segments").iterdir()) == ["2026-03-03.json", "2026-05-03.json"]
    assert json.loads((store.var / "segments/2026-05-03.json").read_text()) == flow.to_json(again)
    assert (again.both("often", "both"), again.both("buyers", "often")) == (now, now)


def test_a_new_definition_is_told_apart(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    counted(store, warehouse, held, MARCH)
    other = replace(held, segments=(held.segments[0], segment("often", "count('Order Completed', within='60d') >= 3"), held.segments[2]))
    found = counted(store, warehouse, other, MAY, publish=False)
    assert {entry.name: entry.redefined for entry in found.entries} == {"buyers": False, "often": True, "both": True}
    assert "defined anew since" in "\n".join(flow.lines(found, store))
    assert not (store.var / "segments/2026-05-03.json").exists()


def test_the_snapshot_is_used_where_it_is_whole(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    counted(store, warehouse, held, MAY)
    snapshot = store.var / "insight/2026-05-03/profile.parquet"
    few = warehouse.keep(warehouse.arrow(warehouse.read_parquet(snapshot)).slice(0, 4))
    warehouse.write_parquet(few, snapshot)
    assert counted(store, warehouse, held, MAY).customers == 4
    warehouse.write_parquet(few.select("customer_id"), snapshot)
    found = counted(store, warehouse, held, MAY)
    assert (found.customers, found.entries[0].counted.customers) == (20, 20)


def test_what_is_no_count_is_left_out(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    (store.var / "segments").mkdir(parents=True)
    for name, text in {"a": "", "b": "[]", "c": '{"segments": 1}'}.items():
        (store.var / "segments" / f"{name}.json").write_text(text)
    assert counted(store, warehouse, held, MAY).entries[0].change is None


def test_without_segments_there_is_nothing_to_count(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    with pytest.raises(BadData, match="no segments are approved"):
        flow.catalogue(store, warehouse, replace(held, segments=()), MAY)


class Seen(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_stands_alone_and_says_everything(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    counted(store, warehouse, held, MARCH)
    found = counted(store, warehouse, held, MAY)
    page = render_segments(found)
    assert page == render_segments(found)
    seen = Seen(page)
    assert "<b>Often</b> & more" in seen.words
    for entry in found.entries:
        for said in (entry.rule, entry.version, entry.owner, "2 January 2026", f"{entry.counted.customers:,}"):
            assert said in seen.words
    assert sum(tag == "svg" for tag, _ in seen.tags) == 2 * len(found.entries)
    assert not [tag for tag, _ in seen.tags if tag in ("script", "img", "link", "iframe")]
    links = [known["href"] for _, known in seen.tags if known.get("href")]
    assert all(link and link.startswith("#") for link in links)
    assert {f"#{known['id']}" for _, known in seen.tags if known.get("id")} >= set(links)
    assert "://" not in page


def test_one_segment_for_people_and_as_json(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    found = counted(store, warehouse, held, MAY, publish=False)
    entry = flow.one_of(found, "both")
    told = list(flow.lines_of_one(found, entry, store, definitions(held.segments)))
    assert told[2] == "Builds on      often"
    assert told[-1].startswith("Also in        ")
    shown = flow.one_to_json(found, entry)
    assert shown["overlaps"] == [{"segment": name, "customers": found.both("both", name)} for name in ("buyers", "often")]
    with pytest.raises(UsageError, match="Did you mean 'often'"):
        flow.refuse_unknown(store, held, "oftn")


def test_a_segment_may_be_called_as_the_page_calls_its_parts(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    named = replace(held, segments=(segment("all", "orders > 0"), segment("overlaps", "orders > 1")))
    ids = [known["id"] for _, known in Seen(render_segments(counted(store, warehouse, named, MAY, publish=False))).tags if known.get("id")]
    assert len(ids) == len(set(ids))
    assert {"all", "overlaps", "segment-all", "segment-overlaps"} <= set(ids)


def test_the_page_of_a_simulated_store_says_so(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    found = counted(store, warehouse, held, MAY, publish=False)
    assert "Simulated." not in render_segments(found)
    (store.var / "truth").mkdir(parents=True)
    assert "Simulated." in render_segments(counted(store, warehouse, held, MAY, publish=False))


def test_what_a_segment_builds_on_may_lack_events_too(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    asked = (segment("a", "count('Cart Viewed') > 0 or last('Ticket Opened') < 9"), segment("b", "in_segment('a') and orders > 0"))
    found = counted(store, warehouse, replace(held, segments=(*asked, segment("c", "count('Order Completed') > 1"))), MAY, publish=False)
    told = "your data has no 'Cart Viewed' or 'Ticket Opened' events"
    assert [entry.lacks for entry in found.entries] == [told, told, ""]
