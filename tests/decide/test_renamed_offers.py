"""What was given stays given: an offer that is renamed or deleted since counts as what it was when it was decided."""

from dataclasses import replace

from rekindle.program.documents import Offer
from tests.decide.shop import OFFERS, TAILOR, Decider, crowd, customer, documents, instant, program
from tests.insight.histories import order, write

PRIOR = {"mean": 0.5, "sd": 0.01}
NOW = 400
GIVEN = {"kind": "percent", "price": True, "once_key": "spring_sale"}
"""What the journal says of an offer that offers.yaml knows no more."""


def shop(decider: Decider, *arms: str, caps: dict[str, object] | None = None, **rules: object) -> Decider:
    """A program of one stage with an arm for each offer."""
    terms = {
        **OFFERS, "rung_one": {**OFFERS["credit"], "ladder": {"name": "welcome", "rung": 1}}, "single": {**OFFERS["express"], "once": True},
    }
    stage = {**TAILOR, "delay": {"rhythm": 0.0}, "arms": {name: {"offer": name, "prior": PRIOR} for name in arms}}
    mine = program(stages={"tailor": stage}, caps={"touches": 9, "gap": "7d", "duration": "120d", **(caps or {})})
    offers = {name: Offer.model_validate({**one, "(name)": name}) for name, one in terms.items()}
    return replace(decider, documents=replace(documents(mine, **rules), offers=offers))


def eligible(decider: Decider, *past: dict[str, object]) -> list[str]:
    """What a customer with this past may get, one after another."""
    names = [f"c{place}" for place in range(len(past))]
    decider.remember(*({"customer_id": name, "episode": "old", **one} for name, one in zip(names, past, strict=True)))
    rows = {row["customer_id"]: row for row in decider.rows(decider.plan(NOW, [customer(name) for name in names]))}
    return [rows[name]["eligible"] for name in names]


def test_a_kind_in_a_row_and_price_offers_of_a_year_count_offers_that_are_gone(decider: Decider) -> None:
    mine = shop(decider, "percent", "credit", caps={"price_offers_per_year": 1, "same_kind_in_a_row": 1})
    gone, unwritten = {"offer": "spring_sale", **GIVEN}, {"offer": "spring_sale"}
    assert eligible(mine, {"day": NOW - 100, **gone}, {"day": NOW - 380, **gone}, {"day": NOW - 100, **unwritten}) == [
        "nothing", "credit|nothing", "percent|credit|nothing",
    ]


def test_what_the_journal_says_comes_before_what_the_offer_is_today(decider: Decider) -> None:
    """A name that meant a delivery then, and a row of before anything was written down."""
    mine = shop(decider, "percent", "credit", caps={"price_offers_per_year": 1})
    was = {"offer": "percent", "kind": "shipping", "price": False, "once_key": "percent"}
    assert eligible(mine, {"day": NOW - 100, **was}, {"day": NOW - 100, "offer": "percent"}) == ["percent|credit|nothing", "nothing"]


def test_a_rung_comes_once_whatever_its_offer_is_called(decider: Decider) -> None:
    mine = shop(decider, "rung_one", "single", caps={"same_kind_in_a_row": 2})
    rung = {"offer": "old_credit", "kind": "credit", "price": True, "once_key": "welcome:1"}
    other = {"offer": "old_credit", "kind": "credit", "price": True, "once_key": "old_credit"}
    after = {"offer": "reminder", "kind": "reminder", "price": False, "once_key": "reminder"}
    had = {"offer": "single", "kind": "shipping", "price": False, "once_key": "single"}
    decider.remember(*({"customer_id": name, "episode": "old", "day": NOW - 50, **after} for name in ("c0", "c1", "c2")))
    assert eligible(mine, *({"day": NOW - 100, **one} for one in (rung, other, had))) == [
        "single|nothing", "rung_one|single|nothing", "rung_one|nothing",
    ]


def test_caps_of_the_store_and_who_waits_count_offers_that_are_gone(decider: Decider) -> None:
    """Both price offers of the last weeks were of a sale that is over; whoever came back by its code twice waits for the next."""
    narrow = {"touches": 9, "per": "30d", "price_offers": {"touches": 1, "per": "60d"}, "kinds": {"percent": {"touches": 1, "per": "90d"}}}
    mine = shop(decider, "percent", "credit", "express", caps={"same_kind_in_a_row": 9, "price_offers_per_year": 9})
    mine = replace(mine, documents=replace(mine.documents, rules=documents(caps=narrow, gaming={"rounds": 1}).rules))
    people = crowd(30)
    gone = [
        {"customer_id": one["customer_id"], "episode": "old", "day": NOW - (50 if place < 15 else 80), "offer": "spring_sale", **GIVEN}
        for place, one in enumerate(people)
    ]
    decider.remember(*gone, {"customer_id": "waits", "episode": "older", "day": NOW - 300, "offer": "spring_sale", **GIVEN})
    touch = {"touch_key": "t", "customer_id": "waits", "program": "back", "stage": "reconnect", "episode": "older", "code": "SPRING"}
    bought = order("o1", "waits", instant(NOW - 298).naive, 5_000, code="SPRING")
    write(decider.warehouse, {"touches": [{**touch, "arm": "percent", "status": "sent"}], "orders": [bought]})
    rows = mine.rows(mine.plan(NOW, [*people, customer("waits")]))
    by = {(place < 15, row["arm"]): row["reason"] for place, row in enumerate(rows[:30])}
    assert by[True, "percent"] == by[False, "percent"] == "kind_cap_reached"
    assert (by[True, "credit"], by[False, "credit"]) == ("price_cap_reached", None)
    assert {by[lately, "express"] for lately in (True, False)} == {None}
    assert rows[30]["eligible"] == "express|nothing"


def test_a_plan_writes_down_what_it_gives(decider: Decider) -> None:
    mine = shop(decider, "rung_one", "express", "single")
    rows = mine.rows(mine.plan(0, crowd(40)))
    found = {row["arm"]: (row["kind"], row["price"], row["once_key"]) for row in rows}
    assert found == {
        "rung_one": ("credit", True, "welcome:1"), "express": ("shipping", False, "express"), "single": ("shipping", False, "single"),
        "nothing": (None, None, None),
    }
