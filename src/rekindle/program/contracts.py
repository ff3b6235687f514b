"""What is wrong between the parts of a program, its offers and the store's rules, where each of them is well formed.

Knows nothing of files and lines: a mistake names the keys it stands at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from rekindle.insight.expression import nearest
from rekindle.program import offer_contracts
from rekindle.program.documents import NOTHING, Arm, Program, Stage, StageVariant
from rekindle.program.message_contracts import of_messages
from rekindle.program.offers import Offer
from rekindle.program.reach import can_hold
from rekindle.program.reading import Place
from rekindle.program.rules import Rules
from rekindle.program.sequence_contracts import exits, of_sequence
from rekindle.program.validating import Mistake, Severity
from rekindle.program.vocabulary import ALWAYS, BLOCKS


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a program is held against.

    Args:
        offers: The store's offers by name.
        names: Every name that offers.yaml lists, those with mistakes too; None where it cannot be read.
        margin: The store's margin on goods of unknown cost, share of the price.
        listed: The arms that the document lists by stage, those with mistakes too.
        approving: True where a person is about to say yes, so that an owner must be there.
        today: The day of the question; None where reviews are not looked at.
        held: The day by which the next review is due of programs whose last one was held, by name.
    """

    offers: dict[str, Offer]
    names: frozenset[str] | None
    margin: float
    listed: dict[str, frozenset[str]]
    approving: bool = False
    today: date | None = None
    held: Mapping[str, date] = field(default_factory=dict)


def of_program(program: Program, around: Surroundings) -> Iterator[Mistake]:
    """Every mistake between the parts of one program."""
    yield from _ownership(program, around)
    yield from _promises(program)
    yield from of_sequence(program)
    yield from of_messages(program, around.offers)
    for stage in program.stages:
        yield from _unknown_blocks(("stages", stage.name, "content"), stage.content)
        yield from offer_contracts.of_stage(program, stage, around)
        for arm in stage.arms:
            yield from _arm(program, stage, arm)
    for cohort, stages in program.variants.items():
        for name, variant in stages.items():
            yield from _variant(program, (cohort, name), variant, around.listed)


def of_rules(rules: Rules) -> Iterator[Mistake]:
    """What the rules leave unmeasured."""
    if rules.holdout == 0:
        why = "holdout: nobody is held out, so what the programs are worth together cannot be measured"
        yield Mistake(("holdout",), "holdout-off", why, "Write 0.05, unless you mean it.", "warning")


def _ownership(program: Program, around: Surroundings) -> Iterator[Mistake]:
    if not program.owner.strip():
        severity: Severity = "error" if around.approving else "warning"
        yield Mistake(("owner",), "owner-empty", "nobody owns this program; it cannot be approved", "Write the name of a person.", severity)
    due = max(program.review.due, around.held.get(program.name, program.review.due))
    if around.today and around.today > due:
        late = around.today > due + timedelta(days=program.review.grace_days)
        why = f"review.due: the review was due on {due}{' and its grace is over' if late else ''}"
        remedy = f"Review the program, then: rekindle review {program.name} --done"
        yield Mistake(("review", "due"), "review-overdue", why, remedy, "error" if late else "warning")


def _promises(program: Program) -> Iterator[Mistake]:
    if not can_hold([program.audience.enter]):
        remedy = "Mend the rule; its conditions exclude each other."
        yield Mistake(("audience", "enter"), "rule-never", "audience.enter: the rule never holds", remedy)
    yield from _unknown_blocks(("content_always",), program.content_always)
    if program.service:
        return
    if lacking := sorted(exits(program) - set(program.exit)):
        why = f"exit: a marketing program on {program.trigger.on} must end on {', '.join(lacking)}"
        yield Mistake(("exit",), "exit-missing", why, f"Add {', '.join(lacking)}.")
    if lacking := sorted(ALWAYS - set(program.content_always)):
        why = f"content_always: every marketing message needs {', '.join(lacking)}"
        yield Mistake(("content_always",), "content-missing", why, f"Add {', '.join(lacking)}.")
    if program.control == 0:
        why = "control: nobody is kept as a control, so what the program is worth cannot be measured"
        yield Mistake(("control",), "control-off", why, "Write 0.10, unless you mean it.", "warning")


def _unknown_blocks(path: Place, blocks: tuple[str, ...]) -> Iterator[Mistake]:
    for position, block in enumerate(blocks):
        if block not in BLOCKS:
            why = f"{'.'.join(map(str, path))}: there is no content block '{block}'"
            yield Mistake((*path, position), "content-unknown", why, nearest(block, BLOCKS, "docs/programs.md lists the blocks."))


def _arm(program: Program, stage: Stage, arm: Arm) -> Iterator[Mistake]:
    where, path = f"stages.{stage.name}.arms.{arm.name}", ("stages", stage.name, "arms", arm.name)
    if arm.name == NOTHING:
        yield Mistake(path, "arm-reserved", f"{where}: doing nothing is always an arm and is not listed", "Remove it.")
    if arm.channel != "preferred" and arm.channel not in program.channels:
        why = f"{where}: the channel {arm.channel} is not one of the program's channels"
        yield Mistake((*path, "channel"), "channel-unused", why, f"Add {arm.channel} to channels, or choose another.")
    met = [program.audience.enter] if stage is program.stages[0] else []
    if arm.when is not None and can_hold(met) and not can_hold([*met, arm.when]):
        why = f"{where}: the rule never holds{' for who enters the program' if can_hold([arm.when]) else ''}"
        yield Mistake((*path, "when"), "rule-never", why, "Mend the rule, or remove the arm.")


def _variant(program: Program, key: tuple[str, str], variant: StageVariant, listed: dict[str, frozenset[str]]) -> Iterator[Mistake]:
    name, where, path = key[1], f"variants.{key[0]}.{key[1]}", ("variants", *key)
    yield from _unknown_blocks((*path, "content_add"), variant.content_add)
    if name not in listed:
        remedy = nearest(name, frozenset(listed), "Name a stage of the program.")
        yield Mistake(path, "stage-unknown", f"{where}: there is no stage '{name}'", remedy)
        return
    choice = variant.arms
    for rule, chosen in (("only", choice.only or ()), ("without", choice.without), ("add", choice.add)):
        for position, arm in enumerate(chosen):
            if arm not in listed[name]:
                why = f"{where}.arms.{rule}: the stage {name} has no arm '{arm}'"
                remedy = nearest(arm, listed[name], f"It has {', '.join(sorted(listed[name]))}.")
                yield Mistake((*path, "arms", rule, position), "arm-unknown", why, remedy)
    usable = {stage.name: frozenset(arm.name for arm in stage.arms) for stage in program.stages}
    if usable.get(name) == listed[name] and not variant.skip and not program.arms_for(name, key[0]):
        yield Mistake(path, "variant-empty", f"{where}: no arm is left", "Leave one, or write skip: true.")
