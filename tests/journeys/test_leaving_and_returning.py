"""One shop over eight months: who buys leaves the sequence, who lapses again begins another, and all of it can be done over."""

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rekindle.ingest.identity import customer_id_of
from tests.cli.shop import KEY, make_store, write_contacts, write_mapping, write_orders
from tests.cli.terminal import done
from tests.journeys.stores import asked, hashes

START = date(2026, 2, 1)
DAYS = (0, 14, 240)
"""When plans are made, in days from the start."""


@dataclass(frozen=True)
class Tick:
    """What was planned and what became of it."""

    plan: dict[str, Any]
    sent: dict[str, int]


def tick(store: Path, day: date) -> Tick:
    folder = store.parent
    done("--store", store, "import", folder / "orders.csv", "--map", folder / "orders.yaml")
    plan = done("--store", store, "plan", "--as-of", day, "--json").json
    return Tick(plan, done("--store", store, "send", "--as-of", day, "--json").json)


def order(store: Path, buyer: str, day: date) -> None:
    with (store.parent / "orders.csv").open("a", encoding="utf-8") as file:
        file.write(f"{buyer},{day},40.00\n")


def play(store: Path) -> list[Tick]:
    """Eight months: on the fourth day `buyer-4` and `buyer-10` order, and then never again."""
    write_orders(store.parent / "orders.csv")
    done("--store", store, "import", write_contacts(store.parent / "contacts.csv"), "--contacts")
    ticks = [tick(store, START)]
    for buyer in ("buyer-4", "buyer-10"):
        order(store, buyer, START + timedelta(days=3))
    return ticks + [tick(store, START + timedelta(days=day)) for day in DAYS[1:]]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Tick]]:
    """The shop after eight months, and what every run gave."""
    folder = tmp_path_factory.mktemp("shop")
    store = make_store(folder / "corner")
    write_mapping(folder / "orders.yaml")
    return store, play(store)


def decisions(store: Path, buyer: str) -> list[tuple[int, str, str, str | None]]:
    """Day, stage, episode and reason of a customer's rows that were drawn or refused."""
    question = "select as_of, stage, episode, reason from journal where customer_id = ? order by as_of"
    rows = asked(store, question, customer_id_of(buyer, "shop", KEY))
    return [((at.date() - START).days, stage, episode, reason) for at, stage, episode, reason in rows]


def test_nobody_hears_the_same_stage_of_a_round_again(lived: tuple[Path, list[Tick]]) -> None:
    store, ticks = lived
    assert ticks[0].plan["by_stage"].keys() == {"reconnect"}
    drawn = "select customer_id, episode, stage from journal where arm is not null and reason is null"
    assert asked(store, f"{drawn} group by all having count(*) > 1") == []


def test_who_stays_silent_goes_on_to_the_next_stage(lived: tuple[Path, list[Tick]]) -> None:
    store, ticks = lived
    assert ticks[1].plan["by_stage"]["tailor"] > 10
    reached = asked(store, "select customer_id, episode from journal where stage = 'tailor'")
    begun = asked(store, "select customer_id, episode from journal where stage = 'reconnect' and arm is not null")
    assert set(reached) <= set(begun)


@pytest.mark.parametrize("buyer", ["buyer-4", "buyer-10"])
def test_who_buys_leaves_and_who_lapses_again_begins_another_round(lived: tuple[Path, list[Tick]], buyer: str) -> None:
    rows = decisions(lived[0], buyer)
    assert [(day, stage) for day, stage, _, _ in rows] == [(0, "reconnect"), (240, "reconnect")]
    first, second = (episode for _, _, episode, _ in rows)
    assert first != second
    episodes = asked(lived[0], "select order_id, purchase_day from orders where order_id in (?, ?) order by 2", first, second)
    assert [row[0] for row in episodes] == [first, second]
    assert episodes[1][1] == START + timedelta(days=3)


def test_the_same_files_at_the_same_instants_give_the_same_plans(lived: tuple[Path, list[Tick]]) -> None:
    """Everything that Rekindle wrote is erased but the key of customer ids, and done over."""
    store, ticks = lived
    before = hashes(store)
    assert before == [one.plan["hash"] for one in ticks]
    key = (store / "var" / "identity.key").read_bytes()
    shutil.rmtree(store / "var")
    (store / "var").mkdir()
    (store / "var" / "identity.key").write_bytes(key)
    done("--store", store, "approve", "--all")
    again = play(store)
    assert [one.plan["hash"] for one in again] == before
    assert [one.sent for one in again] == [one.sent for one in ticks]
    assert sum(one.sent["sent"] for one in ticks) == sum(one.plan["messages"] for one in ticks) > 30
