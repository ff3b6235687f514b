"""`rekindle experiments` and `propose` as they are typed: planned, started, shown, refused a winner without evidence, ended, remembered."""

from pathlib import Path

import pytest

from tests.cli.shop import make_store, write_mapping, write_orders
from tests.cli.terminal import done, typed

REMINDER = "      reminder:      {offer: value_summary,       prior: {mean: 0.010, sd: 0.010}}\n"
QUESTION = "      question:      {offer: value_summary, subject: Anything we can help with?, prior: {mean: 0.010, sd: 0.010}}\n"
TEXT = """experiment: question
owner: Ada
hypothesis: A question in the subject brings more orders than a statement.
program: win-back
stage: reconnect
arms: [question]
against: reminder
size: 200
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experiments")
    made = make_store(folder / "corner")
    done("--store", made, "import", write_orders(folder / "orders.csv"), "--map", write_mapping(folder / "orders.yaml"))
    program = made / "programs" / "win-back.yaml"
    program.write_text(program.read_text().replace(REMINDER, REMINDER + QUESTION))
    (made / "experiments").mkdir()
    (made / "experiments" / "question.yaml").write_text(TEXT)
    done("--store", made, "approve", "--all")
    return made


def test_an_experiment_from_its_start_to_what_it_taught(store: Path) -> None:
    at = ("--store", store, "experiments")
    planned = done(*at, "show").lines
    assert planned[0] == "question: planned"
    assert planned[-1].endswith("experiments start question")
    dry = done(*at, "start", "question", "--dry-run")
    assert dry.lines[0].startswith("Would start    question: question against reminder in win-back, reconnect (subject varied), by margin")
    assert "Detectable     cannot tell: no decision has been made yet" in dry.lines
    started = done(*at, "start", "question", "--by", "Ada", "--json").json
    assert (started["status"], started["started_by"], started["repeats"]) == ("running", "Ada", [])
    shown = done(*at, "show", "question", "--json").json["experiments"][0]
    assert (shown["status"], shown["counts"], shown["looks"]) == ("running", {"question": 0, "reminder": 0, "nothing": 0}, [])
    refused = typed(*at, "end", "question", "--decision", "scale")
    assert (refused.code, "no look has been taken" in refused.err) == (4, True)
    assert typed(*at, "end", "question", "--decision", "win").code == 2
    assert done(*at, "end", "question", "--dry-run").lines[0] == "Would end      question: trial"
    assert done(*at, "show", "question").lines[0] == "question: running"
    ended = done(*at, "end", "question", "--scope", "the whole shop")
    assert ended.lines[0] == "question: ended on trial: nothing was shown"
    taught = done(*at, "learnings").lines
    assert taught[0].endswith("question: trial")
    assert "Result         It was ended before its first look: nothing is known." in taught
    assert any(line.startswith("Holds for      the whole shop") for line in taught)


def test_an_unknown_experiment_is_named_with_its_remedy(store: Path) -> None:
    answer = typed("--store", store, "experiments", "start", "other")
    assert answer.code == 3
    assert "there is no approved experiment 'other'" in answer.err


def test_a_store_without_evidence_has_nothing_to_propose(store: Path) -> None:
    answer = done("--store", store, "propose")
    assert answer.lines == ["Nothing to change: the evidence speaks for the documents as they are, or does not tell yet."]
    assert done("--store", store, "propose", "--json").json == {"proposals": [], "written": [], "alarms": {}}
    assert typed("--store", store, "propose", "--take", "tiers").code == 3
