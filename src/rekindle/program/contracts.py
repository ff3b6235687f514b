"""What is wrong between the parts of a program, its offers and the store's rules, where each of them is well formed.

Knows nothing of files and lines: a mistake names the keys it stands at.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rekindle.insight.expression import nearest
from rekindle.program.documents import NOTHING, Arm, Program, Stage, StageVariant
from rekindle.program.message_contracts import of_messages
from rekindle.program.offers import Offer
from rekindle.program.reach import can_hold
from rekindle.program.reading import Place
from rekindle.program.rules import Rules
from rekindle.program.sequence_contracts import exits, of_sequence
from rekindle.program.validating import Mistake, Severity
from rekindle.program.vocabulary import ALWAYS, BLOCKS, PRICELESS_STAGES


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
    """

    offers: dict[str, Offer]
    names: frozenset[str] | None
    margin: float
    listed: dict[str, frozenset[str]]
    approving: bool = False
    today: date | None = None


def of_program(program: Program, around: Surroundings) -> Iterator[Mistake]:
    """Every mistake between the parts of one program."""
    yield from _ownership(program, around)
    yield from _promises(program)
    yield from _pace(program)
    yield from of_sequence(program)
    yield from of_messages(program, around.offers)
    for stage in program.stages:
        yield from _unknown_blocks(("stages", stage.name, "content"), stage.content)
        yield from _stage_offers(program, stage, around)
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
    due = program.review.due
    if around.today and around.today > due:
        late = around.today > due + timedelta(days=program.review.grace_days)
        why = f"review.due: the review was due on {due}{' and its grace is over' if late else ''}"
        remedy = "Review the program and write the next date."
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


def _pace(program: Program) -> Iterator[Mistake]:
    caps, stages = program.caps, program.stages
    if caps.touches < len(stages):
        why = f"caps.touches: {caps.touches} messages do not reach all {len(stages)} stages"
        yield Mistake(("caps", "touches"), "stage-unreached", why, f"Write {len(stages)}, or remove stages.", "warning")
    shortest = sum(max(stage.delay.at_least_days, caps.gap_days) for stage in stages[1:])
    if shortest > caps.duration_days:
        why = f"caps.duration: the stages take at least {shortest} days, more than {caps.duration_days}"
        yield Mistake(("caps", "duration"), "duration-too-short", why, f"Write at least {shortest}d, or shorten the delays.")


def _unknown_blocks(path: Place, blocks: tuple[str, ...]) -> Iterator[Mistake]:
    for position, block in enumerate(blocks):
        if block not in BLOCKS:
            why = f"{'.'.join(map(str, path))}: there is no content block '{block}'"
            yield Mistake((*path, position), "content-unknown", why, nearest(block, BLOCKS, "docs/programs.md lists the blocks."))


def _stage_offers(program: Program, stage: Stage, around: Surroundings) -> Iterator[Mistake]:
    path: Place = ("stages", stage.name)
    if stage.offers.price and stage.name in PRICELESS_STAGES:
        why = f"stages.{stage.name}.offers.price: the stage {stage.name} never makes a price offer"
        yield Mistake((*path, "offers", "price"), "price-too-early", why, "Write price: false; the stage tailor is for it.")
    for arm in stage.arms:
        where, at = f"stages.{stage.name}.arms.{arm.name}", (*path, "arms", arm.name, "offer")
        if around.names is not None and arm.offer not in around.names:
            remedy = nearest(arm.offer, around.names, "offers.yaml lists the offers.")
            yield Mistake(at, "offer-unknown", f"{where}: there is no offer '{arm.offer}'", remedy)
        elif offer := around.offers.get(arm.offer):
            for rule, why, remedy in _misfits(program, stage, offer, around.margin):
                yield Mistake(at, rule, f"{where}: {offer.name} {why}", remedy)


def _misfits(program: Program, stage: Stage, offer: Offer, margin: float) -> Iterator[tuple[str, str, str]]:
    """Why an offer may not be made in a stage: rule, reason, remedy."""
    permits, floor = stage.offers, stage.offers.margin_floor
    if offer.price and not permits.price:
        yield "price-forbidden", "is a price offer, and the stage permits none", "Choose one that is not, or move the arm to tailor."
    if offer.price and program.caps.price_offers == 0:
        yield "price-forbidden", "is a price offer, and caps.price_offers is 0", "Remove the arm, or allow a price offer."
    if permits.value_at_most is not None and offer.worth > permits.value_at_most:
        why = f"is worth {offer.worth}, more than the stage's value_at_most of {permits.value_at_most}"
        yield "offer-too-dear", why, "Choose a smaller offer, or raise value_at_most."
    if offer.price and floor < offer.margin_floor:
        why = f"asks for a margin floor of {offer.margin_floor}, and the stage's is {floor}"
        yield "margin-floor", why, f"Write margin_floor: {offer.margin_floor} in the stage's offers."
    if offer.percent is not None and (kept := (margin - offer.percent) / (1 - offer.percent)) < floor:
        why = f"leaves {kept:.0%} of the price as margin, under the floor of {floor:.0%} (margin without it: {margin:.0%})"
        most = max(math.floor(100 * (margin - floor) / (1 - floor)), 0) / 100
        yield "margin-floor", why, f"Write percent: {most} or less." if most else "Remove the arm: no percentage leaves that much."
    redeemed = offer.price or offer.unit_cost > 0
    if redeemed and permits.valid_days is not None and permits.valid_days < offer.minimum_valid_days:
        why = f"may not be given for less than {offer.minimum_valid_days}d, and the stage's offers are valid for {permits.valid_days}d"
        yield "offer-too-short", why, "Lengthen valid in the stage's offers, or shorten minimum_valid."


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
