"""Who has lately said that they are unhappy: in answer to a survey or by a review.

Knows nothing of why. Answers are whole numbers from 0 to 10, reviews stars from 1 to 5.
"""

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.friction import BAD_RATING
from rekindle.moment import AsOf

SURVEY = "Survey Answered"
"""The event whose value is an answer."""

DETRACTOR, BEST = 6, 10
"""An answer of at most 6 of 10 is a detractor's (Reichheld, "The one number you need to grow", HBR 12/2003)."""

DAYS = 30
"""Days that a word counts (assumed)."""


def detractors(warehouse: Warehouse, as_of: AsOf) -> ir.Table:
    """Customers who were unhappy in the last days and have not said anything better since: customer_id, detractor (true)."""
    met, reviews = warehouse.current("events"), warehouse.current("reviews")
    since, until = ibis.literal(as_of.naive - timedelta(days=DAYS)), ibis.literal(as_of.naive)
    low, all_answers = ([str(answer) for answer in range(most + 1)] for most in (DETRACTOR, BEST))
    answers = met.filter(met.name == SURVEY, met.value.isin(all_answers))
    said = answers.select("customer_id", at="occurred_at", unhappy=answers.value.isin(low)).union(
        reviews.select("customer_id", at="reviewed_at", unhappy=reviews.rating <= BAD_RATING)
    )
    recent = said.filter(said.at >= since, said.at < until)
    last = recent.group_by("customer_id").aggregate(
        bad=recent["at"].max(where=recent.unhappy), good=recent["at"].max(where=~recent.unhappy)
    )
    unhappy = last.filter(last.bad.notnull(), last.good.isnull() | (last.good <= last.bad))
    return unhappy.select("customer_id", detractor=True)
