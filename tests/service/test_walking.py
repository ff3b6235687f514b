"""`simulate-program` before a launch: its first plan is that day's plan, the folder's version can be tried, nothing is written."""

import csv
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from rekindle import settings
from rekindle.decide import paths, walk
from rekindle.history.warehouse import open_history
from rekindle.insight.models import Interval
from rekindle.moment import parse_as_of
from rekindle.program.documents import NOTHING
from rekindle.service.config import use_ledger
from rekindle.service.flow import documents, insights, planning, walking
from tests.cli.shop import files, make_store, write_contacts, write_mapping, write_orders
from tests.cli.terminal import Answer, done, typed
from tests.decide.shop import SHOP, program
from tests.decide.shop import documents as these

FIRST = "2025-11-03"
PROGRAM = "win-back"


@dataclass(frozen=True)
class Walked:
    """A walk of two weeks on the command line, and what stood in the folder before and after."""

    folder: Path
    answer: Answer
    rows: list[dict[str, str]]
    before: set[str]
    after: set[str]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    folder = tmp_path_factory.mktemp("walking")
    shop = make_store(folder / "corner", "--timezone", "UTC")
    mapping = write_mapping(folder / "map.yaml")
    done("--store", shop, "import", write_orders(folder / "orders.csv"), "--map", mapping)
    done("--store", shop, "import", write_contacts(folder / "contacts.csv"), "--contacts")
    before, out = files(shop), folder / "paths.csv"
    answer = done("--store", shop, "simulate-program", PROGRAM, "--from", FIRST, "--weeks", 2, "--out", out, "--json")
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Walked(shop, answer, rows, before, files(shop))


def test_the_first_plan_is_the_one_that_a_plan_of_that_day_makes(walked: Walked) -> None:
    """Models are fitted as of that day, so it knows what that day knew; the second plan goes on from it."""
    held = settings.load(walked.folder)
    use_ledger(held)
    with open_history(held.history, held.root) as warehouse:
        as_of = parse_as_of(FIRST, "UTC")
        approved = documents.approved(held)
        alone = replace(approved, programs=(approved.program(PROGRAM),))
        built, _ = insights.profiles(held, warehouse, as_of, publish=False)
        rows = warehouse.arrow(planning.make(held, warehouse, built, alone, as_of, publish=False).plan.rows).to_pylist()
    names = ("customer_id", "stage", "episode", "arm", "reason", "standing")
    planned = {tuple(row[name] or "" for name in names) + (row["expected_margin"],) for row in rows}
    first = [row for row in walked.rows if row["as_of"] == f"{FIRST} 00:00:00"]
    assert {tuple(row[name] for name in names) + (int(row["expected_margin"]),) for row in first} == planned
    assert {row["reason"] for row in first} >= {"no_consent", ""}
    assert len({row["arm"] for row in first}) > 3


def test_the_numbers_are_those_of_the_decisions(walked: Walked) -> None:
    found, rows = walked.answer.json, walked.rows
    sent = [row for row in rows if row["arm"] not in ("", NOTHING) and not row["reason"]]
    assert (found["from"], found["until"], found["weeks"]) == (FIRST, "2025-11-17", 2)
    due, reached = ({row["customer_id"] for row in some} for some in (rows, sent))
    assert found["customers"] == {"due": len(due), "written_to": len(reached), "left_alone": len(due) - len(reached)}
    assert found["messages"] == len(sent) == sum(week["messages"] for week in found["messages_by_week"])
    assert sum(found["customers_left_alone"].values()) == found["customers"]["left_alone"]
    assert found["draws_by_arm"] == Counter(row["arm"] for row in rows if row["arm"] and not row["reason"])
    assert found["messages_by_offer"] == Counter(row["offer"] for row in sent)
    assert found["rounds"]["begun"] == len({(row["customer_id"], row["episode"]) for row in rows if row["standing"]})
    assert found["expected_cost"] == pytest.approx(sum(int(row["expected_cost"]) for row in sent) / 1000)
    assert found["expected_margin"]["low"] < found["expected_margin"]["estimate"] < found["expected_margin"]["high"]
    assert {one["cap"]: one["held"] for one in found["caps"]} == dict.fromkeys(("touches", "gap", "duration", "store"), True)
    assert found["nobody_due"] is None


def test_nothing_is_written(walked: Walked) -> None:
    assert walked.after == walked.before
    held = settings.load(walked.folder)
    with open_history(held.history, held.root) as warehouse:
        assert [warehouse.arrow(warehouse.table(name)).num_rows for name in ("journal", "plans", "transitions", "tiers")] == [0] * 4
        assert not {name for name in warehouse.names() if name.startswith("kept_")}


def test_the_folder_s_version_is_walked_where_it_is_asked_for(walked: Walked) -> None:
    file = walked.folder / "programs" / f"{PROGRAM}.yaml"
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(text.replace("control: 0.10", "control: 0.50"), encoding="utf-8")
        draft = done("--store", walked.folder, "simulate-program", PROGRAM, "--draft", "--from", FIRST, "--weeks", 1, "--json").json
    finally:
        file.write_text(text, encoding="utf-8")
    assert (draft["draft"], walked.answer.json["draft"]) == (True, False)
    assert draft["rounds"]["control"] > 2 * walked.answer.json["rounds"]["control"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["no-such"], 3, "no program 'no-such' is approved"),
        ([PROGRAM, "--version", "000000"], 3, "'000000' names no version"),
        ([PROGRAM, "--version", "000000", "--draft"], 2, "--draft and --version are both given"),
        ([PROGRAM, "--from", "soon"], 2, "'soon' is not a day"),
        ([PROGRAM, "--from", "2024-12-31"], 3, "history has no orders before 2024-12-31"),
        ([PROGRAM, "--from", "2031-01-01"], 3, "no whole week lies between 2031-01-01 and"),
    ],
)
def test_what_cannot_be_walked_is_refused_with_the_reason(walked: Walked, words: list[str], code: int, said: str) -> None:
    answer = typed("--store", walked.folder, "simulate-program", *words)
    assert (answer.code, said in answer.err) == (code, True), answer.err


DAY = date(2026, 3, 2)
QUESTION = walk.Question(these(program()), SHOP, DAY, 3, 7, "UTC")
TOLD = paths.Paths(
    question=QUESTION, audience=1_200, rounds=1_250, standing={"treated": 1_200, "control": 50}, reached=900, messages=1_000,
    weeks=tuple((DAY + timedelta(weeks=week), by) for week, by in enumerate(({"reconnect": 800}, {}, {"reconnect": 150, "tailor": 50}))),
    by_stage={"reconnect": 1_100}, by_arm={"plain": 600, "light": 400, NOTHING: 100},
    by_offer={"reminder": 600, "shipping": 400}, longest_messages=2, longest_days=14,
    cost_ceiling=90_000.0, expected_cost=12_345.6, expected_margin=Interval(-1_000.0, 250_000.0, 501_000.0), subsidised_orders=3.0,
    left_alone={"no_consent": 200, "control": 50, NOTHING: 50}, refusals={"no_consent": 210}, scale=0.5, met=walk.Met(),
    kept=tuple(paths.Kept(*cap) for cap in (("touches", 3, 2, 0), ("gap", 7, 6.0, 3), ("duration", 120, 14, 0), ("store", 9, None, 0))),
)


def said(told: paths.Paths, **changes: object) -> list[str]:
    found = replace(walking.Simulated(told, None, draft=False, rehearsal=False, model=""), **changes)
    return list(walking.lines(found, settings.Settings(root=Path(), name="Corner", sender=SENDER)))


SENDER = {"name": "Corner", "email": "hello@corner.example", "postal_address": "1 Row, Bristol"}


def test_people_read_a_dozen_plain_lines_and_a_chart() -> None:
    assert said(TOLD) == [
        "Walked         back, the approved version: a plan every 7 days from 2026-03-02 to 2026-03-23",
        "Customers      1,200 were due at least once: 900 are written to, 300 are left alone",
        "Rounds         1,250 began, of customers who may be written to: treated 1,200, control 50",
        'Messages       1,000: 600 "What you had", 400 "Free delivery"',
        "By week        █    800 messages in the fullest week",
        "               █",
        "               █ ▆",
        "               2026-03-02 2026-03-16",
        "Longest round  2 messages; 14 days from its beginning to its last message",
        "Cost           of all messages EUR 123.46 expected, at most EUR 900.00; the budget left as little as 50% of the chances",
        "Margin         of all messages EUR 2,500 expected (-EUR 10 to EUR 5,010), assumed until outcomes speak",
        "Left alone     300 customers, each by the last reason: no consent 200, control 50, drawn to hear nothing 50",
        "Cap            at most 3 messages in a round: holds; the most was 2",
        "Cap            at least 7 days between two messages of a round: BROKEN for 3 rounds; the shortest was 6",
        "Cap            at most 120 days from a round's first day to its last message: holds; the longest was 14",
        "Cap            at most 9 messages to a customer in the rules' window: holds; nothing came near",
    ]


@pytest.mark.parametrize(
    ("met", "why"),
    [
        (walk.Met(0, 9, 0), "nothing opened a round (on lapse)"),
        (walk.Met(9, 0, 0), "the audience's rule held for no customer: lifecycle in ('lapsing', 'lapsed') and overdue > 0"),
        (walk.Met(9, 8, 0), "the audience's rule held for up to 8, a round was open (on lapse) for up to 9, never both"),
        (walk.Met(9, 8, 7), "a round was open (on lapse) and the rule held for up to 7, but no stage came due: see its delays"),
    ],
)
def test_a_program_that_reaches_nobody_says_why(met: walk.Met, why: str) -> None:
    assert said(replace(TOLD, audience=0, met=met)) == [
        "Walked         back, the approved version: a plan every 7 days from 2026-03-02 to 2026-03-23",
        f"Customers      nobody was due: {why}",
    ]


def test_what_the_numbers_rest_on_is_said_before_them() -> None:
    brief = replace(QUESTION, documents=these(program(trigger={"on": "order", "within": "2d"})))
    lines = said(replace(TOLD, question=brief), draft=True, rehearsal=True, model="too few orders")
    assert lines[0].startswith("Walked         back, the folder's version: ")
    assert lines[1:4] == [
        "Consent        everyone counts as consented: no contacts are known",
        "Predictions    none: too few orders",
        "Later          plans are 7 days apart, so messages leave up to 7 days after their moment; live, within 2 days",
    ]
    assert not [line for line in lines if line.startswith("Missed ")], "an order waits for the next plan"
    assert said(TOLD, version="0d8ff12083a501c2")[0].startswith("Walked         back, version 0d8ff12083a5: ")
    missed = said(replace(TOLD, question=brief, missed=3))
    assert "Missed         3 late parcels that had arrived when the next plan was made: give --every 1 to miss none" in missed
