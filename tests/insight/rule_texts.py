"""Random rules as texts, well formed and of the right kinds, over the columns of `COLUMNS`."""

from hypothesis import strategies as st

COLUMNS = {"orders": "int", "rate": "float", "value_tier": "str", "category": "str", "open_ticket": "bool", "last_day": "date"}
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
WINDOWS = st.sampled_from(["", ", within='7d'", ", within='30d'", ", within='26w'"])
PRODUCTS = st.sampled_from(["", "", ", category='category 1'", ", category='category 2'", ", product='ap3'", ", product='none such'"])
ABOUT_PRODUCTS = ["Product Viewed", "Product Added to Wishlist", "Product Added", "Order Completed", "Order Refunded", "Product Reviewed"]
OTHERS = ["Products Searched", "Cart Viewed", "Email Opened", "Ticket Opened", "Message Sent"]
SUMS = [
    ("Order Completed", "net", False), ("Order Completed", "discount", False), ("Order Completed", "amount", True),
    ("Order Completed", "quantity", True), ("Order Refunded", "amount", True), ("Product Reviewed", "rating", True),
]


def _joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(" ".join)


def _numbers(leaf: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    literal = st.integers(0, 12).map(str) | st.sampled_from(["0.5", "2.0", "-1", "- 3"])
    plain = leaf | literal
    return st.one_of(plain, _joined(plain, st.sampled_from("+-*/"), plain), plain.map("- {}".format), plain.map("({})".format))


def _conditions(leaf: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    tiers = st.lists(st.sampled_from(["'high'", "'mid'", "'occasional'"]), min_size=1, max_size=2).map(", ".join).map("({})".format)
    member = st.sampled_from(["in", "not in"])
    atoms = st.one_of(
        _joined(_numbers(leaf), SIGNS, _numbers(leaf)),
        _joined(leaf, member, st.sampled_from(["(1, 5, -1)", "[0, 2.0]", "(3)"])),
        _joined(st.just("value_tier"), member, tiers),
        _joined(st.sampled_from(["category", "value_tier"]), st.sampled_from(["==", "!="]), st.sampled_from(["'high'", "'Toys'"])),
        _joined(st.just("last_day"), SIGNS, st.sampled_from(["'2026-01-01'", "'2026-06-01'"])),
        _joined(st.sampled_from(["category", "rate", "last_day", "open_ticket"]), st.sampled_from(["is none", "is not none"])),
        st.sampled_from(["open_ticket", "true", "false"]),
    )
    either = st.sampled_from(["and", "or"])
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            inner.map("not {}".format), inner.map("({})".format), _joined(inner, either, inner),
            _joined(inner, either, inner, either, inner),
        ),  # fmt: skip
        max_leaves=6,
    )


rules = _conditions(st.sampled_from(["orders", "rate"]))
"""Rules without calls."""

_of_products = st.tuples(st.sampled_from(ABOUT_PRODUCTS), WINDOWS, PRODUCTS).map(lambda one: "count('{}'{}{})".format(*one))
_of_others = st.tuples(st.sampled_from(OTHERS), WINDOWS).map(lambda one: "count('{}'{})".format(*one))
_lasts = st.tuples(st.sampled_from(ABOUT_PRODUCTS), PRODUCTS).map(lambda one: "last('{}'{})".format(*one))
_last_others = st.sampled_from(OTHERS).map("last('{}')".format)
_sums = st.tuples(st.sampled_from(SUMS), WINDOWS, PRODUCTS).map(
    lambda one: f"sum('{one[0][0]}', '{one[0][1]}'{one[1]}{one[2] if one[0][2] else ''})"
)
calls = st.one_of(_of_products, _of_others, _lasts, _last_others, _sums)
"""Single calls that are numbers."""

rules_with_calls = _joined(_numbers(calls), SIGNS, _numbers(calls | st.just("orders")))
"""Comparisons of calls."""
