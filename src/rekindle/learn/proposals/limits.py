"""Where tiers begin today, and whether the last messages of a round bring less than they cost.

Knows nothing of how margins and effects are measured.
"""

from collections.abc import Mapping

from rekindle import money
from rekindle.errors import CannotTell
from rekindle.insight.models import Interval
from rekindle.insight.tiers import HIGH, MID, Tiers
from rekindle.learn.proposals.proposal import Change, Proposal
from rekindle.program.documents import Program
from rekindle.program.reading import Value
from rekindle.program.sequence_contracts import fewest_messages


def of_tiers(found: Tiers, currency: str) -> Proposal | None:
    """Other boundaries of the value tiers, where today's buyers would give others.

    Args:
        found: The boundaries in force and those of today.
        currency: The store's.
    """
    if not found.moved:
        return None
    held, proposed = found.held, found.proposed
    changes = [_amount("high", held.high if found.approved else None, proposed.high, currency)]
    changes.append(_amount("mid", held.mid if found.approved else None, proposed.mid, currency))
    if not found.approved:
        changes = [Change(("value_tiers",), None, {"over": f"{found.days}d", "high": changes[0].after, "mid": changes[1].after})]
    was, now = (f"{money.show(one.high, currency)} and {money.show(one.mid, currency)}" for one in (held, proposed))
    why = f"The upper {HIGH:.0%} and {MID:.0%} of buyers begin at {now} of margin in {found.days} days today; {was} are in force."
    evidence = {"high": float(proposed.high), "mid": float(proposed.mid), "held_high": float(held.high), "held_mid": float(held.mid)}
    return Proposal("tiers", "", tuple(changes), why, evidence)


def _amount(key: str, before: int | None, after: int, currency: str) -> Change:
    units = 10 ** money.exponent(currency)
    was: Value = None if before is None else before / units
    return Change(("value_tiers", key), was, after / units)


def of_caps(program: Program, margins: Mapping[str, Mapping[str, Interval | CannotTell]], currency: str) -> Proposal | None:
    """Fewer messages in a round, where every variant of its last stages brings less than `nothing`.

    Args:
        program: The program.
        margins: Stage to variant to what it brings more than `nothing`, a decision, minor units.
        currency: The store's.
    """
    stages = [stage.name for stage in program.stages]
    keep = len(stages)
    while keep > 1 and _harms(margins.get(stages[keep - 1], {})):
        keep -= 1
    if keep >= min(program.caps.touches, len(stages)):
        return None
    harmful = stages[keep:]
    known = {(stage, name): one for stage in harmful for name, one in margins[stage].items() if isinstance(one, Interval)}
    shown = ", ".join(f"{stage} {name} {_money(one, currency)}" for (stage, name), one in known.items())
    why = f"Every variant of {' and '.join(harmful)} brings less than nothing, a decision: {shown}"
    if beyond := [name for name, before in fewest_messages(program).items() if before >= keep]:
        why += f". Remove {' and '.join(beyond)} as well: no message is left for what comes after {keep}"
    evidence = {f"{stage}.{name}": one.estimate for (stage, name), one in known.items()}
    change = Change(("caps", "touches"), program.caps.touches, keep)
    return Proposal(f"caps-{program.name}", program.name, (change,), f"{why}.", evidence)


def _money(one: Interval, currency: str) -> str:
    low, middle, high = (money.show(value, currency) for value in (one.low, one.estimate, one.high))
    return f"{middle} ({low} to {high})"


def _harms(variants: Mapping[str, Interval | CannotTell]) -> bool:
    """Whether each variant is told to bring less than `nothing`."""
    return bool(variants) and all(isinstance(one, Interval) and one.high < 0 for one in variants.values())
