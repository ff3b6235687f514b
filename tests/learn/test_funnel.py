"""What became of messages: every step by hand, machines apart, and what came too late or before."""

from decimal import Decimal
from pathlib import Path

from rekindle.decide import due
from rekindle.history.warehouse import open_history
from rekindle.learn import outcomes
from rekindle.learn.funnel import KEYS, STEPS, funnel
from tests.decide.shop import SHOP, Decider, documents, instant, program
from tests.insight.histories import order, write

EVENTS = [
    ("read", "Email Opened", 10.5), ("read", "Email Link Clicked", 10.6), ("read", "Email Link Clicked", 10.7),
    ("proxied", "Email Prefetched", 10.5), ("proxied", "Link Scanned", 10.5), ("late", "Email Opened", 25), ("early", "Email Opened", 9),
]


def test_every_step_counts_a_message_once(tmp_path: Path) -> None:
    at = [{"message_id": str(place), "customer_id": who, "name": name, "occurred_at": instant(day).naive}
          for place, (who, name, day) in enumerate(EVENTS)]  # fmt: skip
    bought = [("o1", "read", 11), ("o2", "read", 12), ("o3", "late", 24.5)]
    orders = [order(name, who, instant(day).naive, 900) for name, who, day in bought]
    with open_history("duckdb://history.duckdb", tmp_path) as opened:
        write(opened, {"events": at, "orders": orders})
        decider = Decider(opened)
        here = {"day": 10, "value_tier": "mid"}
        decider.remember(
            *({"customer_id": name, **here} for name in ("read", "proxied", "late", "early", "failed")),
            {"customer_id": "nothing", **here, "arm": "nothing", "channel": None, "offer": None},
            {"customer_id": "rich", **here, "value_tier": "high"}, {"customer_id": "long ago", **here, "day": -70},
        )
        decider.settle(["read", "proxied", "late", "rich"], "sent", 10.4)
        decider.settle(["early"], "unknown", 10.4)
        decider.settle(["failed"], "failed", 10.4)
        as_of = instant(30)
        past = due.past(opened.table("journal"), opened.table("plans"), opened.current("touches"), as_of, inclusive=False)
        sold = outcomes.priced(opened, past, outcomes.Window(as_of, Decimal("0.40"), documents().offers, SHOP))
        rows = opened.arrow(funnel(opened, past, (program(),), as_of, sold)).to_pylist()
    assert [tuple(row[name] for name in KEYS) for row in rows] == [
        ("back", "high", "other", "reminder", "email"), ("back", "mid", "other", "reminder", "email"),
    ]  # fmt: skip
    mid = {step: rows[1][step] for step in STEPS}
    assert mid == {
        "planned": 4, "handed_over": 4, "opened": 1, "opened_by_machine": 1, "clicked": 1, "clicked_by_machine": 1, "ordered": 1,
    }, "a message that failed is none, who was away past the fortnight did not follow it, and two clicks are of one message"
    assert {step: rows[0][step] for step in STEPS} == {**dict.fromkeys(STEPS, 0), "planned": 1, "handed_over": 1}
