"""What is wrong in the order of a program's stages: branches that lead nowhere, stages that nobody reaches, waits that never end.

Knows nothing of offers and content.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from rekindle.insight.expression import nearest
from rekindle.program.documents import Delay, Program, Stage
from rekindle.program.reach import can_hold
from rekindle.program.reading import Place
from rekindle.program.stages import END
from rekindle.program.validating import Mistake

OF_AN_ORDER = frozenset({"order", "first_order", "comeback", "delivery", "late_delivery"})
"""Moments that are about one order; run_out is about one product."""

EVERY_EXIT = frozenset({"opt_out", "erasure"})
"""What ends a round of every marketing program."""

LAPSE_EXIT = EVERY_EXIT | {"order", "complaint_opened"}
"""What ends a round that a lapse opened."""


def exits(program: Program) -> frozenset[str]:
    """What must end a round of a program."""
    if program.service:
        return frozenset()
    return LAPSE_EXIT if program.trigger.on == "lapse" else EVERY_EXIT


def of_sequence(program: Program) -> Iterator[Mistake]:
    """Every mistake in the order of a program's stages."""
    if "reviewed" in program.exit and program.trigger.on not in OF_AN_ORDER:
        why = f"exit: a round on {program.trigger.on} is about no order, so no review ends it"
        yield Mistake(("exit",), "exit-idle", why, "Remove reviewed.")
    if program.stages:
        yield from _first(program, program.stages[0])
    for number, stage in enumerate(program.stages):
        yield from _branches(program, number, stage)
        yield from _conditions(stage)
        if stage.delay.by_category and program.trigger.on not in OF_AN_ORDER | {"run_out"}:
            path: Place = ("stages", stage.name, "delay", "by_category")
            why = f"stages.{stage.name}.delay.by_category: a round on {program.trigger.on} is about no product"
            yield Mistake(path, "delay-idle", why, "Write at_least.")
        if program.service and len(stage.arms) > 1:
            why = f"stages.{stage.name}.arms: a service message is not drawn, and the stage has {len(stage.arms)} arms"
            yield Mistake(("stages", stage.name, "arms"), "service-arms", why, "Leave one.")
    yield from _unreached(program)


def _first(program: Program, stage: Stage) -> Iterator[Mistake]:
    """A first stage that nobody who enters is for: afterwards nobody comes back to it."""
    enters, rule = program.audience.enter, stage.only_if
    if rule is not None and can_hold([enters]) and can_hold([rule]) and not can_hold([enters, rule]):
        why = f"stages.{stage.name}.only_if: the rule never holds for who enters the program, so nobody reaches the stage"
        yield Mistake(("stages", stage.name, "only_if"), "stage-unreached", why, "Mend the rule, or remove only_if.")


def _branches(program: Program, number: int, stage: Stage) -> Iterator[Mistake]:
    names = [one.name for one in program.stages]
    for outcome, branch in stage.branches.items():
        path: Place = ("stages", stage.name, "branches", outcome)
        where = f"stages.{stage.name}.branches.{outcome}"
        if branch.to not in (*names, END):
            remedy = nearest(branch.to, frozenset(names), "Name a later stage, or end.")
            yield Mistake((*path, "to"), "stage-unknown", f"{where}.to: there is no stage '{branch.to}'", remedy)
        elif branch.to != END and names.index(branch.to) <= number:
            why = f"{where}.to: the stage {branch.to} does not come after {stage.name}, so a round would never end"
            yield Mistake((*path, "to"), "branch-back", why, "Name a later stage, or end.")
        if outcome == "bought" and "order" in program.exit:
            why = f"{where}: an order ends the round (exit: order), so nothing follows it"
            yield Mistake(path, "branch-never", why, "Remove the branch, or take order out of exit.")


def _conditions(stage: Stage) -> Iterator[Mistake]:
    """Rules of a stage that nobody can meet."""
    for key, rule in (("only_if", stage.only_if), ("hold_until", stage.hold_until)):
        if rule is not None and not can_hold([rule]):
            what = "reaches the stage" if key == "only_if" else "gets past waiting"
            why = f"stages.{stage.name}.{key}: the rule never holds, so nobody {what}"
            yield Mistake(("stages", stage.name, key), "stage-unreached", why, f"Mend the rule, or remove {key}.")


def _unreached(program: Program) -> Iterator[Mistake]:
    """Stages that no way leads to, or none in the time that a round lasts."""
    usual = earliest(program, None)
    for stage in program.stages:
        if stage.name not in usual:
            why = f"stages.{stage.name}: no stage leads here"
            yield Mistake(("stages", stage.name), "stage-unreached", why, "Lead a branch to it, or remove it.")
    late = [name for name, days in usual.items() if days >= program.caps.duration_days]
    if late:
        need = usual[late[-1]] + 1
        why = f"caps.duration: {late[0]} comes {usual[late[0]]} days after entry at the earliest, and a round ends after "
        why += f"{program.caps.duration_days}"
        yield Mistake(("caps", "duration"), "duration-too-short", why, f"Write at least {need}d, or shorten the delays.")
    yield from _beyond_cap(program)
    yield from _late_cohorts(program, usual)
    yield from _late_branches(program, usual)
    yield from _late_categories(program, usual)


def _beyond_cap(program: Program) -> Iterator[Mistake]:
    """Stages before which a round has used up its messages, whichever way it takes; or does so on the longest way, which is a warning."""
    most, count = program.caps.touches, len(program.stages)
    before = fewest_messages(program)
    if beyond := [stage.name for stage in program.stages if before.get(stage.name, 0) >= most]:
        why = f"caps.touches: {most} messages are used up before {' and '.join(beyond)}, whichever way a round takes"
        remedy = f"Write at least {max(before[name] for name in beyond) + 1}, or remove what comes after {most} messages."
        yield Mistake(("caps", "touches"), "stage-unreached", why, remedy)
    elif most < count:
        why = f"caps.touches: {most} messages do not reach all {count} stages"
        yield Mistake(("caps", "touches"), "stage-unreached", why, f"Write {count}, or remove stages.", "warning")


def _late_cohorts(program: Program, usual: Mapping[str, int]) -> Iterator[Mistake]:
    """Stages that a cohort's own delays put beyond the end of the round."""
    most = program.caps.duration_days
    for cohort, stages in program.variants.items():
        for name, days in earliest(program, cohort).items():
            if days >= most > usual.get(name, most):
                path: Place = ("variants", cohort, name, "delay") if name in stages and stages[name].delay else ("variants", cohort)
                why = f"variants.{cohort}: {name} comes {days} days after entry at the earliest, and a round ends after {most}"
                yield Mistake(path, "duration-too-short", why, f"Shorten its delays, or write caps.duration: {days + 1}d.")


def _late_branches(program: Program, usual: Mapping[str, int]) -> Iterator[Mistake]:
    """Branches whose own wait is longer than the round lasts."""
    most = program.caps.duration_days
    for stage in program.stages:
        for outcome, branch in stage.branches.items():
            if branch.after_days is None or stage.name not in usual or usual[stage.name] >= most:
                continue
            if (days := usual[stage.name] + branch.after_days) >= most:
                why = f"stages.{stage.name}.branches.{outcome}.after: {branch.to} comes {days} days after entry at the earliest, "
                path: Place = ("stages", stage.name, "branches", outcome, "after")
                why += f"and a round ends after {most}"
                yield Mistake(path, "duration-too-short", why, f"Shorten it, or write caps.duration: {days + 1}d.")


def _late_categories(program: Program, usual: Mapping[str, int]) -> Iterator[Mistake]:
    """Categories whose time of use is longer than the round lasts; before the first stage there is no round yet."""
    most = program.caps.duration_days
    for before, stage in pairwise(program.stages):
        for category, days in stage.delay.by_category.items():
            waits = days if stage.delay.at_most_days is None else min(days, stage.delay.at_most_days)
            if before.name in usual and usual[before.name] < most <= usual[before.name] + waits:
                path: Place = ("stages", stage.name, "delay", "by_category", category)
                why = f"stages.{stage.name}.delay.by_category.{category}: after {waits} days a round is over, which ends after {most}"
                yield Mistake(path, "duration-too-short", why, "Shorten it, or lengthen caps.duration.")


def earliest(program: Program, cohort: str | None) -> dict[str, int]:
    """The fewest days after entry at which a cohort comes to each stage, by the name of the stage; what no way leads to is not there.

    By the usual way where that leads there, since not every message comes to a branch; else by branches.

    Args:
        program: The program; branches that lead back are not followed.
        cohort: A lapsed cohort, or None for a customer without one.
    """

    def days(name: str, after: int | None) -> int:
        waits = _least(program.delay_for(name, cohort)) if after is None else after
        return waits if program.service else max(waits, program.caps.gap_days)

    found = {**_ways(program, cohort, days, branching=True), **_ways(program, cohort, days, branching=False)}
    return {program.stages[number].name: found[number] for number in sorted(found)}


def fewest_messages(program: Program) -> dict[str, int]:
    """The fewest messages that come before each stage, by its name, where every stage on the way sends one.

    Over all cohorts, branches, and stages that are passed over. Who is drawn to hear nothing comes to a stage with fewer.

    Args:
        program: The program; branches that lead back are not followed.
    """
    found: dict[str, int] = {}
    for cohort in (None, *program.variants):
        for number, messages in _ways(program, cohort, lambda _name, _after: 1, branching=True).items():
            name = program.stages[number].name
            found[name] = min(found.get(name, messages), messages)
    return found


def _ways(program: Program, cohort: str | None, costs: Callable[[str, int | None], int], branching: bool) -> dict[int, int]:
    """The least that the ways to each stage cost, by the number of the stage.

    Args:
        program: The program.
        cohort: A lapsed cohort, or None for a customer without one.
        costs: What a step to a stage costs, by its name and by the wait of the branch that leads there, if one does.
        branching: Whether branches are followed.
    """
    stages, names = program.stages, [stage.name for stage in program.stages]
    goes = [stage.name for stage in program.stages_for(cohort)]
    found: dict[int, int] = dict.fromkeys(_landings(program, 0, goes), 0)
    for number, stage in enumerate(stages):
        if number not in found:
            continue
        ways: list[tuple[int, int | None]] = [] if _always_branches(program, stage) else [(number + 1, None)]
        ways += [(names.index(one.to), one.after_days) for one in stage.branches.values() if branching and one.to in names]
        for to, after in ways:
            for lands in _landings(program, to, goes) if to > number else ():
                cost = found[number] + costs(names[lands], after if lands == to else None)
                found[lands] = min(found.get(lands, cost), cost)
    return found


def _landings(program: Program, number: int, goes: Sequence[str]) -> list[int]:
    """The stages that one may come to on the way to a stage: it, or what follows where it is passed over."""
    found = []
    for place in range(number, len(program.stages)):
        stage = program.stages[place]
        if stage.name not in goes or (stage.only_if is not None and not can_hold([stage.only_if])):
            continue
        found.append(place)
        if stage.only_if is None:
            break
    return found


def _always_branches(program: Program, stage: Stage) -> bool:
    """Whether whatever a message comes to has a branch; of marketing somebody hears nothing, and takes the usual way."""
    possible = {"clicked", "ignored"} | (set() if "order" in program.exit else {"bought"})
    return program.service and possible <= set(stage.branches)


def _least(delay: Delay) -> int:
    return min((delay.at_least_days, *delay.by_category.values()))
