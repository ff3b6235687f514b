"""What the controls of a plan will show: each program's own, by the customers that it assigned and over its own horizon."""

from pathlib import Path

import ibis
import numpy as np
import pytest

from rekindle.history.warehouse import open_history
from rekindle.learn.comparison import detectable
from rekindle.service.flow.before_launch import would_show
from tests.decide.shop import program


def goal(days: int) -> dict[str, str]:
    return {"metric": "incremental_margin", "horizon": f"{days}d"}


def test_each_program_with_a_control_has_its_own(tmp_path: Path) -> None:
    names, orders, margins = [f"c{number}" for number in range(50)], np.linspace(0.1, 1.0, 50), np.linspace(500.0, 2_000.0, 50)
    profiles = ibis.memtable({"customer_id": names, "expected_orders": orders, "margin_per_order": margins})
    standing = ["control" if number % 5 == 0 else "treated" for number in range(50)]
    mine = {"program": ["first"] * 50 + ["second"] * 20 + ["alone"] * 20, "customer_id": names + names[:20] * 2}
    rows = ibis.memtable({**mine, "standing": standing + standing[:20] + ["treated"] * 20})
    asked = (program("first", goal=goal(84)), program("second", goal=goal(42)), program("alone", goal=goal(84)), program("absent"))
    with open_history("duckdb://history.duckdb", tmp_path) as warehouse:
        found = would_show(warehouse, ibis.union(rows, rows), profiles, asked, 12)
    assert found.keys() == {"first", "second"}, "without a control nothing can be told"
    for name, size, times in (("first", 50, 1.0), ("second", 20, 0.5)):
        each = times * orders[:size] * margins[:size]
        variance = (each * margins[:size]).mean() + each.var(ddof=1)
        assert found[name] == pytest.approx(detectable(variance, size * 4 // 5, size // 5))
