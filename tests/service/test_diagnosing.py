"""A store diagnosed whole: what is kept, what is frozen, and that every figure is the one of its part."""

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rekindle import simulate
from rekindle.errors import BadData, CannotTell, UsageError
from rekindle.history.warehouse import open_history
from rekindle.insight.friction_effect import RANK, Effect
from rekindle.learn.diagnosis import Diagnosis, headlines, reasons, to_json
from rekindle.learn.diagnosis.facts import Opportunities
from rekindle.learn.report.figures import Figures
from rekindle.moment import parse_as_of
from rekindle.program.catalogue import scaffold
from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings

configure()

from rekindle.service.flow import diagnosing, documents, importing, journeys, opportunities  # noqa: E402  Django must be configured before

END = date(2026, 9, 27)
MORNING = datetime(2026, 9, 27, 6, tzinfo=UTC)
AS_OF = parse_as_of("2026-09-27", "UTC")


@dataclass(frozen=True)
class Store:
    """A simulated store and its diagnosis."""

    settings: Settings
    found: Diagnosis
    again: Opportunities
    later: Opportunities
    way: journeys.Journey
    lapsed: journeys.Segment
    page: str


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("marigold")
    world = simulate.simulate(root, 600, 24, 7, END)
    (root / "var" / "identity.key").write_text("5a" * 32)
    settings = Settings(root=root, name="Marigold", sources=({"file": "var/inbox/*.parquet", "map": world.mapping.name},))
    use_ledger(settings)
    scaffold(root, "Ada", "EUR", END)
    documents.approve_all(settings, "Ada", MORNING)
    with open_history(settings.history, root) as warehouse:
        importing.take_in_changed(settings, warehouse, MORNING)
        asked = diagnosing.Question(settings, warehouse, AS_OF)
        found = diagnosing.diagnose(asked)
        page = diagnosing.page_path(settings).read_text(encoding="utf-8")
        profile, held = warehouse.read_parquet(root / "var/insight/2026-09-27/profile.parquet"), documents.approved(settings)
        fewer = profile.filter(~profile.sms_consent)
        again = opportunities.opportunities(settings, warehouse, fewer, held, AS_OF, publish=True)
        later = opportunities.opportunities(settings, warehouse, fewer, held, parse_as_of("2026-10-04", "UTC"), publish=False)
        causes = pq.read_table(root / "var/diagnosis/2026-09-27/causes.parquet").to_pylist()
        some = next(row["customer_id"] for row in causes if row["cause"] == "late_delivery" and row["place"] == 1)
        way, lapsed = journeys.of_customer(asked, some), journeys.of_segment(asked, "lifecycle=lapsed")
        with pytest.raises(BadData):
            journeys.of_customer(asked, "nobody")
        with pytest.raises(UsageError, match="lifecycle=prospect"):
            journeys.of_segment(asked, "lifecycle=gone")
    from django.db import connection

    connection.close()
    return Store(settings, found, again, later, way, lapsed, page)


def test_frictions_are_told_or_say_why_not(store: Store) -> None:
    assert [one.kind for one in store.found.frictions] == list(RANK)
    for one in store.found.frictions:
        assert isinstance(one.effect, Effect) or one.effect.reason
        assert isinstance(one.effect, CannotTell) == isinstance(one.at_stake, CannotTell)
    late = next(one for one in store.found.frictions if one.kind == "late_delivery")
    assert isinstance(late.effect, Effect)
    assert not isinstance(late.at_stake, CannotTell)
    worth = late.at_stake.estimate / late.effect.difference.estimate
    assert late.at_stake.low == pytest.approx(worth * late.effect.difference.low)
    assert 0 < late.customers <= late.effect.purchases


def test_causes_and_last_steps_are_of_all_who_slip_away(store: Store) -> None:
    found = store.found
    assert sum(one.customers for one in found.causes) == found.slipping == sum(one.customers for one in found.dropoffs)
    kept = pq.read_table(store.settings.var / "diagnosis/2026-09-27/causes.parquet").to_pylist()
    first = Counter(row["cause"] for row in kept if row["place"] == 1)
    assert {one.kind: one.customers for one in found.causes if one.kind != "unknown"} == first
    assert all(one.any_place >= one.customers for one in found.causes if one.kind != "unknown")
    stopped = pq.read_table(store.settings.var / "diagnosis/2026-09-27/dropoffs.parquet")
    assert stopped.num_rows == found.slipping
    assert stopped.column_names == ["customer_id", "dropoff_step", "dropoff_at", "dropoff_fact"]


def test_the_audit_adds_up_to_the_files(store: Store) -> None:
    table = pq.read_table(next(Path(store.settings.root, "var", "inbox").glob("orders-*.parquet")))
    net = round(sum(float(value.as_py()) for value in table["total"]) * 100)
    for one in store.found.audits.values():
        assert one.differences == {}
        assert (one.total.orders, one.total.net, one.total.lines_amount, one.unlike) == (table.num_rows, net, net, 0)


def test_time_to_return_is_drawn_by_category(store: Store) -> None:
    assert "Coffee & Tea" in store.found.by_category
    told = [one for one in store.found.by_category.values() if not isinstance(one, CannotTell)]
    assert len(told) == len(store.found.by_category) == 8
    assert all(one.returned < one.spells for one in told)
    assert store.found.by_offer == {}


def test_the_first_ranking_of_an_instant_stands(store: Store) -> None:
    """Fewer customers make another ranking; the one on file stays, and the difference is said."""
    first, again = store.found.opportunities, store.again
    assert (first.frozen, first.differs, first.earlier, first.came) == (True, False, "", ())
    assert (again.ranking, again.frozen, again.differs) == (first.ranking, True, True)
    path = store.settings.var / "diagnosis/2026-09-27/opportunity.json"
    assert opportunities.read(path) == first.ranking
    assert json.loads(path.read_text())["digest"] == first.ranking.digest
    assert sum(row.customers for row in first.ranking.rows) == store.found.slipping
    assert sum(row.incremental_margin for row in first.ranking.rows) > 0


def test_a_later_look_holds_the_ranking_against_what_came(store: Store) -> None:
    later = store.later
    assert (later.frozen, later.earlier) == (False, store.found.opportunities.ranking.as_of)
    assert {one.cohort for one in later.came} == {row.cohort for row in store.found.opportunities.ranking.rows}
    assert all(isinstance(one.measured, CannotTell) for one in later.came)
    assert not (store.settings.var / "diagnosis/2026-10-04").exists()


def test_a_ranking_that_was_changed_on_file_is_refused(store: Store, tmp_path: Path) -> None:
    text = (store.settings.var / "diagnosis/2026-09-27/opportunity.json").read_text()
    changed = tmp_path / "opportunity.json"
    changed.write_text(text.replace('"reachable": ', '"reachable": 1', 1))
    with pytest.raises(BadData, match="changed after it was frozen"):
        opportunities.read(changed)
    changed.write_text(text[:40])
    with pytest.raises(BadData, match="cannot be read"):
        opportunities.read(changed)


def test_one_customer_has_causes_with_ids_and_a_way_that_ends_at_the_last_step(store: Store) -> None:
    way = store.way
    assert (way.causes[0]["place"], way.causes[0]["cause"]) == (1, "late_delivery")
    shipments = {str(row["fact"]) for row in way.steps if row["step"] == "delivered_late"}
    assert set(str(way.causes[0]["evidence"]).split(", ")) & shipments
    assert way.dropoff["dropoff_fact"] in {row["fact"] for row in way.steps}
    said = journeys.customer_json(way)
    assert str(said["mermaid"]).startswith("timeline\n    section 20")
    assert [line for line in journeys.customer_lines(way) if line.startswith("Stopped")]


def test_a_segment_has_a_funnel_that_narrows_by_purchases(store: Store) -> None:
    lapsed = store.lapsed
    assert lapsed.members == lapsed.funnel["ordered"] >= lapsed.funnel["ordered_twice"] >= lapsed.funnel["ordered_four_times"] > 0
    assert sum(lapsed.dropoffs.values()) == sum(lapsed.causes.values()) == lapsed.members
    assert any("Received an order" in line for line in journeys.segment_lines(lapsed))


def test_the_page_needs_nothing_but_itself_and_says_what_was_found(store: Store) -> None:
    page = store.page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert page.count('class="wide"') == page.count('class="narrow"') >= 4
    for words in ("Late delivery", "placebo", "Still away", "to the cent", store.found.opportunities.ranking.digest[:16]):
        assert words in page


def test_a_misleading_placebo_is_said_everywhere(store: Store) -> None:
    late = next(one for one in store.found.frictions if one.kind == "late_delivery")
    assert isinstance(late.effect, Effect)
    off = replace(late.effect, ratio=replace(late.effect.ratio, low=1.2, estimate=1.5, high=1.9))
    misled = replace(store.found, frictions=(replace(late, effect=off, placebo=off),))
    section = reasons.friction_section(misled, Figures("EUR", "en"))
    assert "do not believe it" in section
    assert "No friction is shown" in section
    assert any("not to be believed" in line for line in headlines(misled))
    assert to_json(misled)["frictions"][0]["misled"] is True


def test_json_has_no_number_that_is_none(store: Store) -> None:
    text = json.dumps(to_json(store.found))
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text) == json.loads((store.settings.var / "diagnosis/2026-09-27/diagnosis.json").read_text(encoding="utf-8"))
