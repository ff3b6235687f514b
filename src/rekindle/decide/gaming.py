"""Who has learned that silence pays: lapsed, was sent a price offer, ordered by its code, and so again.

Knows nothing of why anybody fell silent. Such a customer gets messages as before, but no price offer.
"""

from collections.abc import Mapping
from datetime import timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.decide import given
from rekindle.decide.due import Past
from rekindle.history.warehouse import Warehouse
from rekindle.insight.purchases import sales
from rekindle.moment import AsOf
from rekindle.program.documents import Offer, Rules

_EMPTY = pa.schema({"customer_id": pa.string(), "rounds": pa.int64()})
_TOUCH = ["program", "customer_id", "episode", "stage"]


def waiting(warehouse: Warehouse, seen: Past, offers: Mapping[str, Offer], rules: Rules, as_of: AsOf) -> ir.Table:
    """The customers to whom no price offer is made.

    Args:
        warehouse: Orders and touches with their codes.
        seen: Messages so far, as its contacts.
        offers: By name, for messages of which the journal does not say what they gave.
        rules: After how many rounds, in which time.
        as_of: The instant; later facts are not seen.

    Returns:
        customer_id, rounds: of those with so many lapses in the time that a price offer was sent in, and that an order by its very code
        ended.
    """
    if rules.gaming is None:
        return ibis.memtable(_EMPTY.empty_table())
    paid = ended_by_code(warehouse, seen, offers, as_of)
    recent = paid.filter(paid.ordered_at > ibis.literal(as_of.naive - timedelta(days=rules.gaming.over_days)))
    rounds = recent.group_by("customer_id").aggregate(rounds=recent.episode.nunique().cast("int64"))
    return rounds.filter(rounds.rounds >= rules.gaming.rounds)


def ended_by_code(warehouse: Warehouse, seen: Past, offers: Mapping[str, Offer], as_of: AsOf) -> ir.Table:
    """Rounds of lapsed customers that the first order after a price offer ended, with the offer's code.

    A customer was lapsed where the journal has a lapsed cohort of them; two programs that answer the same silence are one round.

    Returns:
        customer_id, episode, ordered_at; a row for each message whose code was used so.
    """
    rows = seen.contacts
    lapsed = rows.filter(given.price(rows, offers), rows.cohort.notnull()).select(*_TOUCH, decided_at="as_of")
    touches = warehouse.current("touches")
    codes = touches.filter(touches.code != "").select(*_TOUCH, "code")
    coded = lapsed.join(codes, _TOUCH).select("customer_id", "episode", "decided_at", "code")
    orders = sales(warehouse, as_of).select("customer_id", "order_id", "ordered_at", "code").semi_join(coded, "customer_id")
    in_turn = ibis.window(group_by="customer_id", order_by=["ordered_at", "order_id"])
    orders = orders.mutate(before_at=orders.ordered_at.lag().over(in_turn))
    used = coded.join(orders, ["customer_id", "code"])
    first = used.before_at.isnull() | (used.before_at < used.decided_at)
    return used.filter(used.ordered_at >= used.decided_at, first).select("customer_id", "episode", "ordered_at")
