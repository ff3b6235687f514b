"""What an offer may state together, and what is wrong between offers, stages, rules and dates: each with file, line and remedy."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rekindle.program.checking import check
from rekindle.program.offer_contracts import Earnings
from rekindle.program.offers import Offer
from tests.program.store import TODAY, WIN_BACK, Store

GIFT: dict[str, object] = {"(name)": "gift", "kind": "gift", "label": "A gift", "unit_cost": 4, "redemption": 0.5}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def gift(**changes: object) -> Offer:
    return Offer.model_validate({**GIFT, **changes})


def refused(**changes: object) -> tuple[str, str]:
    with pytest.raises(ValidationError) as error:
        gift(**changes)
    (found,) = error.value.errors()
    context: Any = found["ctx"]
    return found["type"], context["remedy"]


@pytest.mark.parametrize(
    ("changes", "rule", "remedy"),
    [
        ({"valid": "5d"}, "offer-too-short", "Lengthen valid or shorten minimum_valid."),
        ({"valid_from": "2026-12-01", "valid_until": "2026-11-30"}, "offer-dates", "Write a later valid_until."),
        (
            {"valid_from": "2026-12-01", "valid_until": "2026-12-07"},
            "offer-too-short", "Write a later valid_until, or shorten minimum_valid.",
        ),
        ({"payer": "shared", "scope": "product"}, "offer-incomplete", "Add seller_share."),
        ({"payer": "seller", "scope": "product", "seller_share": 0.5}, "offer-mixed", "Remove seller_share, or write payer: shared."),
        ({"payer": "seller"}, "offer-payer", "Write scope: product, or payer: shop."),
        ({"payer": "shared", "seller_share": 0.5, "scope": "category"}, "offer-payer", "Write scope: product, or payer: shop."),
    ],
)
def test_what_an_offer_may_not_state_together(changes: dict[str, object], rule: str, remedy: str) -> None:
    assert refused(**changes) == (rule, remedy)


def test_who_bears_what() -> None:
    assert gift().seller_part == 0
    assert gift(payer="seller", scope="product").seller_part == 1
    assert gift(payer="shared", scope="product", seller_share=0.3).seller_part == 0.3


def test_days_left_follow_the_offers_own_dates() -> None:
    dated = gift(valid_from="2026-12-01", valid_until="2026-12-24")
    days = [dated.days_left(date(2026, month, day)) for month, day in ((11, 30), (12, 1), (12, 24), (12, 25))]
    assert days == [-1, 23, 0, -1]
    assert gift().days_left(TODAY) is None
    assert gift(valid_from="2026-12-01").days_left(date(2026, 12, 1)) is None


def test_what_a_customer_gets_once_has_a_key() -> None:
    assert (gift().once_key, gift(once=True).once_key) == ("", "gift")
    assert gift(ladder={"name": "welcome", "rung": 2}).once_key == "welcome:2"


def test_worth_is_the_most_that_it_can_be() -> None:
    assert gift().worth == Decimal(4)
    percent = {"kind": "percent", "percent": 0.1, "unit_cost": 0}
    assert (gift(**percent).worth, gift(**percent, cap=5).worth) == (0, 5)
    assert gift(**percent).costly


CREDIT = "share_of_margin: 0.10, cap: 10.00"


@pytest.mark.parametrize(
    ("old", "new", "rule", "remedy"),
    [
        ("[50.00, 5.00]", "[50.00, 2.00]", "curve-falls", "Write at least 3.0 at 50.0, or leave the point out."),
        ("[50.00, 5.00]", "[130.00, 5.00]", "curve-order", "Write the points in rising order."),
        ("rung: 2}", "rung: 3}", "ladder-rung", "Write one with rung: 2, or lower this one."),
        ("rung: 2}", "rung: 1}", "ladder-rung", "Give each rung one offer."),
        (CREDIT, "share_of_margin: 0.10, cap: 1000.01", "offer-over-budget", "Lower what it costs, or raise the budget in rules.yaml."),
        ("scope: category, percent", "valid_from: 2026-12-01, valid_until: 2026-11-01, percent", "offer-dates", "Write a later"),
        ("scope: category, percent", "payer: seller, percent", "offer-payer", "Write scope: product, or payer: shop."),
    ],
)
def test_each_mistake_among_offers_has_its_line(store: Store, old: str, new: str, rule: str, remedy: str) -> None:
    line = store.change(old, new, "offers.yaml")
    (found,) = [one for one in store.findings() if one.rule == rule]
    assert (found.file, found.severity) == ("offers.yaml", "error")
    assert found.remedy.startswith(remedy)
    assert line - 2 <= found.line <= line, "what is wrong with a whole offer stands at its name"


def test_an_offer_that_costs_more_than_the_best_customers_bring(store: Store) -> None:
    store.change("value_tiers: null", "value_tiers: {over: 365d, high: 15.00, mid: 4.00}", "rules.yaml")
    (found,) = [one for one in store.findings() if one.rule == "offer-over-margin"]
    assert (found.severity, found.file) == ("warning", "offers.yaml")
    words = "category_percent: one redemption may cost 20, more than the 15 that a customer of the upper tier brings in 365 days"
    assert words in found.message


def test_what_a_seller_pays_is_not_the_shops_budget(store: Store) -> None:
    store.change(CREDIT, "payer: seller, scope: product, share_of_margin: 0.10, cap: 2000.00", "offers.yaml")
    assert [one.rule for one in store.findings()] == []


def test_an_offer_that_has_ended_is_named_where_it_is_used(store: Store) -> None:
    store.change("kind: limited_edition,", "kind: limited_edition, valid_until: 2026-11-21,", "offers.yaml")
    found = [one for one in check(store.root, today=TODAY) if one.rule == "offer-ended"]
    assert [(one.file, one.severity) for one in found] == [(WIN_BACK, "warning")]
    assert "limited_edition ended on 2026-11-21" in found[0].message


@pytest.mark.parametrize(
    ("old", "new", "file", "arm"),
    [
        ("kind: early_access,", "kind: early_access, minimum_spend: 40.00,", "offers.yaml", "preview"),
        ("margin_floor: 0.15, valid: 14d}", "margin_floor: 0.15, valid: 14d, minimum_spend_at_most: 0.0}", WIN_BACK, "credit"),
    ],
)
def test_no_minimum_spend_where_the_stage_asks_for_none(store: Store, old: str, new: str, file: str, arm: str) -> None:
    store.change(old, new, file)
    if file == WIN_BACK:
        store.change(CREDIT, f"{CREDIT}, minimum_spend: 20.00", "offers.yaml")
    found = {(one.rule, one.message.split(":")[0].rsplit(".", 1)[-1]) for one in store.findings() if one.file == WIN_BACK}
    assert found == {("minimum-spend", arm)}


LOSS = "credit_by_curve: one redemption costs {}, and an order of its minimum spend earns 8"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("percent: 0.10", "percent: 0.40", "category_percent: it takes 40% off the price, and goods earn 40% of it"),
        ("percent: 0.10", "percent: 0.99", "category_percent: it takes 99% off the price, and goods earn 40% of it"),
        (CREDIT, "amount: 8.00, minimum_spend: 20.00", LOSS.format(8)),
        (CREDIT, "amount: 30.00, minimum_spend: 20.00", LOSS.format(30)),
    ],
)
def test_an_offer_that_sells_at_a_loss_is_refused(store: Store, old: str, new: str, message: str) -> None:
    line = store.change(old, new, "offers.yaml")
    (found,) = [one for one in store.findings() if one.rule == "offer-over-margin"]
    assert (found.file, found.severity, found.message) == ("offers.yaml", "error", f"offers.{message}")
    assert line - 2 <= found.line <= line


def test_what_documents_do_not_prove_is_not_refused(store: Store) -> None:
    """A credit grows with the customer; of a free return only a share falls due; what the seller pays, the shop does not."""
    store.change(CREDIT, f"{CREDIT}, minimum_spend: 20.00", "offers.yaml")
    store.change("unit_cost: 5.00, returns_share", "unit_cost: 5.00, minimum_spend: 10.00, returns_share", "offers.yaml")
    store.change("scope: category, percent: 0.10", "scope: product, payer: shared, seller_share: 0.9, percent: 0.50", "offers.yaml")
    assert "offer-over-margin" not in {one.rule for one in store.findings()}


def test_the_smallest_order_bears_the_stages_floor(store: Store) -> None:
    """Of 20.00 less 6.00 the margin is 2.00, 14 %; less 5.00 it is 3.00 of 15.00."""
    store.change(CREDIT, "amount: 6.00, minimum_spend: 20.00", "offers.yaml")
    (found,) = store.findings()
    assert (found.file, found.rule) == (WIN_BACK, "margin-floor")
    assert "leaves 14% of an order of its minimum spend as margin, under the floor of 15%" in found.message
    store.change("amount: 6.00", "amount: 5.00", "offers.yaml")
    assert store.findings() == []


def test_a_budget_of_a_part_holds_one_redemption_too(store: Store) -> None:
    """The credit may cost 10 and the percentage 20."""
    own = "budgets: [{amount: 15.00, per: 30d, program: win-back}]"
    store.change("budget: {amount: 1000.00", f"{own}\nbudget: {{amount: 1000.00", "rules.yaml")
    (found,) = store.findings()
    assert (found.file, found.rule) == (WIN_BACK, "offer-over-budget")
    assert "one redemption of category_percent may cost 20, more than the whole budget of win-back of 15" in found.message
    store.change("program: win-back}", "payer: seller}", "rules.yaml")
    assert store.findings() == []
    store.change("payer: seller}", "payer: shop}", "rules.yaml")
    assert [(one.file, one.rule) for one in store.findings()] == [("offers.yaml", "offer-over-budget")]


BEST = ", and no customer's order is expected to earn more than 53.2"
FLAT = "curve: {{margin: [[30.00, {}], [100.00, {}]]}}, cap: 900.00, "


@pytest.mark.parametrize(
    ("low", "high", "refused"),
    [("300.00", "900.00", True), ("30.01", "100.01", True), ("30.00", "100.01", False), ("3.00", "900.00", False)],
)
def test_a_curve_above_the_margin_at_every_point_is_refused(store: Store, low: str, high: str, refused: bool) -> None:
    line = store.change(f"{CREDIT}", FLAT.format(low, high).rstrip(", "), "offers.yaml")
    found = [(one.file, one.line, one.rule, one.severity) for one in store.findings()]
    assert found == ([("offers.yaml", line, "offer-over-margin", "error")] if refused else [])


def test_a_curve_counts_its_orders_its_cap_and_the_shops_part_and_may_begin_at_no_margin(store: Store) -> None:
    store.change(CREDIT, "curve: {margin: [[0, 3.00], [30.00, 20.00]], orders: [[1, 10.00], [5, 90.00]]}, cap: 900.00", "offers.yaml")
    assert store.findings() == [], "20 and 10 are no more than 30"
    store.change("[1, 10.00]", "[1, 10.01]", "offers.yaml")
    assert [one.rule for one in store.findings()] == ["offer-over-margin"]
    store.change("cap: 900.00", "cap: 30.00", "offers.yaml")
    assert store.findings() == []
    store.change("[1, 10.01]", "[1, 50.00]", "offers.yaml")
    store.change("cap: 30.00", "payer: shared, seller_share: 0.6, scope: product, cap: 900.00", "offers.yaml")
    assert store.findings() == [], "the shop bears 28 of 70"


@pytest.mark.parametrize(
    ("old", "new", "words", "severity"),
    [
        (CREDIT, "amount: 400.00", f"credit_by_curve: one redemption costs 400{BEST}", "error"),
        (CREDIT, "amount: 53.20", "costs 53.2, and the orders of 99 in 100 customers are not expected to earn more than 40,", "warning"),
        (CREDIT, "amount: 40.00", "", ""),
        (CREDIT, "amount: 400.00, cap: 40.00", "", ""),
        (CREDIT, "amount: 80.00, payer: shared, seller_share: 0.5, scope: product", "", ""),
        (CREDIT, "amount: 110.00, payer: shared, seller_share: 0.5, scope: product", "one redemption costs 55", "error"),
        (CREDIT, "curve: {margin: [[0, 54.00]]}, cap: 60.00", "credit_by_curve: one redemption costs 54, and", "error"),
        (CREDIT, "curve: {margin: [[30.00, 3.00], [100.00, 90.00]]}, cap: 60.00", "one redemption may cost 60", "warning"),
        ("redemption: 0.20, unit_cost: 1.00", "redemption: 0.20, unit_cost: 90.00", "category_bundle: one redemption costs 90", "error"),
        ("unit_cost: 5.00, returns_share: 0.30", "unit_cost: 130.00, returns_share: 0.30", "", ""),
        ("unit_cost: 5.00, returns_share: 0.30", "unit_cost: 200.00, returns_share: 0.30", "one redemption costs 60", "error"),
    ],
)
def test_an_offer_that_costs_more_than_any_order_earns(store: Store, old: str, new: str, words: str, severity: str) -> None:
    store.change(old, new, "offers.yaml")
    found = [one for one in check(store.root, earns=Earnings(Decimal("53.20"), Decimal("40.00"))) if one.rule == "offer-over-margin"]
    assert [(one.file, one.severity) for one in found] == ([("offers.yaml", severity)] if words else [])
    assert not found or words in found[0].message
    assert [one for one in check(store.root) if one.rule == "offer-over-margin"] == [], "nothing is said where no customer is known"


def test_a_percentage_without_a_cap_needs_one_where_the_stage_bounds_what_offers_are_worth(store: Store) -> None:
    store.change("percent: 0.10, cap: 20.00", "percent: 0.10", "offers.yaml")
    assert store.findings() == []
    line = store.change("margin_floor: 0.15, valid: 14d}", "margin_floor: 0.15, valid: 14d, value_at_most: 25.00}")
    (found,) = store.findings()
    assert (found.file, found.rule, found.remedy) == (WIN_BACK, "offer-too-dear", "Write cap: 25.0 in the offer.")
    assert found.line > line
    store.change("percent: 0.10", "percent: 0.10, cap: 25.00", "offers.yaml")
    assert store.findings() == []


def test_a_budget_of_nothing_is_one_mistake_at_its_line(store: Store) -> None:
    line = store.change("budget: {amount: 1000.00", "budget: {amount: 0.00", "rules.yaml")
    (found,) = store.findings()
    assert (found.file, found.line, found.rule) == ("rules.yaml", line, "budget-zero")
    assert "a budget of 0 pays for no offer, and category_bundle and" in found.message


@pytest.mark.parametrize(("part", "wrong"), [("program: win-back", True), ("payer: seller", False), ("payer: shop", True)])
def test_a_part_without_a_budget_is_wrong_where_it_pays_for_something(store: Store, part: str, wrong: bool) -> None:
    own = f"budgets: [{{amount: 0, per: 30d, {part}}}]"
    store.change("budget: {amount: 1000.00", f"{own}\nbudget: {{amount: 1000.00", "rules.yaml")
    assert [one.rule for one in store.findings()] == (["budget-zero"] if wrong else [])
