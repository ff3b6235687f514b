"""How the world is made and how its clock moves: the next days' facts as import files, touches' consequences included.

Knows nothing of who decided on the touches. The same touches give the same files; with none they are the baseline's.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from rekindle import money
from rekindle.errors import UsageError
from rekindle.simulate.consequences import Consequences, consequences
from rekindle.simulate.files import write_mapping, write_period
from rekindle.simulate.purchases import DAY
from rekindle.simulate.touches import merged, record, unknown_arms
from rekindle.simulate.truth import truth
from rekindle.simulate.world import EPOCH, State, baseline, begin, latent, save, save_state, scenery, truth_folder


@dataclass(frozen=True, slots=True)
class World:
    """A new world.

    Args:
        folder: The store folder.
        customers: Who arrived before the end.
        orders: Of those customers, before the end.
        months: Of history.
        end: The first day that is not told, UTC.
        files: The import files.
        mapping: The mapping file.
    """

    folder: Path
    customers: int
    orders: int
    months: int
    end: date
    files: tuple[Path, ...]
    mapping: Path


@dataclass(frozen=True, slots=True)
class Advanced:
    """What came about in the days that the clock moved on.

    Args:
        clock: The first day that is not told, UTC.
        touches: Felt for the first time.
        orders: All orders of the days.
        extra_orders: Of them, those that touches caused.
        redemptions: Of them, those that used an offer.
        unsubscribed: Customers who opted out.
        files: The import files.
        unknown_arms: Arms among the touches felt for the first time of which the world does not know what they do: they did nothing.
    """

    clock: date
    touches: int
    orders: int
    extra_orders: int
    redemptions: int
    unsubscribed: int
    files: tuple[Path, ...]
    unknown_arms: tuple[str, ...] = ()


def simulate(folder: Path, customers: int, months: int, seed: int, end: date, currency: str = "EUR") -> World:
    """Makes a marketplace in a store folder: import files of its past, their mapping, and its truth.

    Args:
        folder: An existing store folder without a world.
        customers: Who arrive before the end; newcomers follow at the same pace.
        months: Of history.
        seed: Of all chance; the same seed gives the same world.
        end: The first day that is not told, UTC.
        currency: ISO 4217 code.

    Raises:
        UsageError: A number is out of range, there is no such folder, or it holds a world.
        BadData: The currency is not one.
    """
    state = begin(customers, months, seed, end, currency)
    exponent = money.exponent(currency)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", f"Make a store folder with: rekindle init {folder}")
    if (truth_folder(folder) / "world.json").exists():
        raise UsageError(f"{folder} holds a marketplace already", "Advance it with --advance 7, or use another store folder.")
    scene = scenery(state)
    facts = baseline(scene)
    for kind, table in facts.items():
        save(table, truth_folder(folder) / f"{kind}.parquet")
    save(latent(scene), truth_folder(folder) / "latent.parquet")
    files = write_period(folder, facts, 1, _second(date.min), _second(end), exponent)
    mapping = write_mapping(folder, facts, currency)
    save_state(folder, state)
    orders = int((np.asarray(facts["orders"]["ordered_at"]) < _second(end)).sum())
    return World(folder, customers, orders, months, end, files, mapping)


def advance(folder: Path, days: int, touches: pa.Table) -> Advanced:
    """Moves a world's clock on and writes what the next import reads; a step that broke off can be repeated.

    Args:
        folder: The store folder of the world.
        days: At least 1.
        touches: What was really sent: external customer_id, program, stage, arm, offer, channel, sent_at (naive UTC), and where
            known the code. Those that the world has felt already are known by customer, program, stage and instant. One that
            was sent before the clock, and not told of until now, is felt at the clock.

    Raises:
        UsageError: The folder holds no world, or the pre-drawn future ends before.
        BadData: A customer is not of this world, or a column is missing.
    """
    known = truth(folder)
    state, clock = known.state, known.state.clock + timedelta(days=days)
    if days < 1 or clock > state.horizon:
        raise UsageError(f"cannot advance by {days} days", f"From {state.clock} the world goes on to {state.horizon}.")
    before = known.touches
    every = merged(before, touches, _second(state.clock))
    facts, marks = consequences(known.scene, known.baseline(), every)
    window = _second(state.clock), _second(clock)
    files = write_period(folder, facts, state.batch + 1, *window, money.exponent(state.currency))
    record(folder, every)
    save_state(folder, replace(state, clock=clock, batch=state.batch + 1))
    seen = set(unknown_arms(before, known.scene.parameters))
    strange = tuple(name for name in unknown_arms(every, known.scene.parameters) if name not in seen)
    done = _advanced(state, clock, facts, marks, every.num_rows - before.num_rows, files)
    return replace(done, unknown_arms=strange)


def _advanced(
    state: State, clock: date, facts: dict[str, pa.Table], marks: Consequences, touches: int, files: tuple[Path, ...]
) -> Advanced:
    def counted(instants: np.ndarray) -> int:
        return int(((instants >= _second(state.clock)) & (instants < _second(clock))).sum())

    return Advanced(
        clock,
        touches,
        counted(np.asarray(facts["orders"]["ordered_at"])),
        counted(marks.extra_at),
        counted(marks.redeemed_at),
        counted(marks.unsubscribed_at),
        files,
    )


def _second(day: date) -> int:
    return (day - EPOCH).days * DAY
