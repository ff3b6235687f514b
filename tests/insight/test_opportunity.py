"""The opportunity ranking: whole numbers, a stable order, and a hash that covers every one of them."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from ibis import memtable

from rekindle.history.warehouse import Warehouse
from rekindle.insight import opportunity
from rekindle.insight.opportunity import Ranking
from tests.insight.histories import history

ROWS = [
    {"lapsed_cohort": "other", "value_tier": "mid", "customers": 9, "reachable": 4, "order_margin": 10_000},
    {"lapsed_cohort": "long_inactive", "value_tier": "high", "customers": 5, "reachable": 5, "order_margin": 4_000},
    {"lapsed_cohort": "other", "value_tier": "high", "customers": 1, "reachable": 1, "order_margin": 10_000},
]
PRIOR = {"other": 0.012, "long_inactive": 0.05}
TEXT = (
    '{"as_of":"2026-09-01T00:00:00+00:00","rows":['
    '{"cohort":"long_inactive","customers":5,"extra_orders":50000,"incremental_margin":200,"order_margin":4000,"reachable":5,"tier":"high"},'
    '{"cohort":"other","customers":1,"extra_orders":12000,"incremental_margin":120,"order_margin":10000,"reachable":1,"tier":"high"},'
    '{"cohort":"other","customers":9,"extra_orders":12000,"incremental_margin":120,"order_margin":10000,"reachable":4,"tier":"mid"}],'
    '"source":"assumed by hand"}'
)
"""What is hashed, written out."""


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with history(tmp_path) as opened:
        yield opened


def ranking() -> Ranking:
    return opportunity.rank(ROWS, PRIOR, "2026-09-01T00:00:00+00:00", "assumed by hand")


def test_segments_are_ranked_by_what_the_reachable_are_assumed_to_bring_with_ties_by_name() -> None:
    found = [(one.cohort, one.tier, one.reachable, one.extra_orders, one.incremental_margin) for one in ranking().rows]
    assert found == [
        ("long_inactive", "high", 5, 50_000, 200), ("other", "high", 1, 12_000, 120), ("other", "mid", 4, 12_000, 120),
    ]


def test_the_hash_is_the_same_for_the_same_content_and_another_for_any_other() -> None:
    found = ranking()
    assert found.digest == opportunity.rank(list(reversed(ROWS)), PRIOR, found.as_of, found.source).digest
    others = [
        replace(found, as_of="2026-09-02T00:00:00+00:00"), replace(found, source="else"),
        replace(found, rows=(replace(found.rows[0], reachable=4), *found.rows[1:])),
    ]
    assert len({found.digest, *(one.digest for one in others)}) == 4
    assert found.digest == sha256(TEXT.encode()).hexdigest()


def test_a_cohort_that_nobody_writes_to_is_assumed_to_bring_nothing() -> None:
    found = opportunity.rank(ROWS, {"other": 0.01}, "", "")
    assert {one.cohort: one.incremental_margin for one in found.rows if one.cohort == "long_inactive"} == {"long_inactive": 0}


def test_only_who_slips_away_and_agreed_on_some_channel_is_reachable(warehouse: Warehouse) -> None:
    people = {
        "lifecycle": ["lapsed", "lapsing", "lapsed", "repeat", "lapsed"],
        "lapsed_cohort": ["other", "other", "other", None, "long_inactive"],
        "value_tier": ["mid"] * 5, "margin_per_order": [100.4, 200.0, 50.0, 900.0, None],
        "email_consent": [True, False, False, True, True], "sms_consent": [False, True, False, True, False],
        "webpush_consent": [False] * 5, "inapp_consent": [False] * 5,
    }
    rows = warehouse.arrow(opportunity.segments(memtable(people))).to_pylist()
    assert rows == [
        {"lapsed_cohort": "long_inactive", "value_tier": "mid", "customers": 1, "reachable": 1, "order_margin": 0},
        {"lapsed_cohort": "other", "value_tier": "mid", "customers": 3, "reachable": 2, "order_margin": 300},
    ]
