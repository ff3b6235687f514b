"""A walk is what plans decide one after another: a little history walked a second time by hand, and its sums and caps counted anew."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from rekindle.decide import openings, paths, walk
from rekindle.history.warehouse import Warehouse
from rekindle.insight.expression import parse
from rekindle.moment import AsOf
from rekindle.program.documents import NOTHING
from rekindle.program.segments import Segment
from tests.decide.by_hand import number
from tests.decide.shop import CLOSING, MONDAY, RECONNECT, ROWS, SHOP, TAILOR, Decider, Row, customer, documents, instant, program
from tests.insight.histories import write

WEEKS = 6
PEOPLE = [f"p{one:02d}" for one in range(24)]
SILENT, BACK, UNHAPPY = "p01", "p03", "p05"
"""One never agreed to hear from us, one orders after ten days and lapses no more, one has a ticket open for the first twelve days."""

STAGES = {
    "reconnect": {**RECONNECT, "arms": {"plain": RECONNECT["arms"]["plain"]}},
    "tailor": {**TAILOR, "arms": {"percent": TAILOR["arms"]["percent"]}},
    "closing": {**CLOSING, "arms": CLOSING["arms"]},
}
DELAYS = {"reconnect": 0, "tailor": 10, "closing": 20}
"""A quarter and a half of everyone's rhythm of 40 days."""

Said = tuple[str, int, str, str | None, str | None]
"""Who, on which day, for which stage, drawn what, or why not."""


def facts(name: str, day: int) -> Row:
    """What history says of a customer on a day."""
    changes: Row = {"average_days_between_orders": 40.0, "timezone": "UTC"}
    if name == SILENT:
        changes["email_consent"] = False
    if name == BACK and day > 10:
        changes |= {"last_order_id": "again", "last_day": (MONDAY + timedelta(days=10)).date(), "lifecycle": "repeat", "overdue": -30}
    if name == UNHAPPY:
        changes["open_ticket"] = day < 12
    return customer(name, **changes)


def by_hand(name: str) -> list[Said]:
    """One customer's way through the weeks."""
    found: list[Said] = []
    stages, since, said = list(STAGES), None, None
    for day in range(0, WEEKS * 7, 7):
        row = facts(name, day)
        if not stages or row["lifecycle"] != "lapsing" or (since is not None and day < since + DELAYS[stages[0]]):
            continue
        reason = "no_consent" if not row["email_consent"] else "open_complaint" if row["open_ticket"] else None
        if reason is not None:
            found += [(name, day, stages[0], None, reason)] if reason != said else []
            said = reason
            continue
        drawn = number(f"back:{stages[0]}:1:{name}:{row['last_order_id']}") < 0.5
        found.append((name, day, stages[0], next(iter(STAGES[stages[0]]["arms"])) if drawn else NOTHING, None))
        since = day
        stages = stages[1:]
    return found


@dataclass(frozen=True)
class Story:
    """Six weeks of 24 customers."""

    warehouse: Warehouse
    question: walk.Question
    rows: list[Row]
    found: paths.Paths
    tables: set[str]


def question(**changes: object) -> walk.Question:
    mine = documents(program(stages=STAGES))
    return replace(walk.Question(mine, SHOP, MONDAY.date(), WEEKS, 7, "UTC"), **changes)


@pytest.fixture(scope="module")
def story(shared_decider: Decider) -> Story:
    warehouse, asked = shared_decider.warehouse, question()
    tables = warehouse.names()

    def profile_at(as_of: AsOf) -> object:
        day = (as_of.day - asked.first).days
        return warehouse.keep(pa.Table.from_pylist([facts(name, day) for name in PEOPLE], schema=ROWS.to_pyarrow()))

    walked = walk.walk(warehouse, asked, profile_at)
    left = {name for name in warehouse.names() - tables if name.startswith("kept_")}
    rows = warehouse.arrow(walked.decisions.order_by("customer_id", "as_of")).to_pylist()
    return Story(warehouse, asked, rows, paths.summarise(warehouse, asked, walked), left)


def test_every_decision_is_the_one_worked_out_by_hand(story: Story) -> None:
    days = {tick.naive: (tick.day - story.question.first).days for tick in story.question.ticks}
    found = {(row["customer_id"], days[row["as_of"]], row["stage"], row["arm"], row["reason"]) for row in story.rows}
    expected = [said for name in PEOPLE for said in by_hand(name)]
    assert found == set(expected)
    assert len(story.rows) == len(expected)
    assert {said[2] for said in expected if said[3] not in (None, NOTHING)} == set(STAGES)  # the story reaches every stage


def test_what_holds_a_customer_back_holds_the_walk_back(story: Story) -> None:
    of = {name: [row for row in story.rows if row["customer_id"] == name] for name in (SILENT, BACK, UNHAPPY)}
    assert [row["reason"] for row in of[SILENT]] == ["no_consent"]  # once, however often it is looked at
    assert [row["stage"] for row in of[BACK]] == ["reconnect"]
    assert [row["reason"] for row in of[UNHAPPY]][:2] == ["open_complaint", None]
    assert of[UNHAPPY][1]["as_of"] == instant(14).naive


def test_the_sums_are_those_of_the_decisions_by_hand(story: Story) -> None:
    said = [one for name in PEOPLE for one in by_hand(name)]
    sent = [one for one in said if one[3] not in (None, NOTHING)]
    found = story.found
    weeks = [Counter(stage for _, day, stage, _, _ in sent if day == 7 * week) for week in range(WEEKS)]
    assert [dict(by) for _, by in found.weeks] == [dict(week) for week in weeks]
    assert [first for first, _ in found.weeks] == [MONDAY.date() + timedelta(weeks=week) for week in range(WEEKS)]
    reached = {name for name, *_ in sent}
    assert (found.audience, found.reached, found.messages) == (len(PEOPLE), len(reached), len(sent))
    assert found.standing == {"treated": found.rounds} == {"treated": len(PEOPLE) - 1}
    last = {name: by_hand(name)[-1] for name in PEOPLE if name not in reached}
    assert found.left_alone == Counter(reason or NOTHING for *_, reason in last.values())
    assert found.refusals == {"no_consent": 1, "open_complaint": 1}
    assert found.longest_messages == max(Counter(name for name, *_ in sent).values()) == 3
    rows = [row for row in story.rows if row["arm"] not in (None, NOTHING) and row["reason"] is None]
    assert found.expected_cost == pytest.approx(sum(row["expected_cost"] for row in rows) / 1000)
    assert found.expected_margin.estimate == pytest.approx(sum(row["expected_margin"] for row in rows) / 1000)
    spreads = Counter()
    for row in rows:
        spreads[row["arm"]] += row["arm_spread"] / 1000
    half = 1.959964 * sum(spread**2 for spread in spreads.values()) ** 0.5
    assert found.expected_margin.high - found.expected_margin.estimate == pytest.approx(half)


def test_the_caps_hold_and_say_how_near_they_came(story: Story) -> None:
    kept = {one.cap: (one.limit, one.most, one.broken) for one in story.found.kept}
    # From reconnect on day 0 to tailor on day 14 and closing 20 days later, the next Monday after: day 35. No 30 days hold all three.
    assert kept == {"touches": (3, 3, 0), "gap": (7, 14, 0), "duration": (120, 35, 0), "store": (9, 2, 0)}
    assert story.found.longest_days == 35


def test_a_walk_writes_nothing_and_leaves_nothing_behind(story: Story) -> None:
    for name in ("journal", "plans", "touches", "transitions"):
        assert story.warehouse.arrow(story.warehouse.table(name)).num_rows == 0
    assert len(story.tables) == 1  # its decisions


def message(name: str, day: float, episode: str = "one", **more: object) -> Row:
    usual: Row = {
        "plan": "", "as_of": instant(day).naive, "send_at": instant(day + 0.4).naive, "customer_id": name, "program": "back",
        "stage": "reconnect", "episode": episode, "entered_at": instant(0).naive, "standing": "treated", "arm": "plain",
        "cost_ceiling": 0, "expected_cost": 0, "expected_margin": 0, "arm_spread": 0, "subsidised": 0,
    }
    return dict.fromkeys(walk.DECISIONS) | usual | more


def summed(warehouse: Warehouse, rows: list[Row], asked: walk.Question) -> paths.Paths:
    decisions = warehouse.keep(pa.Table.from_pylist(rows, schema=ibis.schema(walk.DECISIONS).to_pyarrow()))
    return paths.summarise(warehouse, asked, walk.Walked(decisions, walk.Met(), 1.0))


def test_a_cap_that_did_not_hold_is_named_with_the_paths_that_broke_it(shared_decider: Decider) -> None:
    asked = question(weeks=20, every=1, documents=documents(program(stages=STAGES), caps={"touches": 3, "per": "30d"}))
    rows = [message("four", day) for day in (0, 7, 14, 28)]             # one too many, and the fourth in 30 days
    rows += [message("soon", day) for day in (0, 6)]                     # a day too soon
    rows += [message("spring", 0), message("spring", 7, send_at=instant(7.4).naive - timedelta(hours=1))]  # clocks went forward
    rows += [message("late", day) for day in (0, 130)]                   # beyond 120 days
    rows += [message("two rounds", day, episode) for day, episode in ((0, "one"), (0, "two"), (1, "three"), (2, "four"))]
    rows += [message("in time", day) for day in (0, 30, 60)]
    kept = {one.cap: (one.limit, one.most, one.broken) for one in summed(shared_decider.warehouse, rows, asked).kept}
    assert kept == {"touches": (3, 4, 1), "gap": (7, 6, 1), "duration": (120, 130, 1), "store": (3, 4, 2)}


def test_who_is_left_alone_is_counted_once_by_the_last_word(shared_decider: Decider) -> None:
    none = {"arm": None, "standing": None, "entered_at": None, "send_at": None}
    rows = [
        message("reached", 0), message("reached", 7, arm=None, reason="too_soon"),
        message("alone", 0, **none, reason="no_consent"), message("alone", 7, **none, reason="open_return"),
        message("quiet", 0, arm=NOTHING, send_at=None),
    ]
    found = summed(shared_decider.warehouse, rows, question())
    assert (found.audience, found.reached, found.left_alone) == (3, 1, {"open_return": 1, NOTHING: 1})
    assert found.refusals == {"no_consent": 1, "open_return": 1, "too_soon": 1}


def test_a_late_parcel_that_came_between_two_plans_was_missed_and_nothing_else(decider: Decider) -> None:
    def parcel(name: str, promised: float, delivered: float | None) -> dict[str, object]:
        came = None if delivered is None else instant(delivered).naive
        return {"shipment_id": name, "order_id": name, "customer_id": name, "promised_at": instant(promised).naive, "delivered_at": came}

    parcels = [
        parcel("missed", 1, 6.9), parcel("seen", 1, 7), parcel("at the plan", 7, 9), parcel("in time", 3, 2), parcel("on its way", 8, None),
        parcel("long ago", -3, -1), parcel("after the walk", 15, 16),
    ]  # fmt: skip
    write(decider.warehouse, {"shipments": parcels})
    late = documents(program(stages=STAGES, trigger={"on": "late_delivery", "within": "2d"}))
    assert summed(decider.warehouse, [], question(weeks=2, documents=late)).missed == 2
    assert summed(decider.warehouse, [], question(weeks=2, every=1, documents=late)).missed == 0
    assert summed(decider.warehouse, [], question(weeks=2)).missed == 0


@pytest.mark.parametrize("moment", openings.TRIGGERS)
def test_a_walk_s_plans_read_no_other_column_of_a_profile(shared_decider: Decider, moment: str) -> None:
    ahead = {"ahead": "7d"} if moment in ("run_out", "credit", "anniversary", "birthday") else {}
    asked = question(documents=documents(program(stages=STAGES, trigger={"on": moment, **ahead})), weeks=1)
    warehouse, rows = shared_decider.warehouse, [facts(name, 0) for name in PEOPLE]
    whole = warehouse.keep(pa.Table.from_pylist(rows, schema=ROWS.to_pyarrow()))
    some = [name for name in ROWS.names if name in asked.columns]
    assert len(some) < len(ROWS) / 2
    found, narrow = (walk.walk(warehouse, asked, lambda _, table=table: table).decisions for table in (whole, whole.select(*some)))
    assert warehouse.arrow(narrow.order_by("customer_id")).equals(warehouse.arrow(found.order_by("customer_id")))
    if moment == "lapse":
        assert warehouse.scalar(found.count()) == len(PEOPLE)


def test_the_rules_of_segments_are_read_too() -> None:
    plain = question()
    rule = parse("price_sensitive > 0.5", {"price_sensitive": "float"})
    segment = Segment.model_construct(name="bargains", rule=rule)
    assert replace(plain, documents=replace(plain.documents, segments=(segment,))).columns == plain.columns | {"price_sensitive"}


def test_where_nobody_is_due_the_walk_says_whom_it_looked_at(shared_decider: Decider) -> None:
    warehouse = shared_decider.warehouse
    rows = [facts(PEOPLE[0], 0), {**facts(PEOPLE[2], 0), "lifecycle": "repeat"}, {**facts(PEOPLE[4], 0), "last_order_id": None}]

    def profile_at(_: AsOf) -> object:
        return warehouse.keep(pa.Table.from_pylist(rows, schema=ROWS.to_pyarrow()))

    slow = {**STAGES["reconnect"], "delay": {"rhythm": 0.0, "at_least": "365d"}}
    asked = question(documents=documents(program(stages={"reconnect": slow})), weeks=1)
    walked = walk.walk(warehouse, asked, profile_at)
    assert walked.met == walk.Met(opened=2, fitting=2, both=1)
    found = paths.summarise(warehouse, asked, walked)
    assert (found.audience, found.messages, found.longest_messages, found.expected_cost) == (0, 0, 0, 0)
    assert [one.most for one in found.kept] == [None] * 4


def test_days_are_the_store_s_and_a_moment_is_answered_at_the_next_plan() -> None:
    asked = question(first=date(2026, 3, 23), weeks=2, timezone="Europe/Berlin")
    assert [tick.naive for tick in asked.ticks] == [datetime(2026, 3, 22, 23), datetime(2026, 3, 29, 22)]  # clocks went forward
    assert len(question(every=1, weeks=2).ticks) == 14
    brief = question(documents=documents(program(trigger={"on": "order", "within": "2d"})))
    assert brief.as_walked().programs[0].trigger.within_days == 7
    assert brief.program.trigger.within_days == 2
