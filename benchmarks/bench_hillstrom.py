"""What learned tables are worth on Hillstrom's experiment beside boosted trees and fixed mails; and seconds to value a million decisions.

Knows nothing of the shop's own decisions. Prints the tables of docs/off-policy.md, in one run: the same rows, the same five parts, the
same outcome model for all. Fails where a table falls short of what the page says. `bench_hillstrom.py 1` splits once.
"""

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from tests.data import SHARED
from tests.learn.bandits import bandit
from tests.published import hillstrom as experiment

from rekindle.learn import off_policy
from rekindle.learn.off_policy import Estimate, Floats, Logged

MILLION = 1_000_000
SECONDS = 10.0
"""For a million decisions, one by one, doubly robust."""

OURS, TREES = "shrunk table", "T-learner on boosted trees"
SPLITS = 3
"""What single splits say differs by more than the rivals do; all is the mean over some."""

LEAST = {"visits": 0.183, "Womens E-Mail": 0.057, "Mens E-Mail": 0.015}


def rivals(data: experiment.Hillstrom, decisions: Logged, outcome: str) -> tuple[dict[str, Floats], Floats]:
    """Chances of every rival in each row, and what the trees foretell."""
    foretold = experiment.t_learner(data, decisions, outcome)
    fixed = {f"always {mail}": off_policy.always(decisions, arm) for arm, mail in enumerate(experiment.ARMS)}
    learned = {
        OURS: off_policy.held_out(decisions, experiment.shrunk_table),
        "averaged draws": off_policy.held_out(decisions, experiment.averaged_table),
        TREES: np.eye(len(experiment.ARMS))[foretold.argmax(axis=1)],
    }
    return learned | fixed, foretold


def told(found: object) -> Estimate:
    """An estimate; Hillstrom's experiment is large enough for every rival."""
    assert isinstance(found, Estimate), found
    return found


@dataclass
class Found:
    """What one rival is worth, over all splits: values, their errors, and how far the shrunk table is ahead with the error of that."""

    values: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    ahead: list[float] = field(default_factory=list)
    ahead_errors: list[float] = field(default_factory=list)

    def add(self, one: Estimate, ahead: Estimate) -> None:
        """Notes one split."""
        self.values.append(one.value)
        self.errors.append(float(one.error))
        self.ahead.append(ahead.value)
        self.ahead_errors.append(float(ahead.error))

    def line(self) -> dict[str, float]:
        """Means over the splits, and how far single splits reach."""
        means = {"value": self.values, "error": self.errors, "shrunk ahead by": self.ahead, "error of that": self.ahead_errors}
        told = {name: float(np.mean(of)) for name, of in means.items()} | {"least": min(self.values), "most": max(self.values)}
        return {name: round(of, 4) for name, of in told.items()}


def values(data: experiment.Hillstrom, outcome: str, splits: int) -> list[str]:
    """Prints what every rival is worth, and Qini of visits, mean of the splits; returns what fell short."""
    found: dict[str, Found] = {}
    scored: dict[tuple[str, str], list[float]] = {}
    for seed in range(splits):
        decisions = experiment.logged(data, outcome, seed)
        chances, foretold = rivals(data, decisions, outcome)
        for name, wanted in chances.items():
            ahead = told(off_policy.difference(decisions, chances[OURS], wanted))
            found.setdefault(name, Found()).add(told(off_policy.value_of_chances(decisions, wanted)), ahead)
        if outcome == "visit":
            for name, scores in ((OURS, experiment.held_out_effects(decisions)), (TREES, foretold)):
                for mail in experiment.ARMS[:-1]:
                    scored.setdefault((name, mail), []).append(experiment.qini_of(data, scores, mail))
    for name, one in found.items():
        print(json.dumps({"outcome": outcome, "policy": name, **one.line()}), flush=True)
    for (name, mail), ones in scored.items():
        reach = {"value": float(np.mean(ones)), "least": min(ones), "most": max(ones)}
        print(json.dumps({"qini": mail, "policy": name} | {key: round(of, 4) for key, of in reach.items()}))
    return shortfall(outcome, {name: float(np.mean(one.values)) for name, one in found.items()}, found, scored)


def shortfall(outcome: str, mean: dict[str, float], found: dict[str, Found], scored: dict[tuple[str, str], list[float]]) -> list[str]:
    """Where the shrunk table is worth less than it has to be."""
    best = max((name for name in mean if name.startswith("always")), key=lambda name: mean[name])
    short = [f"{outcome}: behind the trees"] * (mean[OURS] <= mean[TREES])
    short += [f"{outcome}: behind the best fixed mail"] * (mean[OURS] < mean[best] - float(np.mean(found[best].errors)))
    if outcome == "visit":
        short += ["visits"] * (mean[OURS] < LEAST["visits"])
        short += [f"Qini of {mail}" for mail in experiment.ARMS[:-1] if np.mean(scored[OURS, mail]) < LEAST[mail]]
    return short


def speed() -> list[str]:
    """Prints seconds to value a million decisions of 6 contexts by 4 variants; returns what took too long."""
    chance = np.random.default_rng(1)
    truth = bandit(chance)
    decisions = truth.log(chance, MILLION)
    short = []
    for method in off_policy.METHODS:
        begun = time.perf_counter()
        found = told(off_policy.value(decisions, truth.wanted, method))
        seconds = time.perf_counter() - begun
        off = abs(found.value / truth.value - 1)
        print(json.dumps({"decisions": MILLION, "method": method, "seconds": round(seconds, 2), "off the truth by": round(off, 4)}))
        short += [f"{method} took {seconds:.1f} s"] * (seconds > SECONDS)
    return short


def main() -> None:
    """All of it."""
    splits = int(sys.argv[1]) if len(sys.argv) > 1 else SPLITS
    short = speed()
    if (SHARED / "hillstrom").exists():
        data = experiment.hillstrom()
        short += [one for outcome in ("visit", "conversion", "spend") for one in values(data, outcome, splits)]
    else:
        print("../shared/data/hillstrom is absent: its tables are left out")
    sys.exit(f"fell short: {', '.join(short)}" if short else 0)


if __name__ == "__main__":
    main()
