"""What a rule asks for that does not hold, in words that can be read out to the customer."""

from collections.abc import Mapping
from datetime import date
from functools import partial

import pytest

from rekindle import money
from rekindle.decide.rule_words import unmet
from rekindle.insight.expression import parse

SHOW = partial(money.show, currency="EUR")
COLUMNS = {
    "lifecycle": "str", "orders": "int", "overdue": "int", "premium": "float", "spend": "int", "credit_balance": "int", "last_day": "date",
    "open_ticket": "bool", "sms_consent": "bool", "own_spike": "bool", "last_category": "str",
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "values", "words"),
    [
        ("lifecycle in ('lapsing', 'lapsed')", {"lifecycle": "mid_tenure"}, "their stage must be lapsing or lapsed (it is mid tenure)"),
        ("lifecycle not in ('a', 'b', 'c')", {"lifecycle": "c"}, "their stage must not be a, b or c (it is c)"),
        ("lifecycle != 'lapsed'", {"lifecycle": "lapsed"}, "their stage must not be lapsed (it is lapsed)"),
        ("overdue > 0", {"overdue": -84}, "their next order must be overdue (it is not expected for 84 days)"),
        ("overdue > 0", {"overdue": 0}, "their next order must be overdue (it is expected today)"),
        ("overdue > 0", {"overdue": None}, "their next order must be overdue (when it is due is not known)"),
        ("not overdue > 0", {"overdue": 3}, "their next order must not be overdue (it is, by 3 days)"),
        ("overdue >= 7", {"overdue": 2}, "their days overdue must be at least 7 (it is 2)"),
        ("orders == 1", {"orders": 8}, "their number of orders must be 1 (it is 8)"),
        ("not orders >= 4", {"orders": 5}, "their number of orders must be under 4 (it is 5)"),
        ("spend > 10000", {"spend": 950}, "their spending so far must be over EUR 100.00 (it is EUR 9.50)"),
        ("credit_balance > 0", {"credit_balance": 0}, "they must have unspent credit (they have none)"),
        ("last_day < '2026-06-01'", {"last_day": date(2026, 7, 1)}, "their last order must be before 2026-06-01 (it is 2026-07-01)"),
        ("not open_ticket", {"open_ticket": True}, "no complaint of theirs may be open (one is)"),
        ("open_ticket", {"open_ticket": False}, "a complaint of theirs must be open (none is)"),
        ("sms_consent", {"sms_consent": False}, "they must have agreed to sms (they have not)"),
        ("own_spike", {"own_spike": None}, "their own spike must hold (that is not known)"),
        ("premium is none", {"premium": 0.9}, "their taste for dearer things must not be known (it is 0.9)"),
        ("premium is not none", {"premium": None}, "their taste for dearer things must be known (it is not)"),
        ("in_segment('cart_left')", {}, "they must be in the segment cart left (they are not)"),
        ("orders >= 4 or premium >= 0.67", {"orders": 2, "premium": None},
         "either their number of orders must be at least 4 (it is 2), or their taste for dearer things must be at least 0.67"
         " (it is not known)"),
        ("not (open_ticket or orders < 2)", {"open_ticket": True, "orders": 1},
         "no complaint of theirs may be open (one is), and their number of orders must be at least 2 (it is 1)"),
        ("spend / orders > 500", {"spend": 100, "orders": 2}, "this must hold: as it is written"),
    ],
)  # fmt: skip
def test_what_a_rule_asks_for_is_said_with_what_is(rule: str, values: Mapping[str, object], words: str) -> None:
    assert unmet(parse(rule, COLUMNS).root, values, "as it is written", SHOW) == words


def test_what_is_asked_of_events_is_said_too() -> None:
    root = parse("count('Product Viewed', within='30d', category='Toys') >= 3", COLUMNS)
    (asked,) = root.calls
    words = "their number of “Product Viewed” of Toys in 30 days must be at least 3 (it is 1)"
    assert unmet(root.root, {asked.column: 1}, "", SHOW) == words
