"""The kinds of offers: a registry of names. Adding a kind is a module, its tests, its row in docs/offers.md and one line here."""

from importlib import import_module

from rekindle.program.offer_kinds.kind import Kind as Kind

KINDS: dict[str, str] = {
    "none": "rekindle.program.offer_kinds.words:NONE",
    "reminder": "rekindle.program.offer_kinds.words:REMINDER",
    "education": "rekindle.program.offer_kinds.words:EDUCATION",
    "early_access": "rekindle.program.offer_kinds.access:EARLY_ACCESS",
    "limited_edition": "rekindle.program.offer_kinds.access:LIMITED_EDITION",
    "preview": "rekindle.program.offer_kinds.access:PREVIEW",
    "badge": "rekindle.program.offer_kinds.access:BADGE",
    "support": "rekindle.program.offer_kinds.service:SUPPORT",
    "shipping": "rekindle.program.offer_kinds.service:SHIPPING",
    "returns": "rekindle.program.offer_kinds.service:RETURNS",
    "extended_window": "rekindle.program.offer_kinds.service:EXTENDED_WINDOW",
    "gift": "rekindle.program.offer_kinds.goods:GIFT",
    "bundle": "rekindle.program.offer_kinds.goods:BUNDLE",
    "free_trial": "rekindle.program.offer_kinds.goods:FREE_TRIAL",
    "points": "rekindle.program.offer_kinds.goods:POINTS",
    "percent": "rekindle.program.offer_kinds.price:PERCENT",
    "amount": "rekindle.program.offer_kinds.price:AMOUNT",
    "credit": "rekindle.program.offer_kinds.price:CREDIT",
}
"""Name of a kind to where its `Kind` stands, as `module:attribute`."""


def kind(name: str) -> Kind:
    """The kind of a name.

    Raises:
        KeyError: There is none.
    """
    module, attribute = KINDS[name].split(":")
    found: Kind = getattr(import_module(module), attribute)
    return found


def priced() -> frozenset[str]:
    """The names of the kinds that take something off a price.

    >>> sorted(priced())
    ['amount', 'credit', 'percent']
    """
    return frozenset(name for name in KINDS if kind(name).price)


def carded() -> frozenset[str]:
    """The names of the kinds that a message shows on a card: something is given. The others are words."""
    return frozenset(name for name in KINDS if kind(name).card)
