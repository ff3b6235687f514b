"""Fit and score of a million customers by our lapse models, as a ratio to `lifetimes` on the same table in the same run.

Knows nothing of speed elsewhere: only ratios are reported as results. `lifetimes` 0.11.3 is installed into a virtual environment of its
own, made in a temporary folder and removed afterwards; where no registry can be reached our own seconds are printed without a ratio.
Both start from one row per customer; ours groups them to distinct histories first, and that is counted. `busy` is the processor's time, on
which other work on the machine has less influence than on `seconds`.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

RIVAL = ["lifetimes==0.11.3", "numpy==1.26.4", "pandas==2.1.4", "scipy==1.11.4", "autograd==1.6.2"]
WEEKS = 26.0
MANY, SOME = 1_000_000, 100_000
REPEATS = 3
Table = dict[str, np.ndarray]


def played(customers: int, seed: int, orders: float) -> Table:
    """Customers who join over two years, order at gamma rates (`orders` a week on average) and lapse after an order with a beta chance."""
    rng = np.random.default_rng(seed)
    rate, chance = rng.gamma(0.9, orders / 0.9, customers), rng.beta(0.7, 2.5, customers)
    age = rng.integers(1, 731, customers)
    clock, last, repeats = np.zeros(customers), np.zeros(customers, dtype=np.int64), np.zeros(customers, dtype=np.int64)
    going = np.flatnonzero(rng.random(customers) >= chance)
    while len(going):
        clock[going] += rng.exponential(7 / rate[going])
        going = going[clock[going] < age[going]]
        day = np.ceil(clock[going]).astype(np.int64)
        repeats[going] += day > last[going]
        last[going] = day
        going = going[rng.random(len(going)) >= chance[going]]
    return {"frequency": repeats, "recency": last / 7, "age": age / 7}


def rival(path: str, kind: str) -> dict[str, object]:
    """What `lifetimes` takes for the table: run by the interpreter of its own environment."""
    import lifetimes
    import pandas as pd

    table = np.load(path)
    columns = [pd.Series(table[name].astype(np.float64)) for name in ("frequency", "recency", "age")]
    fitter = lifetimes.BetaGeoFitter() if kind == "bg" else lifetimes.ParetoNBDFitter()
    begun, busy = time.perf_counter(), time.process_time()
    fitter.fit(*columns)
    orders = fitter.conditional_expected_number_of_purchases_up_to_time(WEEKS, *columns)
    alive = fitter.conditional_probability_alive(*columns)
    ended, busy = time.perf_counter(), time.process_time() - busy
    arrays = [column.to_numpy() for column in columns]
    point = fitter.params_.to_numpy()
    inputs = np.log(point) if kind == "bg" else point
    found = -fitter._negative_log_likelihood(inputs, *arrays, np.ones(len(arrays[0])), 0.0)
    mean = found if kind == "bg" else found / len(arrays[0])
    return {
        "seconds": ended - begun, "busy": busy, "parameters": point.tolist(), "log_likelihood": float(mean),
        "orders": float(np.sum(orders)), "alive": float(np.sum(alive)),
    }


LEAST_RATIO = {"bg": 40.0, "pareto": 20.0}
"""How many times faster than the rival, by the clock, a model of the kind has to be."""


def environment(folder: Path) -> Path | str:
    """The interpreter of a new environment that has `lifetimes`, or why there is none."""
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    installed = subprocess.run([str(python), "-m", "pip", "install", "--quiet", *RIVAL], capture_output=True, text=True, check=False)
    return python if installed.returncode == 0 else f"lifetimes could not be installed: {installed.stderr.strip().splitlines()[-1]}"


def ours(table: Table, fit: Callable) -> tuple[dict[str, float], object, object]:
    """Seconds of grouping, fit and scores, the median of three runs, with the model and its histories."""
    from rekindle.insight.models import LapseTuples

    runs = []
    for _ in range(REPEATS):
        begun, busy = time.perf_counter(), time.process_time()
        tuples = LapseTuples.grouped(table["frequency"], table["recency"], table["age"])
        grouped = time.perf_counter()
        model = fit(tuples)
        fitted = time.perf_counter()
        alive = model.p_alive(tuples)
        orders = alive * model.expected_orders_if_alive(tuples, WEEKS)
        ended, busy = time.perf_counter(), time.process_time() - busy
        runs.append((ended - begun, busy, grouped - begun, fitted - grouped, ended - fitted))
    total, busy, group, search, score = sorted(runs)[REPEATS // 2]
    sums = {"orders": float(orders @ tuples.customers), "alive": float(alive @ tuples.customers)}
    return {"seconds": total, "busy": busy, "group": group, "fit": search, "score": score, "tuples": len(tuples), **sums}, model, tuples


def compared(path: Path, table: Table, fits: dict[str, Callable], python: Path | str, kind: str) -> bool:
    """Prints a line per model of ours, against the one rival of this kind; whether none missed its limit."""
    kept, limit = True, LEAST_RATIO[kind]
    customers, other = len(table["age"]), None
    if isinstance(python, Path):
        found = subprocess.run([str(python), "-W", "ignore", __file__, str(path), kind], capture_output=True, text=True, check=True)
        other = json.loads(found.stdout.splitlines()[-1])
    for name, fit in fits.items():
        mine, model, tuples = ours(table, fit)
        line: dict[str, object] = {"model": name, "customers": customers} | mine | {"log_likelihood": model.log_likelihood / customers}
        if other is None:
            line["skipped"] = python
        else:
            line |= {f"{of}_ratio": other[of] / mine[of] for of in ("seconds", "busy")}
            line |= {"rival_seconds": other["seconds"], "limit": limit}
            kept &= other["seconds"] / mine["seconds"] >= limit
        if other is not None and name != "MBG/NBD":
            line |= same(model, tuples, mine, other)
        print(json.dumps({key: round(value, 9) if isinstance(value, float) else value for key, value in line.items()}), flush=True)
    return kept


def same(model: object, tuples: object, mine: dict[str, float], other: dict[str, object]) -> dict[str, float]:
    """How far both are apart: log-likelihood a customer at the optima and at the rival's parameters, and sums over all customers."""
    moved = model.moved(np.log(np.array(other["parameters"])) - np.log(list(model.parameters.values())))
    customers = int(tuples.customers.sum())
    return {
        "log_likelihood_over_rival": model.log_likelihood / customers - other["log_likelihood"],
        "same_parameters_log_likelihood_gap": log_likelihood(moved, tuples) / customers - other["log_likelihood"],
        "orders_over_rival": mine["orders"] / other["orders"], "alive_over_rival": mine["alive"] / other["alive"],
    }


def log_likelihood(model: object, tuples: object) -> float:
    """Of the histories at a model's parameters."""
    from rekindle.insight.models import ParetoNbd
    from rekindle.insight.models.lapse_likelihood import LapseLikelihood
    from rekindle.insight.models.pareto_likelihood import ParetoLikelihood

    surface = ParetoLikelihood.of(tuples) if isinstance(model, ParetoNbd) else LapseLikelihood.of(tuples, model.first_coin)
    return surface(np.log(list(model.parameters.values()))).height


def main() -> None:
    """Prints one JSON line per model: a million customers (BG/NBD, MBG/NBD), 100,000 (Pareto/NBD), a million with ten orders each."""
    from rekindle.insight.models import fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd

    with tempfile.TemporaryDirectory() as name:
        folder, kept = Path(name), []
        python = environment(folder / "rival")
        for customers, kind, fits in (
            (MANY, "bg", {"BG/NBD": fit_bg_nbd, "MBG/NBD": fit_mbg_nbd}), (SOME, "pareto", {"Pareto/NBD": fit_pareto_nbd}),
        ):
            table = played(customers, 1, 0.15)
            path = folder / f"{kind}.npz"
            np.savez(path, **table)
            kept.append(compared(path, table, fits, python, kind))
    dense, _, _ = ours(played(MANY, 2, 1.2), fit_pareto_nbd)
    print(json.dumps({"model": "Pareto/NBD", "customers": MANY} | {key: round(value, 3) for key, value in dense.items()}))
    if not all(kept):
        sys.exit("A limit was missed.")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(rival(*sys.argv[1:])))
    else:
        main()
