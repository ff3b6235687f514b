"""A person with two accounts of whom the holdout has one: the account that remains is held out too."""

from pathlib import Path

import pyarrow as pa

from rekindle.decide.assignment import draw_of
from rekindle.history.warehouse import open_history
from tests.decide.shop import Decider, customer, documents, instant
from tests.insight.histories import order, write

SHARE = 0.3


def test_a_merged_person_keeps_the_holdout_of_either_account(tmp_path: Path) -> None:
    drawn = {name: draw_of("holdout", "2026", name) < SHARE for name in (f"c{number}" for number in range(60))}
    out, free = ([name for name, held in drawn.items() if held is one] for one in (True, False))
    pairs = {out[0]: free[0], free[1]: free[2]}
    with open_history("duckdb://history.duckdb", tmp_path) as opened:
        before = [order(f"o-{old}", old, instant(-90).naive, 900) for old in pairs]
        write(opened, {"orders": [*before, *({**one, "customer_id": pairs[str(one["customer_id"])], "batch": 2} for one in before)]})
        names = [str(one["order_id"]) for one in before]
        opened.insert("superseded", pa.table({"name": ["orders"] * 2, "key": names, "batch": [1] * 2, "by_batch": [2] * 2}))
        rows = Decider(opened, documents(holdout=SHARE)).decide(0, [customer(name) for name in (free[0], free[2], free[3], out[1])])
    assert {name: row["standing"] for name, row in rows.items()} == {
        free[0]: "holdout", free[2]: "treated", free[3]: "treated", out[1]: "holdout",
    }  # fmt: skip
