"""The numbers behind a program's verdict over one customer: each can be recomputed from the others by hand.

Knows nothing of sentences; `explained_programs` has them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rekindle import money
from rekindle.decide.arms import MILLI
from rekindle.decide.checks import Check
from rekindle.decide.explanation import Verdict
from rekindle.decide.terms import Terms
from rekindle.decide.variants import Draw, Variant
from rekindle.decide.whereabouts import Round
from rekindle.insight.lifecycle import SLIPPING, slipping_edges, slipping_since
from rekindle.service.flow.explained_programs import PAD, day_of, due_on, opened_on, spaced

DRAWN = {"held_out": "holdout", "control": "control"}
"""Checks that are draws, and what they are called."""

HASHED = " (what md5 gives: the first 13 hex digits / 2^52)"

Line = tuple[str, str]
"""What a number is, and the number."""


def lines(verdict: Verdict, row: Mapping[str, Any], currency: str, zone: str) -> Iterator[str]:
    """The numbers of a verdict, indented under it; none where it has none.

    Args:
        verdict: The verdict.
        row: The customer's profile.
        currency: Of the store.
        zone: The time zone in which days are told.
    """
    found = list(_numbers(verdict, row, currency, zone))
    if found:
        yield f"{PAD}The numbers" + (HASHED if any("md5(" in words for _, words in found) else "")
    for name, words in found:
        yield f"{PAD}  {name:<9} {words}"


def _numbers(verdict: Verdict, row: Mapping[str, Any], currency: str, zone: str) -> Iterator[Line]:
    if verdict.round is not None and verdict.state == "not_for":
        yield "rule", verdict.round.enter.unmet
    if verdict.round is None or verdict.state != "due":
        return
    yield "round", _round(verdict.trigger, verdict.round, zone)
    if verdict.trigger == "lapse" and row["lifecycle"] in SLIPPING and row["average_days_between_orders"]:
        yield "silence", _silence(row)
    for check in verdict.checks:
        yield from _of_check(check)
    if verdict.draw is not None and not verdict.service:
        yield from _draw(verdict.draw)
        if verdict.draw.possible and verdict.draw.taken is not None:
            yield from _terms(verdict.draw.taken.terms, currency)


def _round(trigger: str, one: Round, zone: str) -> str:
    of = next((f" of {what} {which}" for what, which in (("order", one.opening_order), ("product", one.opening_product)) if which), "")
    began = f", begun on {day_of(one.entered_at, zone)}" if one.entered_at else ""
    due = "" if trigger == "lapse" and not one.last_at else f", {spaced(one.stage or '')} due from {due_on(trigger, one, zone)}"
    return f"{one.episode}{of}, of {opened_on(trigger, one, zone)}{began}{due}"


def _silence(row: Mapping[str, Any]) -> str:
    stage, rhythm = row["lifecycle"], row["average_days_between_orders"]
    rhythms, least = slipping_edges(stage)
    since = slipping_since(stage, row["last_day"], rhythm)
    return f"more than {rhythms:g} x {rhythm:.3f} days after {row['last_day']}, and {least} at least: {since}"


def _of_check(check: Check) -> Iterator[Line]:
    numbers = check.numbers
    if check.name in DRAWN:
        draw = f"md5('{numbers['text']}') gives {numbers['draw']:.6f}, in it only below {numbers['below']:g}"
        yield DRAWN[check.name], f"the round began as {numbers['kept']}, which holds while it lasts" if numbers["kept"] else draw
    if check.name == "held_back" and numbers["unmet"]:
        yield "waits for", str(numbers["unmet"])


def _draw(draw: Draw) -> Iterator[Line]:
    """The chances, and the choices along the line from 0 to 1 with the draw."""
    weights = ", ".join(f"{spaced(one.arm)} {one.weight:.6f}" for one in draw.variants)
    yield "chances", f"of {draw.policy}, for {draw.context}: {weights}, nothing {draw.nothing:.6f}; shared among those that are left"
    for one in draw.variants:
        if one.rule is not None and not one.rule.holds:
            yield "rule", f"of {spaced(one.arm)}: {one.rule.unmet}"
    if not draw.possible:
        return
    yield "budgets", _budgets(draw)
    for one in draw.variants:
        if one.eligible:
            yield "from", _part(one)
    yield "from", f"{draw.variants[-1].end:.6f} to 1: nothing {1 - draw.variants[-1].end:.6f}"
    kept = f", a draw that is kept with its chance of {draw.chance:.6f}" if draw.kept else ""
    yield "draw", f"md5('{draw.text}') gives {draw.number:.6f}: {spaced(draw.arm)}{kept}"


def _budgets(draw: Draw) -> str:
    if not draw.scaled:
        return "not known without a plan of this instant; taken to leave every chance as it is"
    least = min(one.scale for one in draw.variants)
    return "leave every chance as it is" if least == 1 else f"leave {least:.6f} of a chance at the least"


def _part(one: Variant) -> str:
    scaled = f" = {one.share:.6f} x {one.scale:.6f}" if one.scale != 1 else ""
    return f"{one.start:.6f} to {one.end:.6f}: {spaced(one.arm)} {one.chance:.6f}{scaled}"


def _terms(one: Terms, currency: str) -> Iterator[Line]:
    """What is added, spent and lost, in units of the currency; the offer's part only where one is given."""
    def units(minor: float) -> str:
        return f"{minor / 10 ** money.exponent(currency):.5f}"

    adds, redeemed, message = one.d * one.m, (one.p0 + one.d) * one.r * one.c * one.k, units(one.channel)
    spent, ours, left = [], [], ""
    yield "adds", f"{one.d:g} extra orders (assumed, give or take {one.d_sd:g}) x {units(one.m)} margin = {units(adds)}"
    if redeemed:
        yield "anyway", f"{one.expected_orders:.6f} orders x {one.open_days}/{one.horizon_days} days = {one.p0:.6f} while the offer holds"
        back = f" x {one.k:.6f} not sent back" if one.k != 1 else ""
        yield "offer", f"({one.p0:.6f} + {one.d:g}) orders x {one.r:g} takers x {units(one.c)}{back} = {units(redeemed)}"
        spent, ours = [units(redeemed)], [units(redeemed * (1 - one.s))]
    if redeemed and one.s:
        yield "ours", f"{units(redeemed)} x {1 - one.s:g} = {ours[0]}, the seller pays the rest"
    yield "message", message
    if one.opt_out > 0:
        left = f" - {units(one.opt_out)}"
        yield "leaving", f"0.2 % of the margin expected = {units(one.opt_out)}"
    cost, gain = (money.show_exactly(value / MILLI, currency) for value in (one.expected_cost, one.expected_margin))
    yield "cost", f"{' + '.join([*spent, message])} = {cost}"
    yield "in all", f"{' - '.join([units(adds), *ours, message])}{left} = {gain}"
