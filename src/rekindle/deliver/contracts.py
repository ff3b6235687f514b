"""What each content block of a program needs to know, and what becomes of it where that is not known.

Knows nothing of templates; tests/deliver/test_contracts.py holds the shipped ones against this table.
"""

from dataclasses import dataclass
from typing import Literal

from rekindle.deliver.facts import CARD_KINDS, PRICE_KINDS, Facts

Otherwise = Literal["refused", "default", "skipped"]
"""What becomes of a block that cannot be filled: the message is not written, a stated default takes its place, it is left out."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a block needs.

    Args:
        needs: Facts of which any one fills it; none where it says nothing that could be missing.
        otherwise: What becomes of it without them.
        default: What then stands there, for people; the templates hold the words.
    """

    needs: tuple[str, ...]
    otherwise: Otherwise
    default: str = ""


def _always() -> Contract:
    return Contract((), "default")


def _refused(*needs: str) -> Contract:
    return Contract(needs, "refused")


def _skipped(*needs: str) -> Contract:
    return Contract(needs, "skipped")


def _default(default: str, *needs: str) -> Contract:
    return Contract(needs, "default", default)


CONTRACTS: dict[str, Contract] = {
    # of every message
    "why_you_got_this": _default("the consent alone", "why", "last_day", "first_day", "ordered_day", "delivered_day", "day", "product"),
    "benefit": _default("help with choosing, by a reply", "benefit"),
    "one_action": _refused("shop_url", "reply_to"),
    "preferences_and_pause": _refused("preferences_url"),
    "personal_offer_disclosure_if_any": _skipped("offer_label"),
    "about_your_order": _refused("order_number", "products", "ordered_day"),
    # who the customer is to the shop
    "relationship": _default("thanks for knowing us", "orders"),
    "last_purchase_or_favourite_or_saved": _default("an earlier order", "last_product", "products", "favourite", "category", "last_day"),
    "hiatus_and_thanks": _default("that it has been a while", "last_day"),
    "thanks": _always(),
    "gain_summary": _default("that they are welcome", "orders", "category"),
    "curated_from_before": _default("that all is where it was", "favourite", "category"),
    "current_relevance": _default("something new", "category", "last_product"),
    "missed_since_you_left": _skipped("whats_new"),
    "what_changed_in_your_categories": _skipped("whats_new"),
    # what went wrong, and what was done about it
    "apology_for_the_event": _skipped("cause", "promised_day"),
    "fix_if_registered": _skipped("fix"),
    "remedy_if_registered": _skipped("late_remedy"),
    # what is offered
    "offer_or_its_absence": _always(),
    "expiry_if_offer": _skipped("valid_until"),
    "open_offer_and_its_real_expiry": _skipped("valid_until"),
    "credit_and_its_expiry": _refused("credit_left"),
    "all_in_price": _skipped("all_in_price"),
    "reward_disclosure": _skipped("offer_label"),
    # what the shop stands for
    "social_proof_of_category": _skipped("social_proof"),
    "returns_policy": _default("an answer by reply", "returns_policy"),
    "guarantee": _skipped("guarantee"),
    "delivery_promise": _skipped("delivery_promise"),
    "care": _default("an answer by reply", "care"),
    "support": _default("a reply to the e-mail", "support"),
    # the order, the thing, the day
    "products_named": _default("the order itself", "products"),
    "product_named": _default("what is bought regularly", "product"),
    "promised_day": _default("that it should have come by now, or is being made ready", "promised_day"),
    "delivered_day": _default("that it has come", "delivered_day"),
    "run_out_window": _default("soon", "days_ahead"),
    "occasion": _refused("years", "first_day", "day"),
    # what to do, and what comes
    "why_prompt": _always(),
    "review_ask": _always(),
    "one_question": _always(),
    "next_step": _always(),
    "what_happens_next": _always(),
    "pause_or_fewer_or_stop": _refused("preferences_url"),
    "restored_cart_or_sign_in": _refused("shop_url"),
    "steps_to_order": _refused("shop_url"),
}
"""Every block of the vocabulary."""

REQUIRED = frozenset(name for name, contract in CONTRACTS.items() if contract.otherwise == "refused")
"""Blocks without which a message is not written."""


def unfilled(facts: Facts) -> str | None:
    """The first required block of a message that nothing known can fill; None where all can be.

    >>> unfilled(Facts(stage="remind", blocks=("one_action", "credit_and_its_expiry"), shop_url="https://marigold.example"))
    'credit_and_its_expiry'
    """
    lacking = (name for name in facts.blocks if name in REQUIRED and not any(getattr(facts, need) for need in CONTRACTS[name].needs))
    return next(lacking, None)


def what_lacks(facts: Facts) -> tuple[str, str] | None:
    """Why a message must not be written, with the remedy; None where nothing lacks."""
    if facts.service:
        if facts.offer_kind in CARD_KINDS or facts.code:
            return "a message about an order carries no offer", "Give its variant the offer `none`."
    elif not facts.postal_address.strip():
        return "there is no postal address", "Write sender.postal_address in rekindle.toml."
    elif not (facts.unsubscribe_url.startswith("https://") and facts.preferences_url.startswith("https://")):
        return "its links to stop and to choose are not HTTPS", "Write public_url = \"https://...\" in rekindle.toml."
    elif facts.offer_kind in PRICE_KINDS and not (facts.code and facts.valid_until):
        return "its offer has no code or no last day", "Make the plan again."
    if block := unfilled(facts):
        needs = " or ".join(CONTRACTS[block].needs)
        return f"its block '{block}' needs {needs}, which is not known", "Import the fact, or take the block out of the program's content."
    return None
