"""What a program may do for whom: its variants by stage, lapsed cohort and value tier, as rows and as a page that can be compared.

Knows nothing of any one customer: a variant that asks for more than cohort and tier is shown with what it asks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rekindle.insight.expression import Expression, parse
from rekindle.insight.lifecycle import COHORTS
from rekindle.insight.tiers import TIERS
from rekindle.program.documents import Arm, Offer, Program, Stage
from rekindle.program.reach import can_hold
from rekindle.program.vocabulary import COLUMNS, VALUES

SKIPPED = "(passed over)"
EMPTY = "nothing"
EVERYONE: dict[str | None, str] = {None: "all"}
"""The only row of a stage where a program is not about a lapse."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A variant that customers of a cell may get.

    Args:
        arm: Its name.
        offer: What it gives, by name.
        kind: The offer's kind.
        price: Whether it lowers a price.
        some: Whether only some of the cell's customers may get it, by the arm's own rule.
    """

    arm: str
    offer: str
    kind: str
    price: bool
    some: bool

    def __str__(self) -> str:
        """The arm, whether it lowers a price, and a question mark where only some may get it."""
        return f"{self.arm}{' (price)' if self.price else ''}{'?' if self.some else ''}"


@dataclass(frozen=True, slots=True)
class Cell:
    """What customers of a cohort and tier may get at a stage.

    Args:
        stage: The stage.
        cohort: The lapsed cohort; None: whoever they are.
        tier: The value tier.
        choices: In the order of the document; `nothing` is always one more.
        skipped: Whether the cohort passes the stage over.
    """

    stage: str
    cohort: str | None
    tier: str
    choices: tuple[Choice, ...]
    skipped: bool

    def __str__(self) -> str:
        """The choices in words."""
        return SKIPPED if self.skipped else ", ".join(map(str, self.choices)) or EMPTY


def cells(program: Program, offers: Mapping[str, Offer]) -> tuple[Cell, ...]:
    """Every cell: stage by stage, cohort by cohort, the upper tier first.

    Args:
        program: The program.
        offers: The store's by name.
    """
    return tuple(
        Cell(stage.name, cohort, tier, tuple(_choices(program, stage, (cohort, tier), offers)), skipped)
        for stage in program.stages
        for cohort in _cohorts(program)
        for skipped in (stage not in program.stages_for(cohort),)
        for tier in TIERS
    )


def _cohorts(program: Program) -> Mapping[str | None, str]:
    return dict(COHORTS.items()) if program.trigger.on == "lapse" else EVERYONE


def _choices(program: Program, stage: Stage, key: tuple[str | None, str], offers: Mapping[str, Offer]) -> Iterator[Choice]:
    cohort, tier = key
    here = _rule(f"value_tier == '{tier}'" + (f" and lapsed_cohort == '{cohort}'" if cohort else ""))
    entering = [here, program.audience.enter] if stage is program.stages[0] else [here]
    for arm in stage.arms:
        if arm.name in program.arms_for(stage.name, cohort) and can_hold([*entering, *([arm.when] if arm.when else [])]):
            offer = offers[arm.offer]
            yield Choice(arm.name, arm.offer, offer.kind, offer.price, not _always(here, arm))


def _rule(text: str) -> Expression:
    return parse(text, COLUMNS, VALUES)


def _always(here: Expression, arm: Arm) -> bool:
    """Whether cohort and tier alone decide: the rule cannot fail, nor come to an unknown by another column."""
    return arm.when is None or not can_hold([here, _rule(f"not ({arm.when.text})")])


NOTE = (
    "Variants by stage, lapsed cohort and value tier; of marketing, doing nothing is always one more.\n"
    "`?`: only some of them, by the rule in the\n"
    "second table. Consent, caps, margin, what the offer is for and what was given before decide besides.\n"
    "Written by `rekindle check --matrix`.\n"
)
"""How to read a page."""


def page(program: Program, offers: Mapping[str, Offer], note: str = NOTE) -> str:
    """The whole as Markdown: a table of a row per stage and cohort, then what each variant gives and asks.

    Args:
        program: The program.
        offers: The store's by name.
        note: What stands below its title; empty where it is said elsewhere, once for several programs.
    """
    by_key = {(cell.stage, cell.cohort, cell.tier): cell for cell in cells(program, offers)}
    table = [f"| stage | lapsed cohort | {' | '.join(TIERS)} |", f"|---|---|{'---|' * len(TIERS)}"]
    for stage in program.stages:
        for cohort, words in _cohorts(program).items():
            found = [str(by_key[stage.name, cohort, tier]) for tier in TIERS]
            table.append(f"| {stage.name} | {words} | {' | '.join(found)} |")
    given = ["| stage | variant | gives | kind | to whom |", "|---|---|---|---|---|"]
    for stage in program.stages:
        for arm in stage.arms:
            offer = offers[arm.offer]
            given.append(f"| {stage.name} | {arm.name} | {offer.label.replace('|', '/')} | {offer.kind} | {_whom(program, stage, arm)} |")
    head = [f"# {program.name}: who may get what", "", *([note] if note else [])]
    return "\n".join([*head, *table, "", *given, ""])


def _whom(program: Program, stage: Stage, arm: Arm) -> str:
    groups = _cohorts(program)
    mine = [words for cohort, words in groups.items() if arm.name in program.arms_for(stage.name, cohort)]
    rule = f"`{arm.when.text}`" if arm.when else ""
    whom = "; ".join(part for part in ("" if len(mine) == len(groups) else ", ".join(mine), rule) if part) or "all"
    return f"{whom}; before all others" if arm.before_others else whom
