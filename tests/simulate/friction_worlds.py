"""Purchases with their frictions straight from the marketplace's baseline, and the truth about them: no files, no import."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import friction_effect, friction_orders
from rekindle.insight.friction_effect import Effect
from rekindle.moment import parse_as_of
from rekindle.simulate.friction_truth import Risk, true_risk
from rekindle.simulate.purchases import DAY, Orders, purchase
from rekindle.simulate.world import Scenery, baseline, begin, scenery
from tests.insight.histories import history

END = date(2026, 9, 27)
AS_OF = parse_as_of("2026-09-27", "UTC")
SIMULATED = {
    "late_delivery": "late_delivery", "stockout": "stockout", "return": "return", "bad_review": "bad_review", "open_ticket": "ticket",
}
"""Frictions that the marketplace has, and its own names of them."""
EPOCH = np.datetime64("1970-01-01", "D")
WORLDS = 25
"""Told in one history before it is thrown away."""


@dataclass(frozen=True)
class Found:
    """One world: estimates and placebos by friction, and the truth."""

    effects: dict[str, Effect | CannotTell]
    placebos: dict[str, Effect | CannotTell]
    truths: dict[str, Risk]


def world(customers: int, months: int, seed: int) -> tuple[Scenery, Orders]:
    scene = scenery(begin(customers, months, seed, END, "EUR"))
    return scene, purchase(scene.parameters, scene.population, scene.catalogue, scene.calendar, scene.chance)


def bought(scene: Scenery, orders: Orders) -> pa.Table:
    """What `friction_orders.table` gives of the world's facts up to its end, with the number of each order beside."""
    facts = baseline(scene)
    end = (END - date(1970, 1, 1)).days * DAY
    number = np.flatnonzero(orders.instant < end)
    flags = {one.kind: orders.troubles[number, column] for column, one in enumerate(scene.parameters.frictions)}
    tickets = facts["tickets"]
    waited = np.asarray(tickets["closed_at"]) > np.asarray(tickets["opened_at"]) + friction_orders.UNANSWERED_DAYS * DAY
    unanswered = np.zeros(orders.customer.size, dtype=bool)
    unanswered[np.asarray(tickets["order"])[waited]] = True
    ticket = flags.pop("ticket")
    flags |= {"open_ticket": ticket & unanswered[number], friction_effect.ANSWERED: ticket & ~unanswered[number]}
    nothing = np.zeros(number.size, dtype=bool)
    first, second = mix(scene, facts["lines"], orders.customer.size)
    names = pa.array([one.name for one in scene.parameters.categories])
    return pa.table(
        {
            "customer_id": pa.array([f"C{one:06d}" for one in orders.customer[number].tolist()]),
            "day": pa.array(EPOCH + orders.instant[number] // DAY),
            "net": np.asarray(facts["orders"]["total"])[number],
            "category": names.take(pa.array(first[number])),
            "second": names.take(pa.array(second[number], mask=second[number] < 0)),
            **{kind: flags.get(kind, nothing) for kind in friction_orders.FLAGS},
            "order": number,
        }
    )


def mix(scene: Scenery, lines: pa.Table, orders: int) -> tuple[np.ndarray, np.ndarray]:
    """The two categories that most was spent on in each order; of equals the first by name; -1 where there is no second."""
    names = [one.name for one in scene.parameters.categories]
    by_name = np.argsort(names)
    place = np.argsort(by_name)[scene.catalogue.category[np.asarray(lines["product"])]]
    spent = np.zeros((orders, len(names)))
    np.add.at(spent, (np.asarray(lines["order"]), place), np.asarray(lines["amount"]))
    first, second = np.argsort(-spent, axis=1, kind="stable")[:, :2].T
    some = spent[np.arange(orders), second] > 0
    return by_name[first], np.where(some, by_name[second], -1)


def estimated(warehouse: Warehouse, customers: int, months: int, seed: int) -> Found:
    scene, orders = world(customers, months, seed)
    followed = friction_orders.followed(warehouse, warehouse.keep(bought(scene, orders)), AS_OF)
    cells = warehouse.arrow(friction_orders.cells(warehouse, followed))
    placebo = warehouse.arrow(friction_orders.placebo(warehouse, followed, AS_OF))
    looked = warehouse.arrow(followed.select("order", "horizon").order_by("order"))
    chosen, horizon = np.asarray(looked["order"]), np.asarray(looked["horizon"])
    answered = np.asarray(warehouse.arrow(followed.select("order", friction_effect.ANSWERED).order_by("order"))[friction_effect.ANSWERED])
    truths = {}
    for kind, named in SIMULATED.items():
        keep = ~answered if named == "ticket" else np.ones(chosen.size, dtype=bool)
        truths[kind] = true_risk(scene, orders, chosen[keep], horizon[keep], named)
    return Found(
        {kind: friction_effect.effect(cells, kind) for kind in friction_effect.RANK},
        {kind: friction_effect.effect(placebo, kind) for kind in friction_effect.RANK},
        truths,
    )


def coverage(folder: Path, seeds: range, customers: int, months: int) -> dict[str, dict[str, list[bool]]]:
    """By friction, for effects and placebos, whether the truth lay in the interval of each world that had one."""
    held: dict[str, dict[str, list[bool]]] = {"effect": {kind: [] for kind in SIMULATED}, "placebo": {kind: [] for kind in SIMULATED}}
    for start in range(0, len(seeds), WORLDS):
        with history(folder / str(start)) as warehouse:
            for seed in seeds[start : start + WORLDS]:
                found = estimated(warehouse, customers, months, seed)
                for kind in SIMULATED:
                    effect, placebo, truth = found.effects[kind], found.placebos[kind], found.truths[kind].ratio
                    if isinstance(effect, Effect):
                        held["effect"][kind].append(effect.ratio.low <= truth <= effect.ratio.high)
                    if isinstance(placebo, Effect):
                        held["placebo"][kind].append(placebo.ratio.low <= 1.0 <= placebo.ratio.high)
    return held
