"""What touches were truly worth: the number that an estimate from orders alone should meet.

Knows nothing of estimates. For whoever tests and demonstrates; no part that decides may read it.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rekindle.errors import UsageError
from rekindle.simulate.chance import Floats
from rekindle.simulate.files import SHAPES
from rekindle.simulate.outcome import Sums, expected, happen, realised, stakes
from rekindle.simulate.purchases import DAY
from rekindle.simulate.response import potential
from rekindle.simulate.touches import among, merged, numbered, recorded
from rekindle.simulate.world import EPOCH, Scenery, State, load_state, scenery, truth_folder


@dataclass(frozen=True, slots=True)
class Truth:
    """What a world keeps hidden.

    Args:
        folder: The store folder.
        state: What it is made from, and its clock.
        scene: What its seed fixes.
    """

    folder: Path
    state: State
    scene: Scenery

    def facts(self, kind: str) -> pa.Table:
        """The baseline's facts of a kind up to the horizon, told or not: seconds, minor units and numbers for ids.

        Raises:
            UsageError: The world was made by a version that did not have them.
        """
        path = truth_folder(self.folder) / f"{kind}.parquet"
        if not path.is_file():
            raise UsageError(f"{self.folder} is a marketplace of an older version, without {kind}", "Make a new one in another folder.")
        return pq.read_table(path)

    def baseline(self) -> dict[str, pa.Table]:
        """All of them, by kind."""
        return {kind: self.facts(kind) for kind in SHAPES}

    @property
    def customers(self) -> pa.Table:
        """The customers' hidden drivers; those who arrive after the end too."""
        return pq.read_table(truth_folder(self.folder) / "latent.parquet")

    @property
    def touches(self) -> pa.Table:
        """What the world has felt so far."""
        return recorded(self.folder)


@dataclass(frozen=True, slots=True)
class Effect:
    """What touches changed in a window, against nobody being contacted; per customer given, minor units.

    Margins are of goods: what orders show as paid, less the cost of goods, before returns; so an estimate from orders and
    costs has the same meaning. Shipping that an offer waived is stated beside it.

    Args:
        customers: Over how many the means are taken.
        touches: How many of the touches were theirs.
        expected_orders_per_customer: Extra orders.
        expected_margin_per_customer: Margin of extra orders less what offers took off extra and other orders.
        expected_subsidy_per_customer: Of it, what offers took off orders that would have come anyway.
        expected_waived_per_customer: Shipping waived on either.
        realised_orders_per_customer: As chance had it.
        realised_margin_per_customer: As chance had it.
        realised_waived_per_customer: As chance had it.
    """

    customers: int
    touches: int
    expected_orders_per_customer: float
    expected_margin_per_customer: float
    expected_subsidy_per_customer: float
    expected_waived_per_customer: float
    realised_orders_per_customer: float
    realised_margin_per_customer: float
    realised_waived_per_customer: float


def truth(folder: Path) -> Truth:
    """Opens a world's truth.

    Raises:
        UsageError: The folder holds no world.
        BadData: Its state cannot be read.
    """
    state = load_state(folder)
    return Truth(folder, state, scenery(state))


def true_effect(folder: Path, touches: pa.Table, customers: pa.Array | None, start: date, end: date) -> Effect:
    """What the touches were worth in a window.

    Args:
        folder: The store folder of the world.
        touches: What was sent: external customer_id, program, stage, arm, offer, channel, sent_at (naive UTC). Others that the
            world has felt count towards fatigue and as holders of codes, but not towards the effect.
        customers: External ids to average over, those without a touch too; of all who were touched if None.
        start: First day of the window, UTC.
        end: The day after its last, UTC.

    Raises:
        UsageError: The folder holds no world, the window ends before it begins or beyond what is pre-drawn, or there is no customer.
        BadData: A customer is not of this world.
    """
    known = truth(folder)
    if not start <= end <= known.state.horizon:
        raise UsageError(f"no truth from {start} to {end}", f"Ask for days up to {known.state.horizon}.")
    every = merged(known.touches, touches, 0)
    over = pc.unique(touches["customer_id"] if customers is None else customers)
    if len(over) == 0:
        raise UsageError("no customer to average over", "Give the customers who entered the program.")
    counted = among(every, touches) & np.asarray(pc.is_in(every["customer_id"], value_set=over))
    mean, real = _sums(known, every, (start - EPOCH).days * DAY, (end - EPOCH).days * DAY)

    def average(values: Floats) -> float:
        return float(values[counted].sum() / len(over))

    return Effect(
        customers=len(over),
        touches=int(counted.sum()),
        expected_orders_per_customer=average(mean.orders),
        expected_margin_per_customer=average(mean.net),
        expected_subsidy_per_customer=average(mean.organic_subsidy),
        expected_waived_per_customer=average(mean.waived),
        realised_orders_per_customer=average(real.orders),
        realised_margin_per_customer=average(real.net),
        realised_waived_per_customer=average(real.waived),
    )


def _sums(known: Truth, every: pa.Table, begin: int, end: int) -> tuple[Sums, Sums]:
    """Expected and realised sums of every touch in a window of seconds."""
    scene, orders = known.scene, known.facts("orders")
    felt = numbered(every, scene.parameters, scene.population.size)
    could = potential(scene, orders, felt)
    at_stake = stakes(scene, orders, could)
    done = happen(scene, could, scene.chance)
    return expected(scene, could, at_stake, begin, end), realised(at_stake, done, begin, end)
