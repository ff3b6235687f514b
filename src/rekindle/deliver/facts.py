"""What a message may state: frozen facts, each of which may be absent.

Knows nothing of templates. A touch freezes what is known of its customer's history when it is planned; the rest is the shop's.
"""

import json
from dataclasses import dataclass, replace
from datetime import date

from rekindle.deliver.claims import Registry
from rekindle.errors import BadData
from rekindle.program import offer_kinds

CARD_KINDS = offer_kinds.carded()
"""Offers that a message shows on a card: something is given. The others are content."""

PRICE_KINDS = offer_kinds.priced()
FROZEN = frozenset(
    {
        "why", "orders", "first_day", "last_day", "last_product", "category", "cause", "cohort", "offer_kind", "offer_label", "offer_brief",
        "offer_terms", "offer_limit", "offer_value", "offer_scope", "offer_minimum", "valid_until", "moment", "service", "order_number",
        "products", "more_products", "product", "favourite", "ordered_day", "promised_day", "delivered_day", "day", "days_ahead", "years",
        "credit_left", "overdue", "persona", "series", "blocks", "cart", "cart_ids", "subject_line",
    }
)
"""What a touch's `facts` may hold; its stage, arm and code are columns of their own."""

_LISTS = ("products", "blocks", "cart", "cart_ids")
_DAYS = ("first_day", "last_day", "valid_until", "ordered_day", "promised_day", "delivered_day", "day")

@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a message may state about one customer and the shop; empty and None are unknown.

    Args:
        stage: The program's stage, which chooses the template.
        program: The program, which chooses the folder of templates.
        arm: The variant drawn.
        first_name: As the customer gave it.
        orders: Orders so far, count.
        first_day: The day of the first order.
        last_day: The day of the last order.
        last_product: The dearest product of the last order, by name.
        category: The favourite category.
        cause: The evidenced cause of the lapse: late_delivery, stockout, return, bad_review; without one nothing is apologised for.
        cohort: The lapsed cohort.
        offer_kind: As in offers.yaml.
        offer_label: What is given, as a person reads it.
        offer_brief: The same where there is room for little; the label where it is empty.
        offer_terms: Its conditions.
        offer_limit: The one of them that a hard budget may close it, for messages that state no others; empty where none may.
        offer_value: Its worth, such as "EUR 10.00", where it has one.
        offer_scope: The category or product that it holds for, where it does not hold for all.
        offer_minimum: The order from which it holds, such as "EUR 30.00"; empty for any.
        code: What to enter at checkout.
        valid_until: The last day on which it holds.
        why: Why this customer gets this message, a whole sentence; from the moment and the dates where left empty.
        moment: What opened the round, as a program's trigger names it.
        service: Whether the message is about the customer's own order: it carries no offer and needs no link to stop.
        order_number: What the shop calls the order that opened the round.
        products: What was ordered in it, the dearest first, at most three names.
        more_products: How many more things it holds.
        product: The one product that the round is about.
        favourite: What the customer liked before: bought or saved, never sent back.
        ordered_day, promised_day, delivered_day: Of that order; promised is the last promise, delivered the last parcel.
        day: The day that the round is about: of running out, an expiry, a birthday, an anniversary.
        days_ahead: Days from the message to that day.
        years: Since the first order, on an anniversary.
        credit_left: What is left of the credit, such as "EUR 5.00".
        overdue: Whether the last order is longer ago than is usual for this customer.
        persona: How the customer likes to buy: price_sensitive, premium, quick_solution; None where nothing shows it. Never stated.
        series: The most messages that the round may have.
        blocks: Content that the message must have; one that cannot be filled keeps it from being written.
        cart: What the customer left in the cart or saved and has not bought since, by name, at most five.
        cart_ids: The shop's ids of those things.
        subject_line: The variant's own subject of an e-mail; empty where the template's stands.
        fix: What the shop has mended, as `registry` states it to this customer; so are the texts after it, up to `support`.
        registry: Everything that the shop has registered in facts.yaml.
        reply_to: Where an answer goes.
        trap_url: A link that no person sees: what follows it is a machine. Empty where there is none.
        view_url: The message in a browser; so are the links after it about this message: why it came, what kept the customer away, a number
            from 0 to 10, a review, what they come back to. Empty where the message stands for itself, as in an export.
    """

    stage: str
    program: str = "win-back"
    arm: str = ""
    first_name: str | None = None
    orders: int = 0
    first_day: date | None = None
    last_day: date | None = None
    last_product: str | None = None
    category: str | None = None
    cause: str | None = None
    cohort: str | None = None
    offer_kind: str = "none"
    offer_label: str = ""
    offer_brief: str = ""
    offer_terms: str = ""
    offer_limit: str = ""
    offer_value: str = ""
    offer_scope: str | None = None
    offer_minimum: str = ""
    code: str = ""
    valid_until: date | None = None
    why: str = ""
    moment: str = "lapse"
    service: bool = False
    order_number: str | None = None
    products: tuple[str, ...] = ()
    more_products: int = 0
    product: str | None = None
    favourite: str | None = None
    ordered_day: date | None = None
    promised_day: date | None = None
    delivered_day: date | None = None
    day: date | None = None
    days_ahead: int | None = None
    years: int | None = None
    credit_left: str = ""
    overdue: bool = False
    persona: str | None = None
    series: int = 0
    blocks: tuple[str, ...] = ()
    cart: tuple[str, ...] = ()
    cart_ids: tuple[str, ...] = ()
    subject_line: str = ""
    fix: str = ""
    benefit: str = ""
    whats_new: str = ""
    all_in_price: str = ""
    delivery_promise: str = ""
    returns_policy: str = ""
    guarantee: str = ""
    social_proof: str = ""
    late_remedy: str = ""
    care: str = ""
    support: str = ""
    registry: Registry = Registry()
    shop_name: str = ""
    shop_url: str = ""
    brand_color: str = "#1f5f5b"
    postal_address: str = ""
    unsubscribe_url: str = ""
    preferences_url: str = ""
    reply_to: str = ""
    trap_url: str = ""
    view_url: str = ""
    why_url: str = ""
    answer_url: str = ""
    rate_url: str = ""
    review_url: str = ""
    for_url: str = ""
    locale: str = "en"


def with_frozen(facts: Facts, frozen: str, day: date, **known: object) -> Facts:
    """The facts together with those that a touch froze, and with what the shop may state to such a customer.

    Args:
        facts: What is known without the touch.
        frozen: A JSON object with names of `FROZEN`; null is unknown.
        day: Of sending, in the store's time zone: what the shop registered for other days is not stated.
        known: What else is known of the message, by the names of facts; it counts before what was frozen.

    Raises:
        BadData: Not such an object.
    """
    try:
        held = {name: value for name, value in json.loads(frozen).items() if value is not None}
        unknown = set(held) - FROZEN
        held |= {name: date.fromisoformat(held[name][:10]) for name in _DAYS if name in held}
        held |= {name: tuple(map(str, held[name])) for name in _LISTS if name in held}
    except (ValueError, TypeError, AttributeError) as error:
        raise BadData(f"the facts of a touch cannot be read: {error}", "Make the plan again.") from error
    if unknown:
        raise BadData(f"a touch froze '{min(unknown)}', which no message can state", "Make the plan again.")
    claimed = facts.registry.stated(day, held.get("cause", facts.cause), held.get("category", facts.category))
    return replace(facts, **(held | dict(claimed) | known))


def with_registered(facts: Facts, registry: Registry) -> Facts:
    """The facts together with everything that the shop has registered; `with_frozen` chooses what is stated."""
    return replace(facts, registry=registry)
