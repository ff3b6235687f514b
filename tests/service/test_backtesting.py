"""`insight --backtest` prints a line for each origin, writes numbers and a page, and changes nothing else."""

import json
import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from rekindle.errors import CannotTell
from rekindle.history.warehouse import open_history
from rekindle.insight.season import Season
from rekindle.service.flow import insights
from tests.cli.shop import files, make_store
from tests.cli.terminal import Answer, done, typed
from tests.insight.seasonal_shop import day, pace, play

DAYS = 500
AS_OF = day(DAYS).isoformat()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_store(tmp_path_factory.mktemp("backtesting") / "corner", "--timezone", "UTC")
    with open_history("duckdb://var/history.duckdb", folder) as warehouse:
        play(np.random.default_rng(4), 500, pace(DAYS, ())).fill(warehouse)
    return folder


@pytest.fixture(scope="module")
def answer(shop: Path) -> Answer:
    return done("--store", shop, "insight", "--backtest", "--as-of", AS_OF, "--model", "mbg-nbd")


def test_a_line_for_each_origin(shop: Path, answer: Answer) -> None:
    assert answer.lines[0].startswith("For every 100 orders that came, ")
    assert answer.lines[0].endswith(" (mbg-nbd, each of 4 origins judged by the 26 weeks after it)")
    assert answer.lines[1].split() == ["Origin", "customers", "expected", "came", "ratio", "Brier,", "rule", "log-loss,", "rule"]
    assert [line.split()[0] for line in answer.lines[2:6]] == [one["day"] for one in numbers(shop)["origins"]]
    first = numbers(shop)["origins"][0]
    cells = answer.lines[2].split()
    assert (cells[1], cells[3]) == (f"{first['customers']:,}", f"{first['actual']:,}")
    assert cells[4] == f"{first['ratio']['estimate']:.3f}"
    assert answer.lines[6].startswith("Verdict        A total was off by up to ")
    assert answer.lines[7].startswith("               By both scores the model told better than ")
    assert answer.lines[8] == "               No season was used: the models counted days alone"
    assert next(line for line in answer.lines if line.startswith("Season ")).endswith(
        "off: history covers 15 weeks, and a season shows only in a whole year after the first 13: 65 weeks"
    )
    assert answer.lines[-2:] == [
        f"Numbers        {shop}/var/backtest/{AS_OF}/backtest.json", f"Page           {shop}/var/reports/backtest.html",
    ]  # fmt: skip


def numbers(shop: Path) -> dict[str, list[dict[str, dict[str, float]]]]:
    return json.loads((shop / "var" / "backtest" / AS_OF / "backtest.json").read_text(encoding="utf-8"))


def test_the_numbers_as_json_are_those_of_the_file_and_a_dry_run_writes_nothing(shop: Path, answer: Answer) -> None:
    before = files(shop)
    found = done("--store", shop, "insight", "--backtest", "--as-of", AS_OF, "--model", "mbg-nbd", "--dry-run", "--json").json
    assert files(shop) == before
    assert (found.pop("numbers"), found.pop("page")) == (None, None)
    assert found == numbers(shop)
    assert {"day", "ratio", "season", "model", "rule", "rule_at_best", "rule_learned", "chances", "orders"} <= set(found["origins"][0])
    assert sum(tenth["customers"] for tenth in found["origins"][3]["chances"]) == found["origins"][3]["customers"]
    assert found["origins"][3]["season"]["on"] is False
    page = (shop / "var" / "reports" / "backtest.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Corner" in page


def test_a_backtest_keeps_no_profile(shop: Path, answer: Answer) -> None:
    assert not [name for name in files(shop) if name.startswith("var/insight")]


def test_a_young_shop_cannot_tell(shop: Path) -> None:
    reason = "history covers 14 weeks, and a backtest needs 13 to learn from and 26 to compare with"
    young = day(100).isoformat()
    assert done("--store", shop, "insight", "--backtest", "--as-of", young).lines == [f"Cannot tell    {reason}"]
    found = done("--store", shop, "insight", "--backtest", "--as-of", young, "--json").json
    assert found == {"cannot_tell": reason, "numbers": None, "page": None}


def test_a_model_that_does_not_exist_is_refused(shop: Path) -> None:
    assert typed("--store", shop, "insight", "--backtest", "--model", "magic").code == 2


def test_a_season_is_told_in_numbers() -> None:
    """Most orders a quarter of a year after 1970's first day, e^0.5 over the mean of e^(0.5 sin), that is over I0(0.5) = 1.0634834."""
    told = insights.season_json(Season(date(2025, 12, 31), ((0.0, 0.5),), 900, 0.0004))
    assert (told["on"], told["peak_day"], told["low_day"]) == (True, "2026-04-02", "2026-10-02")
    assert told["peak"] == pytest.approx(math.exp(0.5) / 1.0634834, rel=1e-4)
    assert told["low"] == pytest.approx(math.exp(-0.5) / 1.0634834, rel=1e-4)
    assert (told["waves"], told["repeat_orders"], told["by_chance"]) == ([[0.0, 0.5]], 900, 0.0004)
    assert insights.season_json(CannotTell("too young")) == {"on": False, "why": "too young"}
