"""What is wrong in the order of a program's stages: branches that lead nowhere, stages that nobody reaches, waits that never end.

Knows nothing of offers and content.
"""

from collections.abc import Iterator

from rekindle.insight.expression import nearest
from rekindle.program.documents import Program, Stage
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
    """Stages that no way leads to: the one before always branches past them, or every cohort skips them."""
    names = [stage.name for stage in program.stages]
    reached = {names[0]} if names else set()
    for number, stage in enumerate(program.stages):
        if stage.name not in reached:
            continue
        always = program.service and len(stage.branches) == len(("bought", "clicked", "ignored"))
        if number + 1 < len(names) and not always:
            reached.add(names[number + 1])
        reached |= {branch.to for branch in stage.branches.values()}
    for stage in program.stages:
        if stage.name not in reached:
            why = f"stages.{stage.name}: no stage leads here"
            yield Mistake(("stages", stage.name), "stage-unreached", why, "Lead a branch to it, or remove it.")
