"""Why a customer gets a message: the decision's own facts, for every shipped program, and no word more than they hold."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rekindle.deliver.facts import Facts
from rekindle.deliver.reason import why
from tests.deliver.test_contracts import ALL, EVERY, message

SERVICE = "You get this because you ordered from Marigold (order M1042). It is about that order and no advertising: every buyer gets it."
REASONS = {
    "anniversary": "and because your first order was in November 2024.",
    "birthday": "and because you told us your birthday.",
    "credit-reminder": "and because a credit of yours has not been used, and it ends on 2 December 2026.",
    "delivery-arrived": SERVICE,
    "delivery-late": SERVICE,
    "onboarding": "and because you ordered for the first time on Friday, 20 November.",
    "order-confirmation": SERVICE,
    "replenishment": "and because you have bought Candle more than once.",
    "review-request": "and because your order arrived on Wednesday, 25 November.",
    "satisfaction": "and because your order arrived on Wednesday, 25 November.",
    "thank-you": "and because you ordered on Friday, 20 November.",
    "welcome-back": "and because you ordered again on Friday, 20 November, after a while.",
    "win-back": "and because your last order was in March 2026, longer ago than is usual for you.",
}


@pytest.mark.parametrize("program", sorted(EVERY))
def test_every_program_says_what_opened_its_round(program: str) -> None:
    consent = "" if EVERY[program]["class"] == "service" else "You get this because you agreed to e-mail from Marigold, "
    for stage in EVERY[program]["stages"]:
        for form in message(ALL, program, stage, offered=False):
            assert f"{consent}{REASONS[program]}" in form


def of_a_lapse(**known: Any) -> str:
    facts = Facts(stage="reconnect", shop_name="Marigold", last_day=date(2026, 3, 3))
    return why(replace(facts, **known)).partition("and because ")[2]


def test_a_lapse_says_how_it_was_seen_and_what_stood_in_the_way() -> None:
    assert of_a_lapse() == "your last order was in March 2026."
    assert of_a_lapse(overdue=True) == "your last order was in March 2026, longer ago than is usual for you."
    bad = {"cohort": "one_bad_experience", "cause": "late_delivery"}
    assert of_a_lapse(**bad) == "your last order was in March 2026, and a parcel of yours came late."
    assert of_a_lapse(**bad | {"cohort": "other"}) == "your last order was in March 2026.", "the cause decided nothing here"
    assert of_a_lapse(**bad | {"cause": None}) == "your last order was in March 2026."


def test_a_series_says_how_long_it_may_be() -> None:
    assert of_a_lapse(series=4) == "your last order was in March 2026. It is one of at most 4 e-mails in this series."
    assert of_a_lapse(series=1) == "your last order was in March 2026."


def test_what_is_not_known_is_not_given_as_a_reason() -> None:
    assert why(Facts(stage="reconnect", shop_name="Marigold")) == "You get this because you agreed to e-mail from Marigold."
    assert why(Facts(stage="late", shop_name="Marigold", service=True)).startswith("You get this because you ordered from Marigold. It is")
