"""Stores of known lift, as journal, messages, orders and refunds: many programs of one history, each of them a store.

Customers come into the program because they have been silent for a horizon, so they come back by themselves: what an untreated customer
brings afterwards looks like an effect to whoever compares with before. Half of them enter on the first day, when every variant has the
same chance, the other half once the first half's horizon is over, by a table that each store learned from that first half. Refunds come
after the horizon. Knows nothing of the estimators.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rekindle.history.tables import FACTS, JOURNAL
from rekindle.history.warehouse import Warehouse
from rekindle.program.documents import NOTHING
from tests.decide.shop import instant

HORIZON, CONTROL = 56, 0.3
SECOND = HORIZON + 4
"""The day on which the second half enters."""

EARLY, LAST = 40, SECOND + HORIZON + 30
"""Days of the questions: one while the first half's horizon is under way, one after all of it and its refunds."""

FIRST_DAYS = 28
"""The window of an early reading."""

MESSAGE, DELIVERY, MARGIN = 1.0, 300.0, 0.4
"""What an e-mail costs and a delivery that the shop paid for, minor units; and the margin of goods of unknown cost."""

ARMS = ("plain", "light", NOTHING)
OFFERS = {"plain": "reminder", "light": "shipping"}
REDEEMS, FLOOR = 0.5, 0.1
RETURNED, RETURNED_EXTRA = 0.1, 0.3
"""Chances that an order goes back: of one that would have come anyway, and of one that the message brought."""

EARLIEST, LATEST = 0.5, HORIZON - 1.0
"""Days after the entry between which orders come, all alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Stores:
    """Customers of several stores, and what is true of them; each a row.

    Args:
        store: (N,); which.
        second: (N,); whether they enter with the second half.
        rate: (N,); orders in a horizon without a message.
        worth: (N,); mean of an order's goods, minor units.
        high: (N,); whether they are of the high tier, whose orders are worth twice as much.
        extra: (N, 3); chance of one more order by each variant.
        treated: (N,).
        chances: (N, 3); of each variant, once treated.
        arm: (N,); which was drawn, a number of `ARMS`; of the control `NOTHING`.
    """

    store: np.ndarray
    second: np.ndarray
    rate: np.ndarray
    worth: np.ndarray
    high: np.ndarray
    extra: np.ndarray
    treated: np.ndarray
    chances: np.ndarray
    arm: np.ndarray

    def effects(self, days: int = HORIZON, refunded: bool = True) -> np.ndarray:
        """(N, 3); what each variant brings a customer's margin in the mean within so many days of the entry.

        Args:
            days: From the entry on.
            refunded: Whether refunds have come yet.
        """
        part = (min(days, LATEST) - EARLIEST) / (LATEST - EARLIEST)
        extra = self.extra * part
        ordering = 1 - (1 - extra) * np.exp(-self.rate * part)[:, None]
        stays = 1 - RETURNED_EXTRA if refunded else 1.0
        gain = MARGIN * stays * self.worth[:, None] * extra
        return gain - np.array([0.0, DELIVERY * REDEEMS, 0.0]) * ordering - MESSAGE * np.array([1.0, 1.0, 0.0])

    def program(self, days: int = HORIZON, refunded: bool = True) -> np.ndarray:
        """(N,); what being treated brings in the mean, over what could have been drawn."""
        return (self.chances * self.effects(days, refunded)).sum(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """What customers bought within the horizon; O orders.

    Args:
        who: (O,); a row of `Stores`.
        day: (O,); after the entry.
        net: (O,); goods, minor units.
        coded: (O,); whether it has the code of the message.
        returned: (O,); whether all of it goes back after the horizon.
    """

    who: np.ndarray
    day: np.ndarray
    net: np.ndarray
    coded: np.ndarray
    returned: np.ndarray


def drawn(chance: np.random.Generator, stores: int, customers: int) -> tuple[Stores, Orders]:
    """Stores in which messages are worth anything from a loss to a good gain, and what came of them."""
    size = stores * customers
    store = np.repeat(np.arange(stores), customers)
    rate = _silent(chance, size)
    high = chance.random(size) < 0.3
    worth = chance.gamma(4.0, 1_500.0, size) * np.where(high, 2.0, 1.0)
    power = chance.uniform(0.0, 0.2, stores)[store] * chance.beta(2, 2, size) * 2
    extra = np.column_stack([power * 0.4, power, np.zeros(size)])
    second, treated = np.arange(size) % 2 == 1, chance.random(size) >= CONTROL
    chances = np.full((size, len(ARMS)), 1 / len(ARMS))
    known = Stores(store, second, rate, worth, high, extra, treated, chances, _pick(chance, chances, treated))
    before = bought(known, chance)
    chances[second] = _learned(known, before)[store[second], high[second].astype(int)]
    after = Stores(store, second, rate, worth, high, extra, treated, chances, np.where(second, _pick(chance, chances, treated), known.arm))
    return after, _joined(before, bought(after, chance), second)


def _silent(chance: np.random.Generator, size: int) -> np.ndarray:
    """Rates of customers who have ordered nothing for a horizon."""
    rate = chance.gamma(0.8, 0.5, size)
    silent = chance.random(size) < np.exp(-rate)
    while not silent.all():
        again = np.flatnonzero(~silent)
        rate[again] = chance.gamma(0.8, 0.5, len(again))
        silent[again] = chance.random(len(again)) < np.exp(-rate[again])
    return rate


def _pick(chance: np.random.Generator, chances: np.ndarray, treated: np.ndarray) -> np.ndarray:
    arm = (chance.random(len(chances))[:, None] >= np.cumsum(chances, axis=1)[:, :-1]).sum(axis=1)
    return np.where(treated, arm, ARMS.index(NOTHING))


def bought(known: Stores, chance: np.random.Generator) -> Orders:
    """Orders that come anyway and those of messages, each with whether it redeems and goes back."""
    size = len(known.store)
    more = chance.random(size) < known.extra[np.arange(size), known.arm] * known.treated
    anyway = chance.poisson(known.rate)
    who = np.concatenate([np.repeat(np.arange(size), anyway), np.flatnonzero(more)])
    caused = np.arange(len(who)) >= anyway.sum()
    day = chance.uniform(EARLIEST, LATEST, len(who))
    order = np.lexsort((day, who))
    who, caused, day = who[order], caused[order], day[order]
    first = np.append(True, who[1:] != who[:-1])[: len(who)]
    coded = first & known.treated[who] & (known.arm[who] == ARMS.index("light")) & (chance.random(len(who)) < REDEEMS)
    net = np.rint(known.worth[who] * chance.lognormal(-0.18, 0.6, len(who))).astype(int)
    return Orders(who, day, net, coded, chance.random(len(who)) < np.where(caused, RETURNED_EXTRA, RETURNED))


def _learned(known: Stores, orders: Orders) -> np.ndarray:
    """(stores, 2, 3) chances by store and tier: most for the variant that brought the first half most, the others the floor."""
    margin = np.bincount(orders.who, MARGIN * orders.net - DELIVERY * orders.coded, len(known.store))
    stores, mine = int(known.store.max()) + 1, known.treated & ~known.second
    cell = np.ravel_multi_index((known.store[mine], known.high[mine].astype(int), known.arm[mine]), (stores, 2, len(ARMS)))
    cells = stores * 2 * len(ARMS)
    mean = np.bincount(cell, margin[mine], cells) / np.maximum(np.bincount(cell, minlength=cells), 1)
    best = mean.reshape(stores, 2, len(ARMS)).argmax(axis=2)
    return np.where(best[:, :, None] == np.arange(len(ARMS)), 1 - FLOOR * (len(ARMS) - 1), FLOOR)


def _joined(first: Orders, second: Orders, later: np.ndarray) -> Orders:
    """Orders of those who entered first from the one, of the others from the other."""
    parts = ((first, ~later[first.who]), (second, later[second.who]))
    return Orders(*(np.concatenate([getattr(one, name)[rows] for one, rows in parts]) for name in Orders.__slots__))


def write(warehouse: Warehouse, known: Stores, orders: Orders) -> None:
    """Journal, messages, orders and refunds."""
    size = len(known.store)
    names, codes = (np.char.add(one, np.arange(size).astype(str)) for one in ("c", "CODE"))
    entered = np.datetime64(instant(0).naive, "us") + np.where(known.second, SECOND, 0).astype("timedelta64[D]")
    warehouse.insert("journal", _table(_journal(known, names, entered), JOURNAL.to_pyarrow(), {}))
    ready = {"plan": ["first", "second"], "as_of": pa.array([instant(0).naive, instant(SECOND).naive], pa.timestamp("us"))}
    warehouse.insert("plans", pa.table({**ready, "rehearsal": [False] * 2, "decisions": [size] * 2}))
    sold = _sold(orders, entered, names, codes)
    touches = _sent(known, names, codes, entered)
    for name, columns in (("orders", sold), ("touches", touches), ("returns", _refunds(orders, entered, sold))):
        warehouse.insert(name, _table(columns, FACTS[name].schema.to_pyarrow(), {"source": "shop", "batch": 1, "digest": ""}))


def _journal(known: Stores, names: np.ndarray, entered: np.ndarray) -> dict[str, object]:
    size, arm, treated = len(names), np.array(ARMS)[known.arm], known.treated
    sends, plan = treated & (arm != NOTHING), np.where(known.second, "second", "first")
    foretold = np.random.default_rng(size).lognormal(0.0, 0.5, size)
    return {
        "plan": plan, "as_of": entered, "program": np.char.add("store-", known.store.astype(str)), "customer_id": names,
        "stage": np.full(size, "reconnect"), "episode": np.char.add("e", names), "entered_at": entered,
        "standing": np.where(treated, "treated", "control"), "arm": pa.array(np.where(treated, arm, None), pa.string()),
        "channel": pa.array(np.where(sends, "email", None), pa.string()),
        "offer": pa.array([OFFERS.get(one) if sent else None for one, sent in zip(arm, sends, strict=True)], pa.string()),
        "reason": pa.array(np.where(treated, None, "control"), pa.string()),
        "baseline": np.rint(MARGIN * known.worth * known.rate * foretold).astype(int),
        "propensity": pa.array(known.chances[np.arange(size), known.arm], mask=~treated),
        "eligible": pa.array(np.where(treated, "|".join(ARMS), None), pa.string()), "policy": plan, "cohort": np.full(size, "other"),
        "context": np.where(known.high, "high/other", "mid/other"), "control_share": np.full(size, CONTROL),
        **{name: np.zeros(size, int) for name in ("cost_ceiling", "expected_cost", "expected_margin")},
    }  # fmt: skip


def _sent(known: Stores, names: np.ndarray, codes: np.ndarray, entered: np.ndarray) -> dict[str, object]:
    arm = np.array(ARMS)[known.arm]
    sends = known.treated & (arm != NOTHING)
    return {
        "touch_key": np.char.add("t", names[sends]), "customer_id": names[sends], "code": codes[sends], "arm": arm[sends],
        "program": np.char.add("store-", known.store[sends].astype(str)), "episode": np.char.add("e", names[sends]),
        "settled_at": entered[sends],
        **{name: np.full(sends.sum(), one) for name, one in (("stage", "reconnect"), ("channel", "email"), ("status", "sent"))},
    }  # fmt: skip


def _sold(orders: Orders, entered: np.ndarray, names: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
    size, who = len(orders.who), orders.who
    at = entered[who] + (orders.day * 86_400).astype("timedelta64[s]")
    return {
        "order_id": np.char.add("o", np.arange(size).astype(str)), "customer_id": names[who], "ordered_at": at.astype("datetime64[us]"),
        "purchase_day": at.astype("datetime64[D]"), "net": orders.net, "code": np.where(orders.coded, codes[who], ""),
        **{name: np.zeros(size, dtype=int) for name in ("discount", "shipping", "tax", "lines")}, "cancelled": np.zeros(size, bool),
    }  # fmt: skip


def _refunds(orders: Orders, entered: np.ndarray, sold: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of whole orders, a day to 25 days after the horizon of who bought them."""
    gone = np.flatnonzero(orders.returned)
    after = np.array(HORIZON + 1 + gone % 25, dtype="timedelta64[D]")
    return {
        "return_id": np.char.add("r", gone.astype(str)), "order_id": sold["order_id"][gone], "customer_id": sold["customer_id"][gone],
        "returned_at": entered[orders.who[gone]] + after, "amount": orders.net[gone], "quantity": np.ones(len(gone), int),
        "open": np.zeros(len(gone), bool),
    }  # fmt: skip


def _table(columns: dict[str, object], schema: pa.Schema, usual: dict[str, object]) -> pa.Table:
    size = len(next(iter(columns.values())))
    filled = {one.name: columns[one.name] if one.name in columns else pa.array([usual.get(one.name)] * size, one.type) for one in schema}
    return pa.table({name: pa.array(values).cast(schema.field(name).type) for name, values in filled.items()})
