"""The matrix of a program says what its documents say: compared with the rules themselves, asked of random customers."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from rekindle.cli.app import app
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.lifecycle import COHORTS
from rekindle.insight.tiers import TIERS
from rekindle.program import matrix
from rekindle.program.catalogue.shipped import shipped
from rekindle.program.checking import assemble
from rekindle.program.documents import Documents
from tests.decide.shop import documents as little
from tests.decide.shop import program
from tests.program.documentation import DOCS, matrix_page

EACH = 40


@pytest.fixture(scope="module")
def documents() -> Documents:
    return assemble({path: text.encode() for path, text in shipped("Ada Example", "EUR", date(2026, 11, 22)).items()})


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_history(f"duckdb://{tmp_path / 'history.duckdb'}", tmp_path) as opened:
        yield opened


def test_the_page_is_what_the_documents_say() -> None:
    page = (DOCS / "win-back-matrix.md").read_text(encoding="utf-8")
    assert page == matrix_page(), "write it again with: PYTHONPATH=src:. python -m tests.program.documentation"


def people() -> pa.Table:
    """Customers of every cohort and tier with tastes and counts at random, some unknown."""
    chance = np.random.default_rng(11)
    cells = [(cohort, tier) for cohort in COHORTS for tier in TIERS for _ in range(EACH)]

    def scores(known: float) -> list[float | None]:
        return [float(chance.random()) if chance.random() < known else None for _ in cells]

    return pa.table({
        "lapsed_cohort": [cohort for cohort, _ in cells], "value_tier": [tier for _, tier in cells],
        "orders": chance.integers(1, 9, len(cells)), "credit_balance": chance.integers(0, 3, len(cells)) * 100,
        "premium": pa.array(scores(0.8), pa.float64()), "price_sensitive": pa.array(scores(0.8), pa.float64()),
        "threshold_distance": pa.array(scores(0.8), pa.float64()),
    })  # fmt: skip


def test_cells_agree_with_the_rules_asked_of_random_customers(warehouse: Warehouse, documents: Documents) -> None:
    mine, table = documents.program("win-back"), ibis.memtable(people())
    arms = {(stage.name, arm.name): arm for stage in mine.stages for arm in stage.arms}
    held = {
        f"{stage}:{name}": arm.when.compile(table).fill_null(False) if arm.when else ibis.literal(True)
        for (stage, name), arm in arms.items()
    }
    asked = table.mutate(**held)
    counted = asked.group_by("lapsed_cohort", "value_tier").aggregate(**{name: asked[name].sum() for name in held})
    rows = {(row["lapsed_cohort"], row["value_tier"]): row for row in warehouse.arrow(counted).to_pylist()}
    seen = 0
    for cell in matrix.cells(mine, documents.offers):
        shown = {choice.arm: choice for choice in cell.choices}
        for stage, name in arms:
            if stage != cell.stage or name not in mine.arms_for(stage, cell.cohort):
                continue
            count = rows[cell.cohort, cell.tier][f"{stage}:{name}"]
            assert (name in shown) == (count > 0)
            assert count in (0, EACH) if not (name in shown and shown[name].some) else 0 < count < EACH
            seen += 1
    assert seen > 100


def test_the_shipped_matrix_keeps_its_promises(documents: Documents) -> None:
    """Previews for the most valuable, dated credits near a threshold, reminders for the broad base, no depth where trust comes first."""
    cells = {(one.stage, one.cohort, one.tier): one for one in matrix.cells(documents.program("win-back"), documents.offers)}
    kinds = {key: {choice.kind for choice in cell.choices} for key, cell in cells.items()}
    assert "early_access" in kinds["reconnect", "paused_high_potential", "high"]
    assert all("reminder" in kinds["reconnect", cohort, "occasional"] for cohort in ("one_bad_experience", "long_inactive", "other"))
    assert {key[0] for key, cell in cells.items() if any(choice.price for choice in cell.choices)} == {"tailor"}
    percent = {key[1:] for key, found in kinds.items() if "percent" in found}
    assert percent == {("long_inactive", "occasional"), ("other", "occasional")}
    assert {key for key, cell in cells.items() if cell.skipped} == {("reassure", "long_inactive", tier) for tier in TIERS}
    assert str(cells["reassure", "long_inactive", "mid"]) == "(passed over)"


def test_a_program_of_another_moment_has_one_row_a_stage() -> None:
    mine = program(trigger={"on": "order"}, exit=["order", "opt_out", "complaint_opened", "erasure"])
    cells = matrix.cells(mine, little().offers)
    assert [(cell.stage, cell.cohort, cell.tier, str(cell)) for cell in cells[:3]] == [
        ("reconnect", None, "high", "plain, light"), ("reconnect", None, "mid", "plain, lesson, light"),
        ("reconnect", None, "occasional", "plain, lesson, light"),
    ]  # fmt: skip
    assert len(cells) == 9


def test_who_cannot_enter_gets_nothing_at_the_first_stage() -> None:
    mine = program(audience={"enter": "value_tier == 'high'"})
    cells = {(cell.stage, cell.tier): str(cell) for cell in matrix.cells(mine, little().offers) if cell.cohort == "other"}
    assert (cells["reconnect", "mid"], cells["reconnect", "high"]) == ("nothing", "plain, light")
    assert cells["tailor", "mid"] == "percent (price), credit (price)?", "who entered stays, whatever the tier becomes"


def test_the_command_prints_it(tmp_path: Path) -> None:
    runner = CliRunner()
    texts = shipped("Ada Example", "EUR", date(2026, 11, 22))
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    (tmp_path / "rekindle.toml").write_text('name = "Marigold"\ncurrency = "EUR"\n', encoding="utf-8")
    shown = runner.invoke(app, ["--store", str(tmp_path), "check", "--matrix"])
    assert shown.stdout.count(matrix.NOTE.strip()) == 1, "how to read it is said once"
    assert matrix_page().replace(f"{matrix.NOTE}\n", "").strip() in shown.stdout
    rows = json.loads(runner.invoke(app, ["--store", str(tmp_path), "check", "--matrix", "--json"]).stdout)["matrix"]
    first = next(row for row in rows if row["program"] == "win-back")
    assert (first["stage"], first["cohort"], first["tier"]) == ("reconnect", "one_bad_experience", "high")
    assert first["variants"][0] == {"arm": "reminder", "offer": "value_summary", "kind": "reminder", "price": False, "some": False}
