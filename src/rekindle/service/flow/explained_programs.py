"""Every program's verdict over one customer in words: why there is a message or none, which variants there were, the draw and the sum.

Knows nothing of how anything was found, nor of the profile's words.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rekindle import money
from rekindle.decide.arms import MILLI
from rekindle.decide.explanation import Verdict
from rekindle.decide.guardrails import PUT_OFF, REASONS
from rekindle.decide.terms import Terms
from rekindle.decide.variants import Draw, Variant
from rekindle.decide.whereabouts import Round
from rekindle.program.documents import NOTHING
from rekindle.program.triggers import MOMENTS

EXITS = {
    "order": "an order came after it", "reviewed": "its order was reviewed", "opt_out": "the customer opted out",
    "pause": "the customer asked for a pause",
    "complaint_opened": "a complaint was opened", "return_opened": "a return was opened",
}
"""What ends a round, with the words people read."""

PAD = " " * 15
HOUR = "%Y-%m-%d %H:%M"


def lines(verdict: Verdict, currency: str, zone: str) -> Iterator[str]:
    """A program's verdict for people, its name first.

    Args:
        verdict: The verdict.
        currency: Of the store.
        zone: The store's time zone, in which days are told.
    """
    yield f"{verdict.program:<14} {headline(verdict, zone)}"
    if verdict.state != "due" or verdict.round is None:
        return
    yield PAD + _begun(verdict.round, zone)
    for check in sorted(verdict.checks, key=lambda one: one.passed):
        yield f"{PAD}{'passed ' if check.passed else 'STOPPED'} {check.words}"
    if verdict.draw is not None and verdict.service:
        yield f"{PAD}a message about the customer's own order: one variant, no draw, no cap"
    elif verdict.draw is not None:
        yield from _draw(verdict.draw, currency)


def headline(verdict: Verdict, zone: str) -> str:
    """What it comes to, in one sentence."""
    if verdict.state == "no_round":
        return f"nothing opened a round ({MOMENTS[verdict.trigger]})"
    if verdict.state == "cannot_tell" or verdict.round is None:
        return f"cannot tell: {verdict.why}"
    if verdict.state == "due":
        return _due(verdict, zone)
    return _waiting(verdict.round, verdict.trigger, zone) + (f"; {verdict.more} more open" if verdict.more else "")


def _due(verdict: Verdict, zone: str) -> str:
    stage = verdict.round.stage if verdict.round else ""
    draw = verdict.draw
    if verdict.reason in PUT_OFF and draw is not None:
        again = f"; again from {_local(verdict.send_at, zone):{HOUR}}" if verdict.send_at else ""
        return f"{stage}: drawn {spaced(draw.arm)}, put off ({REASONS[verdict.reason]}){again}"
    if verdict.reason is not None:
        return f"{stage}: left alone ({REASONS[verdict.reason]})"
    if draw is None or draw.taken is None:
        return f"{stage}: drawn to hear nothing"
    at = f", leaves {local(verdict.send_at, verdict.zone)}" if verdict.send_at else ""
    until = f", offer until {verdict.valid_until}" if verdict.valid_until and draw.taken.terms.r else ""
    return f"{stage}: {spaced(draw.arm)} by {draw.taken.channel}{at}{until}"


def local(instant: datetime, zone: str) -> str:
    """A naive UTC instant on the clock of a zone, which it names."""
    return f"{_local(instant, zone):{HOUR}} {zone}"


def day_of(instant: datetime, zone: str) -> str:
    """The day of a zone that a naive UTC instant falls on."""
    return f"{_local(instant, zone):%Y-%m-%d}"


def _local(instant: datetime, zone: str) -> datetime:
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))


def _waiting(one: Round, trigger: str, zone: str) -> str:
    """Why nothing is due in a round."""
    opened = f"{MOMENTS[trigger]} on {day_of(one.opened_at, zone)}"
    match one.state:
        case "not_for":
            return f"not for this customer: its audience asks for {one.enter.unmet}"
        case "not_due":
            since = f"{one.delay_days} days after {one.last_stage}" if one.last_stage else f"{one.delay_days} days after {opened}"
            return f"{one.stage} is not due before {day_of(one.due_at, zone)}, {since}" + _skipped(one)
        case "missed":
            last = day_of(one.begins_by, zone) if one.begins_by else ""
            return f"too late to begin: {opened}, and {one.stage} could begin until {last}"
        case "over":
            return f"over: the round began on {day_of(one.entered_at, zone)} and lasted its time" if one.entered_at else "over"
        case "done":
            return f"over: the last stage, {one.last_stage}, was on {day_of(one.last_at, zone)}" if one.last_at else "over"
        case "passed_over":
            return f"nothing to send: {opened}, and none of its stages is for this customer"
    return f"ended: {opened}, and {EXITS[one.why]}"


def _skipped(one: Round) -> str:
    return f"; passed over: {', '.join(one.passed)}" if one.passed else ""


def _begun(one: Round, zone: str) -> str:
    of = next((f" of {what} {which}" for what, which in (("order", one.opening_order), ("product", one.opening_product)) if which), "")
    began = f"begun on {day_of(one.entered_at, zone)}" if one.entered_at else "begins now"
    last = f"; last {one.last_stage} ({spaced(one.last_arm or NOTHING)}) on {day_of(one.last_at, zone)}" if one.last_at else ""
    due = f"due since {day_of(one.due_at, zone)}{_skipped(one)}"
    return f"round {one.episode}{of}, opened on {day_of(one.opened_at, zone)}, {began}{last}; {due}"


def _draw(draw: Draw, currency: str) -> Iterator[str]:
    """The variants along the line from 0 to 1, where the draw fell, and what was drawn taken apart."""
    weights = ", ".join(f"{spaced(one.arm)} {one.weight:.6f}" for one in draw.variants)
    given = f"the chances {draw.policy} give {weights}, nothing {draw.nothing:.6f}"
    yield f"{PAD}in the context {draw.context} {given}; shared among those that are left:"
    if draw.possible:
        yield PAD + _budget(draw)
    for one in draw.variants:
        yield PAD + _variant(one, draw)
    if not draw.possible:
        return
    edge = draw.variants[-1].end
    drawn = " <- drawn" if draw.taken is None else ""
    yield f"{PAD}yes     nothing: {1 - edge:.6f}, from {edge:.6f} to 1{drawn}"
    yield f"{PAD}draw {draw.number:.6f} = md5('{draw.text}'), first 13 hex digits / 2^52" + _fell(draw)
    if draw.taken is not None:
        yield from _terms(draw.taken.terms, currency)


def _budget(draw: Draw) -> str:
    if not draw.scaled:
        return "budgets: not known without a plan of this instant; taken to leave every chance as it is"
    least = min(one.scale for one in draw.variants)
    return "budgets leave every chance as it is" if least == 1 else f"budgets leave {least:.6f} of a chance at the least"


def _variant(one: Variant, draw: Draw) -> str:
    name = f"{spaced(one.arm)} ({one.label})"
    if not one.eligible:
        return f"no      {name}: {'; '.join(words for _, words in one.obstacles)}"
    scaled = f" = {one.share:.6f} x {one.scale:.6f}" if one.scale != 1 else ""
    drawn = " <- drawn" if one.arm == draw.arm else ""
    return f"yes     {name}: {one.chance:.6f}{scaled}, from {one.start:.6f} to {one.end:.6f}{drawn}"


def _fell(draw: Draw) -> str:
    if draw.kept:
        return f"; {spaced(draw.arm)} was drawn before, a cap put it off, and the draw is kept with its chance of {draw.chance:.6f}"
    return f": {spaced(draw.arm)}, a chance of {draw.chance:.6f}"


def _terms(one: Terms, currency: str) -> Iterator[str]:
    """The sum, in units of the currency, number by number."""
    m, c, mail, left = (_units(value, currency) for value in (one.m, one.c, one.channel, one.opt_out))
    p0 = f"({one.expected_orders:.6f} x {one.open_days}/{one.horizon_days} = {one.p0:.6f} orders anyway + {one.d:g})"
    share = f" x {one.k:.6f} not sent back" if one.k != 1 else ""
    taken = f"{p0} x {one.r:g} takers x {c}{share}"
    cost, gain = (money.show_exactly(value / MILLI, currency) for value in (one.expected_cost, one.expected_margin))
    yield f"{PAD}expected to cost {cost} = {taken} + {mail} for the message"
    theirs = f" x {1 - one.s:g} of ours" if one.s else ""
    first = f"{one.d:g} extra orders (assumed, give or take {one.d_sd:g}) x {m} margin"
    yield f"{PAD}expected to bring {gain} = {first}"
    yield f"{PAD}  - {taken}{theirs} - {mail} for the message - {left} for who leaves (0.2 % of the margin expected)"


def _units(minor: float, currency: str) -> str:
    """Minor units as an amount, with enough digits to recompute by hand."""
    return f"{minor / 10 ** money.exponent(currency):.5f}"


def spaced(name: str) -> str:
    """A name as people write it."""
    return name.replace("_", " ")

