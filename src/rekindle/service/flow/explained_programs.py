"""Every program's verdict over one customer in words: why there is a message or none, which choices there were, and what it is worth.

Knows nothing of how anything was found, nor of the profile's words. Sentences come first; the numbers under them repeat the whole.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rekindle import money
from rekindle.decide.arms import MILLI
from rekindle.decide.explanation import Verdict
from rekindle.decide.guardrails import PUT_OFF, REASONS
from rekindle.decide.terms import Terms
from rekindle.decide.variants import Draw, Variant
from rekindle.decide.whereabouts import Round
from rekindle.insight.lifecycle import SLIPPING, slipping_since
from rekindle.program.documents import NOTHING
from rekindle.program.triggers import AHEAD, MOMENTS
from rekindle.service.flow.timeline import SHORT

EXITS = {
    "order": "an order came after it", "reviewed": "its order was reviewed", "opt_out": "the customer opted out",
    "pause": "the customer asked for a pause",
    "complaint_opened": "a complaint was opened", "return_opened": "a return was opened",
}
"""What ends a round, with the words people read."""

ON_DAY = {
    "lapse": "the last order on", "late_delivery": "a late delivery that was promised for", "credit": "an unspent credit that expires on",
    "run_out": "something that runs out about",
}
"""Moments whose day is not simply that on which they are, with the words before it."""

PAD = " " * 15
AT = "%Y-%m-%d at %H:%M"


def lines(verdict: Verdict, row: Mapping[str, Any], currency: str, zone: str) -> Iterator[str]:
    """A program's verdict in sentences, its name first.

    Args:
        verdict: The verdict.
        row: The customer's profile.
        currency: Of the store.
        zone: The time zone in which days and hours are told.
    """
    yield f"{verdict.program:<14} {headline(verdict, zone)}"
    if verdict.state != "due" or verdict.round is None:
        return
    yield PAD + _begun(verdict, verdict.round, row, zone)
    for check in sorted(verdict.checks, key=lambda one: one.passed):
        yield f"{PAD}{'passed ' if check.passed else 'STOPPED'} {check.words}"
    if verdict.draw is not None and verdict.service:
        yield f"{PAD}It is about the customer's own order: there is one variant, no draw and no cap."
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
    return _waiting(verdict, verdict.round, zone) + (f"; {verdict.more} more open" if verdict.more else "")


def _due(verdict: Verdict, zone: str) -> str:
    stage = spaced(verdict.round.stage or "") if verdict.round else ""
    draw = verdict.draw
    if verdict.reason in PUT_OFF and draw is not None:
        until = f" to {at(verdict.send_at, zone)}" if verdict.send_at else ""
        return f"{stage}: {spaced(draw.arm)} was drawn, and is put off{until}"
    if verdict.reason is not None:
        return f"{stage}: left alone ({reason(verdict.reason)})"
    if draw is None or draw.taken is None:
        return f"{stage}: drawn to hear nothing this time"
    leaves = f", leaves on {at(verdict.send_at, zone)}" if verdict.send_at else ""
    until = f"; the offer holds until {verdict.valid_until}" if verdict.valid_until and draw.taken.terms.r else ""
    return f"{stage}: {named(draw.taken)} by {draw.taken.channel}{leaves}{until}"


def reason(code: str) -> str:
    """Why a customer is left alone, in a few words."""
    return SHORT.get(code, REASONS[code])


def named(one: Variant) -> str:
    """A variant with what the customer reads of its offer, where there is one."""
    return spaced(one.arm) + ("" if one.kind == "none" else f" ({one.label})")


def at(instant: datetime, zone: str) -> str:
    """A naive UTC instant on the clock of a zone."""
    return f"{_local(instant, zone):{AT}}"


def day_of(instant: datetime, zone: str) -> str:
    """The day of a zone that a naive UTC instant falls on."""
    return f"{_local(instant, zone):%Y-%m-%d}"


def _local(instant: datetime, zone: str) -> datetime:
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))


def opened_on(trigger: str, one: Round, zone: str) -> str:
    """The day that a round is about: that of the last order, of what lies ahead, or of what happened."""
    if trigger in AHEAD and one.opening_day is not None:
        return str(one.opening_day)
    return _day(trigger, one.opened_at, zone)


def _day(trigger: str, instant: datetime, zone: str) -> str:
    """A day of a round; silences and days that lie ahead are whole days of the store's already."""
    return f"{instant:%Y-%m-%d}" if trigger == "lapse" or trigger in AHEAD else day_of(instant, zone)


def due_on(trigger: str, one: Round, zone: str) -> str:
    """The day from which on the stage that follows is due."""
    return day_of(one.due_at, zone) if one.last_at else _day(trigger, one.due_at, zone)


def _moment(trigger: str, one: Round, zone: str) -> str:
    """What opened a round, with its day; an unspent credit may have none."""
    dated = trigger != "credit" or one.opening_day is not None
    return f"{ON_DAY.get(trigger, f'{MOMENTS[trigger]} on') if dated else MOMENTS[trigger] + ' since'} {opened_on(trigger, one, zone)}"


def _waiting(verdict: Verdict, one: Round, zone: str) -> str:
    """Why nothing is due in a round."""
    opened, stage, last = _moment(verdict.trigger, one, zone), spaced(one.stage or ""), spaced(one.last_stage or "")
    match one.state:
        case "not_for":
            return f"not for them: {one.enter.words}"
        case "not_due":
            return f"{stage} is not due before {due_on(verdict.trigger, one, zone)}, {_after(one, last or opened)}{_skipped(one)}"
        case "missed":
            until = _day(verdict.trigger, one.begins_by, zone) if one.begins_by else ""
            return f"too late to begin: {opened}, and {stage} could begin until {until}"
        case "over":
            return f"over: the round began on {day_of(one.entered_at, zone)} and lasted its time" if one.entered_at else "over"
        case "done":
            return f"over: the last stage, {last}, was on {day_of(one.last_at, zone)}" if one.last_at else "over"
        case "passed_over":
            return f"nothing to send: {opened}, and none of its stages is for this customer"
    return f"ended: {opened}, and {EXITS[one.why]}"


def _after(one: Round, what: str) -> str:
    days = f"{one.delay_days} day{'s' * (one.delay_days != 1)}"
    return f"{days} after {what}" if one.delay_days else f"at once after {what}"


def _skipped(one: Round) -> str:
    return f"; passed over: {', '.join(map(spaced, one.passed))}" if one.passed else ""


def _begun(verdict: Verdict, one: Round, row: Mapping[str, Any], zone: str) -> str:
    """What opened a round, and why its stage comes now."""
    stage = spaced(one.stage or "")
    opened = _silence(row) if verdict.trigger == "lapse" and row["last_day"] else f"Opened by {_moment(verdict.trigger, one, zone)}"
    if one.last_at:
        came = "nothing, by the draw" if one.last_arm in (None, NOTHING) else spaced(str(one.last_arm))
        last = f"Last came {spaced(one.last_stage or '')} ({came}) on {day_of(one.last_at, zone)}"
        return f"{opened}. {last}; {stage} comes {_after(one, 'that')}{_skipped(one)}."
    return opened + (f"; {stage} comes {_after(one, 'that')}" if one.delay_days else "") + f"{_skipped(one)}."


def _silence(row: Mapping[str, Any]) -> str:
    """Since when a customer is silent, and since when that is a lapse."""
    last, next_on, stage, rhythm = (
        row[name] for name in ("last_day", "expected_next_order_at", "lifecycle", "average_days_between_orders")
    )  # fmt: skip
    counts = f", and since {slipping_since(stage, last, rhythm)} they count as {stage}" if stage in SLIPPING and rhythm else ""
    return f"Silent since their last order on {last}: the next was expected on {next_on}{counts}"


def _draw(draw: Draw, currency: str) -> Iterator[str]:
    """The choices with their chances, which was drawn, and what it is worth."""
    yield PAD + _among(draw)
    for one in draw.variants:
        drawn = " <- drawn" if one.arm == draw.arm else ""
        if one.eligible:
            yield f"{PAD}{percent(one.chance):<8}{named(one)}{drawn}"
        else:
            yield f"{PAD}{'no':<8}{named(one)}: {'; '.join(words for _, words in one.obstacles)}"
    if not draw.possible:
        return
    drawn = " <- drawn" if draw.taken is None else ""
    yield f"{PAD}{percent(1 - draw.variants[-1].end):<8}nothing, to be left alone this time{drawn}"
    if draw.kept:
        before = f"{spaced(draw.arm).capitalize()} was drawn before, when a cap put it off"
        yield f"{PAD}{before}: the draw is kept, with its chance of {percent(draw.chance)}."
    if draw.taken is not None:
        chance = f"the approved chances still give it {percent(draw.chance)}"
        still = "the chances are equal until results are known" if alike(draw) else chance
        yield PAD + _worth(draw.taken.terms, still, currency)


def alike(draw: Draw) -> bool:
    """Whether the chances are equal: so they are until a table that results have changed is approved."""
    return len({*(one.weight for one in draw.variants), draw.nothing}) == 1


def _among(draw: Draw) -> str:
    if not draw.possible:
        return "None of its variants fits:"
    choices, least = sum(one.eligible for one in draw.variants) + 1, min(one.scale for one in draw.variants)
    how = "each as likely as another until results are known" if alike(draw) else "with the approved chances"
    left = "" if least == 1 else f"; budgets leave {percent(least)} of a message's chance, and nothing gets the rest"
    return f"Drawn by lot among {choices} choices, {how}{left}:"


def percent(share: float) -> str:
    """A chance in per cent; a little is never shown as none, nor all but a little as all.

    >>> percent(0.25), percent(0.0004), percent(0.9999), percent(1.0)
    ('25.0 %', 'under 0.1 %', 'over 99.9 %', '100.0 %')
    """
    if 0 < share < 0.0005:
        return "under 0.1 %"
    return "over 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def _worth(one: Terms, still: str, currency: str) -> str:
    """What a variant is expected to come to, and why it is tried although it may come to a loss."""
    adds, all_in_all = one.d * one.m, one.expected_margin / MILLI
    seller = f" ({amount(one.seller_cost / MILLI, currency)} of it the seller's)" if one.seller_cost else ""
    parts = [f"adds {amount(adds, currency)} of margin on average", f"costs {amount(one.expected_cost / MILLI, currency)}{seller}"]
    if one.opt_out > 0:
        parts.append(f"loses {amount(one.opt_out, currency)} by those who leave")
    words = f"It is assumed that such a message {', '.join(parts[:-1])} and {parts[-1]}: {balance(all_in_all, currency)}."
    if all_in_all >= 0:
        return words
    redeemed = (one.p0 + one.d) * one.r * one.c * one.k * (1 - one.s)
    mostly = ", mostly for orders that would come anyway" if one.p0 > one.d else ""
    why = f" The offer costs more than it is expected to add{mostly}." if redeemed > adds else ""
    return f"{words}{why} It is tried all the same: {still}."


def balance(minor: float, currency: str) -> str:
    """What a message is expected to come to, beside leaving the customer alone.

    >>> balance(-31.0, "EUR"), balance(0.4, "EUR")
    ('EUR 0.31 less than no message', 'less than EUR 0.01 more than no message')
    """
    return f"{amount(abs(minor), currency)} {'less' if minor < 0 else 'more'} than no message" if minor else "as much as no message"


def amount(minor: float, currency: str) -> str:
    """An expected amount: a mail costs less than what is paid at the least, but something."""
    if not minor:
        return "nothing"
    return f"less than {money.show(1, currency)}" if 0 < minor < 1 else money.show(minor, currency)


def spaced(name: str) -> str:
    """A name as people write it."""
    return name.replace("_", " ")
