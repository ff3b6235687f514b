from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.respond.redemption import WORDS, Basket, Line, Reason, Terms, discount, judged

TODAY = date(2026, 11, 26)
TERMS = Terms("c1", "EUR", TODAY, "order", 3000, 0.10, None, price=True)
BASKET = Basket("c1", "EUR", (Line("p1", "Lighting", 2500), Line("p2", "Vases", 1500)))


@pytest.mark.parametrize(
    ("terms", "basket", "lowering", "reason"),
    [
        ({}, {}, [], None),
        ({}, {"customer_id": "c2"}, [], Reason.NOT_YOURS),
        ({}, {"customer_id": ""}, [], Reason.NOT_YOURS),
        ({"last_day": date(2026, 11, 25)}, {}, [], Reason.EXPIRED),
        ({"last_day": None}, {}, [], None),
        ({}, {"currency": "USD"}, [], Reason.OTHER_CURRENCY),
        ({}, {}, ["OTHER"], Reason.NOT_STACKABLE),
        ({"price": False}, {}, ["OTHER"], None),
        ({"scope": "category:Lighting"}, {}, [], None),
        ({"scope": "category:Rugs"}, {}, [], Reason.OUT_OF_SCOPE),
        ({"scope": "product:p2"}, {}, [], None),
        ({"scope": "product:p9"}, {}, [], Reason.OUT_OF_SCOPE),
        ({"minimum": 4000}, {}, [], None),
        ({"minimum": 4001}, {}, [], Reason.BELOW_MINIMUM),
    ],
)
def test_why_a_code_is_not_taken(terms: dict[str, object], basket: dict[str, object], lowering: list[str], reason: Reason | None) -> None:
    assert judged(replace(TERMS, **terms), replace(BASKET, **basket), TODAY, frozenset(lowering)) == reason


@pytest.mark.parametrize(
    ("terms", "off"),
    [
        ({}, 400),
        ({"amount": 300}, 300),
        ({"scope": "category:Vases"}, 150),
        ({"percent": 0.0, "amount": 500}, 500),
        ({"percent": 0.0, "amount": 9000}, 4000),
        ({"percent": 0.0, "amount": 9000, "scope": "product:p2"}, 1500),
        ({"percent": 0.0, "amount": 0, "price": False}, 0),
        ({"percent": 0.333}, 1332),
    ],
)
def test_what_a_code_takes_off(terms: dict[str, object], off: int) -> None:
    assert discount(replace(TERMS, **terms), BASKET) == off


@settings(max_examples=200)
@given(
    st.lists(st.builds(Line, st.sampled_from(["p1", "p2"]), st.sampled_from(["a", "b"]), st.integers(0, 10**12)), min_size=1, max_size=8),
    st.floats(0, 0.99), st.none() | st.integers(0, 10**9), st.sampled_from(["order", "category:a", "product:p1", "category:none"]),
)
def test_no_code_takes_more_off_than_what_it_holds_for(lines: list[Line], percent: float, amount: int | None, scope: str) -> None:
    terms = replace(TERMS, percent=percent, amount=amount, scope=scope)
    off = discount(terms, replace(BASKET, lines=tuple(lines)))
    assert 0 <= off <= sum(line.amount for line in lines)
    assert amount is None or off <= amount


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Reason)
