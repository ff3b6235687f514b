"""What became of messages: every step by hand, machines apart, and what came too late or before."""

from decimal import Decimal
from pathlib import Path

from rekindle.decide import due
from rekindle.history.warehouse import open_history
from rekindle.learn import outcomes
from rekindle.learn.funnel import KEYS, STAGE_STEPS, STEPS, by_stage, funnel
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


def test_a_stage_counts_every_decision_and_what_came_of_its_messages(tmp_path: Path) -> None:
    names = ("Email Link Clicked", "Link Scanned", "Email Bounced", "Email Bounced", "Email Link Clicked")
    who = ("read", "proxied", "returned", "withheld", "nothing")
    at = [{"message_id": name, "customer_id": name, "name": event, "occurred_at": instant(10.6).naive}
          for name, event in zip(who, names, strict=True)]  # fmt: skip
    bought = [order(f"of {name}", name, instant(12).naive, 900) for name in ("read", "nothing", "returned")]
    with open_history("duckdb://history.duckdb", tmp_path) as opened:
        write(opened, {"events": at, "orders": bought})
        decider = Decider(opened)
        decider.remember(
            *({"customer_id": name, "day": 10} for name in ("read", "proxied", "returned", "withheld", "lost", "waiting")),
            {"customer_id": "nothing", "day": 10, "arm": "nothing", "channel": None, "offer": None},
            {"customer_id": "put off", "day": 10, "reason": "store_cap_reached"}, {"customer_id": "refused", "day": 10, "arm": None},
            {"customer_id": "read", "day": 20, "stage": "tailor"}, {"customer_id": "long ago", "day": -70},
            {"customer_id": "another", "day": 10, "program": "other"},
        )
        decider.settle(["read", "proxied"], "sent", 10.4)
        decider.settle(["returned"], "failed", 10.7)
        decider.settle(["lost"], "failed", 10.4)
        decider.settle(["withheld"], "suppressed", 10.4)
        as_of = instant(30)
        past = due.past(opened.table("journal"), opened.table("plans"), opened.current("touches"), as_of, inclusive=False)
        sold = outcomes.priced(opened, past, outcomes.Window(as_of, Decimal("0.40"), documents().offers, SHOP))
        rows = opened.arrow(by_stage(opened, past, (program(),), as_of, sold)).to_pylist()
    assert [(row["program"], row["stage"], *(row[step] for step in STAGE_STEPS)) for row in rows] == [
        ("back", "reconnect", 7, 6, 3, 2, 1, 1), ("back", "tailor", 1, 1, 0, 0, 0, 0),
    ], "what came back was sent, what a machine followed is no click, and who heard nothing is only assigned"  # fmt: skip
