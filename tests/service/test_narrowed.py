"""A history of one customer: nobody else's facts are in it, and what was kept is counted and listed without the engine."""

from datetime import datetime
from pathlib import Path

import pytest

from rekindle.history.warehouse import Warehouse
from rekindle.service.flow.narrowed import narrowed
from tests.insight.histories import history, write


def test_facts_are_the_customer_s_and_those_kept_ask_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = [
        {"ticket_id": name, "customer_id": who, "opened_at": datetime(2026, 11, day), "batch": batch}
        for name, who, day, batch in (("t1", "mine", 1, 1), ("t1", "mine", 9, 2), ("t2", "mine", 3, 1), ("t3", "theirs", 4, 1))
    ]
    with history(tmp_path) as warehouse:
        write(warehouse, {"tickets": opened})
        mine = narrowed(warehouse, "mine")
        assert sorted(mine.arrow(mine.current("tickets"))["ticket_id"].to_pylist()) == ["t1", "t1", "t2"]
        kept = mine.keep(mine.current("tickets").filter(lambda t: t.opened_at < datetime(2026, 11, 5)))

        def refuse(*_: object) -> None:
            raise AssertionError("the engine was asked")

        monkeypatch.setattr(Warehouse, "arrow", refuse)
        assert mine.scalar(kept.count()) == 2
        assert sorted(mine.arrow(kept)["ticket_id"].to_pylist()) == ["t1", "t2"]
        with pytest.raises(AssertionError, match="the engine was asked"):
            mine.arrow(kept.filter(kept.ticket_id == "t1"))
