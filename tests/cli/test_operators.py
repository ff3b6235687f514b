"""Operators from the command line, and a store that `serve` and `simulate` begin in an empty folder."""

import json
from pathlib import Path

import pytest

from rekindle.cli import serving
from rekindle.cli.worlds import _waits
from rekindle.errors import UsageError
from tests.cli.shop import make_store
from tests.cli.terminal import done, typed

GRACE = "grace@marigold.example"


def test_an_operator_is_added_shown_given_a_link_and_removed(tmp_path: Path) -> None:
    store = make_store(tmp_path / "corner")
    assert done("--store", store, "operators", "add", GRACE, "--dry-run").lines == [f"{GRACE} would be editor"]
    assert done("--store", store, "operators", "list").lines == ["No operators."]
    link = done("--store", store, "operators", "add", GRACE, "--role", "admin", "--privacy", "--json")
    assert json.loads(link.out)["link"].startswith("https://shop.example/rekindle/console/account/welcome/")
    (line,) = done("--store", store, "operators", "list").lines
    assert line.split(None, 1) == [GRACE, "admin, personal data; without a second factor"]
    assert "/console/account/welcome/" in done("--store", store, "operators", "link", GRACE).out
    assert typed("--store", store, "operators", "remove", GRACE).code == 4, "the last admin stays"
    done("--store", store, "operators", "add", "ada@marigold.example", "--role", "admin")
    assert done("--store", store, "operators", "remove", GRACE).lines == [f"{GRACE} is removed"]


def test_an_empty_folder_becomes_a_store_and_a_full_one_does_not(tmp_path: Path) -> None:
    fresh, full = tmp_path / "fresh", tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("mine", encoding="utf-8")
    assert serving._begun(fresh) == fresh
    assert (fresh / "rekindle.toml").is_file()
    assert serving._begun(full) == full
    assert not (full / "rekindle.toml").exists()


def test_a_marketplace_fills_a_store_that_has_no_orders_and_no_other(tmp_path: Path) -> None:
    waiting = make_store(tmp_path / "waiting")
    assert _waits(waiting)
    assert not _waits(tmp_path / "absent")
    with (waiting / "rekindle.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[sources]]\nfile = "orders.csv"\npreset = "online-retail"\n')
    assert not _waits(waiting)
    pounds = make_store(tmp_path / "pounds")
    toml = pounds / "rekindle.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('currency = "EUR"', 'currency = "GBP"'), encoding="utf-8")
    with pytest.raises(UsageError, match="counts in GBP"):
        _waits(pounds)
