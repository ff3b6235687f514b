"""The facts as templates see them: clean text, dates written out, a brand's colours that can be read.

Knows nothing of templates.
"""

from dataclasses import fields
from functools import lru_cache
from operator import attrgetter

from rekindle.deliver.facts import CARD_KINDS, Facts
from rekindle.deliver.palette import palette
from rekindle.deliver.reason import why
from rekindle.deliver.words import greetable, listed, month, one_line, readable, weekday, window, written_out

_UNSPOKEN = frozenset({"registry", "blocks", "cart_ids"})
"""What decides what is stated and is not stated itself."""

_REMEMBERED = 2_048
"""Texts that are kept clean: most of a message's are the shop's, the same in every one."""

_KINDS = {one.name: one.type for one in fields(Facts) if one.name not in _UNSPOKEN}
_TEXTS = tuple(name for name, kind in _KINDS.items() if kind in (str, str | None))
_OTHERS = tuple(name for name in _KINDS if name not in _TEXTS)
_texts_of, _others_of = attrgetter(*_TEXTS), attrgetter(*_OTHERS)


@lru_cache(_REMEMBERED)
def _clean(text: str | None) -> str | None:
    return one_line(text) if text else text


def spoken(facts: Facts) -> dict[str, object]:
    """The facts by the names that templates use."""
    said: dict[str, object] = dict(zip(_OTHERS, _others_of(facts), strict=True))
    said.update(zip(_TEXTS, map(_clean, _texts_of(facts)), strict=True))
    said |= _of_the_round(facts)
    said |= {
        "offer_value": "" if facts.offer_value in facts.offer_label else one_line(facts.offer_value).replace(" ", "\N{NO-BREAK SPACE}"),
        "offer_brief": _brief(facts),
        "first_name": greetable(facts.first_name),
        "offer_minimum": one_line(facts.offer_minimum).replace(" ", "\N{NO-BREAK SPACE}"),
        "offer_scope": readable(facts.offer_scope),
        "last_product": readable(facts.last_product),
        "category": readable(facts.category),
        "valid_until": written_out(facts.valid_until, facts.locale),
        "last_month": month(facts.last_day),
        "first_month": month(facts.first_day),
        "why": one_line(facts.why) or why(facts),
        "has_card": facts.offer_kind in CARD_KINDS and not facts.service,
        "language": "en",
        **palette(facts.brand_color),
    }
    return said


def _brief(facts: Facts) -> str:
    """What is given and what it is worth, for an SMS."""
    said, worth = one_line(facts.offer_brief or facts.offer_label), one_line(facts.offer_value)
    return said if worth in said else f"{said}: {worth}"


def _of_the_round(facts: Facts) -> dict[str, object]:
    """What opened the round, in words."""
    named = tuple(name for name in map(readable, facts.products) if name)
    late = facts.delivered_day is not None and facts.promised_day is not None and facts.delivered_day > facts.promised_day
    return {
        "items": listed(named, facts.more_products),
        "products": named,
        "product": readable(facts.product),
        "favourite": readable(facts.favourite),
        "order_number": one_line(facts.order_number or "") or None,
        "was_late": late,
        "window": window(facts.days_ahead),
        "credit_left": one_line(facts.credit_left).replace(" ", "\N{NO-BREAK SPACE}"),
        "day": written_out(facts.day, facts.locale),
        "ordered_day": weekday(facts.ordered_day, facts.locale),
        "promised_day": weekday(facts.promised_day, facts.locale),
        "delivered_day": weekday(facts.delivered_day, facts.locale),
    }
