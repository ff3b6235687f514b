"""The variants of a stage for one customer: who may get which and why not, the chances, the draw, and what a drawn message meets.

Knows nothing of programs that are not due.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pyarrow as pa

from rekindle.decide import arbitration, arms, budget, chances, checks, fatigue, settling, timing, wishes
from rekindle.decide.assignment import salt
from rekindle.decide.funding import split
from rekindle.decide.inputs import Inputs
from rekindle.decide.rule_parts import RuleVerdict
from rekindle.decide.terms import Choice, Obstacle, Terms, obstacles, rule, terms
from rekindle.history.warehouse import Warehouse
from rekindle.program.documents import NOTHING, Program, Stage

if TYPE_CHECKING:
    from rekindle.decide.due import Past
    from rekindle.decide.explanation import Question, Verdict


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of a stage for the customer.

    Args:
        arm: Its name.
        offer, kind, label: What it gives, of which kind, and what the customer reads.
        channel: The way that it would take; None where there is none.
        scope, seller_id: What the offer holds for, and whose goods that is.
        eligible: Whether the customer may get it.
        rule: The rule that it goes by over the customer; None where it has none.
        obstacles: What keeps it from the customer.
        weight: What the policy gives it in the customer's context.
        share: Its chance among the variants that the customer may get, before budgets.
        scale: What budgets left of that.
        chance: share x scale.
        start, end: The part of the line from 0 to 1 that it holds.
        terms: What it is expected to cost and bring.
    """

    arm: str
    offer: str
    kind: str
    label: str
    channel: str | None
    scope: str | None
    seller_id: str | None
    eligible: bool
    rule: RuleVerdict | None
    obstacles: tuple[Obstacle, ...]
    weight: float
    share: float
    scale: float
    chance: float
    start: float
    end: float
    terms: Terms


@dataclass(frozen=True, slots=True)
class Draw:
    """The draw of one stage.

    Args:
        stage: The stage.
        context: What the chances go by.
        policy: The version of the table of chances.
        text: What is hashed.
        number: The first 13 hex digits of its md5, over 2^52.
        variants: In the order of the line.
        nothing: The weight of hearing nothing.
        arm: What was drawn.
        chance: Its chance.
        kept: Whether it was drawn before, when a cap put it off.
        possible: Whether any variant was.
        scaled: Whether a plan of this instant says what budgets left; where not, they are taken to bind nothing.
    """

    stage: str
    context: str
    policy: str
    text: str
    number: float
    variants: tuple[Variant, ...]
    nothing: float
    arm: str
    chance: float
    kept: bool
    possible: bool
    scaled: bool

    @property
    def reason(self) -> str | None:
        """Why nothing can come of it, None where something can: no variant fits, or the budgets have no room for one drawn before."""
        if not self.possible:
            return "no_variant"
        return "budget_reached" if self.kept and self.taken is not None and self.taken.scale == 0 else None

    @property
    def taken(self) -> Variant | None:
        """The variant drawn; None for hearing nothing."""
        return next((one for one in self.variants if one.arm == self.arm), None)


def drawn(
    warehouse: Warehouse, question: "Question", customer: Mapping[str, Any], program: Program, open_rows: ir.Table
) -> dict[str, Draw]:
    """The draw of every round that may be drawn for, by its episode.

    Args:
        warehouse: Keeps steps.
        question: What is asked.
        customer: The profile's row.
        program: The program.
        open_rows: The candidates, kept.
    """
    numbers = sorted(set(warehouse.arrow(open_rows.select("stage_no"))["stage_no"].to_pylist()))
    found = {}
    for stage, number in ((program.stages[number], number) for number in numbers):
        mine = open_rows if len(numbers) == 1 else open_rows.filter(open_rows.stage_no == number)
        documents = question.inputs.documents
        scales = {
            arm.name: budget.scale_of(question.scales or {}, program.name, documents.offers[arm.offer], documents.rules)
            for arm in stage.arms
        }
        for row in warehouse.arrow(_line(warehouse, question.inputs, program, stage, mine, scales)).to_pylist():
            found[row["episode"]] = _draw({**customer, **row}, question, program, stage, scales)
    return found


def _line(
    warehouse: Warehouse, inputs: Inputs, program: Program, stage: Stage, mine: ir.Table, scales: Mapping[str, float]
) -> ir.Table:
    """The planner's own chances and draw, with what every variant is made of beside them; no column for what is the same for everyone."""
    shop, offers = inputs.shop_of(program), inputs.documents.offers
    parts: dict[str, ir.Value | float] = {}
    options = tuple(arms.option(mine, program, stage, arm, offers[arm.offer], shop) for arm in stage.arms)
    for one in options:
        offer, name = offers[one.arm.offer], one.arm.name
        paid, share = split(mine, offer, shop.sellers), offer.traits.due(mine, offer)
        parts[f"value:{name}"] = one.value
        parts |= {f"ok:{code}:{name}": holds for code, holds in one.conditions.items()}
        parts |= {} if share is None else {f"share:{name}": share}
        parts |= {} if paid.part is None else {f"part:{name}": paid.part}
    table = warehouse.keep(chances.side_by_side(mine.mutate(**parts), options))
    table = warehouse.keep(chances.spread_chances(table, program, stage, inputs.policy))
    return chances.drawn(chances.Chances(program, stage, table), scales)


def _draw(row: Mapping[str, Any], question: "Question", program: Program, stage: Stage, scales: Mapping[str, float]) -> Draw:
    inputs, found, edge = question.inputs, [], 0.0
    for arm in stage.arms:
        offer, name = inputs.documents.offers[arm.offer], arm.name
        choice = Choice(program, stage, arm, offer, inputs.shop_of(program), question.show)
        hindered = obstacles(row, choice)
        if not hindered and not row[f"can:{name}"]:
            hindered = (("before_others", "their unspent credit comes before it"),)
        chance = row[f"pi:{name}"] * scales[name]
        found.append(
            Variant(
                name, arm.offer, offer.kind, offer.label, row[f"channel:{name}"], row[f"scope:{name}"], row[f"seller:{name}"],
                row[f"can:{name}"], rule(row, choice), hindered, row[f"weight:{name}"], row[f"pi:{name}"], scales[name], chance,
                edge, edge + chance, terms(row, choice),
            )
        )  # fmt: skip
        edge += chance
    text = f"{salt(program.name, stage.name, str(program.version))}:{row['customer_id']}:{row['episode']}"
    kept = row["held_arm"] is not None and row["arm"] == row["held_arm"] and bool(row[f"can:{row['held_arm']}"])
    nothing = 0.0 if program.service else row[f"weight:{NOTHING}"]
    return Draw(
        stage.name, row["context"], inputs.policy.version, text, row["draw"], tuple(found), nothing, row["arm"], row["propensity"],
        kept, row["can_any"], question.scales is not None,
    )  # fmt: skip


def settled(warehouse: Warehouse, inputs: Inputs, seen: "Past", told: "list[Verdict]") -> "tuple[Verdict, ...]":
    """The verdicts after arbitration: what goes and when, what is put off, and the store's caps among the checks.

    Args:
        warehouse: Runs the arbitration.
        inputs: Of the plan.
        seen: Messages so far as its contacts.
        told: Before it.
    """
    places = [number for number, one in enumerate(told) if one.draw is not None and one.reason is None and one.draw.taken is not None]
    if not places:
        return tuple(told)
    documents, customer = inputs.documents, warehouse.scalar(inputs.profile.customer_id.max())
    rows = warehouse.keep(pa.Table.from_pylist([_row(told[number], customer) for number in places], schema=_ROWS))
    contacts = warehouse.keep(settling.seen_from(rows, settling.zones(warehouse, rows, inputs), seen.contacts, inputs))
    own = fatigue.own_caps(warehouse, seen, rows, inputs.as_of, documents.rules)
    question = arbitration.Question(documents.rules, inputs.as_of, documents.offers, own)
    used, tired = checks.used_of_caps(warehouse, contacts, question), checks.Tired()
    if warehouse.scalar(seen.contacts.count()):
        tired = next((checks.Tired(**_of_tired(row)) for row in warehouse.arrow(own).to_pylist()), tired)
    flags = _falls(warehouse, rows, used)
    ends: list[dict[str, Any]] = []
    if len(places) > 1 or not _room(used, list(flags.values()), tired):
        ended = arbitration.once_a_plan(warehouse, arbitration.settled(warehouse, rows, contacts, question), documents.offers)
        ends = warehouse.arrow(ended).to_pylist()
    by_key = {(row["program"], row["episode"]): row for row in ends}
    for number in places:
        one = told[number]
        key = (one.program, one.round.episode if one.round else "")
        end = by_key.get(key, {"reason": None, "send_at": None})
        falls = [pair for pair, holds in zip(used, flags[key], strict=True) if holds]
        capped = checks.after_draw(falls, tired, end["reason"], end["send_at"])
        told[number] = _timed(one, inputs, end, capped)
    return tuple(told)


def _room(used: list[tuple[arbitration.Limit, int]], flags: list[list[bool]], tired: checks.Tired) -> bool:
    """Whether every cap has room for all that was drawn: there is nothing to settle then."""
    for number, (one, had) in enumerate(used):
        most = min(one.touches, tired.own_cap) if number == 0 and tired.own_cap is not None else one.touches
        wanted = sum(falls[number] for falls in flags)
        if wanted and had + wanted > most:
            return False
    return True


_ROWS = pa.schema(
    {
        "customer_id": pa.string(), "program": pa.string(), "stage": pa.string(), "episode": pa.string(), "arm": pa.string(),
        "reason": pa.string(), "offer": pa.string(), "arm_margin": pa.int64(), "service": pa.bool_(),
        "timezone": pa.string(),
    }
)


def _row(one: "Verdict", customer: str) -> dict[str, object]:
    taken = one.draw.taken if one.draw else None
    return {
        "customer_id": customer, "program": one.program, "stage": one.draw.stage if one.draw else "", "reason": None,
        "episode": one.round.episode if one.round else "", "arm": taken.arm if taken else NOTHING, "offer": taken.offer if taken else None,
        "arm_margin": taken.terms.expected_margin if taken else 0, "service": one.service,
        "timezone": one.zone,
    }


def _of_tired(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("streak", "opt_out_risk", "own_cap")}


def _falls(warehouse: Warehouse, rows: ir.Table, used: list[tuple[arbitration.Limit, int]]) -> dict[tuple[str, str], list[bool]]:
    """Which caps every drawn message falls under; a service message under none."""
    flags = {f"in_{number}": one.falls(rows) & ~rows.service for number, (one, _) in enumerate(used)}
    found = warehouse.arrow(rows.select("program", "episode", **flags)).to_pylist()
    return {(row["program"], row["episode"]): [row[name] for name in flags] for row in found}


def _timed(one: "Verdict", inputs: Inputs, end: Mapping[str, Any], capped: tuple[checks.Check, ...]) -> "Verdict":
    """A drawn message with its hour, or with the instant from which it may come again."""
    zone = timing.zone_of(one.zone, inputs.as_of.timezone)
    if end["reason"] is not None or one.draw is None or one.draw.taken is None:
        return replace(one, checks=(*one.checks, *capped), reason=end["reason"], send_at=end["send_at"], zone=zone)
    quiet = inputs.documents.rules.quiet_hours
    at = timing.next_allowed(inputs.as_of.instant, zone, quiet)
    shown = at.astimezone(ZoneInfo(zone))
    at += timedelta(seconds=wishes.waits_for_hour((shown.hour * 60 + shown.minute) * 60 + shown.second, one.hour))
    leaves = inputs.as_of.instant.astimezone(UTC) if one.service else at
    day = at.astimezone(ZoneInfo(zone)).date()
    waits = leaves > inputs.as_of.instant
    held = f"it is outside the quiet hours from {quiet.start} to {quiet.end}"
    held = "news of their own order waits for no quiet hours" if one.service else held
    words = f"{held}: it leaves on {leaves.astimezone(ZoneInfo(zone)):%Y-%m-%d at %H:%M}"
    hour = checks.Check("quiet_hours", True, words, {"send_at": leaves.replace(tzinfo=None), "waits": waits, "zone": zone})
    return replace(
        one, checks=(*one.checks, *capped, hour), send_at=leaves.replace(tzinfo=None), zone=zone,
        valid_until=day + timedelta(days=one.draw.taken.terms.open_days),
    )
