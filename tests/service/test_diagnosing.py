"""A store diagnosed whole: what is kept, what is frozen, and that every figure is the one of its part."""

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis import memtable

from rekindle import simulate
from rekindle.errors import BadData, CannotTell, UsageError
from rekindle.history.warehouse import open_history
from rekindle.insight.friction_effect import RANK, Effect
from rekindle.insight.models import Interval
from rekindle.insight.opportunity import Opportunity, Ranking
from rekindle.insight.reactivation import kaplan_meier
from rekindle.learn.diagnosis import Diagnosis, gains, headlines, reasons, to_json
from rekindle.learn.diagnosis.facts import Opportunities
from rekindle.learn.report.figures import Figures
from rekindle.moment import parse_as_of
from rekindle.program.catalogue import scaffold
from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings
from tests.insight.histories import history

configure()

from rekindle.service.flow import diagnosing, documents, importing, journeys, opportunities  # noqa: E402  Django must be configured before

END = date(2026, 9, 27)
MORNING = datetime(2026, 9, 27, 6, tzinfo=UTC)
AS_OF = parse_as_of("2026-09-27", "UTC")
EVENING = [datetime(2026, 3, 1, hour) for hour in (14, 16)]
LATE = pa.table({"customer_id": ["a", "b"], "group": ["credit"] * 2, "at": pa.array(EVENING, pa.timestamp("us"))})
"""Two messages of one day in UTC: in Tokyo the second is of the next day."""

PLANS_MADE = pa.table(
    {
        "plan": ["rehearsed", "launched", "later"], "as_of": pa.array([datetime(2026, 8, day) for day in (1, 10, 17)], pa.timestamp("us")),
        "rehearsal": [True, False, False], "decisions": [3, 3, 3],
    }
)


@dataclass(frozen=True)
class Store:
    """A simulated store and its diagnosis."""

    settings: Settings
    found: Diagnosis
    again: Opportunities
    later: Opportunities
    way: journeys.Journey
    tokyo: journeys.Journey
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
        with pytest.raises(UsageError, match="there is no group") as unknown:
            journeys.of_segment(asked, "lifecycle=gone")
        assert unknown.value.remedy.startswith("Write lifecycle= and one of prospect, ")
        with pytest.raises(UsageError, match="there is no segment") as misspelt:
            journeys.of_segment(asked, "slipping_high_valu")
        assert misspelt.value.remedy == "Did you mean 'slipping_high_value'?"
        named = journeys.of_segment(asked, "slipping_high_value")
        high = profile.filter(profile.value_tier == "high", profile.lifecycle.isin(("lapsing", "lapsed")))
        assert named.members == warehouse.scalar(high.count()) > 0
        by_day = diagnosing._by_day(replace(asked, as_of=replace(AS_OF, timezone="Asia/Tokyo")), memtable(LATE))
        assert sorted(row["day"] for row in warehouse.arrow(by_day).to_pylist()) == [date(2026, 3, 1), date(2026, 3, 2)]
        tokyo = journeys.of_customer(replace(asked, as_of=replace(AS_OF, timezone="Asia/Tokyo")), some)
    from django.db import connection

    connection.close()
    return Store(settings, found, again, later, way, tokyo, lapsed, page)


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


def test_what_came_is_held_against_the_ranking_from_before_the_launch(tmp_path: Path) -> None:
    """Rankings of three Sundays, a rehearsal on the first, the launch on the second; one that is damaged is left out with a note."""
    settings = Settings(root=tmp_path, name="Shop")
    days = ("2026-08-02", "2026-08-09", "2026-08-16")
    for day in days:
        at = parse_as_of(day, "UTC")
        opportunities._write_once(settings.var / "diagnosis" / day / "opportunity.json", Ranking(at.instant.isoformat(), "Stated.", ()))
    with history(tmp_path) as warehouse:
        earlier = partial(opportunities._earlier, settings, warehouse, parse_as_of("2026-08-23", "UTC"))
        assert _of(earlier()) == ("2026-08-16", False, 0)
        warehouse.insert("plans", PLANS_MADE)
        assert _of(earlier()) == ("2026-08-09", False, 0)
        (settings.var / "diagnosis/2026-08-09/opportunity.json").write_text("{")
        assert _of(earlier()) == ("2026-08-02", False, 1)
        (settings.var / "diagnosis/2026-08-02/opportunity.json").unlink()
        assert _of(earlier()) == ("2026-08-16", True, 1)


def _of(found: tuple[Ranking | None, bool, tuple[str, ...]]) -> tuple[str, bool, int]:
    assert found[0] is not None
    return found[0].as_of[:10], found[1], len(found[2])


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
    digest = store.found.opportunities.ranking.digest
    for words in ("Late delivery", "placebo", "Still away", "to the cent", f"{digest[:12]}, as of 27 September 2026", "Used / seen: "):
        assert words in page


def test_a_misleading_placebo_is_said_everywhere(store: Store) -> None:
    late = next(one for one in store.found.frictions if one.kind == "late_delivery")
    assert isinstance(late.effect, Effect)
    off = replace(late.effect, ratio=replace(late.effect.ratio, low=1.2, estimate=1.5, high=1.9))
    misled = replace(store.found, frictions=(replace(late, effect=off, placebo=off),))
    section = reasons.friction_section(misled, Figures("EUR", "en"))
    assert "do not believe it" in section
    assert "No friction is shown to make customers leave more often. Late delivery looks so, but its placebo is as large" in section
    assert any("not to be believed" in line for line in headlines(misled))
    assert to_json(misled)["frictions"][0]["misled"] is True


def words_of(html: str) -> str:
    return re.sub("<[^>]+>", "", html)


def test_a_friction_whose_placebo_is_as_large_is_not_credited(store: Store) -> None:
    """The placebo's interval holds 1, so it does not mislead by itself; but it leaves nothing for the friction."""
    late = next(one for one in store.found.frictions if one.kind == "late_delivery")
    assert isinstance(late.effect, Effect)
    worse, less, wide = (replace(late.effect, ratio=Interval(*ends)) for ends in ((1.3, 1.5, 1.9), (1.1, 1.2, 1.4), (0.9, 1.6, 2.4)))
    first, second = replace(late, effect=worse, placebo=wide), replace(late, kind="return", label="return", effect=less)
    told = replace(store.found, frictions=(first, second))
    section = words_of(reasons.friction_section(told, Figures("EUR", "en")))
    assert "Return is followed by 20 % more lapses than the same purchases would have had without it" in section
    assert "Late delivery looks worse, but its placebo is as large" in section
    lines = list(headlines(told))
    assert any("placebo 1.60 (0.90 to 2.40; 1 is right); its placebo is as large" in line for line in lines)
    few = replace(second, placebo=CannotTell("Only 3."))
    assert any("placebo: too few to tell" in line for line in headlines(replace(told, frictions=(few,))))


def test_what_was_not_followed_for_long_enough_is_not_headlined(store: Store) -> None:
    """A curve of 26 days says nothing of day 90, in the heading and in the table; offers are named in words."""
    days = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 26.0])
    young = kaplan_meier(days, np.array([1.0, 1, 1, 1, 1, 0]), np.array([0.0, 0, 0, 0, 0, 9]))
    long = kaplan_meier(np.append(days, 100.0), np.array([1.0, 1, 1, 1, 1, 0, 0]), np.array([0.0] * 6 + [90]))
    figures = Figures("EUR", "en")
    found = replace(store.found, by_category={"Tea": young, "Toys": long}, by_offer={"none": young, "early_access": young})
    section = words_of(gains.return_section(found, figures))
    assert "Toys: 5 % are back 90 days after a lapse began" in section
    assert "cannot tell: followed for 26 days so far" in section
    assert "Message without an offer" in section
    assert "Early access" in section
    assert "early_access" not in section
    alone = gains.return_section(replace(found, by_category={"Tea": young}), figures)
    assert "cannot be told: followed for 26 days so far" in alone


def test_each_opportunity_says_what_a_customer_is_worth_and_what_is_assumed_alike(store: Store) -> None:
    reachable = {"other": 10, "long_inactive": 4}
    rows = tuple(Opportunity(cohort, "mid", 12, people, 50_000, 20_000, 1_000) for cohort, people in reachable.items())
    held = replace(store.found.opportunities, ranking=Ranking(AS_OF.instant.isoformat(), "Stated.", rows))
    section = gains.opportunity_section(replace(store.found, opportunities=held), Figures("EUR", "en"))
    assert "EUR 10 · EUR 1.00 each · 10 of 12 reachable" in section
    assert "EUR 10 · EUR 2.50 each · 4 of 12 reachable" in section
    assert "The same 0.02 extra orders are assumed of every customer" in section


def test_the_last_steps_that_are_not_listed_are_counted(store: Store) -> None:
    line = next(line for line in headlines(store.found) if line.startswith("Last step"))
    counted = [int(part.rsplit(" ", 1)[1].replace(",", "")) for part in line.removeprefix("Last step").strip().split(", ")]
    assert ", other " in line
    assert sum(counted) == store.found.slipping


def test_times_of_a_journey_are_the_stores(store: Store) -> None:
    assert [step["at"] for step in store.way.steps] == [step["at"] for step in store.tokyo.steps]
    assert {str(step["at"])[-6:] for step in store.tokyo.steps} == {"+09:00"}
    assert str(store.tokyo.dropoff["dropoff_at"]).endswith("+09:00")
    facts = [fact for cause in store.way.causes for fact in cause["facts"]]
    assert {fact["fact"] for fact in facts} == {one for cause in store.way.causes for one in cause["evidence"].split(", ")}
    ordered = max(step["at"] for step in store.way.steps if step["step"] == "ordered")
    assert all(fact["day"] >= ordered.date() for fact in facts if not fact["before_last_order"])
    said = replace(store.way, causes=({**store.way.causes[0], "facts": [{"fact": "event E1", "day": END, "before_last_order": True}]},))
    assert "Cause 1        late delivery (event E1 on 2026-09-27, before the last order)" in list(journeys.customer_lines(said))


def test_json_has_no_number_that_is_none(store: Store) -> None:
    text = json.dumps(to_json(store.found))
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text) == json.loads((store.settings.var / "diagnosis/2026-09-27/diagnosis.json").read_text(encoding="utf-8"))
