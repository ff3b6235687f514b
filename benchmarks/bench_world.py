"""What policies are truly worth over a year in the known world, over many seeds, as a table and a picture.

Knows nothing of speed elsewhere. `python benchmarks/bench_world.py` tries twenty seeds of 50,000 customers, and as many worlds in which
nothing works, and prints one JSON line; `--seeds`, `--first`, `--customers` for others; `--keep FILE` takes what an earlier run found and
adds to it; `--picture FILE.svg` draws. It fails where a seed takes more than `LIMIT` seconds of processor time.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import altair as alt
import numpy as np
import vl_convert

from rekindle.learn.policies import Learning, Ranked
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.trial import nothing_works, trial

LIMIT = 300.0
"""Seconds of processor time that a seed may take."""

SPANS = ("year", "first half", "second half")
WORDS = {
    "usual": "Usual practice", "equal-chance": "Equal chances", "rekindle": "Rekindle", "ranked": "Highest mean", "oracle": "Oracle",
    "floors": "Floors alone",
}
"""Practices as the picture calls them."""

Found = dict[str, list[float]]


def one_seed(customers: int, seed: int) -> dict[str, Found | float]:
    """Worth by world and practice, per 1,000 lapsed customers: year, first half, second half; and how long it took."""
    begun, used = time.perf_counter(), time.process_time()
    learners = {"rekindle": Learning(seed=seed), "ranked": Ranked()}
    real = trial(customers, seed, proposers=learners)
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    null = trial(customers, seed, nothing_works(Parameters()), {"rekindle": learners["rekindle"]}, ())
    worlds = {"known": real, "null": null}
    found = {name: {one.name: list(one.per_thousand()) for one in years} for name, years in worlds.items()}
    return {**found, "seconds": seconds, "processor": processor}


def interval(values: list[float]) -> dict[str, float]:
    """Mean over seeds and its 95 % interval."""
    mean, half = float(np.mean(values)), 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return {"mean": round(mean, 1), "low": round(mean - half, 1), "high": round(mean + half, 1)}


def table(runs: dict[int, dict]) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """World, practice, span: mean and interval."""
    first, found = next(iter(runs.values())), {}
    for world in ("known", "null"):
        found[world] = {}
        for name in (name for name in WORDS if name in first[world]):
            those = [run[world][name] for run in runs.values() if name in run[world]]
            found[world][name] = {span: interval([values[place] for values in those]) for place, span in enumerate(SPANS)}
    return found


def draw(found: dict, runs: dict[int, dict], path: Path) -> None:
    """A bar for each practice and half-year with its interval, the seeds as points; below, the world where nothing works."""
    panels = []
    for world, title in (("known", "The known world"), ("null", "A world where nothing works")):
        halves = [_panel(found[world], runs, (world, place), f"{title}: {span}") for place, span in list(enumerate(SPANS))[1:]]
        panels.append(alt.hconcat(*halves).resolve_scale(y="shared"))
    picture = alt.vconcat(*panels).configure_view(stroke=None).configure(background="white", font="sans-serif")
    path.write_text(vl_convert.vegalite_to_svg(picture.to_json()), encoding="utf-8")


def _panel(found: dict, runs: dict[int, dict], which: tuple[str, int], title: str) -> alt.LayerChart:
    world, place = which
    means = [{"practice": WORDS[name]} | spans[SPANS[place]] for name, spans in found.items()]
    seeds = [{"practice": WORDS[name], "value": run[world][name][place]} for run in runs.values() for name in found if name in run[world]]
    x = alt.X("practice:N", sort=list(WORDS.values()), title=None, axis=alt.Axis(labelAngle=-35))
    bars = alt.Chart(alt.Data(values=means)).mark_bar(color="#9ecae9").encode(x=x, y=alt.Y("mean:Q", title="margin per 1,000 lapsed"))
    rules = alt.Chart(alt.Data(values=means)).mark_rule(strokeWidth=3, color="#1f4e79").encode(x=x, y="low:Q", y2="high:Q")
    dots = alt.Chart(alt.Data(values=seeds)).mark_circle(color="#d9534f", opacity=0.6, size=16).encode(x=x, y="value:Q")
    return alt.layer(bars, dots, rules).properties(width=330, height=200, title=title)


def main() -> None:
    """Prints one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    kept = {}
    if asked.keep and asked.keep.exists():
        kept = {int(seed): run for seed, run in json.loads(asked.keep.read_text()).items()}
    runs = {}
    for seed in range(asked.first, asked.first + asked.seeds):
        runs[seed] = kept.get(seed) or one_seed(asked.customers, seed)
        if asked.keep:
            asked.keep.write_text(json.dumps(kept | runs))
    found = table(runs)
    second = {name: spans["second half"]["mean"] for name, spans in found["known"].items()}
    told = {
        "customers": asked.customers, "seeds": len(runs), **found,
        "share_of_oracle": round(second["rekindle"] / second["oracle"], 3),
        "times_usual": round(second["rekindle"] / max(second["usual"], 1e-9), 1),
        "seconds": round(max(run["seconds"] for run in runs.values()), 1),
        "processor": round(max(run["processor"] for run in runs.values()), 1), "limit": LIMIT,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    print(json.dumps(told))
    if asked.picture:
        draw(found, runs, asked.picture)
    if told["processor"] > LIMIT:
        sys.exit(f"a seed takes {told['processor']:.0f} s of processor time, over {LIMIT:.0f} s")


if __name__ == "__main__":
    main()
