"""What each kind of source may say: our column names, what they hold, and which a row cannot do without.

Knows nothing of any file's own names.
"""

from dataclasses import dataclass
from typing import Literal

Holds = Literal["text", "id", "customer", "money", "unit", "instant", "day", "quantity", "flag", "rating", "currency", "share"]


@dataclass(frozen=True, slots=True)
class Field:
    """One of our columns.

    Args:
        holds: How its text is read. Money is written in units of the currency; `unit` is the exact price of one piece; `share` is a
            part of 1, neither nothing nor all.
        required: A row without a value is rejected.
        masked: Free text that is kept: card numbers in it are masked.
        ahead: An instant that may lie in the future.
    """

    holds: Holds
    required: bool = False
    masked: bool = False
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source.

    Args:
        fields: Our column names.
        needs: Columns that a mapping must name; of several in one tuple, one is enough.
        key: The id that a row stands for, "" where rows belong together (lines).
        identity: What an id is made of where the file has none.
        moment: The instant that says which of two rows with one id is the later.
    """

    fields: dict[str, Field]
    needs: tuple[tuple[str, ...], ...]
    key: str = ""
    identity: tuple[str, ...] = ()
    moment: str = ""


_ID, _TEXT, _NAME = Field("id"), Field("text"), Field("text", masked=True)
_MONEY, _FLAG, _AT = Field("money"), Field("flag"), Field("instant")
_KEY, _CUSTOMER, _REQUIRED_AT = Field("id", required=True), Field("customer", required=True), Field("instant", required=True)
_OF_ORDER = {
    "code": _NAME, "shipping": _MONEY, "tax": _MONEY, "cancelled": _FLAG, "country": _TEXT, "currency": Field("currency"),
}

KINDS: dict[str, Kind] = {
    # One row per order.
    "orders": Kind(
        {
            "order_id": _KEY, "customer_id": _CUSTOMER, "ordered_at": _REQUIRED_AT, "total": Field("money", required=True),
            "discount": _MONEY, **_OF_ORDER,
        },
        (("customer_id",), ("ordered_at",), ("total",)), "order_id", ("customer_id", "ordered_at", "total"), "ordered_at",
    ),
    # One row per order line; what is of the order may stand on any of its lines.
    "lines": Kind(
        {
            "order_id": _KEY, "customer_id": _CUSTOMER, "ordered_at": _REQUIRED_AT, "product_id": _ID, "name": _NAME,
            "category": _TEXT, "seller_id": _ID, "quantity": Field("quantity"), "price": Field("unit"), "amount": _MONEY,
            "discount": _MONEY, "cost": _MONEY, "returned": _FLAG, "order_total": _MONEY, "order_discount": _MONEY,
            "refunded": _MONEY, "refunded_at": _AT, **_OF_ORDER,
        },
        (("price", "amount"), ("order_id", "customer_id"), ("order_id", "ordered_at")), "", ("customer_id", "ordered_at"),
    ),
    "customers": Kind(
        {"customer_id": _CUSTOMER, "first_seen_at": _AT, "country": _TEXT}, (("customer_id",),), "customer_id", (), "first_seen_at"
    ),
    "contacts": Kind(
        {
            "customer_id": _CUSTOMER, "email": _TEXT, "phone": _TEXT, "first_name": _NAME, "last_name": _NAME, "locale": _TEXT,
            "timezone": _TEXT, "birthday": Field("day"), "email_consent": _FLAG, "sms_consent": _FLAG,
            "inapp_consent": _FLAG, "consent_at": _AT, "consent_source": _NAME,
        },
        (("customer_id", "email"),), "customer_id", (), "consent_at",
    ),
    "products": Kind(
        {
            "product_id": _KEY, "name": _NAME, "category": _TEXT, "seller_id": _ID, "price": _MONEY, "cost": _MONEY, "in_stock": _FLAG,
        },
        (("product_id",),), "product_id",
    ),
    "sellers": Kind({"seller_id": _KEY, "name": _NAME, "suspended": _FLAG}, (("seller_id",),), "seller_id"),
    "shipments": Kind(
        {
            "shipment_id": _KEY, "order_id": _KEY, "customer_id": _CUSTOMER, "promised_at": Field("instant", ahead=True),
            "delivered_at": _AT, "shipped_at": _AT,
        },
        (("order_id",),), "shipment_id", ("order_id", "promised_at"), "delivered_at",
    ),
    "returns": Kind(
        {
            "return_id": _KEY, "order_id": _ID, "customer_id": _CUSTOMER, "product_id": _ID, "returned_at": _REQUIRED_AT,
            "quantity": Field("quantity"), "amount": Field("money", required=True), "reason": _NAME, "open": _FLAG,
            "currency": Field("currency"),
        },
        (("customer_id", "order_id"), ("returned_at",), ("amount",)), "return_id",
        ("order_id", "customer_id", "product_id", "returned_at", "amount"), "returned_at",
    ),
    "reviews": Kind(
        {
            "review_id": _KEY, "customer_id": _CUSTOMER, "order_id": _ID, "product_id": _ID, "rating": Field("rating", required=True),
            "reviewed_at": _REQUIRED_AT,
        },
        (("customer_id", "order_id"), ("rating",), ("reviewed_at",)), "review_id",
        ("customer_id", "order_id", "product_id", "reviewed_at"), "reviewed_at",
    ),
    "tickets": Kind(
        {
            "ticket_id": _KEY, "customer_id": _CUSTOMER, "order_id": _ID, "topic": _NAME, "opened_at": _REQUIRED_AT, "closed_at": _AT,
        },
        (("customer_id", "order_id"), ("opened_at",)), "ticket_id", ("customer_id", "order_id", "opened_at"), "closed_at",
    ),
    "events": Kind(
        {
            "message_id": _KEY, "customer_id": _CUSTOMER, "name": Field("text", required=True, masked=True), "occurred_at": _REQUIRED_AT,
            "product_id": _ID, "value": _NAME,
        },
        (("customer_id",), ("name",), ("occurred_at",)), "message_id", ("customer_id", "name", "occurred_at", "product_id"), "occurred_at",
    ),
    # Store credit; `spent` of it so far. A later file states the same credit with more of it spent.
    "credits": Kind(
        {
            "credit_id": _KEY, "customer_id": _CUSTOMER, "amount": Field("money", required=True), "spent": _MONEY,
            "issued_at": _REQUIRED_AT, "expires_on": Field("day"), "currency": Field("currency"),
        },
        (("customer_id",), ("amount",), ("issued_at",)), "credit_id", ("customer_id", "issued_at", "amount"), "issued_at",
    ),
    # What a seller takes off by itself: of one product, of a category, or of all its goods.
    "promotions": Kind(
        {
            "promotion_id": _KEY, "seller_id": _KEY, "product_id": _ID, "category": _TEXT, "percent": Field("share"),
            "amount": _MONEY, "starts_at": Field("instant", required=True, ahead=True), "ends_at": Field("instant", ahead=True),
            "currency": Field("currency"),
        },
        (("seller_id",), ("percent", "amount"), ("starts_at",)), "promotion_id", ("seller_id", "product_id", "category", "starts_at"),
        "starts_at",
    ),
    "touches": Kind(
        {
            "touch_key": _KEY, "customer_id": _CUSTOMER, "program": _TEXT, "stage": _TEXT, "episode": _TEXT, "arm": _TEXT,
            "channel": _TEXT, "code": _TEXT, "status": _TEXT, "settled_at": _REQUIRED_AT,
        },
        (("customer_id",), ("settled_at",)), "touch_key", ("customer_id", "program", "stage", "episode", "settled_at"), "settled_at",
    ),
}
