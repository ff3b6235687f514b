"""One customer's explanation in words that a support agent could read out, number by number.

Knows nothing of how anything was found.
"""

from collections.abc import Callable, Iterator
from typing import Any

from rekindle import money
from rekindle.decide.arms import MILLI
from rekindle.decide.assignment import draw_of
from rekindle.decide.timing import zone_of
from rekindle.insight.friction import CAUSES
from rekindle.insight.lifecycle import COHORTS
from rekindle.insight.personas import TAGS
from rekindle.insight.rhythm import SOURCES
from rekindle.learn.report.figures import Figures
from rekindle.program.documents import NOTHING
from rekindle.program.triggers import MOMENTS
from rekindle.service.flow import explained_numbers, explained_programs
from rekindle.service.flow.explained_programs import amount, at, balance, day_of, percent, reason, spaced
from rekindle.service.flow.explaining import Explanation
from rekindle.settings import Settings

QUALITIES = {
    "good": "as the store's histories show", "weak": "the store's histories fix the model only in part",
    "prior only": "assumed of shops in general: nobody has ordered twice yet",
}
"""Qualities of a prediction with the words people read."""

ONE_DAY = "little to go by: true of customers like this, not of this one"
"""Of a weak prediction for who has ordered on one day alone."""

PAD = explained_programs.PAD


def lines(found: Explanation, settings: Settings) -> Iterator[str]:
    """The explanation for people."""
    yield f"Customer       {found.customer_id}, as of {found.as_of.day}; silences are counted to the end of {found.as_of.last_day}"
    zone = zone_of(found.profile["timezone"], settings.timezone)
    yield f"Days           and hours are those of {zone}" + ("" if zone == settings.timezone else _elsewhere(found, settings))
    yield from known(found.profile, settings)
    yield from _now(found, settings, zone)
    if not found.journal:
        yield "Decided        nothing yet"
    for row in found.journal:
        yield from _decided(row, found, settings, zone)
    for touch in found.touches:
        when = f" on {at(touch['settled_at'], zone)}" if touch["settled_at"] else ""
        why = f" ({touch['reason']})" if touch["reason"] else ""
        yield f"Message        {touch['stage']}: {spaced(touch['arm'])} by {touch['channel']}, {touch['status']}{when}{why}"
    for event in found.told:
        why = f" ({event['detail']})" if event["detail"] else ""
        yield f"Told           {event['kind']}, by {event['source']} on {at(event['occurred_at'], zone)}{why}"


def _elsewhere(found: Explanation, settings: Settings) -> str:
    """What to know of a customer whose clock is not the store's."""
    zone = zone_of(found.profile["timezone"], settings.timezone)
    now = at(found.as_of.naive, zone)
    return f", where the customer is (it was {now} there); orders and silences are counted by the days of {settings.timezone}"


def known(row: dict[str, Any], settings: Settings) -> Iterator[str]:
    """The profile for people."""
    if not row["orders"]:
        yield "Orders         none yet"
        return
    share = Figures(settings.currency, settings.locale.replace("-", "_")).share
    spend, expected = (money.show(row[name], settings.currency) for name in ("spend", "expected_margin"))
    mostly = f"; mostly {row['category']}" if row["category"] else ""
    when = f"on {row['first_day']}" if row["first_day"] == row["last_day"] else f"from {row['first_day']} to {row['last_day']}"
    yield f"Orders         {row['orders']} {when}, {spend} in all{mostly}"
    late = row["overdue"] > 0
    due = f"the next {'was' if late else 'is'} expected on {row['expected_next_order_at']:%Y-%m-%d}, {_late(row['overdue'])}"
    yield f"Rhythm         about every {row['average_days_between_orders']:.0f} days ({SOURCES[row['rhythm_source']]}); {due}"
    if row["p_alive"] is not None:
        ahead = f"{row['expected_orders']:.2f} orders and {expected} margin in {settings.horizon_weeks} weeks"
        yield f"Outlook        {share(row['p_alive'])} chance of being a customer still; {ahead} ({_rests_on(row)})"
    cohort = f", {COHORTS[row['lapsed_cohort']]}" if row["lapsed_cohort"] not in (None, "other") else ""
    yield f"Stage          {spaced(row['lifecycle'])}, {row['value_tier']} value{cohort}"
    yield from _habits(row, share)
    if row["cause"]:
        cause = "not known: nothing that went wrong is on record" if row["cause"] == "unknown" else CAUSES[row["cause"]]
        yield f"Why            {cause}" + (f" ({row['cause_evidence']})" if row["cause_evidence"] else "")
    channels = [name for name in ("email", "sms", "webpush", "inapp") if row[f"{name}_consent"]]
    yield f"Consent        {', '.join(channels) or 'none'}"


def _rests_on(row: dict[str, Any]) -> str:
    quality = row["prediction_quality"]
    return ONE_DAY if quality == "weak" and row["purchase_days"] == 1 else QUALITIES[quality]


def _habits(row: dict[str, Any], share: Callable[[float], str]) -> Iterator[str]:
    """Persona tags with what shows them, and the next threshold."""
    rank = row["price_rank"]
    place = "" if rank is None else f"at {share(rank)} of the way from the cheapest to the dearest of its category"
    shown = {
        "price_sensitive": f"{row['discounted_orders']} of {row['orders']} orders at a discount", "premium": place,
        "quick_solution": f"{row['single_item_orders']} of {row['orders']} orders of one thing",
    }
    tags = [f"{TAGS[tag]} ({row[tag]:.2f}: {shown[tag]})" for tag in TAGS if tag in row["personas"].split(", ")]
    if tags:
        yield f"Habits         {'; '.join(tags)}"
    if row["next_threshold"]:
        kind, _, which = row["next_threshold"].partition(":")
        what = {"tier": f"{which} value", "orders": f"{which} orders", "free_shipping": "an order that ships free"}[kind]
        yield f"Near           {share(row['threshold_distance'])} short of {what}"


def _late(days: int) -> str:
    many = f"{abs(days)} day{'s' * (abs(days) != 1)}"
    return f"{many} ago" if days > 0 else f"in {many}" if days else "today"


def _now(found: Explanation, settings: Settings, zone: str) -> Iterator[str]:
    """What every program would do at this instant: those with something due first, then those that wait, then the rest."""
    if not found.verdicts:
        return
    planned = f"as the plan {found.plan} decided" if found.plan else "as a plan would decide; none was made at this instant"
    yield f"Programs       {planned}" + (", in a rehearsal: nobody can be written to" if found.rehearsal else "")
    order = {"due": 0, "not_due": 1}
    told = sorted((one for one in found.verdicts if one.state != "no_round"), key=lambda one: order.get(one.state, 2))
    for verdict in told:
        yield from explained_programs.lines(verdict, found.profile, settings.currency, zone)
        yield from explained_numbers.lines(verdict, found.profile, settings.currency, zone)
    if silent := [f"{one.program} ({MOMENTS[one.trigger]})" for one in found.verdicts if one.state == "no_round"]:
        yield f"Not opened     {', '.join(silent)}: no such moment now, or its time has passed"
    yield from _otherwise(found)


def _otherwise(found: Explanation) -> Iterator[str]:
    """Where the plan of the instant decided otherwise than it would be decided now: facts or documents have changed since."""
    now = {(one.program, one.round.episode): one for one in found.verdicts if one.state == "due" and one.round is not None}
    for row in found.decided:
        verdict = now.get((row["program"], row["episode"]))
        arm = verdict.draw.arm if verdict is not None and verdict.draw is not None and verdict.draw.possible else None
        if verdict is None or (verdict.reason, arm) != (row["reason"], row["arm"]):
            was = reason(row["reason"]) if row["reason"] else f"drawn {spaced(row['arm'])}"
            yield f"Otherwise      the plan had {row['program']}, {row['stage']}: {was}; facts or documents have changed since"


def _decided(row: dict[str, Any], found: Explanation, settings: Settings, zone: str) -> Iterator[str]:
    """A row of the journal: what was decided, and the draw, which anyone can repeat."""
    when, where = day_of(row["as_of"], zone), f"{row['program']}, {spaced(row['stage'])}"
    if row["arm"] is None:
        yield f"{when}     {where}: left alone ({reason(row['reason'])})"
        return
    if any(one.service for one in found.verdicts if one.program == row["program"]):
        yield f"{when}     {where}: {spaced(row['arm'])}, about the customer's own order"
        return
    drawn = "drawn to hear nothing" if row["arm"] == NOTHING else f"drawn {spaced(row['arm'])}"
    put_off = f", put off ({reason(row['reason'])})" if row["reason"] else ""
    among = spaced(row["eligible"].replace("|", ", "))
    yield f"{when}     {where}: {drawn}{put_off}, with a chance of {percent(row['propensity'])} among {among}"
    if row["arm"] != NOTHING and not put_off:
        gain, cost = (row[name] / MILLI for name in ("expected_margin", "expected_cost"))
        told = amount(cost, settings.currency), balance(gain, settings.currency)
        yield f"{PAD}it was assumed to cost {told[0]} on average, and to bring {told[1]}"
    text = (found.salts or {}).get((row["program"], row["stage"]))
    if text and draw_of(text, row["customer_id"], row["episode"]) == row["draw"]:
        yield f"{PAD}  draw      md5('{text}:{row['customer_id']}:{row['episode']}') gives {row['draw']:.6f}, first 13 hex digits / 2^52"
    else:
        yield f"{PAD}  draw      {row['draw']:.6f}, by an earlier version of the program"
