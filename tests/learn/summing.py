"""Rounds of an invented shop and their sums by NumPy, as the engine would sum them."""

import numpy as np

from rekindle.learn.lift import KEYS
from rekindle.learn.measures import CATALOGUE, COLUMNS, RATIOS
from rekindle.learn.sums import Cells, Sums, codes, names

Columns = dict[str, np.ndarray]
EXTRA = ("incentives", "messages", "redeemed")


def shop(chance: np.random.Generator, size: int, control: float = 0.2, effect: float = 0.0) -> Columns:
    """Rounds with heavy-tailed margins, most of them nought, that a baseline foretells in part; `effect` is added where treated."""
    likely = chance.beta(1, 4, size)
    baseline = np.rint(likely * chance.gamma(2, 3_000, size))
    bought = chance.random(size) < likely
    orders = np.where(bought, 1 + chance.poisson(0.3, size), 0)
    spend = np.rint(np.where(bought, chance.gamma(2, 4_000, size), 0)) * orders
    treated = chance.random(size) >= control
    zero = np.zeros(size)
    return {
        "baseline": baseline, "spend": spend, "reactivated": spend * (likely < 0.5), "margin": spend * 0.4 + effect * treated,
        "retained": bought.astype(float),
        "activated": (bought | (chance.random(size) < 0.1)).astype(float), "orders": orders.astype(float),
        "repeated": (orders > 1).astype(float), "regularity": np.minimum(orders, 2) / 2, "days_to_order": np.where(bought, 20.0, 56.0),
        "opted_out": (chance.random(size) < 0.02).astype(float), "treated": treated, **dict.fromkeys(EXTRA, zero),
    }


def summed(rows: Columns, codes_: np.ndarray | None = None, size: int = 1) -> Sums:
    """The sums of rows, in one cell or by codes."""
    place = np.zeros(len(rows["baseline"]), dtype=np.int64) if codes_ is None else codes_
    x = rows["baseline"].astype(float)
    columns = (*COLUMNS, *EXTRA)
    parts = {"n": np.ones(len(x)), "x": x, "xx": x * x}
    for name in columns:
        y = rows[name].astype(float)
        parts |= {f"y:{name}": y, f"yy:{name}": y * y, f"xy:{name}": x * y}
    parts |= {f"yz:{name}": rows[CATALOGUE[name].column] * rows[CATALOGUE[name].over] for name in RATIOS}
    order = names(columns)
    return Sums(order, np.column_stack([np.bincount(place, parts[name], size) for name in order]))


def sides(rows: Columns) -> tuple[Sums, Sums]:
    """Treated and control, one stratum."""
    return tuple(summed({name: values[side] for name, values in rows.items()}) for side in (rows["treated"], ~rows["treated"]))


def cells(rows: Columns, **keys: np.ndarray) -> Cells:
    """Cells by standing and whatever keys, all others of a lift empty."""
    size = len(rows["baseline"])
    usual = {name: np.full(size, "") for name in (*KEYS, "segments") if name != "standing"}
    every = {"standing": np.where(rows["treated"], "treated", "control"), **usual, **{name: one.astype(str) for name, one in keys.items()}}
    place = codes(*every.values())
    first = np.unique(place, return_index=True)[1]
    return Cells({name: one[first].astype(str) for name, one in every.items()}, summed(rows, place, len(first)))
