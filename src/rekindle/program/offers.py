"""What a store may give: each offer's kind, value, cost, scope, validity and who pays.

Knows nothing of who gets it, nor of what a kind is like: `offer_kinds` does.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from rekindle.insight.expression import nearest
from rekindle.program import offer_kinds
from rekindle.program.fields import Amount, Day, Entry, Name, Named, Number, PositiveDays, Share, mistake
from rekindle.program.offer_curve import Curve as Curve

COST_KEYS = ("percent", "amount", "share_of_margin", "curve", "cap", "unit_cost", "returns_share", "redemption", "minimum_spend")
"""Keys whose meaning depends on the kind: it says which of them an offer states."""


def _kind(value: object) -> str:
    if isinstance(value, str) and value in offer_kinds.KINDS:
        return value
    remedy = nearest(str(value), frozenset(offer_kinds.KINDS), "docs/offers.md lists the kinds.")
    raise mistake("value-bad", f"there is no kind of offer '{value}'", remedy)


OfferKind = Annotated[str, PlainValidator(_kind), WithJsonSchema({"type": "string", "enum": list(offer_kinds.KINDS)})]


class Ladder(Entry):
    """A place among offers that a customer climbs, one after another."""

    name: Name
    """The ladder; its rungs share it."""
    rung: Annotated[int, Field(ge=1, le=20, strict=True)]
    """Which rung: 1 first; each next one once the one before was given and an order has come since."""


class Offer(Entry):
    """Something that may be given."""

    name: Annotated[Name, SkipJsonSchema()] = Field(alias="(name)")
    """The offer's key in the document."""
    kind: OfferKind
    """What sort of thing it is; percent, amount and credit are price offers."""
    label: str = Field(min_length=1, max_length=120)
    """What the customer reads."""
    brief: str = Field("", max_length=40)
    """What the customer reads where there is room for little, as in an SMS; the label where it is left out."""
    percent: Annotated[Number | None, Field(gt=0, lt=1)] = None
    """Share off the price: 0.10 is 10 %."""
    amount: Amount | None = None
    """What is taken off, what a credit is worth to everyone alike, or what points are worth, in units of the store's currency."""
    share_of_margin: Annotated[Number | None, Field(gt=0, le=1)] = None
    """A credit's value: this share of the customer's expected margin, at most `cap`."""
    curve: Curve | None = None
    """A credit's value: a curve over the customer's expected margin and orders, at most `cap`."""
    cap: Amount | None = None
    """The most that the incentive takes off one order, in units of the store's currency."""
    margin_floor: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """The lowest margin floor of a stage that may make this offer."""
    unit_cost: Amount = Decimal(0)
    """What one redemption costs, in units of the store's currency; a price offer's cost is its value, a free return's is of one return."""
    returns_share: Share = 0.0
    """The least share of orders that is assumed to go back where that is free; the customer's own share where it is higher."""
    redemption: Share = 0.0
    """The assumed share of takers among those who order."""
    scope: Literal["order", "category", "product"] = "order"
    """What it holds for: a whole order, the customer's category or the customer's product, bought or saved and never sent back."""
    minimum_spend: Amount | None = None
    """The order from which it holds, in units of the store's currency; made only to customers whose usual order reaches it."""
    valid_days: Annotated[PositiveDays, Field(alias="valid")] = 30
    """How long it holds."""
    minimum_valid_days: Annotated[PositiveDays, Field(alias="minimum_valid")] = 7
    """The shortest time that it may be given for."""
    valid_from: Day | None = None
    """The first day on which it may be given."""
    valid_until: Day | None = None
    """The last day on which it holds, whenever it was given."""
    once: bool = False
    """Whether a customer gets it once and never again."""
    ladder: Ladder | None = None
    """Its place on a ladder, each rung of which a customer gets once."""
    payer: Literal["shop", "seller", "shared"] = "shop"
    """Who bears the cost: the shop, the seller of the product, or both."""
    seller_share: Annotated[Number | None, Field(gt=0, lt=1)] = None
    """The seller's part where both do."""
    terms: str = Field(default="", max_length=500)
    """The conditions that stand below it."""

    @property
    def traits(self) -> offer_kinds.Kind:
        """What its kind is like."""
        return offer_kinds.kind(self.kind)

    @property
    def price(self) -> bool:
        """Whether it lowers the price."""
        return self.traits.price

    @property
    def redeemed(self) -> bool:
        """Whether it is taken with an order: it then has a code and an end."""
        return self.traits.redeemed and self.redemption > 0

    @property
    def worth(self) -> Decimal:
        """The most that it is worth to a customer where that does not depend on the basket, in units of the store's currency."""
        return self.cap or max(self.amount or Decimal(0), self.unit_cost)

    @property
    def fixed(self) -> Decimal | None:
        """What one redemption costs whoever takes it, in units of the store's currency; None where it depends on the customer."""
        if self.percent is not None or self.share_of_margin is not None or self.curve is not None:
            return None
        value = self.amount if self.amount is not None else self.unit_cost
        return value if self.cap is None else min(value, self.cap)

    @property
    def costly(self) -> bool:
        """Whether a redemption costs something."""
        return self.price or self.worth > 0

    @property
    def seller_part(self) -> float:
        """The part of its cost that the seller bears."""
        return {"shop": 0.0, "seller": 1.0, "shared": self.seller_share or 0.0}[self.payer]

    @property
    def once_key(self) -> str:
        """What a customer gets once: `ladder:rung`, of an offer without a ladder its own name; empty where it may come again."""
        if self.ladder is not None:
            return f"{self.ladder.name}:{self.ladder.rung}"
        return self.name if self.once else ""

    @property
    def had_key(self) -> str:
        """What a customer who was given it has had: `ladder:rung`, else its own name."""
        return self.once_key or self.name

    @property
    def dated(self) -> bool:
        """Whether it has dates of its own."""
        return self.valid_from is not None or self.valid_until is not None

    def days_left(self, day: date) -> int | None:
        """Days for which it may still be given on a day, by its dates; below 0 outside them, None without an end.

        Args:
            day: In the store's time zone.
        """
        if self.valid_from is not None and day < self.valid_from:
            return -1
        return None if self.valid_until is None else (self.valid_until - day).days

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self._as_its_kind()
        if self.payer == "shared" and self.seller_share is None:
            raise mistake("offer-incomplete", "a shared offer needs seller_share", "Add seller_share.")
        if self.payer != "shared" and self.seller_share is not None:
            raise mistake("offer-mixed", "seller_share is of a shared offer", "Remove seller_share, or write payer: shared.")
        if self.seller_part and self.scope != "product":
            why = f"a {self.scope} may hold goods of several sellers, so no one of them can pay"
            raise mistake("offer-payer", why, "Write scope: product, or payer: shop.")
        if self.valid_days < self.minimum_valid_days:
            why = f"it is valid for {self.valid_days}d, less than its minimum of {self.minimum_valid_days}d"
            raise mistake("offer-too-short", why, "Lengthen valid or shorten minimum_valid.")
        if self.valid_from is not None and self.valid_until is not None:
            if self.valid_until < self.valid_from:
                why = f"it ends on {self.valid_until}, before it begins on {self.valid_from}"
                raise mistake("offer-dates", why, "Write a later valid_until.")
            if (days := (self.valid_until - self.valid_from).days) < self.minimum_valid_days:
                why = f"its dates leave {days}d, less than its minimum of {self.minimum_valid_days}d"
                raise mistake("offer-too-short", why, "Write a later valid_until, or shorten minimum_valid.")
        return self

    def _as_its_kind(self) -> None:
        """Refuses a key that its kind does not have, and the lack of one that it needs."""
        traits = self.traits
        stated = [key for key in COST_KEYS if getattr(self, key)]
        if lacking := [key for key in traits.needs if key not in stated]:
            raise mistake("offer-incomplete", f"an offer of kind {self.kind} needs {' and '.join(lacking)}", f"Add {lacking[0]}.")
        if extra := [key for key in stated if key not in traits.keys]:
            raise mistake("offer-mixed", f"an offer of kind {self.kind} has no {extra[0]}", f"Remove {extra[0]} or change the kind.")
        chosen = [key for key in traits.one_of if key in stated]
        if traits.one_of and not chosen:
            why = f"an offer of kind {self.kind} needs {' or '.join(traits.one_of)}"
            raise mistake("offer-incomplete", why, f"Add {traits.one_of[0]}.")
        if len(chosen) > 1:
            raise mistake("offer-mixed", f"an offer of kind {self.kind} has one of {' and '.join(chosen)}", f"Remove {chosen[-1]}.")
        if self.worth and not self.redemption:
            raise mistake("offer-incomplete", f"an offer that costs {self.worth} needs redemption", "Add redemption: who would take it.")
        if chosen and chosen[0] != "amount" and self.cap is None:
            raise mistake("offer-incomplete", f"an offer of kind {self.kind} by {chosen[0]} needs cap", "Add cap.")


class OfferList(Entry):
    """All offers of a store: offers.yaml."""

    offers: Annotated[tuple[Offer, ...], Named()]
    """Each offer under its name."""
