"""An experiment from its document to what it taught: equal chances while it runs, looks that are taken once, an end with evidence."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from django.db import connection

from rekindle.cli.learned import lines
from rekindle.decide.policy import EXPERIMENT
from rekindle.errors import BadData, CannotTell, Refused
from rekindle.history.tables import JOURNAL, PLANS
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.moment import AsOf
from rekindle.program.catalogue import scaffold
from rekindle.service.config import use_ledger
from rekindle.service.experiments import queries
from rekindle.service.experiments.actions import Moment
from rekindle.service.flow import documents, experimenting, learning, policies
from rekindle.settings import Settings
from tests.decide.shop import MONDAY
from tests.insight.histories import order, write
from tests.service.copies import store as store
from tests.service.copies import warehouse as warehouse

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
STAGE = ("win-back", "reconnect")
TEXT = """experiment: question
owner: Ada
hypothesis: A question in the subject brings more orders than a statement.
program: win-back
stage: reconnect
arms: [question]
against: reminder
metric: retained
size: 200
looks: 2
"""
REMINDER = "      reminder:      {offer: value_summary,       prior: {mean: 0.010, sd: 0.010}}\n"
QUESTION = REMINDER.replace("reminder: ", "question: ").replace("offer: value_summary,", "offer: value_summary, subject: Anything wrong?,")


def day(number: float) -> AsOf:
    return AsOf(MONDAY + timedelta(days=number), "UTC", shifted=True)


def at(number: float) -> Moment:
    return Moment("Ada", NOW, day(number).instant)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    settings = Settings(root=root)
    use_ledger(settings)
    scaffold(root, "Ada", "EUR", MONDAY.date())
    program = root / "programs" / "win-back.yaml"
    program.write_text(program.read_text().replace(REMINDER, REMINDER + QUESTION))
    (root / "experiments").mkdir()
    (root / "experiments" / "question.yaml").write_text(TEXT)
    documents.approve_all(settings, "Ada", NOW)
    with open_history(settings.history, root):
        connection.close()
    return root


def decide(store: Settings, warehouse: Warehouse, on: float, buyers: dict[str, float], each: int = 100) -> None:
    """A plan of an instant that drew each of three arms so often, and the orders that followed."""
    policy = policies.of_plan(store, warehouse, documents.approved(store), day(on)).version
    rows, orders = [], []
    for arm, rate in buyers.items():
        for number in range(each):
            name = f"{arm}-{on}-{number}"
            rows.append({
                **dict.fromkeys(JOURNAL.names), "plan": f"plan-{on}", "as_of": day(on).naive, "program": STAGE[0], "stage": STAGE[1],
                "customer_id": name, "episode": f"e-{name}", "entered_at": day(on).naive, "standing": "treated", "arm": arm,
                "context": "mid/other", "eligible": "reminder|question|nothing", "policy": policy, "propensity": 1 / 3, "draw": 0.1,
                "cost_ceiling": 0, "expected_cost": 0, "expected_margin": 0, "baseline": 0, "cohort": "other",
            })  # fmt: skip
            if number < rate * each:
                orders.append(order(f"o-{name}", name, day(on + 5).naive, 5_000))
    warehouse.insert("journal", pa.Table.from_pylist(rows, schema=JOURNAL.to_pyarrow()))
    plan = {"plan": f"plan-{on}", "as_of": day(on).naive, "rehearsal": False, "decisions": len(rows)}
    warehouse.insert("plans", pa.Table.from_pylist([plan], schema=PLANS.to_pyarrow()))
    write(warehouse, {"orders": orders})


def chances(store: Settings, warehouse: Warehouse, on: float) -> dict[str, float]:
    held = documents.approved(store)
    return policies.of_plan(store, warehouse, held, day(on)).chances(STAGE[0], held.program(STAGE[0]).stage(STAGE[1]), "mid/other")


def test_while_it_runs_its_stage_has_equal_chances_and_the_table_is_kept(store: Settings, warehouse: Warehouse) -> None:
    held = documents.approved(store)
    before = chances(store, warehouse, 1)
    (entry,) = experimenting.entries(store, held)
    assert (entry.experiment.name, entry.status, entry.factor) == ("question", "planned", "subject")
    experimenting.start(store, warehouse, held, "question", at(2))
    running = chances(store, warehouse, 3)
    tried = {arm: chance for arm, chance in running.items() if chance}
    assert tried == pytest.approx(dict.fromkeys(("nothing", "reminder", "question"), 1 / 3))
    assert chances(store, warehouse, 1) == before, "a plan of before it began is as it was"
    policy = policies.of_plan(store, warehouse, held, day(3))
    assert policy.name == EXPERIMENT
    policies.keep_rule(store, policy, day(3))
    assert sorted(policies.read(store, policy.version).policy.rows) == sorted(policy.rows)
    assert policies.proposed(store) is None
    experimenting.end(store, held, "question", "trial", "", at(4))
    assert chances(store, warehouse, 5) == before
    assert chances(store, warehouse, 3) == running, "and a plan of while it ran too"


def test_a_plan_that_was_committed_in_it_comes_out_again(store: Settings, warehouse: Warehouse) -> None:
    held = documents.approved(store)
    experimenting.start(store, warehouse, held, "question", at(2))
    policies.keep_rule(store, policies.of_plan(store, warehouse, held, day(3)), day(3))
    decide(store, warehouse, 3, {"question": 0.1, "reminder": 0.1, "nothing": 0.1}, each=3)
    wanted = policies.of_plan(store, warehouse, held, day(3)).version
    experimenting.end(store, held, "question", "trial", "", at(3))
    assert policies.of_plan(store, warehouse, held, day(3)).version == wanted


def test_looks_are_taken_when_due_and_kept(store: Settings, warehouse: Warehouse) -> None:
    held = documents.approved(store)
    experimenting.start(store, warehouse, held, "question", at(0))
    decide(store, warehouse, 1, {"question": 0.30, "reminder": 0.25, "nothing": 0.2})
    (early,) = experimenting.watch(store, warehouse, held, day(60))
    assert (early.taken, early.found.young, set(early.found.counts.values())) == (False, 300, {0})
    (peeked,) = experimenting.watch(store, warehouse, held, day(100), keep=False)
    assert (peeked.taken, peeked.entry.looks) == (False, ()), "a look that is not kept is not taken"
    (first,) = experimenting.watch(store, warehouse, held, day(100))
    assert first.taken
    (look,) = first.entry.looks
    assert (look.number, look.share, look.verdict, look.over) == (1, 0.5, "trial", False)
    assert look.differences[0].interval.estimate == pytest.approx(0.05, abs=0.005)
    (again,) = experimenting.watch(store, warehouse, held, day(101))
    assert (again.taken, again.entry.looks) == (False, (look,))


def test_a_winner_is_scaled_with_its_evidence_and_teaches(store: Settings, warehouse: Warehouse) -> None:
    held = documents.approved(store)
    experimenting.start(store, warehouse, held, "question", at(0))
    decide(store, warehouse, 1, {"question": 0.30, "reminder": 0.25, "nothing": 0.2})
    experimenting.watch(store, warehouse, held, day(100))
    with pytest.raises(Refused, match="no arm has shown more at its last look"):
        experimenting.end(store, held, "question", "scale", "", at(100))
    decide(store, warehouse, 20, {"question": 0.50, "reminder": 0.20, "nothing": 0.2})
    experimenting.watch(store, warehouse, held, day(120))
    learned = store.var / "learn" / "2026-07-01.json"
    learned.parent.mkdir(parents=True, exist_ok=True)
    learned.write_text(json.dumps({"programs": [], "srm": [], "leaks": {"win-back": 3}}))
    with pytest.raises(Refused, match="for win-back cannot be believed: 3 of its messages went to customers who were to have none"):
        experimenting.end(store, held, "question", None, "", at(121))
    learned.unlink()
    ended = experimenting.end(store, held, "question", None, "", at(121))
    assert ended.status == "scale"
    (taught,) = queries.learnings()
    assert (taught.experiment, taught.factor, taught.decision, taught.by) == ("question", "subject", "scale", "Ada")
    assert taught.design == "question against reminder in win-back, reconnect (subject varied), by retained, 200 decisions each, 2 looks"
    assert taught.result.startswith("At look 2 of 2, 100% of the planned decisions. question: +17.5 in a hundred ordered")
    assert taught.scope.startswith("who enters win-back: lifecycle in")
    with pytest.raises(Refused, match="does not run"):
        experimenting.end(store, held, "question", None, "", at(122))


def test_a_new_one_that_asks_the_same_is_told_so(store: Settings, warehouse: Warehouse) -> None:
    held = documents.approved(store)
    begun = experimenting.start(store, warehouse, held, "question", at(0))
    assert begun.repeats == ()
    assert begun.detectable == CannotTell("no decision has been made yet")
    experimenting.end(store, held, "question", "retire", "the whole shop", at(1))
    with pytest.raises(Refused, match="has run before"):
        experimenting.start(store, warehouse, held, "question", at(2))
    (store.root / "experiments" / "again.yaml").write_text(TEXT.replace("experiment: question", "experiment: question-2"))
    documents.approve_all(store, "Ada", NOW)
    told = experimenting.start(store, warehouse, documents.approved(store), "question-2", at(2), dry_run=True)
    (before,) = told.repeats
    assert (before.learning.experiment, before.learning.decision, before.learning.scope) == ("question", "retire", "the whole shop")
    assert told.entry.status == "planned", "a dry run starts nothing"


def test_one_at_a_time_runs_in_a_stage(store: Settings, warehouse: Warehouse) -> None:
    (store.root / "experiments" / "again.yaml").write_text(TEXT.replace("experiment: question", "experiment: question-2"))
    documents.approve_all(store, "Ada", NOW)
    held = documents.approved(store)
    experimenting.start(store, warehouse, held, "question", at(0))
    with pytest.raises(Refused, match="the experiment 'question' runs in win-back, reconnect"):
        experimenting.start(store, warehouse, held, "question-2", at(1))


def test_what_can_be_told_before_launch_follows_from_decisions_so_far(store: Settings, warehouse: Warehouse) -> None:
    decide(store, warehouse, -100, {"question": 0.30, "reminder": 0.30, "nothing": 0.30})
    begun = experimenting.start(store, warehouse, documents.approved(store), "question", at(0), dry_run=True)
    assert begun.detectable == pytest.approx(2.8068 * np.sqrt(2 * 0.21 * 300 / 299 / 200), rel=1e-4)


def test_an_experiment_that_is_not_approved_or_names_what_is_gone_does_not_start(store: Settings, warehouse: Warehouse) -> None:
    with pytest.raises(BadData, match="there is no approved experiment 'other'"):
        experimenting.start(store, warehouse, documents.approved(store), "other", at(0))
    program = store.root / "programs" / "win-back.yaml"
    program.write_text(program.read_text().replace(QUESTION, ""))
    documents.approve_all(store, "Ada", NOW)
    with pytest.raises(Refused, match="'question' names question, which is not there"):
        experimenting.start(store, warehouse, documents.approved(store), "question", at(0))


def test_learning_takes_the_looks_that_are_due_and_tells_of_them(store: Settings, warehouse: Warehouse) -> None:
    held = documents.approved(store)
    experimenting.start(store, warehouse, held, "question", at(0))
    decide(store, warehouse, 1, {"question": 0.30, "reminder": 0.25, "nothing": 0.2})
    dry = learning.learn(store, warehouse, held, day(100), publish=False)
    assert [one.looks for one in dry.experiments] == [()]
    learned = learning.learn(store, warehouse, held, day(100))
    assert [look.number for one in learned.experiments for look in one.looks] == [1]
    shown = json.loads((store.var / "learn" / "2026-06-10.json").read_text())["experiments"]
    assert [(one["experiment"], one["status"], one["looks"][0]["verdict"]) for one in shown] == [("question", "running", "trial")]
    assert "Experiment     question: look 1 of 2, not yet distinguishable from zero" in list(lines(learned, "EUR"))
