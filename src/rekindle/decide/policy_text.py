"""A table of chances as JSON and back, and what is wrong with one that somebody wrote by hand.

Knows nothing of files, nor of how a table came about.
"""

import math
from collections.abc import Iterable, Iterator, Mapping

from rekindle.decide.policy import Policy
from rekindle.errors import BadData
from rekindle.program.documents import NOTHING, Program

CLOSE = 0.0005
"""How far the chances of one context may be off 1: three digits after the point, rounded."""

LEAST_NOTHING = 0.05
"""The least chance of `nothing` in a table by hand: with fewer left alone, what a stage is worth cannot be measured."""

_SHAPE = 'Give {"name": ..., "stages": [{"program": ..., "stage": ..., "chances": {"high/other": {"nothing": 0.2, ...}}}]}.'

Row = tuple[str, str, str, str, float]


def to_json(policy: Policy) -> dict[str, object]:
    """The table with its name and version: stage by stage, context by context, the rows in the order of their names.

    >>> to_json(Policy("tried", (("back", "first", "*", "nothing", 1.0),)))["stages"]
    [{'program': 'back', 'stage': 'first', 'chances': {'*': {'nothing': 1.0}}}]
    """
    stages: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for program, stage, where, arm, weight in sorted(policy.rows):
        stages.setdefault((program, stage), {}).setdefault(where, {})[arm] = weight
    shown = [{"program": program, "stage": stage, "chances": chances} for (program, stage), chances in stages.items()]
    return {"name": policy.name, "version": policy.version, "stages": shown}


def from_json(data: object) -> Policy:
    """The table of a JSON object; a version that it names is not looked at.

    Args:
        data: As `to_json` gives it.

    Raises:
        BadData: It has another shape, a chance is none, the chances of a context do not sum to 1, or there is no such context.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str) or not isinstance(data.get("stages"), list):
        raise BadData("the table of chances is no object with a name and stages", _SHAPE)
    rows = tuple(row for stage in data["stages"] for row in _rows(stage))
    twice = [row for row in _repeated(rows)]
    if twice:
        raise BadData(f"the table of chances has {_place(*twice[0][:3])} twice", "Leave one of them out.")
    return Policy(data["name"], rows)


def _repeated(rows: Iterable[Row]) -> Iterator[Row]:
    seen = set()
    for row in rows:
        if row[:4] in seen:
            yield row
        seen.add(row[:4])


def _rows(stage: object) -> Iterator[Row]:
    named = isinstance(stage, Mapping) and all(isinstance(stage.get(key), str) for key in ("program", "stage"))
    if not isinstance(stage, Mapping) or not named or not isinstance(stage.get("chances"), Mapping):
        raise BadData("a stage of the table of chances has no program, stage and chances", _SHAPE)
    for where, cell in stage["chances"].items():
        yield from _cell(str(stage["program"]), str(stage["stage"]), str(where), cell)


def _cell(program: str, stage: str, where: str, cell: object) -> Iterator[Row]:
    if not isinstance(cell, Mapping) or not cell:
        raise BadData(f"{_place(program, stage, where)} has no chances", _SHAPE)
    for arm, weight in cell.items():
        number = isinstance(weight, int | float) and not isinstance(weight, bool) and math.isfinite(weight)
        if not number or not 0 <= weight <= 1:
            raise BadData(f"{_place(program, stage, where)} gives {arm} a chance of {weight!r}", "Write a number from 0 to 1.")
    total = sum(cell.values())
    if abs(total - 1) > CLOSE:
        remedy = "Mend them so that they sum to 1, `nothing` among them."
        raise BadData(f"the chances of {_place(program, stage, where)} sum to {total:.4f}", remedy)
    for arm, weight in cell.items():
        yield program, stage, where, str(arm), float(weight)


def _place(program: str, stage: str, where: str) -> str:
    return f"{program}, {stage}, {'any other context' if where == '*' else where}"


def require_fitting(policy: Policy, programs: Iterable[Program]) -> None:
    """Lets a table by hand pass only where it names what there is, and leaves enough customers alone.

    Args:
        policy: The table.
        programs: The approved ones.

    Raises:
        BadData: A program, stage or variant is not there, or `nothing` has a chance of under 0.05 in a program of marketing.
    """
    known = {program.name: program for program in programs}
    for program, stage, where, arm, _ in policy.rows:
        if program not in known:
            raise BadData(f"there is no program '{program}'", f"Choose one of {', '.join(sorted(known))}.")
        arms = {one.name: (NOTHING, *(each.name for each in one.arms)) for one in known[program].stages}
        if stage not in arms:
            raise BadData(f"the program {program} has no stage '{stage}'", f"Choose one of {', '.join(arms)}.")
        if arm not in arms[stage]:
            raise BadData(f"{_place(program, stage, where)} has no variant '{arm}'", f"Choose one of {', '.join(arms[stage])}.")
    for (program, stage, where), left in _left_alone(policy).items():
        if left < LEAST_NOTHING and not known[program].service:
            remedy = f"Give `nothing` at least {LEAST_NOTHING}: who is left alone shows what the others' messages are worth."
            raise BadData(f"{_place(program, stage, where)} leaves {left:.4f} of the customers alone", remedy)


def _left_alone(policy: Policy) -> dict[tuple[str, str, str], float]:
    found = {row[:3]: 0.0 for row in policy.rows}
    return found | {row[:3]: row[4] for row in policy.rows if row[3] == NOTHING}
