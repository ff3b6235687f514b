"""Where chance comes from: one stream of numbers per name, all from one seed.

Knows nothing of what is drawn. A new stream, or another draw in one, leaves every other stream as it was.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chance:
    """The source of all chance of a world.

    Args:
        seed: Not negative.
    """

    seed: int

    def stream(self, name: str, *numbers: int) -> np.random.Generator:
        """The generator of a name and, where it has many, of its numbers.

        >>> Chance(1).stream("gaps").random() == Chance(1).stream("gaps").random()
        True
        """
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(name.encode()), *numbers)))

    def turn(self, number: int) -> Callable[[str], np.random.Generator]:
        """The streams of one turn of a repeated step, by name."""
        return lambda name: self.stream(name, number)
