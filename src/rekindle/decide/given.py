"""What earlier messages gave, as it was when they were decided: the kind of their offer, whether it was a price, what comes once.

Knows nothing of who may get what now. The journal has it, whatever has become of the offer since; of decisions of before it was written
down the offer's present terms stand for those of then.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from rekindle.decide.funding import column
from rekindle.program.documents import Offer


def kind(rows: ir.Table, offers: Mapping[str, Offer]) -> ir.StringValue:
    """The kind of each message's offer; empty where there was none, or nobody knows it any more.

    Args:
        rows: `offer`, and `kind` where it is of the journal.
        offers: Today's, by name.
    """
    return column(rows, "kind", "string").fill_null(_today(rows, {name: offer.kind for name, offer in offers.items()}))


def price(rows: ir.Table, offers: Mapping[str, Offer]) -> ir.BooleanValue:
    """Whether each message's offer lowered a price.

    Args:
        rows: `offer`, and `price` where it is of the journal.
        offers: Today's, by name.
    """
    priced = sorted(name for name, offer in offers.items() if offer.price)
    return column(rows, "price", "boolean").fill_null(rows.offer.isin(priced or [""]).fill_null(False))


def once_key(rows: ir.Table, offers: Mapping[str, Offer]) -> ir.StringValue:
    """What each message gave once and for all: `ladder:rung`, else the offer's own name; empty where it gave nothing.

    Args:
        rows: `offer`, and `once_key` where it is of the journal.
        offers: Today's, by name.
    """
    said = column(rows, "once_key", "string")
    return said.fill_null(_today(rows, {name: offer.had_key for name, offer in offers.items()}, rows.offer.fill_null("")))


def written(offer: ir.StringValue, offers: Mapping[str, Offer]) -> dict[str, ir.Value]:
    """What the journal keeps of the offers that go now: kind, price and once_key; null where none goes.

    Args:
        offer: Its name, null where none goes.
        offers: Those that are decided by.
    """
    found: dict[str, ir.Value] = {"kind": ibis.null("string"), "price": ibis.null("boolean"), "once_key": ibis.null("string")}
    for name, one in offers.items():
        mine = {"kind": one.kind, "price": one.price, "once_key": one.had_key}
        found = {key: (offer == name).ifelse(mine[key], value) for key, value in found.items()}
    return found


def _today(rows: ir.Table, by_name: Mapping[str, str], otherwise: ir.StringValue | str = "") -> ir.StringValue:
    return rows.offer.cases(*by_name.items(), else_=otherwise) if by_name else ibis.literal("")
