"""A shop thinks of a program of its own and walks it over its little history; here the outcome is worked out by hand, for each customer."""

import csv
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from rekindle.history.warehouse import open_history
from rekindle.program.documents import NOTHING
from tests.cli.shop import make_store
from tests.cli.terminal import Answer, done
from tests.decide.by_hand import number
from tests.insight.histories import Fact, order, write

MONDAY = datetime(2025, 6, 2)
WEEKS = 3
HOLDOUT = 0.05
PEOPLE = [f"c{one:02d}" for one in range(28)]
UNHAPPY = PEOPLE[0]
"""Wrote on Thursday of the first week that something is wrong, and has had no answer."""

PROGRAM = """\
program: hello
version: 1
class: marketing
owner: Ada
review: {due: 2031-01-01}
trigger: {on: order, within: 7d}
audience: {enter: orders >= 2, reenter: {not_before: 0d}}
exit: [order, opt_out, erasure]
control: 0
caps: {touches: 2, gap: 7d, duration: 30d, price_offers: 0, price_offers_per_year: 0}
stages:
  hi:
    goal: {metric: order, within: 30d}
    delay: {rhythm: 0.0}
    content: [thanks, products_named]
    offers: {price: false}
    arms: {hi_there: {offer: none, prior: {mean: 0.01, sd: 0.01}}}
  again:
    goal: {metric: order, within: 30d}
    delay: {rhythm: 0.0, at_least: 7d}
    content: [thanks, products_named]
    offers: {price: false}
    arms: {hi_again: {offer: none, prior: {mean: 0.01, sd: 0.01}}}
"""
ARMS = {"hi": "hi_there", "again": "hi_again"}

Said = tuple[str, str, str, str, str, str]
"""Day, who, for which order, stage, variant, reason."""


def orders(name: str) -> list[tuple[str, datetime]]:
    """Everyone ordered in January. In June some do on the first Wednesday, some of them on Saturday again, some on the second Thursday."""
    turn, wednesday = PEOPLE.index(name) % 4, MONDAY + timedelta(days=2, hours=10)
    june = ([wednesday], [wednesday, wednesday + timedelta(days=3)], [wednesday + timedelta(days=8)], [])[turn]
    return [(f"{name}-{at:%m%d}", at) for at in (datetime(2025, 1, 7, 10), *june)]


@dataclass
class Round:
    """Where a customer stands after one order, by the program's text alone."""

    opened: datetime
    left: list[str] = field(default_factory=lambda: list(ARMS))
    reached: datetime | None = None

    def due(self, at: datetime) -> bool:
        if self.reached is None:
            return at < self.opened + timedelta(days=7)
        return bool(self.left) and at >= self.reached + timedelta(days=7)


def by_hand(name: str) -> list[Said]:
    """What three Mondays decide of one customer."""
    found: list[Said] = []
    rounds: dict[str, Round] = {}
    for monday in (MONDAY + timedelta(weeks=week) for week in range(WEEKS)):
        latest, at = [one for one in orders(name) if one[1] < monday][-1]
        mine = rounds.setdefault(latest, Round(at))
        if not mine.due(monday):
            continue
        where = (f"{monday:%Y-%m-%d}", name, latest, mine.left[0])
        if name == UNHAPPY:
            found.append((*where, "", "open_complaint"))
        elif number(f"holdout:2025:{name}") < HOLDOUT:
            found += [] if any(one[2] == latest for one in found) else [(*where, "", "held_out")]
        else:
            drawn = number(f"hello:{mine.left[0]}:1:{name}:{latest}") < 0.5
            found.append((*where, ARMS[mine.left[0]] if drawn else NOTHING, ""))
            mine.reached = monday
            mine.left.pop(0)
    return found


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, list[dict[str, str]]]:
    folder = tmp_path_factory.mktemp("walk")
    shop = make_store(folder / "corner", "--timezone", "UTC")
    (shop / "programs" / "hello.yaml").write_text(PROGRAM, encoding="utf-8")
    # A walk ends before the day after the last order: one order of somebody else lies after the third week.
    made: list[Fact] = [order("late", "someone else", MONDAY + timedelta(weeks=WEEKS, hours=1), 100)]
    made += [order(name, who, at, 4_000, purchase_day=at.date()) for who in PEOPLE for name, at in orders(who)]
    ticket = {"ticket_id": "t", "customer_id": UNHAPPY, "opened_at": MONDAY + timedelta(days=3)}
    with open_history("duckdb://var/history.duckdb", shop) as warehouse:
        write(warehouse, {"orders": made, "tickets": [ticket]})
    words = ("simulate-program", "hello", "--draft", "--from", f"{MONDAY:%Y-%m-%d}", "--weeks", WEEKS)
    answer = done("--store", shop, *words, "--out", folder / "paths.csv", "--json")
    with (folder / "paths.csv").open(encoding="utf-8", newline="") as file:
        return answer, list(csv.DictReader(file))


def test_every_decision_is_the_one_worked_out_by_hand(walk: tuple[Answer, list[dict[str, str]]]) -> None:
    found = [(row["as_of"][:10], row["customer_id"], row["episode"], row["stage"], row["arm"], row["reason"]) for row in walk[1]]
    expected = [said for name in PEOPLE for said in by_hand(name)]
    assert sorted(found) == sorted(expected)
    assert {said[4] for said in expected} == {"", NOTHING, *ARMS.values()}  # every kind of end is in the story
    assert {said[2][4:] for said in expected} == {"0604", "0607", "0612"}


def test_the_numbers_are_those_of_the_story(walk: tuple[Answer, list[dict[str, str]]]) -> None:
    told, said = walk[0].json, [one for name in PEOPLE for one in by_hand(name)]
    sent = [one for one in said if one[4] in ARMS.values()]
    assert told["messages"] == len(sent)
    assert told["customers"]["due"] == len({one[1] for one in said})
    assert [week["messages"] for week in told["messages_by_week"]] == [
        sum(one[0] == f"{MONDAY + timedelta(weeks=week):%Y-%m-%d}" for one in sent) for week in range(WEEKS)
    ]
    most = max(sum(one[2] == name for one in sent) for name in {one[2] for one in sent})
    assert (told["longest_round"]["messages"], most) == (2, 2)
    assert all(one["held"] for one in told["caps"])
