"""Tier boundaries are the first insight's until a person approves others."""

from pathlib import Path

import pytest

from tests.cli.shop import AS_OF, make_store, write_mapping, write_orders
from tests.cli.terminal import done, typed


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiers")
    made = make_store(folder / "corner")
    done("--store", made, "import", write_orders(folder / "orders.csv"), "--map", write_mapping(folder / "orders.yaml"))
    return made


def set_tiers(store: Path, text: str) -> None:
    rules = store / "rules.yaml"
    lines = [f"value_tiers: {text}" if line.startswith("value_tiers") else line for line in rules.read_text().splitlines()]
    rules.write_text("\n".join(lines) + "\n")


def test_boundaries_change_by_approval_alone(store: Path) -> None:
    insight = ("--store", store, "insight", "--as-of", AS_OF, "--dry-run")
    first = done(*insight, "--json").json["value_tiers"]
    assert (first["approved"], first["days"]) == (False, 730)
    assert first["proposed"] == {"high": first["high"], "mid": first["mid"]}
    assert "(as first found; value_tiers in rules.yaml changes them)" in done(*insight).out

    set_tiers(store, "{over: 365d, high: 500.00, mid: 20.50}")
    assert done(*insight, "--json").json["value_tiers"] == first  # written, and not yet approved

    done("--store", store, "approve", "--all")
    held = done(*insight, "--json").json["value_tiers"]
    assert (held["approved"], held["days"], held["high"], held["mid"]) == (True, 365, 50_000, 2_050)
    assert held["proposed"]["high"] < 50_000
    assert "(approved); today's buyers would give high from" in done(*insight).out


@pytest.mark.parametrize(
    "text", ["{high: 20.00, mid: 20.00}", "{high: 20.00}", "{high: -1, mid: -2}", "{over: 0d, high: 2.00, mid: 1.00}", "7"]
)
def test_boundaries_that_cannot_be_are_refused_by_line(store: Path, text: str) -> None:
    before = (store / "rules.yaml").read_text()
    set_tiers(store, text)
    answer = typed("--store", store, "check")
    (store / "rules.yaml").write_text(before)
    assert answer.code == 3
    assert "rules.yaml" in answer.out + answer.err
    assert "value_tiers" in answer.out + answer.err or "tier" in answer.out + answer.err
