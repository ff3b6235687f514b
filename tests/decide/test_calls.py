"""Programs whose rules ask for events and segments: who enters, which arm, and what makes another plan."""

from dataclasses import replace
from datetime import timedelta

from rekindle.program.segments import Segment
from tests.decide.shop import RECONNECT, Decider, by_customer, crowd, instant, program
from tests.insight.histories import write

VIEWERS = Segment.model_validate(
    {
        "(name)": "viewers", "description": "x", "rule": "count('Product Viewed', within='30d') >= 2", "owner": "Ada",
        "valid_from": "2026-01-01", "reviewed": "2026-01-01",
    }
)  # fmt: skip


def viewed(decider: Decider, customer: str, *days_ago: int) -> None:
    at = instant(0).naive
    events = [
        {"message_id": f"{customer}-{n}", "customer_id": customer, "name": "Product Viewed", "occurred_at": at - timedelta(days=day)}
        for n, day in enumerate(days_ago)
    ]
    write(decider.warehouse, {"events": events})


def test_an_audience_by_events_and_segments(decider: Decider) -> None:
    viewed(decider, "c000", 1, 2)
    viewed(decider, "c001", 1, 31)
    viewed(decider, "c002", 5, -5)
    viewed(decider, "c003", 3, 4, 5)
    asking = program(audience={"enter": "in_segment('viewers')"})
    decider = replace(decider, documents=replace(decider.with_documents(asking).documents, segments=(VIEWERS,)))
    made = decider.plan(0, crowd(6))
    assert sorted(by_customer(decider.rows(made))) == ["c000", "c003"]
    narrower = Segment(**{**VIEWERS.model_dump(), "rule": "count('Product Viewed') > 1"})
    other = replace(decider, documents=replace(decider.documents, segments=(narrower,)))
    assert other.plan(0, crowd(6)).digest != made.digest
    assert sorted(by_customer(other.rows(other.plan(0, crowd(6))))) == ["c000", "c001", "c003"]


def test_an_arm_for_those_who_did_something(decider: Decider) -> None:
    viewed(decider, "c001", 3)
    arms = {"viewers": {**RECONNECT["arms"]["plain"], "when": "last('Product Viewed') <= 3"}}
    decider = decider.with_documents(program(stages={"reconnect": {**RECONNECT, "arms": {**RECONNECT["arms"], **arms}}}))
    rows = by_customer(decider.rows(decider.plan(0, crowd(3))))
    assert {name for name, row in rows.items() if "viewers" in row["eligible"]} == {"c001"}
    assert len(rows) == 3
