"""A marketplace whose truth is known: what every customer would do untouched, and what every arm would change.

Knows nothing of how decisions are made; it is told what was sent, and answers with the files that the next import reads.
"""

from rekindle.simulate.advance import Advanced, World, advance, simulate
from rekindle.simulate.truth import Effect, Truth, true_effect, truth
from rekindle.simulate.world import clock

__all__ = ["Advanced", "Effect", "Truth", "World", "advance", "clock", "simulate", "true_effect", "truth"]
