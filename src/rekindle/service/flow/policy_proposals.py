"""The next version of the table of chances: from what decisions brought so far, or from a table by hand; kept, never put in force.

Knows nothing of approvals. Evidence is gathered from the journal and the facts before an instant.
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import ibis

from rekindle import money
from rekindle.decide import due
from rekindle.decide.arms import MILLI
from rekindle.decide.policy import EQUAL, Policy
from rekindle.decide.policy_text import from_json, require_fitting
from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight.models import Interval
from rekindle.learn import outcomes
from rekindle.learn.evidence import Evidence, gather
from rekindle.learn.policies import Learning, Proposer
from rekindle.learn.policy_update import Proposal, Terms
from rekindle.learn.posterior import LEAST_ORDERS
from rekindle.learn.versions import Change, Evident, Version, changes
from rekindle.learn.versions.outlook import outlook
from rekindle.moment import AsOf, local_day
from rekindle.program.documents import NOTHING, Documents, Program
from rekindle.service.flow import policies, policy_groups, policy_value
from rekindle.service.flow.planning import shop_of
from rekindle.settings import Settings

BY_HAND = "by hand"
NOTABLE = 0.05
"""A chance that a new version would move by so much is worth a word."""

_AMOUNT, _UNITS = re.compile(r"[+-]\d+\.\d"), re.compile(r"(\d+) minor units")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """What a version is proposed for.

    Args:
        settings: The store's.
        warehouse: Its open history; nothing is written to it.
        documents: Approved documents.
        as_of: Later facts are not seen.
    """

    settings: Settings
    warehouse: Warehouse
    documents: Documents
    as_of: AsOf

    @property
    def days(self) -> int:
        """The period of the budget."""
        return self.documents.rules.budget.per_days

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs that are learned of: a service message is neither held back nor compared."""
        return tuple(one for one in self.documents.programs if not one.service)

    @property
    def window(self) -> outcomes.Window:
        """What is counted."""
        shop = shop_of(self.settings, rehearsal=False)
        return outcomes.Window(self.as_of, self.settings.margin, self.documents.offers, shop)

    @property
    def past(self) -> due.Past:
        """Earlier decisions."""
        table = self.warehouse.table
        return due.past(table("journal"), table("plans"), self.warehouse.current("touches"), self.as_of, inclusive=False)


def evidence_of(asked: Question) -> tuple[Evidence, ...]:
    """What the decisions of every program of marketing brought so far, stage by stage; none before the first decision."""
    past = asked.past
    decided = past.journal.filter(past.journal.arm.notnull())
    names = set(asked.warehouse.arrow(decided.select("program").distinct())["program"].to_pylist())
    window = asked.window
    programs = (program for program in asked.programs if program.name in names)
    found = (gather(asked.warehouse, past, program, window, period_days=asked.days) for program in programs)
    return tuple(stage for stages in found for stage in stages)


def _most_orders(asked: Question) -> int:
    """Decisions that an order followed, of the stage with most of them: at most so many, for orders of any later day count."""
    journal, orders = asked.past.journal, asked.warehouse.current("orders")
    before = orders.filter(orders.ordered_at < ibis.literal(asked.as_of.naive))
    seen = before.group_by("customer_id").aggregate(last=before.ordered_at.max())
    decided = journal.filter(journal.arm.notnull()).join(seen, "customer_id").filter(lambda t: t.last >= t.as_of)
    counts = decided.group_by("program", "stage").aggregate(orders=lambda t: (t.customer_id + t.episode).nunique())
    return int(asked.warehouse.scalar(counts.orders.max()) or 0)


def terms_of(asked: Question) -> Terms:
    """What the next table has to keep: budgets, floors, fairness, and less of a budget where the last period spent too much."""
    rules, shop = asked.documents.rules, shop_of(asked.settings, rehearsal=False)
    terms = Terms.of_rules(rules, shop.minor)
    terms = replace(terms, overspent=_overspent(asked, terms.budget))
    if rules.fairness is None:
        return terms
    groups = policy_groups.groups(asked.settings, asked.warehouse, rules.fairness)
    return replace(terms, groups=groups, disparity=rules.fairness.disparity_at_most)


def _overspent(asked: Question, budget: float | None) -> float:
    """What the messages of the last period were expected to cost above the budget, minor units."""
    if budget is None:
        return 0.0
    contacts = asked.past.contacts
    recent = contacts.filter(contacts.as_of > ibis.literal(asked.as_of.naive - timedelta(days=asked.days)))
    spent = asked.warehouse.scalar(recent.expected_cost.sum()) or 0
    return max(0.0, float(spent) / MILLI - budget)


def propose(asked: Question, proposer: Proposer | None = None) -> Version:
    """The version that the evidence speaks for; nothing is written.

    Args:
        asked: For which store, as of when.
        proposer: The policy that chooses it; the learning one where not given.

    Raises:
        BadData: There is no decision to learn from.
        Refused: No chances keep the budgets.
    """
    evidence, terms = evidence_of(asked), terms_of(asked)
    if not evidence:
        remedy = "Run the store first: rekindle run; or propose a table of your own with --table FILE."
        raise BadData("no decision has been drawn yet, so there is nothing to learn from", remedy)
    found = (proposer or Learning()).propose(evidence, terms)
    held = policies.in_force(asked.settings, asked.documents, asked.as_of)
    table = Policy(found.policy.name, (*found.policy.rows, *_carried(asked, held, found.policy)))
    return _version(asked, (held, table), found.policy.name, (evidence, terms, found))


def by_hand(asked: Question, file: Path) -> Version:
    """The version of a table that a person wrote, with the same evidence beside it; nothing is written.

    Args:
        asked: For which store, as of when.
        file: JSON, as `rekindle policy show VERSION --json` gives it.

    Raises:
        BadData: It cannot be read or used.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadData(f"{file} cannot be read: {error}", "Give a table as JSON; begin with: rekindle policy show --json") from error
    table = from_json(data)
    if not _NAME.fullmatch(table.name) or table.name.startswith(EQUAL):
        remedy = "Name it in lower case, with digits and hyphens, and not after equal chances."
        raise BadData(f"'{table.name}' cannot be the name of a table by hand", remedy)
    require_fitting(table, asked.documents.programs)
    held = policies.in_force(asked.settings, asked.documents, asked.as_of)
    evidence, terms = evidence_of(asked), terms_of(asked)
    found = Learning().propose(evidence, terms) if evidence else None
    return _version(asked, (held, table), BY_HAND, (evidence, terms, found))


def _carried(asked: Question, held: Policy, found: Policy) -> list[tuple[str, str, str, str, float]]:
    """The rows in force of stages that the new table says nothing of: what is not learned anew stays."""
    known = {row[:2] for row in found.rows}
    if held.name == EQUAL:
        return []
    stages = {(program.name, stage.name) for program in asked.documents.programs for stage in program.stages}
    return [row for row in held.rows if row[:2] in stages - known]


def _version(
    asked: Question, tables: tuple[Policy, Policy], way: str, basis: tuple[tuple[Evidence, ...], Terms, Proposal | None]
) -> Version:
    """A table with all that is known about it; `tables` are the one in force and the new one."""
    evidence, terms, found = basis
    moved = changes(*tables, asked.documents.programs)
    named = {(one.program, one.stage) for one in evidence} | {row[:2] for row in tables[1].rows}
    moved = tuple(one for one in moved if (one.program, one.stage) in named)
    currency = asked.settings.currency
    known = _known(evidence, found, way, currency) if found else {}
    notes = tuple(_in_money(note, currency) for note in found.notes) if found and way != BY_HAND else ()
    return Version(
        tables[1], way, asked.as_of.instant, tables[0].version, moved, {key: known[key] for key in map(_key, moved) if key in known},
        outlook(tables, asked.documents.programs, evidence, terms, asked.days), dict(found.maturity) if found else {},
        policy_value.judged(asked.warehouse, asked.past, asked.programs, evidence, asked.window, tables), notes,
    )


def _key(one: Change) -> Key:
    return one.program, one.stage, one.context, one.arm


def _known(evidence: tuple[Evidence, ...], found: Proposal, way: str, currency: str) -> dict[Key, Evident]:
    stages = {(one.program, one.stage): one for one in evidence}
    known = {}
    for cell in found.cells:
        stage = stages[cell.program, cell.stage]
        at = stage.contexts.index(cell.context), stage.arms.index(cell.arm)
        known[cell.program, cell.stage, cell.context, cell.arm] = Evident(
            round(cell.decisions), round(float(stage.orders[at])), Interval(cell.low, cell.mean, cell.high), cell.best_chance,
            "set by hand" if way == BY_HAND else _in_money(cell.why, currency), round(float(stage.candidates[at[0]])),
            1.0 if cell.arm == NOTHING else float(stage.allowed[at]),
        )
    return known


def _in_money(words: str, currency: str) -> str:
    """Words with their amounts of minor units, such as `+24.3` or `120 minor units`, as money of the store."""
    signed = _AMOUNT.sub(lambda found: money.show(float(found[0]), currency), words.replace("`", ""))
    return _UNITS.sub(lambda found: money.show(float(found[1]), currency), signed)


@dataclass(frozen=True, slots=True)
class News:
    """That a new version would differ from the one in force.

    Args:
        chances: How many chances it would move by `NOTABLE` or more.
        most: The one that it would move most.
    """

    chances: int
    most: Change

    @property
    def words(self) -> str:
        """One line."""
        one, many = self.most, f"{self.chances} chances" if self.chances > 1 else "1 chance"
        where = f"{one.program}, {one.stage}, {'any other context' if one.context == '*' else one.context}"
        return f"a new table would move {many} by {NOTABLE:.0%} or more, most {one.arm} of {where}: {one.before:.0%} to {one.after:.0%}"


def news(asked: Question) -> News | CannotTell:
    """Whether a version proposed now would differ from the one in force; nothing is written, and nothing is put in force."""
    if (orders := _most_orders(asked)) < LEAST_ORDERS:
        return CannotTell(f"{orders} orders at most have followed a stage's decisions so far, {LEAST_ORDERS} are needed to learn from")
    evidence = evidence_of(asked)
    held = policies.in_force(asked.settings, asked.documents, asked.as_of)
    table = Learning().propose(evidence, terms_of(asked)).policy
    stages = {(one.program, one.stage) for one in evidence}
    moved = [one for one in changes(held, table, asked.programs) if (one.program, one.stage) in stages and abs(one.moved) >= NOTABLE]
    if not moved:
        return CannotTell(f"a new table would move no chance by {NOTABLE:.0%}")
    return News(len(moved), max(moved, key=lambda one: abs(one.moved)))


def already(settings: Settings, version: Version) -> str | None:
    """Why a version is no news: it is in force, or was proposed before; None where it is new."""
    if version.name == version.before:
        return f"nothing would change: {version.name} is in force"
    kept = [one for one in policies.entries(settings) if one.name == version.name]
    return f"{version.name} was proposed on {local_day(kept[0].proposed_at, settings.timezone)}" if kept else None
