"""What a shop may claim: each claim with its evidence, when it holds, and for whom; the first that holds is stated.

Knows nothing of templates and of where the claims are written.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rekindle.deliver.words import month, one_line
from rekindle.program.fields import Day, Entry, mistake

Mishap = Literal["late_delivery", "stockout", "return", "bad_review"]
"""A cause that is a registered event, and not the customer's word alone."""

NOTHING_GIVEN = "none"
"""What `incentive` says where nothing was given for a review."""

_MEASURED = re.compile(r"\d\s?%|\d per ?cent|\d+([.,]\d+)? (of|in|out of) \d|\d+([.,]\d+)? (stars|times)|\bon average\b", re.IGNORECASE)
"""Words that only a measurement can stand behind."""


class Claim(Entry):
    """One thing that the shop states."""

    text: Annotated[str, Field(min_length=1, max_length=400)]
    """What is stated, a whole sentence."""
    evidence: str = ""
    """Where anyone of the shop can look it up; never stated."""
    from_day: Annotated[Day | None, Field(alias="from")] = None
    """The first day on which it is stated."""
    until: Day | None = None
    """The last day on which it is stated."""
    sample: str = ""
    """What was counted, such as "212 reviews"; stated beside the claim."""
    measured_on: Day | None = None
    """When it was measured; its month is stated beside the claim."""
    cause: Mishap | None = None
    """The event that it answers: stated to customers whom this happened to, and to nobody else."""
    categories: tuple[str, ...] = ()
    """The categories that it is about; all where none is named."""
    incentive: str = ""
    """What was given for the words of customers, such as "5 euros of credit"; `none` where nothing was."""

    @model_validator(mode="after")
    def _measured_whole(self) -> Self:
        measured = bool(_MEASURED.search(self.text) or self.sample or self.measured_on)
        if measured and not (self.sample and self.measured_on and self.evidence):
            why = f"'{self.text[:60]}' is a measurement, and its sample, its day or its evidence is missing"
            raise mistake("claim-unmeasured", why, "Add sample, measured_on and evidence, or say it without the number.")
        if self.from_day and self.until and self.until < self.from_day:
            raise mistake("claim-days", f"'{self.text[:60]}' ends before it begins", "Make until the later day.")
        return self

    def holds(self, day: date, cause: str | None, category: str | None) -> bool:
        """Whether it may be stated.

        Args:
            day: Of sending.
            cause: The evidenced cause of the customer's lapse.
            category: The category that the message speaks of.
        """
        in_time = (self.from_day or day) <= day <= (self.until or day)
        return in_time and self.cause in (None, cause) and (not self.categories or category in self.categories)

    @property
    def said(self) -> str:
        """The claim as messages state it, with what was counted, when, and what was given for it."""
        given = {"": "", NOTHING_GIVEN: "nothing was given for them"}.get(self.incentive, f"given for them: {self.incentive}")
        counted = ", ".join(part for part in (self.sample, month(self.measured_on) or "") if part)
        beside = "; ".join(part for part in (counted, given) if part)
        return one_line(f"{self.text} ({beside})" if beside else self.text)


class Fix(Claim):
    """What was mended."""

    @model_validator(mode="after")
    def _has_its_cause(self) -> Self:
        if self.cause is None or not self.evidence:
            why = f"the fix '{self.text[:60]}' has no cause that it mends, or no evidence"
            raise mistake("fix-unproven", why, "Write fix: {text: ..., cause: late_delivery, evidence: ...}")
        return self


class Proof(Claim):
    """What customers say."""

    @model_validator(mode="after")
    def _is_disclosed(self) -> Self:
        if self.measured_on is None or not self.incentive:
            why = f"'{self.text[:60]}' does not say when it was said, or what was given for it"
            raise mistake("proof-undisclosed", why, "Add sample, measured_on, evidence, and incentive: none, or what was given.")
        return self


def _listed(value: object) -> object:
    """One text, one table or a list of them, as tables; an empty text is no claim."""
    every = value if isinstance(value, list | tuple) else [value]
    return tuple({"text": one.strip()} if isinstance(one, str) else one for one in every if one not in (None, "", {}, []))


Claims = Annotated[tuple[Claim, ...], BeforeValidator(_listed)]
Fixes = Annotated[tuple[Fix, ...], BeforeValidator(_listed)]
Proofs = Annotated[tuple[Proof, ...], BeforeValidator(_listed)]


class Registry(Entry):
    """What a shop states about itself in `content/facts.yaml`."""

    fix: Fixes = ()
    """What was mended since something went wrong, each for its cause."""
    benefit: Claims = ()
    """What a customer gains by coming back: time, fit, help."""
    whats_new: Claims = ()
    """What has changed since."""
    all_in_price: Claims = ()
    """What the price holds."""
    delivery_promise: Claims = ()
    """When it arrives."""
    returns_policy: Claims = ()
    """How returns work."""
    guarantee: Claims = ()
    """What the shop guarantees."""
    social_proof: Proofs = ()
    """What customers say, with its day and what was given for it."""
    late_remedy: Claims = ()
    """What everyone whose parcel is late does get."""
    care: Claims = ()
    """How to look after what was bought."""
    support: Claims = ()
    """Who helps and when."""

    def stated(self, day: date, cause: str | None, category: str | None) -> Mapping[str, str]:
        """What may be stated to a customer, by name: of each the first claim that holds.

        Args:
            day: Of sending.
            cause: The evidenced cause of the customer's lapse.
            category: The category that the message speaks of.

        >>> fix = {"text": "Parcels leave the same day.", "cause": "late_delivery", "evidence": "dispatch log"}
        >>> shop = Registry.model_validate({"fix": fix, "care": "Keep it dry."})
        >>> shop.stated(date(2026, 12, 1), "return", None)
        {'care': 'Keep it dry.'}
        """
        chosen = {name: next((one.said for one in getattr(self, name) if one.holds(day, cause, category)), "") for name in REGISTERED}
        return {name: text for name, text in chosen.items() if text}


REGISTERED = tuple(Registry.model_fields)
"""The names of what a shop registers."""
