"""What turns a decision into a refusal, with the reason that people can read.

Knows nothing of how the variant was drawn. The first rule that holds is the reason.
"""

import ibis
import ibis.expr.types as ir

from rekindle.decide.assignment import draw

REASONS = {
    "overtaken": "a later status of the order is told",
    "no_consent": "no consent",
    "paused": "asked for a pause",
    "topic_refused": "wants nothing of this topic",
    "wished_less": "asked for fewer messages",
    "open_complaint": "open complaint",
    "open_return": "open return",
    "detractor": "told us that they are unhappy",
    "reentry": "too soon after the last round",
    "held_back": "not the moment for this message yet",
    "held_out": "held out",
    "control": "control",
    "touches_used": "had all messages of this round",
    "too_soon": "written to too recently",
    "no_variant": "no variant fits",
    "budget_reached": "the budget has no room",
    "cap_reached": "message cap reached",
    "tired": "left the last messages unanswered",
    "program_cap_reached": "had all messages of this program for now",
    "kind_cap_reached": "had this kind of offer too recently",
    "price_cap_reached": "had a price offer too recently",
    "gap": "too soon after another message",
}
"""Refusals in the order in which the first that holds is named, with the words people read."""

BEFORE_ENTRY = (
    "overtaken", "no_consent", "paused", "topic_refused", "wished_less", "open_complaint", "open_return", "detractor", "reentry",
    "held_back",
)  # fmt: skip
"""Refusals that put an entry off, for who would be treated as for who would be control: nobody has a standing before."""

PUT_OFF = ("cap_reached", "tired", "program_cap_reached", "kind_cap_reached", "price_cap_reached", "gap")
"""Refusals of a message that was drawn, by caps: the draw is kept, and `send_at` says from when on it may come again."""

WAITS = ("budget_reached", *PUT_OFF)
"""All refusals of a message that was drawn."""


def standing(candidates: ir.Table, holdout: float, epoch: ir.StringValue) -> ir.StringValue:
    """Holdout, control or treated, drawn per person and calendar year; an episode keeps what it opened with.

    Args:
        candidates: customer_id, program, control (the share of customers without it), service, and standing (what the journal says,
            null if nothing yet).
        holdout: Share of all customers without any marketing.
        epoch: The year in which the episode got its standing, as text.
    """
    out = draw("holdout", epoch, candidates.customer_id) < holdout
    idle = draw("control", candidates.program, epoch, candidates.customer_id) < candidates.control
    return candidates.standing.fill_null(ibis.cases((candidates.service, "treated"), (out, "holdout"), (idle, "control"), else_="treated"))


def before_draw(candidates: ir.Table) -> ir.StringValue:
    """Why a candidate is left alone whatever the variant, null if not.

    A service message is about the customer's own order: only its program's own wait holds it, and a later status of that order.

    Args:
        candidates: service, overtaken, reachable, paused, topic_refused, wished_less, open_ticket, open_return, detractor, held_back,
            standing_now, reentry_open, contacts_left, gap_over.
    """
    held_back = candidates.held_back.fill_null(False)
    return ibis.cases(
        (candidates.service & candidates.overtaken, "overtaken"),
        (candidates.service, held_back.ifelse("held_back", ibis.null("string"))),
        (~candidates.reachable, "no_consent"),
        (candidates.paused, "paused"),
        (candidates.topic_refused, "topic_refused"),
        (candidates.wished_less, "wished_less"),
        (candidates.open_ticket, "open_complaint"),
        (candidates.open_return, "open_return"),
        (candidates.detractor.fill_null(False), "detractor"),
        (~candidates.reentry_open, "reentry"),
        (held_back, "held_back"),
        (candidates.standing_now == "holdout", "held_out"),
        (candidates.standing_now == "control", "control"),
        (~candidates.contacts_left, "touches_used"),
        (~candidates.gap_over, "too_soon"),
        else_=ibis.null("string"),
    )
