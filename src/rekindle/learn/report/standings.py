"""Where customers stand, as people read it: lifecycle stages under five names, each with its colour.

Knows nothing of pictures and pages.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """Lifecycle stages as people read them: the name, the colour's name in the style sheet, the profile's stages."""

    name: str
    color: str
    stages: tuple[str, ...]


STANDINGS = (
    Standing("buying as usual", "usual", ("first_time", "repeat", "mid_tenure", "advocate", "reactivated")),
    Standing("slowing down", "slowing", ("cooling",)),
    Standing("at risk", "risk", ("lapsing",)),
    Standing("lapsed", "lapsed", ("lapsed",)),
    Standing("welcome-back window", "back", ("probation",)),
)
