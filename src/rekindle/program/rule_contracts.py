"""What is wrong with rules beyond their words: a protected attribute without an exception, a segment that is not there, a foreign currency.

Knows nothing of files and lines: a mistake names the keys it stands at.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time

from rekindle.insight.expression import Expression, ExpressionError, nearest
from rekindle.insight.expression_tree import Column, walk
from rekindle.insight.protected import protected_kind, protected_words
from rekindle.insight.segments import MOST
from rekindle.program.documents import Program
from rekindle.program.offer_kinds import KINDS
from rekindle.program.offers import Offer
from rekindle.program.reach import can_hold
from rekindle.program.reading import Place
from rekindle.program.rules import Budget, Rules
from rekindle.program.segments import Segment, definitions, overdue
from rekindle.program.validating import Mistake
from rekindle.program.vocabulary import COLUMNS


@dataclass(frozen=True, slots=True)
class Language:
    """What rules may speak of in a store.

    Args:
        segments: Its segments that can be read, name to rule.
        listed: Every name that segments.yaml lists, those with mistakes too.
        excepted: Protected attributes for which rules.yaml names an exception.
    """

    segments: Mapping[str, Expression]
    listed: frozenset[str]
    excepted: frozenset[str]


def of_program_rules(program: Program, language: Language) -> Iterator[Mistake]:
    """What is wrong with a program's rules."""
    yield from _rule(("audience", "enter"), program.audience.enter, language)
    for stage in program.stages:
        for key, rule in (("only_if", stage.only_if), ("hold_until", stage.hold_until)):
            if rule is not None:
                yield from _rule(("stages", stage.name, key), rule, language)
        for arm in stage.arms:
            if arm.when is not None:
                yield from _rule(("stages", stage.name, "arms", arm.name, "when"), arm.when, language)


def of_segments(segments: Iterable[Segment], language: Language, approving: bool, today: date | None) -> Iterator[Mistake]:
    """What is wrong with the store's segments."""
    known = tuple(segments)
    if len(known) > MOST:
        yield Mistake(("segments",), "segments-many", f"segments: there are {len(known)}", f"Keep at most {MOST}.")
    for segment in known:
        path: Place = ("segments", segment.name)
        yield from _rule((*path, "rule"), segment.rule, language)
        if way := _circle(segment.name, language.segments):
            why = f"segments.{segment.name}.rule: the segment builds on itself ({' -> '.join(way)})"
            yield Mistake((*path, "rule"), "segment-circle", why, "Take one of these in_segment(...) out.")
        if not can_hold([segment.rule]):
            why = f"segments.{segment.name}.rule: the rule never holds"
            yield Mistake((*path, "rule"), "rule-never", why, "Mend the rule; its conditions exclude each other.")
        if not segment.owner.strip():
            why = f"segments.{segment.name}: nobody owns this segment; it cannot be approved"
            remedy = "Write the name of a person."
            yield Mistake((*path, "owner"), "owner-empty", why, remedy, "error" if approving else "warning")
        if today and overdue(segment, today):
            why = f"segments.{segment.name}.reviewed: the last review was on {segment.reviewed}, over {segment.review_every_days} days ago"
            yield Mistake((*path, "reviewed"), "review-overdue", why, "Review the segment and write the day.", "warning")


def of_exceptions(rules: Rules) -> Iterator[Mistake]:
    """Exceptions that no rule can use."""
    for exception in rules.exceptions:
        if exception.attribute in COLUMNS and protected_kind(exception.attribute):
            continue
        why = f"exceptions.{exception.attribute}: no rule needs it, for it is not a protected column"
        yield Mistake(("exceptions", exception.attribute), "exception-idle", why, "Remove it.", "warning")


def of_rules(rules: Rules, currency: str, programs: frozenset[str] | None = None) -> Iterator[Mistake]:
    """What in the rules does not fit the store: its currency, its programs, the kinds of offers, the columns of the profile.

    Args:
        rules: The store's.
        currency: Of the store, ISO 4217; empty where it is not known.
        programs: Names of its programs; None where they cannot all be read.
    """
    yield from _currencies(rules, currency)
    yield from _idle_caps(rules, programs)
    if rules.fairness is not None:
        yield from _groups(rules.fairness.groups)
    if rules.fatigue is not None and rules.fatigue.touches >= rules.caps.touches:
        why = f"fatigue.touches: {rules.fatigue.touches} is no less than caps.touches, {rules.caps.touches}"
        yield Mistake(("fatigue", "touches"), "fatigue-idle", why, "Write fewer, or leave fatigue out.", "warning")


def of_empty_budgets(rules: Rules, offers: Mapping[str, Offer], programs: Iterable[Program]) -> Iterator[Mistake]:
    """Budgets of 0 out of which offers are to be paid; where every offer costs nothing, nothing is wrong with them.

    Args:
        rules: The store's.
        offers: By name.
        programs: Those that can be read.
    """
    used = {program.name: {arm.offer for stage in program.stages for arm in stage.arms} for program in programs}
    for (path, _), budget in zip(_budgets(rules), rules.every_budget, strict=True):
        among = [offers[name] for name in sorted(used.get(budget.program, ())) if name in offers] if budget.program else offers.values()
        payer = "shop" if path == ("budget",) else budget.payer
        costs = [one.name for one in among if one.costly and _bears(one, payer)]
        if costs and budget.amount == 0:
            named = costs[0] if len(costs) == 1 else f"{costs[0]} and {len(costs) - 1} more"
            why = f"{'.'.join(map(str, path))}.amount: a budget of 0 pays for no offer, and {named} would be paid out of it"
            yield Mistake((*path, "amount"), "budget-zero", why, "Write what offers may cost, or remove those that cost something.")


def _bears(offer: Offer, payer: str | None) -> bool:
    """Whether a payer bears some of what an offer costs; where no payer is named, somebody does."""
    return {"shop": offer.seller_part < 1, "seller": offer.seller_part > 0}.get(payer or "", True)


def _budgets(rules: Rules) -> Iterator[tuple[Place, Budget]]:
    """Every budget with its place in the document, the one over everything first."""
    yield ("budget",), rules.budget
    yield from ((("budgets", number), budget) for number, budget in enumerate(rules.budgets))


def _currencies(rules: Rules, currency: str) -> Iterator[Mistake]:
    for path, budget in _budgets(rules):
        if currency and budget.currency not in (None, currency):
            why = f"{'.'.join(map(str, path))}.currency: the budget is in {budget.currency}, and the store's currency is {currency}"
            yield Mistake((*path, "currency"), "budget-currency", why, f"Write the amount in {currency}.")


def of_hours(program: Program, rules: Rules) -> Iterator[Mistake]:
    """Arms whose messages would leave at an hour at which nobody is written to."""
    start, end = (time.fromisoformat(one) for one in (rules.quiet_hours.start, rules.quiet_hours.end))
    for stage in program.stages:
        for arm in (one for one in stage.arms if one.hour is not None):
            at = time(arm.hour or 0)
            if at >= start or at < end if start > end else start <= at < end:
                why = f"stages.{stage.name}.arms.{arm.name}.hour: {arm.hour} is within the quiet hours ({start:%H:%M} to {end:%H:%M})"
                yield Mistake(("stages", stage.name, "arms", arm.name, "hour"), "hour-quiet", why, "Write an hour outside of them.")


def _idle_caps(rules: Rules, programs: frozenset[str] | None) -> Iterator[Mistake]:
    named: list[tuple[Place, str | None]] = [(("caps", "programs", name), name) for name in rules.caps.programs]
    named += [(("budgets", number, "program"), budget.program) for number, budget in enumerate(rules.budgets)]
    for path, name in named:
        if programs is not None and name is not None and name not in programs:
            why = f"{'.'.join(map(str, path))}: there is no program '{name}'"
            yield Mistake(path, "program-unknown", why, nearest(name, programs, f"There are {', '.join(sorted(programs))}."))
    known = frozenset(KINDS)
    for kind in sorted(set(rules.caps.kinds) - known):
        why = f"caps.kinds.{kind}: there is no kind of offer '{kind}'"
        yield Mistake(("caps", "kinds", kind), "kind-unknown", why, nearest(kind, known, "docs/programs.md lists the kinds."))


def _groups(groups: Iterable[str]) -> Iterator[Mistake]:
    named = frozenset(name for name, kind in COLUMNS.items() if kind in ("str", "bool"))
    for number, column in enumerate(groups):
        if column not in named:
            why = f"fairness.groups: '{column}' is no column of the profile whose values are names"
            remedy = nearest(column, named, "docs/programs.md lists the columns.")
            yield Mistake(("fairness", "groups", number), "group-unknown", why, remedy)


def excepted(rules: Rules | None) -> frozenset[str]:
    """The protected attributes that rules may use."""
    return frozenset(one.attribute for one in rules.exceptions) if rules else frozenset()


def language_of(segments: Iterable[Segment], listed: Iterable[str], rules: Rules | None) -> Language:
    """What rules may speak of, from a store's documents."""
    return Language(definitions(segments), frozenset(listed), excepted(rules))


def _rule(path: Place, rule: Expression, language: Language) -> Iterator[Mistake]:
    where = ".".join(map(str, path))
    for node in walk(rule.root):
        if isinstance(node, Column) and protected_kind(node.name) and node.name not in language.excepted:
            why = f"{protected_words(node.name)}: rules go by what customers did"
            remedy = f"Leave it out, or name the exception in rules.yaml: exceptions: {{{node.name}: {{reason: ..., owner: ...}}}}."
            yield Mistake(path, "protected", f"{where}: {ExpressionError(rule.text, node.position, why, remedy).cause}", remedy)
    for call in rule.segments:
        if call.segment not in language.listed:
            remedy = nearest(call.segment, language.listed, "Define it in segments.yaml.")
            error = ExpressionError(rule.text, call.position, f"there is no segment '{call.segment}'", remedy)
            yield Mistake(path, "segment-unknown", f"{where}: {error.cause}", remedy)


def _circle(name: str, rules: Mapping[str, Expression]) -> tuple[str, ...]:
    """The way from a segment back to itself, empty where there is none."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen = {name}
    for way in ways:
        for call in rules[way[-1]].segments if way[-1] in rules else ():
            if call.segment == name:
                return (*way, name)
            if call.segment not in seen:
                seen.add(call.segment)
                ways.append((*way, call.segment))
    return ()
