"""What a store may give: each offer's kind, value, cost, validity and who pays.

Knows nothing of who gets it.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from rekindle.program.fields import Amount, Entry, Name, Named, Number, PositiveDays, Share, mistake

OfferKind = Literal[
    "none", "reminder", "education", "early_access", "limited_edition", "bundle",
    "shipping", "returns", "support", "percent", "amount", "credit",
]
PRICE_KINDS = frozenset({"percent", "amount", "credit"})
NEEDS: dict[str, tuple[str, ...]] = {
    "percent": ("percent",),
    "amount": ("amount",),
    "credit": ("share_of_margin", "cap"),
    "shipping": ("unit_cost",),
    "returns": ("unit_cost",),
    "support": ("unit_cost",),
}
"""What an offer of a kind must state, besides what every offer states."""


class Offer(Entry):
    """Something that may be given."""

    name: Annotated[Name, SkipJsonSchema()] = Field(alias="(name)")
    """The offer's key in the document."""
    kind: OfferKind
    """What sort of thing it is; percent, amount and credit are price offers."""
    label: str = Field(min_length=1, max_length=120)
    """What the customer reads."""
    percent: Annotated[Number | None, Field(gt=0, lt=1)] = None
    """Share off the price: 0.10 is 10 %."""
    amount: Amount | None = None
    """What is taken off, in units of the store's currency; a credit's is its cap."""
    share_of_margin: Annotated[Number | None, Field(gt=0, le=1)] = None
    """A credit's curve: this share of the customer's expected margin, at most `cap`."""
    cap: Amount | None = None
    """The most that the incentive takes off one order, in units of the store's currency."""
    margin_floor: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """The lowest margin floor of a stage that may make this offer."""
    unit_cost: Amount = Decimal(0)
    """What the shop expects to spend when it is taken, in units of the store's currency; a price offer's cost is its value."""
    redemption: Share = 0.0
    """The assumed share of takers among those who order."""
    valid_days: Annotated[PositiveDays, Field(alias="valid")] = 30
    """How long it holds."""
    minimum_valid_days: Annotated[PositiveDays, Field(alias="minimum_valid")] = 7
    """The shortest time that it may be given for."""
    payer: Literal["shop", "seller"] = "shop"
    """Who bears the cost."""
    terms: str = Field(default="", max_length=500)
    """The conditions that stand below it."""

    @property
    def price(self) -> bool:
        """Whether it lowers the price."""
        return self.kind in PRICE_KINDS

    @property
    def worth(self) -> Decimal:
        """The most that it is worth to a customer where that does not depend on the basket, in units of the store's currency."""
        return max(self.amount or Decimal(0), self.cap or Decimal(0), self.unit_cost)

    @model_validator(mode="before")
    @classmethod
    def _credit_is_capped(cls, data: Any) -> Any:  # noqa: ANN401  Pydantic's protocol
        if isinstance(data, dict) and data.get("kind") == "credit" and "amount" not in data and "cap" in data:
            return {**data, "amount": data["cap"]}
        return data

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if lacking := [key for key in NEEDS.get(self.kind, ()) if not getattr(self, key)]:
            raise mistake("offer-incomplete", f"an offer of kind {self.kind} needs {' and '.join(lacking)}", f"Add {lacking[0]}.")
        allowed = {*NEEDS.get(self.kind, ()), *(("cap",) if self.price else ()), *(("amount",) if self.kind == "credit" else ())}
        stated = [key for key in ("percent", "amount", "share_of_margin", "cap") if getattr(self, key) is not None]
        if extra := [key for key in stated if key not in allowed]:
            raise mistake("offer-mixed", f"an offer of kind {self.kind} has no {extra[0]}", f"Remove {extra[0]} or change the kind.")
        if self.kind == "credit" and self.amount != self.cap:
            raise mistake("offer-mixed", "a credit's amount is its cap", "Remove amount.")
        if self.valid_days < self.minimum_valid_days:
            why = f"it is valid for {self.valid_days}d, less than its minimum of {self.minimum_valid_days}d"
            raise mistake("offer-too-short", why, "Lengthen valid or shorten minimum_valid.")
        return self


class OfferList(Entry):
    """All offers of a store: offers.yaml."""

    offers: Annotated[tuple[Offer, ...], Named()]
    """Each offer under its name."""
