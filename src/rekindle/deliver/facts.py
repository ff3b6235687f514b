"""What a message may state: frozen facts, each of which may be absent.

Knows nothing of templates. A touch freezes what is known of its customer's history when it is planned; the rest is the shop's.
"""

import colorsys
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from babel.dates import format_date

from rekindle.errors import BadData
from rekindle.program import offer_kinds

CARD_KINDS = offer_kinds.carded()
"""Offers that a message shows on a card: something is given. The others are content."""

PRICE_KINDS = offer_kinds.priced()
FROZEN = frozenset(
    {
        "why", "orders", "first_day", "last_day", "last_product", "category", "cause", "cohort", "offer_kind", "offer_label", "offer_terms",
        "offer_value", "offer_scope", "offer_minimum", "valid_until", "moment", "service", "order_number", "products", "more_products",
        "product", "favourite", "ordered_day", "promised_day", "delivered_day", "day", "days_ahead", "years", "credit_left",
    }
)
"""What a touch's `facts` may hold; its stage, arm and code are columns of their own."""

REGISTERED = frozenset(
    {
        "fix", "whats_new", "all_in_price", "delivery_promise", "returns_policy", "guarantee", "social_proof", "late_remedy", "care",
        "care_by_category", "support",
    }
)
"""What a shop states about itself in `content/facts.yaml`: true, and with evidence."""

_TABLES = {"care_by_category": '{Lighting: "..."}'}
"""Facts that have a text for each category, with how they are written."""

_DAYS = ("first_day", "last_day", "valid_until", "ordered_day", "promised_day", "delivered_day", "day")
_WINDOWS = ((0, "about now"), (2, "in a day or two"), (5, "in a few days"), (9, "in about a week"), (17, "in about two weeks"))
_MONTH_FIRST = ("en_US", "en_CA", "en_PH")
_LETTERS_OF_A_WORD = 4
_A_PAIR = 2
_LONGEST_NAME = 40
_LINK = re.compile(r"://|www\.|@|\.(?:com|net|org|ru|cn)\b", re.IGNORECASE)


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
        offer_terms: Its conditions.
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
        fix: What the shop has mended, as registered in facts.yaml; so are the texts after it, up to `support`.
        care_by_category: How to look after what was bought, by category; `care` for the others.
        reply_to: Where an answer goes.
        trap_url: A link that no person sees: what follows it is a machine. Empty where there is none.
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
    offer_terms: str = ""
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
    fix: str = ""
    whats_new: str = ""
    all_in_price: str = ""
    delivery_promise: str = ""
    returns_policy: str = ""
    guarantee: str = ""
    social_proof: str = ""
    late_remedy: str = ""
    care: str = ""
    care_by_category: Mapping[str, str] = field(default_factory=dict)
    support: str = ""
    shop_name: str = ""
    shop_url: str = ""
    brand_color: str = "#1f5f5b"
    postal_address: str = ""
    unsubscribe_url: str = ""
    preferences_url: str = ""
    reply_to: str = ""
    trap_url: str = ""
    locale: str = "en"


def with_frozen(facts: Facts, frozen: str) -> Facts:
    """The facts together with those that a touch froze.

    Args:
        facts: What is known without the touch.
        frozen: A JSON object with names of `FROZEN`; null is unknown.

    Raises:
        BadData: Not such an object.
    """
    try:
        held = {name: value for name, value in json.loads(frozen).items() if value is not None}
        unknown = set(held) - FROZEN
        held |= {name: date.fromisoformat(held[name][:10]) for name in _DAYS if name in held}
        held |= {"products": tuple(map(str, held["products"]))} if "products" in held else {}
    except (ValueError, TypeError, AttributeError) as error:
        raise BadData(f"the facts of a touch cannot be read: {error}", "Make the plan again.") from error
    if unknown:
        raise BadData(f"a touch froze '{min(unknown)}', which no message can state", "Make the plan again.")
    return replace(facts, **held)


def with_registered(facts: Facts, registered: Mapping[str, str | Mapping[str, str]]) -> Facts:
    """The facts together with those of `facts.yaml`.

    Raises:
        BadData: One of them is not a fact that a shop registers, or not written as it is.
    """
    if unknown := sorted(set(registered) - REGISTERED):
        known = ", ".join(sorted(REGISTERED))
        raise BadData(f"content/facts.yaml: '{unknown[0]}' is not a fact that a message can state", f"Write {known}.")
    for name, said in sorted(registered.items()):
        if isinstance(said, str) == (name in _TABLES):
            shape, like = ("a text for each category", _TABLES[name]) if name in _TABLES else ("one text", '"..."')
            raise BadData(f"content/facts.yaml: '{name}' is not {shape}", f"Write {name}: {like}")
    texts: dict[str, Any] = dict(registered)
    return replace(facts, **texts)


def spoken(facts: Facts) -> dict[str, object]:
    """The facts as templates see them: clean text, dates written out, a brand's colours that can be read."""
    text = {one.name: getattr(facts, one.name) for one in fields(facts) if one.name not in _TABLES}
    text["care"] = facts.care_by_category.get(facts.category or "", facts.care)
    clean = {name: one_line(value) if isinstance(value, str) else value for name, value in text.items()}
    return clean | _of_the_round(facts) | {
        "offer_value": "" if facts.offer_value in facts.offer_label else one_line(facts.offer_value).replace(" ", "\N{NO-BREAK SPACE}"),
        "first_name": greetable(facts.first_name),
        "offer_minimum": one_line(facts.offer_minimum).replace(" ", "\N{NO-BREAK SPACE}"),
        "offer_scope": readable(facts.offer_scope),
        "last_product": readable(facts.last_product),
        "category": readable(facts.category),
        "valid_until": written_out(facts.valid_until, facts.locale),
        "last_month": month(facts.last_day),
        "first_month": month(facts.first_day),
        "why": one_line(facts.why) or why_from_moment(facts),
        "has_card": facts.offer_kind in CARD_KINDS and not facts.service,
        "language": "en",
        **palette(facts.brand_color),
    }


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
        **{name: weekday(getattr(facts, name), facts.locale) for name in ("ordered_day", "promised_day", "delivered_day")},
    }


def listed(names: tuple[str, ...], more: int) -> str | None:
    """Names as a person lists them; None where there is none.

    >>> listed(("Lantern", "Vase"), 0), listed(("Lantern", "Vase", "Cup"), 2), listed((), 2)
    ('Lantern and Vase', 'Lantern, Vase, Cup and 2 more', None)

    >>> listed(("Socks, 3 pairs", "Scarf"), 0), listed(("Socks, 3 pairs", "Scarf"), 1)
    ('Socks, 3 pairs, and Scarf', 'Socks, 3 pairs; Scarf; and 1 more')
    """
    parts = [*names, *([f"{more} more"] if more > 0 else [])] if names else []
    if len(parts) < _A_PAIR:
        return next(iter(parts), None)
    between, last = (", ", " and ") if not any("," in name for name in names) else ("; ", "; and " if len(parts) > _A_PAIR else ", and ")
    return f"{between.join(parts[:-1])}{last}{parts[-1]}"


def window(days: int | None) -> str | None:
    """How far a day is that nobody knows for sure; None where nothing is known of it.

    >>> window(7), window(30), window(None)
    ('in about a week', 'in a few weeks', None)
    """
    if days is None:
        return None
    return next((words for most, words in _WINDOWS if days <= most), "in a few weeks")


def one_line(text: str) -> str:
    """Text without line breaks, controls and invisible marks that could disguise it."""
    spaced = (" " if char.isspace() else char for char in text)
    return " ".join("".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs")).split())


def greetable(name: str | None) -> str | None:
    """A name to greet with, or None where it is none: too long, or an advertisement.

    >>> greetable("Zoë"), greetable("Win at http://x.example"), greetable(" ")
    ('Zoë', None, None)
    """
    clean = one_line(name or "")
    return clean if clean and len(clean) <= _LONGEST_NAME and not _LINK.search(clean) else None


def readable(name: str | None) -> str | None:
    """A name from a catalogue that does not shout.

    >>> readable("WHITE HANGING HEART T-LIGHT HOLDER"), readable("iPad case")
    ('White hanging heart t-light holder', 'iPad case')
    """
    clean = one_line(name or "")
    return (clean.capitalize() if clean.isupper() and len(clean) > _LETTERS_OF_A_WORD else clean) or None


def written_out(day: date | None, locale: str) -> str | None:
    """A day as a person writes it; in English, as the shipped words are.

    >>> written_out(date(2026, 12, 5), "en_GB"), written_out(date(2026, 12, 5), "de_DE")
    ('5 December 2026', '5 December 2026')
    """
    english = locale.replace("-", "_") if locale.startswith("en_") else "en_GB"
    return format_date(day, "long", locale=english) if day else None


def weekday(day: date | None, locale: str) -> str | None:
    """A day near at hand, with its weekday; in English.

    >>> weekday(date(2026, 12, 5), "en_GB"), weekday(date(2026, 12, 5), "en_US")
    ('Saturday, 5 December', 'Saturday, December 5')
    """
    pattern = "EEEE, MMMM d" if locale.replace("-", "_") in _MONTH_FIRST else "EEEE, d MMMM"
    return format_date(day, pattern, locale="en_GB") if day else None


def month(day: date | None) -> str | None:
    """A month as a person writes it: nobody needs to read on which day they bought something."""
    return format_date(day, "MMMM y", locale="en_GB") if day else None


def why_from_moment(facts: Facts) -> str:
    """Why a customer gets a message: an order of theirs, or consent and what they know of themselves."""
    shop = one_line(facts.shop_name)
    if facts.service:
        return f"You get this because you ordered from {shop}. It is about that order and no advertising, so it comes to every buyer."
    last = f"your last order was in {month(facts.last_day)}" if facts.last_day else ""
    first = f"your first order was in {month(facts.first_day)}" if facts.first_day else ""
    again = f"you have bought {readable(facts.product)} more than once" if facts.product else ""
    reasons = {
        "run_out": again or last, "anniversary": first or last, "birthday": "you told us your birthday",
        "credit": "a credit of yours has not been used",
    }  # fmt: skip
    reason = reasons.get(facts.moment, last)
    return f"You get this because you agreed to e-mail from {shop}{f', and because {reason}' if reason else ''}."


def palette(color: str) -> Mapping[str, str]:
    """A brand colour with the text colour that can be read on it, a tint for panels, and a light form for dark screens.

    >>> palette("#ffd400")["brand_ink"], palette("#1f5f5b")["brand_ink"]
    ('#121212', '#ffffff')
    """
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    light = _luminance(red, green, blue) + 0.05
    return {
        "brand_ink": "#ffffff" if 1.05 / light > light / (_luminance(0.07, 0.07, 0.07) + 0.05) else "#121212",
        "brand_text": color if light < 0.23 else _hex(hue, min(lightness, 0.26), saturation * 0.85),
        "brand_tint": _hex(hue, 0.955, min(saturation, 0.45)),
        "brand_line": _hex(hue, 0.84, min(saturation, 0.35)),
        "brand_light": _hex(hue, 0.78, min(saturation, 0.55)),
        "brand_deep": _hex(hue, 0.14, min(saturation, 0.30)),
    }


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))


def _luminance(*parts: float) -> float:
    """Relative luminance. Source: WCAG 2.2, relative luminance."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
