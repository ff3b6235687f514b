"""Which documents every new store begins with, as texts with its owner, its first review and its kind of money.

Knows nothing of what they say, save where these stand.
"""

import json
import re
from datetime import date, timedelta
from importlib.resources import files

from rekindle.errors import BadData
from rekindle.money import exponent

PROGRAMS = (
    "anniversary", "birthday", "credit-reminder", "delivery-arrived", "delivery-late", "onboarding", "order-confirmation", "replenishment",
    "review-request", "satisfaction", "thank-you", "welcome-back", "win-back",
)
"""The programs that ship, by name."""

SHIPPED = {
    "offers.yaml": "offers.yaml", "rules.yaml": "rules.yaml", "segments.yaml": "segments.yaml", "targets.yaml": "targets.yaml",
    **{f"programs/{name}.yaml": f"{name}.yaml" for name in PROGRAMS},
}  # fmt: skip
"""Path in a store folder to the shipped file."""

_MONEY = re.compile(r"\b(amount|cap|unit_cost|value_at_most|max_cost|minimum_spend): ([0-9]+\.[0-9]{2})\b")
_POINTS = re.compile(r"\bcurve: \{.*\}|\bincremental_margin\b.*")
_POINT = re.compile(r"(\[|, )([0-9]+\.[0-9]{2})(?=[\],])")
_REVIEW_DAYS = 30
_CENTS = 2


def shipped(owner: str, currency: str, now: date) -> dict[str, str]:
    """The shipped documents for a store: text by path.

    Args:
        owner: Who answers for the programs and segments.
        currency: ISO 4217; amounts are written for a unit like the euro and scaled by a power of ten where the currency has no cents.
        now: Today; the first review of programs is due 30 days later, and segments are valid from now.

    Raises:
        BadData: The owner cannot be written down, or the currency is not one.
    """
    name = " ".join(owner.split())
    if not name.isprintable():
        raise BadData("the owner's name has characters that cannot be printed", "Write a plain name.")
    return {path: _filled(file, name, exponent(currency), now) for path, file in SHIPPED.items()}


def _filled(file: str, owner: str, digits: int, now: date) -> str:
    text = (files(__package__) / file).read_text(encoding="utf-8")
    text = text.replace('owner: ""', f"owner: {json.dumps(owner, ensure_ascii=False)}")
    text = re.sub(r"due: [0-9]{4}-[0-9]{2}-[0-9]{2}", f"due: {now + timedelta(days=_REVIEW_DAYS)}", text, count=1)
    text = re.sub(r"(valid_from|reviewed): [0-9]{4}-[0-9]{2}-[0-9]{2}", rf"\1: {now}", text)
    if digits >= _CENTS:
        return text
    text = _MONEY.sub(lambda found: f"{found[1]}: {round(float(found[2]) * 100)}", text)
    return _POINTS.sub(lambda points: _POINT.sub(lambda found: f"{found[1]}{round(float(found[2]) * 100)}", points[0]), text)
