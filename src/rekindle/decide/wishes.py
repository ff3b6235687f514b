"""What customers have asked for themselves: topics they want nothing of, how rarely, by which channel, at which hour.

Knows nothing of pages. A wish goes before everything that was predicted.
"""

import ibis
import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.moment import AsOf

TOPIC = "topic:"
"""A consent with such a purpose is a word on one topic; the latest counts."""

DAYS_A_MONTH = 30
COLUMNS = ("stated_channel", "stated_hour", "stated_gap_days", "refused_topics")
"""Of a profile, where anyone has wished anything: a channel, an hour from 0 to 23, days between two messages, topics between bars."""


def with_wishes(warehouse: Warehouse, profile: ir.Table, as_of: AsOf) -> ir.Table:
    """The profile with `COLUMNS`, null where a customer wished nothing; as it is where nobody did.

    Args:
        warehouse: Consents and people.
        profile: One row a customer.
        as_of: Later words are not heard.
    """
    people, consents = warehouse.current("people"), warehouse.current("consents")
    stated = people.filter(people.channel.notnull() | people.hour.notnull() | people.monthly.notnull())
    said = consents.filter(consents.purpose.startswith(TOPIC), ~consents.granted, consents.recorded_at < ibis.literal(as_of.naive))
    if not warehouse.scalar(stated.count()) and not warehouse.scalar(said.count()):
        return profile
    wished = stated.select(
        "customer_id", stated_channel=stated.channel, stated_hour=stated.hour,
        stated_gap_days=(DAYS_A_MONTH / stated.monthly).floor().cast("int64"),
    )
    topic = ibis.literal("|") + said.purpose.substr(len(TOPIC)) + "|"
    refused = said.group_by("customer_id").aggregate(refused_topics=topic.collect().sort().join(""))
    joined = profile.left_join(wished, "customer_id").drop("customer_id_right").left_join(refused, "customer_id")
    return joined.drop("customer_id_right")


def refuses(rows: ir.Table, topic: ir.StringValue) -> ir.BooleanValue:
    """Whether customers want nothing of a topic."""
    if "refused_topics" not in rows.columns:
        return ibis.literal(False)
    return rows.refused_topics.contains(ibis.literal("|") + topic + "|").fill_null(False)


A_DAY, AN_HOUR = 86_400, 3_600


def at_their_hour(rows: ir.Table) -> ir.Table:
    """Messages of marketing moved on to the hour that customers asked for, within the next day.

    Where the clock is put forward or back in between, that message leaves an hour beside it.

    Args:
        rows: service, stated_hour, and send_at, local_day and clock of `timing.send_times`.
    """
    ahead = ((rows.stated_hour * AN_HOUR - rows.clock) % A_DAY + A_DAY) % A_DAY
    waits = (~rows.service & rows.stated_hour.notnull()).ifelse(ahead, 0)
    tomorrow = (rows.clock + waits >= A_DAY).ifelse(1, 0)
    return rows.mutate(
        send_at=rows.send_at + waits.as_interval("s"),
        local_day=(rows.local_day + tomorrow.as_interval("D")).cast("timestamp").cast("date"),
    )


def waits_for_hour(clock: int, hour: int | None) -> int:
    """The same of one message: seconds from what a clock shows to the hour asked for.

    >>> waits_for_hour(9 * AN_HOUR, 18), waits_for_hour(19 * AN_HOUR, 18), waits_for_hour(9 * AN_HOUR, None)
    (32400, 82800, 0)
    """
    return 0 if hour is None else (hour * AN_HOUR - clock) % A_DAY
