"""The table of chances: as it is in force, as it was before, as somebody proposes it, and the yes to a version.

Knows nothing of how a version is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from rekindle import moment, money
from rekindle.decide.policy import ANY, EQUAL, Policy, equal_chance
from rekindle.errors import BadData, CannotTell
from rekindle.learn.versions import Version
from rekindle.learn.versions.facts import LEAST, Change
from rekindle.learn.versions.words import arm_words, context_words
from rekindle.program.documents import NOTHING, Documents, Program, Stage
from rekindle.service.config.web import store_in_use
from rekindle.service.console import jobs
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import show
from rekindle.service.flow import documents as documents_of
from rekindle.service.flow import policies
from rekindle.service.flow.policies import BY_EXPERIMENT, BY_RULE
from rekindle.service.programs import queries

SHADES = 6
"""How many shades a cell of the table may have."""

_ALMOST = 1e-9
"""What a sum of binary fractions may lack of a whole number."""

SHOWN = 10
"""Changes of a proposal that have a line of their own."""

WAYS = {"learning": "learned from what decisions brought", "by hand": "written by hand", BY_RULE: "equal chances, by rule"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A chance in the table.

    Args:
        chance: From 0 to 1.
        shown: The same in words: per cent, rounded so that a row adds up to 100.
        before: What it was in the table that is compared, likewise; empty where that is the same or none is.
        shade: How dark its cell is, from 0.
    """

    chance: float
    shown: str
    before: str
    shade: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The chances of a stage.

    Args:
        stage: Its name.
        arms: The words of its variants, to be left alone the last.
        rows: The words of each context with its chances; the one for everybody else the last.
        apart: Whether kinds of customers have chances of their own.
        moved: How many chances differ from the table that is compared.
    """

    stage: str
    arms: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    apart: bool
    moved: int


def grids(program: Program, table: Policy, before: Policy | None = None) -> tuple[Grid, ...]:
    """A program's stages as tables.

    Args:
        program: The program.
        table: The chances.
        before: A table to compare with.
    """
    return tuple(_grid(program, stage, table, before) for stage in program.stages)


def _grid(program: Program, stage: Stage, table: Policy, before: Policy | None) -> Grid:
    places = {*table.contexts(program.name, stage.name), *(before.contexts(program.name, stage.name) if before else ())} or {ANY}
    arms = [arm.name for arm in stage.arms] + ([] if program.service else [NOTHING])
    rows = []
    for where in sorted(places, key=lambda name: (name == ANY, name)):
        chances = table.chances(program.name, stage, where)
        others = before.chances(program.name, stage, where) if before else chances
        rows.append((context_words(where), _cells([chances[arm] for arm in arms], [others[arm] for arm in arms])))
    moved = sum(bool(cell.before) for _, cells in rows for cell in cells)
    return Grid(stage.name, tuple(arm_words(arm) for arm in arms), tuple(rows), len(rows) > 1, moved)


def _cells(chances: Sequence[float], before: Sequence[float]) -> tuple[Cell, ...]:
    now, was = whole_percents(chances), whole_percents(before)
    return tuple(
        Cell(chance, now[at], was[at] if abs(before[at] - chance) >= LEAST else "", _shade(chance)) for at, chance in enumerate(chances)
    )


def whole_percents(chances: Sequence[float]) -> tuple[str, ...]:
    """A row of chances in per cent: rounded down, and what is missing to 100 given to the largest remainders."""
    exact = [100 * chance for chance in chances]
    whole = [int(one + _ALMOST) for one in exact]
    missing = round(sum(exact)) - sum(whole)
    for at in sorted(range(len(exact)), key=lambda at: whole[at] - exact[at])[:missing]:
        whole[at] += 1
    return tuple("under 1 %" if not one and chance else f"{one} %" for one, chance in zip(whole, chances, strict=True))


def _shade(chance: float) -> int:
    return min(SHADES - 1, int(chance * SHADES / 0.6))


@may(Role.VIEWER)
def policy(request: HttpRequest) -> HttpResponse:
    """The table in force, its versions, and what is proposed."""
    store = store_in_use()
    if not queries.approved(store):
        return show(request, "policy.html", {"held": None})
    held, reign = documents_of.approved(store), policies.reigning(store)
    table = policies.in_force(store, held)
    program = _chosen(held, request.GET.get("program", ""))
    listed = [one for one in policies.entries(store) if one.way not in (BY_RULE, BY_EXPERIMENT) or one.name == EQUAL]
    waits = policies.proposed(store)
    said = {
        "held": held, "program": program, "programs": [one for one in _in_order(held) if not one.service], "grids": grids(program, table),
        "name": reign[-1], "equal": reign[-1] == EQUAL, "before": reign[-2] if len(reign) > 1 else "", "versions": listed[::-1],
        "waits": waits, "job": jobs.newest("propose"), "ways": WAYS,
    }  # fmt: skip
    return show(request, "policy.html", said)


def _in_order(held: Documents) -> list[Program]:
    """The programs, that of a lapse first."""
    return sorted(held.programs, key=lambda one: one.trigger.on != "lapse")


def _chosen(held: Documents, name: str) -> Program:
    found = [one for one in held.programs if one.name == name]
    return found[0] if found else held.lead


@may(Role.VIEWER)
def version(request: HttpRequest, name: str) -> HttpResponse:
    """A version against the one in force: what it changes, on which evidence, and what it is expected to cost and bring."""
    store = store_in_use()
    if not queries.approved(store):
        raise Http404
    try:
        found = _read(str(store.root), name) if name != EQUAL else None
    except BadData as error:
        raise Http404 from error
    reign = policies.reigning(store)
    entry = next((one for one in policies.entries(store) if one.name == name), None)
    said = {
        "version": found, "name": name, "entry": entry, "in_force": name == reign[-1], "approved": bool(entry and entry.approvals),
        "way": WAYS.get(found.way, found.way) if found else WAYS[BY_RULE], "changes": _changes(found) if found else [],
        "more": max(0, len(found.differing) - SHOWN) if found else 0,
        "outlook": None if found is None or isinstance(found.outlook, CannotTell) else found.outlook,
        "spend_words": _spend_words(found), "cannot": found.outlook.reason if found and isinstance(found.outlook, CannotTell) else "",
        "parts": _parts(str(store.root), name, reign[-1], tuple(queries.approved(store).items())),
        "job": jobs.latest("policy-approve", name),
    }  # fmt: skip
    return show(request, "policy-version.html", said)


def _spend_words(found: Version | None) -> str:
    """The period and the limit that a version's spending is held to."""
    ahead = found.outlook if found else None
    if ahead is None or isinstance(ahead, CannotTell):
        return ""
    store = store_in_use()
    limit = "no limit" if ahead.budget is None else f"at most {money.show(ahead.budget, store.currency, store.locale)}"
    return f"in {ahead.days} days, {limit}"


def _changes(found: Version) -> list[dict[str, object]]:
    """The changes of most weight with what was seen of each."""
    return [
        {"change": one, "arm": arm_words(one.arm), "where": context_words(one.context), "known": found.evidence.get(_key(one))}
        for one in found.differing[:SHOWN]
    ]


def _key(one: Change) -> tuple[str, str, str, str]:
    return one.program, one.stage, one.context, one.arm


@lru_cache(maxsize=16)
def _read(root: str, name: str) -> Version:
    """A version, which never changes."""
    return policies.read(store_in_use(), name)


@lru_cache(maxsize=16)
def _parts(root: str, name: str, force: str, approved: tuple[tuple[str, str], ...]) -> list[tuple[Program, tuple[Grid, ...], int]]:
    """The programs in which a table differs from the one in force, with the stages that do and how many chances; that of a lapse first."""
    store, found = store_in_use(), []
    held = documents_of.approved(store)
    table = equal_chance(held.programs) if name == EQUAL else _read(root, name).policy
    before = equal_chance(held.programs) if force == EQUAL else _read(root, force).policy
    for program in _in_order(held):
        if moved := tuple(one for one in grids(program, table, before) if one.moved):
            found.append((program, moved, sum(one.moved for one in moved)))
    return found


@may(Role.EDITOR, post=Role.EDITOR)
def propose(request: HttpRequest) -> HttpResponse:
    """Asks for a new version from what decisions brought so far."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("policy"))
    job = jobs.start("propose", [], operator_of(request).email, moment.now())
    return HttpResponseRedirect(reverse("jobs-job", args=[job.key]))


@may(Role.APPROVER, post=Role.APPROVER)
def approve(request: HttpRequest) -> HttpResponse:
    """A yes to a version, or the way back to an earlier one: a job, because a whole plan by it is judged first."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("policy"))
    store, name = store_in_use(), request.POST.get("version", "")
    known = {one.name: one for one in policies.entries(store)}
    if name != EQUAL and name not in known:
        return show(request, "absent.html", {"what": "version"}, status=400)
    kind = "policy-back" if name == EQUAL or known[name].approvals else "policy-approve"
    by = operator_of(request).email
    job = jobs.start(kind, [name, "--by", by], by, moment.now())
    return HttpResponseRedirect(reverse("jobs-job", args=[job.key]))
