"""The tables of history: names, columns, units and keys.

Knows nothing of where they are stored. Money is int64 minor units; instants are naive UTC timestamps (microseconds);
days are dates in the store's time zone; `customer_id` is opaque (`rekindle.ingest.identity`).

Facts are versions. Every table has the columns of `VERSION` besides its own; a fact's current version is the one of the
latest batch, and `superseded` lists the versions that a later batch replaced. `key` names what is versioned as a whole:
order lines are versioned with their order.
A column that a later schema version brought is null in what was written before it.
"""

from dataclasses import dataclass

import ibis.expr.schema as sch

VERSION = {"source": "string", "batch": "int64", "digest": "string"}


@dataclass(frozen=True, slots=True)
class FactTable:
    """One table of facts.

    Args:
        name: The table's name.
        key: The column that is versioned as a whole.
        columns: Column name to Ibis type, without the version columns.
        later: Columns that came with a later schema version: where they say nothing a fact is what it was without them.
    """

    name: str
    key: str
    columns: dict[str, str]
    later: frozenset[str] = frozenset()

    @property
    def schema(self) -> sch.Schema:
        """All columns, the version's last."""
        return sch.schema({**self.columns, **VERSION})


FACTS: dict[str, FactTable] = {
    table.name: table
    for table in (
        # Known customers, with or without an order. `country` is coarse geography.
        FactTable("customers", "customer_id", {"customer_id": "string", "first_seen_at": "timestamp", "country": "string"}),
        # `net`: goods after discounts, before shipping and tax. `lines` is 0 where only the order's total is known.
        FactTable(
            "orders",
            "order_id",
            {
                "order_id": "string", "customer_id": "string", "ordered_at": "timestamp", "purchase_day": "date",
                "net": "int64", "discount": "int64", "shipping": "int64", "tax": "int64", "code": "string",
                "cancelled": "boolean", "lines": "int32",
            },
        ),
        # `amount`: the line after its discount. `cost`: of the whole line, null where unknown (product cost, then the store's margin).
        FactTable(
            "order_lines",
            "order_id",
            {
                "order_id": "string", "line_no": "int32", "customer_id": "string", "product_id": "string",
                "seller_id": "string", "purchase_day": "date", "quantity": "int64", "amount": "int64", "discount": "int64",
                "cost": "int64",
            },
        ),
        # `price` and `cost` are of one unit.
        FactTable(
            "products",
            "product_id",
            {
                "product_id": "string", "name": "string", "category": "string", "seller_id": "string", "price": "int64",
                "cost": "int64", "in_stock": "boolean",
            },
        ),
        FactTable("sellers", "seller_id", {"seller_id": "string", "name": "string", "suspended": "boolean"}),
        FactTable(
            "shipments",
            "shipment_id",
            {
                "shipment_id": "string", "order_id": "string", "customer_id": "string", "promised_at": "timestamp",
                "delivered_at": "timestamp", "shipped_at": "timestamp",
            },
            frozenset({"shipped_at"}),
        ),
        # `amount` is positive: what went back. `closed_at` null: still open (null for sources that do not say; see `open`).
        FactTable(
            "returns",
            "return_id",
            {
                "return_id": "string", "order_id": "string", "customer_id": "string", "product_id": "string",
                "returned_at": "timestamp", "quantity": "int64", "amount": "int64", "reason": "string", "open": "boolean",
            },
        ),
        FactTable(
            "reviews",
            "review_id",
            {
                "review_id": "string", "customer_id": "string", "order_id": "string", "product_id": "string",
                "rating": "int32", "reviewed_at": "timestamp",
            },
        ),
        FactTable(
            "tickets",
            "ticket_id",
            {
                "ticket_id": "string", "customer_id": "string", "order_id": "string", "topic": "string",
                "opened_at": "timestamp", "closed_at": "timestamp",
            },
        ),
        # Segment v2 names, such as "Product Viewed"; "Product Unavailable" is a stockout met by the customer, "Product Added to
        # Wishlist" saves a product, "Email Link Clicked" follows a touch. `value` is what was answered: of "Survey Answered" 0 to 10.
        FactTable(
            "events",
            "message_id",
            {
                "message_id": "string", "customer_id": "string", "name": "string", "occurred_at": "timestamp",
                "product_id": "string", "value": "string",
            },
            frozenset({"value"}),
        ),
        # Store credit given to a customer: `spent` of the `amount` so far; open until `expires_on` has passed, null where it does not.
        FactTable(
            "credits",
            "credit_id",
            {
                "credit_id": "string", "customer_id": "string", "amount": "int64", "spent": "int64", "issued_at": "timestamp",
                "expires_on": "date",
            },
        ),
        # What a seller takes off by itself, from `starts_at` until before `ends_at` (null: no end yet): of one product, of a category, or
        # of all its goods. `percent` is a share of 1, `amount` minor units of one piece; one of the two is null.
        FactTable(
            "promotions",
            "promotion_id",
            {
                "promotion_id": "string", "seller_id": "string", "product_id": "string", "category": "string", "percent": "float64",
                "amount": "int64", "starts_at": "timestamp", "ends_at": "timestamp",
            },
        ),
        # What codes redeemed on a day cost a payer (`shop` or `seller`) of a program, minor units; no customer stands in it.
        FactTable(
            "spend",
            "spend_id",
            {"spend_id": "string", "program": "string", "payer": "string", "spent_on": "date", "cost": "int64"},
        ),
        # Mirrored from the ledger by `close_cycle`, or imported from another sender.
        FactTable(
            "touches",
            "touch_key",
            {
                "touch_key": "string", "customer_id": "string", "program": "string", "stage": "string", "episode": "string",
                "arm": "string", "channel": "string", "code": "string", "status": "string", "settled_at": "timestamp",
            },
        ),
        FactTable(
            "consents",
            "consent_key",
            {
                "consent_key": "string", "customer_id": "string", "channel": "string", "purpose": "string",
                "granted": "boolean", "recorded_at": "timestamp", "expires_at": "timestamp",
            },
        ),
        # `birthday` is a month and a day, such as 02-29: no year leaves the ledger.
        FactTable(
            "people",
            "customer_id",
            {
                "customer_id": "string", "timezone": "string", "locale": "string", "birthday": "string", "channel": "string",
                "hour": "int64", "monthly": "int64",
            },
            frozenset({"birthday", "channel", "hour", "monthly"}),
        ),
    )
}

SUPERSEDED = sch.schema({"name": "string", "key": "string", "batch": "int64", "by_batch": "int64"})
"""Versions that a later batch replaced: the table's name, its key's value, the batch of the old version, the batch of the new."""

BATCHES = sch.schema({"batch": "int64", "source": "string", "origin": "string", "recorded_at": "timestamp"})
"""One row per import or mirror that wrote something; `origin` is a file's name or `ledger`."""

JOURNAL = sch.schema(
    {
        "plan": "string", "as_of": "timestamp", "customer_id": "string", "program": "string", "version": "string",
        "stage": "string", "episode": "string", "entered_at": "timestamp", "standing": "string", "context": "string",
        "eligible": "string", "arm": "string", "propensity": "float64", "draw": "float64", "policy": "string",
        "reason": "string", "channel": "string", "offer": "string", "send_at": "timestamp", "valid_until": "date",
        "cost_ceiling": "int64", "expected_cost": "int64", "expected_margin": "int64", "baseline": "int64", "cohort": "string",
        "scope": "string", "seller_id": "string", "seller_cost": "int64", "offer_value": "int64",
        "kind": "string", "price": "boolean", "once_key": "string", "cause": "string", "value_tier": "string", "segments": "string",
        "holdout_share": "float64", "control_share": "float64", "closed": "string", "scales": "string",
    }
)
"""Decisions and refusals, one immutable partition per plan.

`arm` is the variant drawn (may be `nothing`), null where a refusal came before the draw; `reason` is null for a decision and names
a refusal otherwise; `standing` is treated, control or holdout, null while the customer cannot be reached; `entered_at` is the as-of
at which the episode got its standing. Costs and the expected margin are thousandths of a minor unit; `baseline` is the margin expected
of the customer over the horizon without contact, in minor units, when the row was made, and `cohort` the lapsed cohort then. `scope` is
what the offer holds for (`category:Coffee & Tea`, `product:P12`, null for the whole order), `seller_id` whose goods those are, null where
many's; `seller_cost` the seller's part of `expected_cost`; `offer_value` what one redemption is worth to the customer, minor units, 0
where the offer has no price. `kind` is the offer's kind, `price` whether it lowers a price, and `once_key` what the customer has had by it
(`ladder:rung`, else its name), as they were when it was decided, whatever offers.yaml says since; null where nothing goes. `cause`
and `value_tier` are the profile's then, `segments` the names of those that the customer was in when the round got its standing
(`|advocates|cart_left|`, `|` in none, null in the round's other rows), `holdout_share` and `control_share` the chances by which the
standing was drawn. `eligible` are the variants that could be drawn, `closed` those that the customer might have got had the table (an
experiment's has some variants alone) and budgets left them a chance; `scales` what budgets left of the chances, of the variants that lost
something (`light=0.415|percent=0.0`, empty where none did; null of who was left alone before the draw, and of a draw of an earlier day that
is kept). All from `scope` on are null in decisions of before they were written down.
"""

PLANS = sch.schema({"plan": "string", "as_of": "timestamp", "rehearsal": "boolean", "decisions": "int64"})
"""Ready plans; a partition of the journal without a row here does not count."""

TIERS = sch.schema({"at": "timestamp", "days": "int64", "high": "int64", "mid": "int64"})
"""Boundaries of the value tiers, minor units, as the first insight found them: they hold until a person approves others."""

TRANSITIONS = sch.schema(
    {
        "customer_id": "string", "from_stage": "string", "to_stage": "string", "at": "timestamp", "last_order_id": "string",
        "purchase_days": "int64", "silence_days": "int64", "rhythm_days": "float64", "previous_gap_days": "int64",
    }
)
"""Changes of the lifecycle stage with the facts that decided, each noted at the instant of the insight that saw it.

`from_stage` is null for the first. Never rewritten: facts that come in later change later stages."""

ERASED_DECISIONS = sch.schema({"plan": "string", "digest": "string"})
"""What stays of decisions whose customer was erased: one digest each (`rekindle.history.erasing.row_digest`)."""

SEALS = sch.schema({"number": "int64", "plan": "string", "seal": "string"})
"""The chain of plans (`rekindle.history.chain`); plans of before there was one are not in it."""

FORGOTTEN = sch.schema({"digest": "string", "at": "timestamp"})
"""Keyed digests of erased customers and their orders: files that still name them do not bring them back."""
