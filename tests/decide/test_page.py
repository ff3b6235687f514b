"""What the pages on deciding, insight and learning say is what the code does."""

import re
from pathlib import Path

import pytest

from rekindle.decide.arms import OPT_OUT_RATE
from rekindle.decide.assignment import draw_of
from rekindle.decide.guardrails import BEFORE_ENTRY, REASONS
from rekindle.history.tables import JOURNAL
from rekindle.insight.friction import AFTER_DAYS, BEFORE_DAYS, CAUSES
from rekindle.insight.lifecycle import COHORTS, EDGES, STAGES
from rekindle.insight.profile import COLUMNS
from rekindle.insight.spikes import AFTER_DAYS as AFTER_DAYS_OF_SPIKE
from rekindle.learn.comparison import LEAST_ORDERERS, detectable
from rekindle.learn.maturity import LEAST
from rekindle.learn.measures import CATALOGUE

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def first_cells(name: str, heading: str) -> list[str]:
    """The code words in the first cells of a section's tables."""
    section = page(name).split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def test_every_reason_is_documented_in_the_order_in_which_it_wins() -> None:
    assert first_cells("decide.md", "## Left alone, and why") == list(REASONS)
    assert len(BEFORE_ENTRY) == 10  # "The first ten put an entry off"


def test_every_column_of_a_plan_is_documented() -> None:
    columns = {*JOURNAL.names, "fresh", "arm_spread", "subsidised"} - {"plan"}
    assert sorted(first_cells("decide.md", "## What one row of a plan holds")) == sorted(columns)


def test_every_column_of_the_profile_is_documented_once() -> None:
    assert sorted(first_cells("insight.md", "## Columns of the profile")) == sorted(COLUMNS)


def test_stages_cohorts_and_causes_are_documented_in_the_order_in_which_they_win() -> None:
    cells = first_cells("insight.md", "## Stages")
    assert sorted(cells[: len(STAGES)]) == sorted(STAGES)
    assert cells[len(STAGES) :] == list(COHORTS)
    assert first_cells("insight.md", "## Causes") == list(CAUSES)
    edges = EDGES
    for words in (
        f"over {edges.lapsed:.0f} rhythms and at least {edges.lapsing_days} days", f"over {edges.lapsing:.0f} rhythms and",
        f"over {edges.cooling:.0f} rhythm and at least {edges.cooling_days} days", f"under {edges.probation_days} days ago",
        f"under {edges.reactivated_days} days ago", f"{edges.advocate} purchase days", f"silent for {edges.long_inactive_days} days",
        f"within {AFTER_DAYS_OF_SPIKE} days", f"from {BEFORE_DAYS} days before the last order until {AFTER_DAYS} days after",
    ):
        assert words in page("insight.md")


def test_every_measure_is_documented() -> None:
    assert first_cells("learn.md", "## What is compared") == list(CATALOGUE)
    assert f"{LEAST} of each are needed" in page("learn.md")
    assert f"{LEAST_ORDERERS} of each are needed" in page("learn.md")
    assert f"= {detectable(1_000.0**2, 900, 100) / 100:.2f}" in page("learn.md")


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        (("win-back:reconnect:1", "AbCdEf0123_.", "536365"), "0.8753100690592175"), (("holdout", "2026", "AbCdEf0123_."), "0.859252"),
        (("control", "win-back", "2026", "AbCdEf0123_."), "0.500238"),
    ],
)
def test_the_draws_by_hand_are_the_draws(parts: tuple[str, ...], shown: str) -> None:
    text = page("decide.md")
    assert ":".join(parts) in text
    assert shown in text
    assert f"{draw_of(*parts):.{len(shown) - 2}f}" == shown


def test_the_example_of_what_a_message_brings_adds_up() -> None:
    anyway = 0.8 * 14 / 182
    cost = (anyway + 0.025) * 0.7 * 3.00 + 0.01
    assert f"= {anyway:.4f}, the expected cost" in page("decide.md")
    assert f"= {cost:.4f}, and" in page("decide.md")
    assert f"= {0.025 * 20 - cost - OPT_OUT_RATE * 16:.3f}. The margin floor" in page("decide.md")
