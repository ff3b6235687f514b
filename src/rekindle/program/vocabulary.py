"""What a document may speak of: columns of the profile and their values, channels, content blocks, and what each stage must say.

Knows nothing of a document. Attributes of a person that are not behaviour (age, gender, origin, health) are not columns.
"""

from rekindle.insight.friction import CAUSES
from rekindle.insight.lifecycle import COHORTS, STAGES
from rekindle.insight.rhythm import SOURCES
from rekindle.insight.tiers import TIERS

COLUMNS: dict[str, str] = {
    "orders": "int",
    "purchase_days": "int",
    "first_day": "date",
    "last_day": "date",
    "silence_days": "int",
    "age_days": "int",
    "repeats": "int",
    "recency_days": "int",
    "spend": "int",
    "margin": "int",
    "average_order_value": "int",
    "average_days_between_orders": "float",
    "rhythm_source": "str",
    "discount_share": "float",
    "return_share": "float",
    "category": "str",
    "category_share": "float",
    "last_category": "str",
    "last_product": "str",
    "expected_orders": "float",
    "p_alive": "float",
    "churn_probability": "float",
    "margin_per_order": "float",
    "expected_margin": "int",
    "predicted_clv": "int",
    "margin_at_risk": "int",
    "prediction_quality": "str",
    "expected_next_order_at": "date",
    "expected_date_of_next_order": "date",
    "overdue": "int",
    "lifecycle": "str",
    "value_tier": "str",
    "tier_margin": "int",
    "next_threshold": "str",
    "threshold_distance": "float",
    "lapsed_cohort": "str",
    "personas": "str",
    "price_sensitive": "float",
    "premium": "float",
    "quick_solution": "float",
    "discounted_orders": "int",
    "single_item_orders": "int",
    "price_rank": "float",
    "cause": "str",
    "open_ticket": "bool",
    "open_return": "bool",
    "credit_balance": "int",
    "credit_expires_on": "date",
    "detractor": "bool",
    "offer_category": "str",
    "offer_product": "str",
    "seller_id": "str",
    "seller_promotion": "bool",
    "country": "str",
    "email_consent": "bool",
    "sms_consent": "bool",
    "webpush_consent": "bool",
    "inapp_consent": "bool",
}
"""Columns of the profile that a rule may name, with their kinds. Money is in minor units, silences and overdue in days."""

VALUES: dict[str, frozenset[str]] = {
    "lifecycle": frozenset(STAGES),
    "value_tier": frozenset(TIERS),
    "lapsed_cohort": frozenset(COHORTS),
    "cause": frozenset({*CAUSES, "unknown"}),
    "rhythm_source": frozenset(SOURCES),
    "prediction_quality": frozenset({"good", "weak", "prior only"}),
}
"""The only values that these columns have."""

ALWAYS_KNOWN = frozenset({"lifecycle", "value_tier"})
"""Columns of `VALUES` that no customer is without."""

BLOCKS: dict[str, str] = {
    "why_you_got_this": "why this customer hears from the shop",
    "benefit": "what the customer gains",
    "one_action": "one thing to do",
    "preferences_and_pause": "links to pause, fewer, topics and stop",
    "personal_offer_disclosure_if_any": "that an offer is a personal one, where it is",
    "relationship": "how long and why the customer has chosen the shop",
    "last_purchase_or_favourite_or_saved": "one true fact: last purchase, favourite category or saved item",
    "hiatus_and_thanks": "that it has been a while, and thanks",
    "current_relevance": "what fits the customer now",
    "fix_if_registered": "what was mended, where a fix is registered",
    "why_prompt": "one question: why it went quiet",
    "offer_or_its_absence": "the offer, or the advice that stands in its place",
    "what_changed_in_your_categories": "what is new where the customer buys",
    "all_in_price": "the price with everything in it",
    "expiry_if_offer": "until when the offer holds, where there is one",
    "social_proof_of_category": "what other customers say of the category",
    "returns_policy": "how returns work",
    "guarantee": "what the shop guarantees",
    "delivery_promise": "when it arrives",
    "open_offer_and_its_real_expiry": "an offer that is still open, and until when",
    "restored_cart_or_sign_in": "a link to the cart as it was left, or to sign in",
    "gain_summary": "what the customer gains by coming back",
    "steps_to_order": "the steps to the order",
    "what_happens_next": "that fewer messages follow",
    "pause_or_fewer_or_stop": "the three choices, of equal weight",
    "apology_for_the_event": "an apology for the registered event",
    "missed_since_you_left": "what the customer has missed",
    "about_your_order": "that the message is about the customer's own order and carries no advertising",
    "thanks": "thanks, with nothing asked in return",
    "products_named": "what was ordered, by name",
    "product_named": "the one thing it is about, by name",
    "promised_day": "the day that the order was promised for",
    "delivered_day": "the day that it arrived",
    "remedy_if_registered": "what the shop does about it, where a remedy is registered",
    "next_step": "what happens now, and whom to ask",
    "care": "how to look after what was bought",
    "support": "who helps, and how to reach them",
    "review_ask": "one request for a review",
    "reward_disclosure": "that the thank-you is everyone's, whatever they write, and that a review should mention it; where there is one",
    "one_question": "one question, answered from 0 to 10",
    "run_out_window": "when it may be used up, as a window in words",
    "occasion": "what day it is for the customer; of a birthday neither year nor age",
    "credit_and_its_expiry": "how much credit is left and until when",
    "curated_from_before": "what the customer liked before the pause",
}
"""Content blocks by name and what each says."""

ALWAYS = frozenset({"why_you_got_this", "preferences_and_pause"})
"""Blocks that every marketing message has."""

STAGE_CONTENT: dict[str, frozenset[str]] = {
    "reconnect": frozenset({"relationship", "last_purchase_or_favourite_or_saved", "current_relevance"}),
    "tailor": frozenset({"last_purchase_or_favourite_or_saved", "offer_or_its_absence", "all_in_price", "expiry_if_offer"}),
    "reassure": frozenset({"returns_policy", "guarantee"}),
    "closing": frozenset(
        {"gain_summary", "steps_to_order", "open_offer_and_its_real_expiry", "what_happens_next", "pause_or_fewer_or_stop"}
    ),
}
"""Blocks that a stage of this name cannot do without: trust first, then an offer that fits, then proof, then the last word."""

MOMENT_CONTENT: dict[str, frozenset[str]] = {
    "late_delivery": frozenset({"apology_for_the_event", "promised_day", "remedy_if_registered", "next_step"}),
    "run_out": frozenset({"run_out_window"}),
    "credit": frozenset({"credit_and_its_expiry"}),
    "anniversary": frozenset({"occasion"}),
    "birthday": frozenset({"occasion"}),
}
"""Blocks that every stage of a program on this moment cannot do without: what the moment is about, in true facts."""

FIRST_CONTENT: dict[str, frozenset[str]] = {
    "order": frozenset({"thanks", "products_named"}),
    "first_order": frozenset({"thanks", "products_named"}),
    "delivery": frozenset({"products_named"}),
    "comeback": frozenset({"thanks", "curated_from_before"}),
}
"""Blocks that the first stage of a program on this moment cannot do without; what follows may speak of other things."""

SERVICE_ALWAYS = frozenset({"about_your_order"})
"""Blocks that every service message has."""

PROMOTING = frozenset(
    {
        "offer_or_its_absence", "open_offer_and_its_real_expiry", "expiry_if_offer", "current_relevance", "what_changed_in_your_categories",
        "missed_since_you_left", "gain_summary", "steps_to_order", "social_proof_of_category", "curated_from_before", "review_ask",
        "run_out_window", "restored_cart_or_sign_in", "one_question",
    }
)
"""Blocks that make a message advertising: no service message has one."""

PRICELESS_STAGES = frozenset({"reconnect", "closing"})
"""Stages that never make a price offer: the first word and the last."""


def content_needed(moment: str, stage: str, first: bool, content: frozenset[str], rewarded: bool) -> frozenset[str]:
    """The blocks that a stage cannot do without.

    Args:
        moment: What opens a round of its program.
        stage: Its name.
        first: Whether it is the program's first.
        content: The blocks that it has.
        rewarded: Whether one of its variants gives something.

    >>> sorted(content_needed("delivery", "ask", True, frozenset({"review_ask"}), rewarded=True))
    ['products_named', 'reward_disclosure']
    """
    needed = STAGE_CONTENT.get(stage, frozenset()) | MOMENT_CONTENT.get(moment, frozenset())
    if first:
        needed |= FIRST_CONTENT.get(moment, frozenset())
    return needed | {"reward_disclosure"} if rewarded and "review_ask" in content else needed
