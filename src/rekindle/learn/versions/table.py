"""What a version changes, as pictures stage by stage, and the whole table behind them.

Knows nothing of why.
"""

from collections.abc import Sequence
from dataclasses import replace

from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, el, join, listing, table
from rekindle.learn.report.section import section
from rekindle.learn.versions.facts import Change, Version
from rekindle.learn.versions.pictures import GLYPHS, Shift, shifts
from rekindle.learn.versions.words import arm_words, context_words, stage_words

PICTURED = 4
"""Stages that have a picture of their own: those whose chances move most."""


def changes_section(version: Version, figures: Figures) -> Html:
    """The stages that change most, variant by variant over all their customers."""
    stages = _stages(version)
    pictured = [one for one in stages if any(change.differs for change in one)][:PICTURED]
    rest = [stage_words(one[0].program, one[0].stage) for one in stages[len(pictured) :] if any(change.differs for change in one)]
    kinds = (("before", "in the table before"), ("after", "in the new one"))
    marks = (join((el("span", GLYPHS[kind], class_=f"mark {kind}", aria_hidden="true"), words)) for kind, words in kinds)
    fewer = f"What changes at {'; '.join(rest)} concerns fewer customers: it is in the whole table."
    more = (el("p", fewer, class_="small"),) if rest else ()
    finding = "How likely each message becomes" if pictured else "No chance changes"
    return section(
        "changes", "What changes", finding, *((listing(marks, class_="legend"),) if pictured else ()),
        *(_pictured(one, version, figures) for one in pictured), *more,
    )


def _pictured(stage: Sequence[Change], version: Version, figures: Figures) -> Html:
    arms = list(dict.fromkeys(one.arm for one in stage))
    rows = _rows(stage, version, figures)
    name = stage_words(stage[0].program, stage[0].stage)
    customers = sum(version.customers(one) for one in stage if one.arm == arms[0])
    everyone = figures.many(customers, "customer", "customers")
    whom = f"Over all kinds of customers, by how many came due in the last period: {everyone}." if customers else "Over all kinds alike."
    return el("div", el("h3", name), el("p", whom, class_="axis"), shifts(rows, f"Chances at {name}", figures), class_="stage")


def _rows(stage: Sequence[Change], version: Version, figures: Figures) -> list[Shift]:
    """A stage's variants, each with its chance over all contexts; what customers may not get is left out, as in a draw."""
    whole: dict[str, list[float]] = {}
    for one in stage:
        sums = whole.setdefault(one.context, [0.0, 0.0])
        sums[0] += one.before * version.reach(one)
        sums[1] += one.after * version.reach(one)
    fitted = [
        replace(one, before=one.before * version.reach(one) / (sums[0] or 1.0), after=one.after * version.reach(one) / (sums[1] or 1.0))
        for one in stage for sums in (whole[one.context],)
    ]
    return [_shift(arm, [one for one in fitted if one.arm == arm], version, figures) for arm in dict.fromkeys(one.arm for one in stage)]


def _shift(arm: str, line: Sequence[Change], version: Version, figures: Figures) -> Shift:
    """A variant's chance over all contexts, by their customers; of all alike where none are counted."""
    sizes = [version.customers(one) for one in line]
    weights = sizes if sum(sizes) else [1] * len(line)
    before, after = (
        sum(weight * share for weight, share in zip(weights, shares, strict=True)) / sum(weights)
        for shares in ([one.before for one in line], [one.after for one in line])
    )
    return Shift(arm_words(arm), f"{figures.share(before)} to {figures.share(after)}", before, after)


def _stages(version: Version) -> list[list[Change]]:
    """The changes of each stage, the stage that changes most for most customers first."""
    found: dict[tuple[str, str], list[Change]] = {}
    for one in version.changes:
        found.setdefault((one.program, one.stage), []).append(one)
    return sorted(found.values(), key=lambda stage: -sum(abs(one.moved) * max(1, version.customers(one)) for one in stage))


def headline(version: Version, figures: Figures) -> str:
    """What the version does, in a sentence: the variant whose chance moves most at the stage that changes most."""
    moved = {(one.program, one.stage) for one in version.differing}
    if not moved:
        return f"The new table changes none of {figures.many(len(version.changes), 'chance', 'chances')}."
    stage = _stages(version)[0]
    rows = _rows(stage, version, figures)
    most = max(rows, key=lambda row: abs(row.after - row.before))
    others = f"; {figures.many(len(moved) - 1, 'other stage changes', 'other stages change')} too" if len(moved) > 1 else ""
    return f"At {stage_words(stage[0].program, stage[0].stage)}, the chance of “{most.label}” goes from {most.words}{others}."


def table_section(version: Version, figures: Figures) -> Html:
    """Every chance, behind a fold for each stage."""
    parts = [_folded(stage, figures) for stage in _stages(version)]
    count = figures.many(len(version.changes), "chance", "chances")
    return section("table", "The whole table", f"All {count}, stage by stage", *parts)


def _folded(stage: Sequence[Change], figures: Figures) -> Html:
    arms = list(dict.fromkeys(one.arm for one in stage))
    contexts = list(dict.fromkeys(one.context for one in stage))
    cells = {(one.context, one.arm): one for one in stage}
    rows = [(context_words(where), *(_chance(cells[where, arm], figures) for arm in arms)) for where in contexts]
    name = stage_words(stage[0].program, stage[0].stage)
    numeric = frozenset(range(1, len(arms) + 1))
    caption = "Chances of each kind of customer; where one changes, before and after"
    grid = table(caption, ("Customers", *map(arm_words, arms)), rows, numeric)
    return el("details", el("summary", name), grid)


def _chance(one: Change, figures: Figures) -> str:
    return f"{figures.share(one.before)} → {figures.share(one.after)}" if one.differs else figures.share(one.after)
