"""Versions of the table of chances: kept for good, put in force by a person, taken back; and which one a plan goes by."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection

from rekindle.decide.policy import ANY, EQUAL, Policy, equal_chance
from rekindle.errors import BadData, CannotTell, Refused
from rekindle.history.tables import JOURNAL, PLANS
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.learn.versions import Version, changes
from rekindle.moment import AsOf
from rekindle.program.catalogue import scaffold
from rekindle.service.config import use_ledger
from rekindle.service.flow import documents, policies, policy_approving, policy_page, policy_proposals, walking
from rekindle.service.flow.policy_approving import Yes
from rekindle.service.programs import queries
from rekindle.service.programs.models import Document
from rekindle.settings import Settings
from tests.decide.shop import MONDAY, ROWS, crowd
from tests.service.copies import store as store
from tests.service.copies import warehouse as warehouse

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TODAY = AsOf(datetime(2026, 3, 2, tzinfo=UTC), "UTC", shifted=True)
YES = Yes("Ada", NOW, TODAY)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the win-back alone, approved, no groups to compare, and published profiles of 200 customers in each of two countries."""
    root = tmp_path_factory.mktemp("made")
    settings = Settings(root=root)
    use_ledger(settings)
    scaffold(root, "Ada", "EUR", MONDAY.date())
    for path in (root / "programs").glob("*.yaml"):
        if path.stem != "win-back":
            path.unlink()
    fairness(root, "")
    people = [{**row, "country": "DE" if number % 2 else "FR"} for number, row in enumerate(crowd(400))]
    folder = root / "var" / "insight" / "2026-03-02"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(people, schema=ROWS.to_pyarrow()), folder / "profile.parquet")
    (folder / "insight.json").write_text(json.dumps({"as_of": MONDAY.isoformat()}))
    documents.approve_all(settings, "Ada", NOW)
    with open_history(settings.history, root):
        connection.close()
    return root


def fairness(root: Path, text: str) -> None:
    """Writes other rules of fairness."""
    rules = root / "rules.yaml"
    rest = [one for one in rules.read_text().splitlines() if not one.startswith(("fairness:", "exceptions:"))]
    rules.write_text("\n".join(rest) + f"\n{text}")


def table(store: Settings, tilt: float) -> Policy:
    """Equal chances but for the first stage: its first variant has so much, and the others share the rest."""
    program = documents.approved(store).programs[0]
    stage = program.stages[0]
    others = [arm.name for arm in stage.arms[1:]] + ["nothing"]
    first = (program.name, stage.name, ANY, stage.arms[0].name, tilt)
    return Policy("tilted", (first, *((program.name, stage.name, ANY, arm, (1 - tilt) / len(others)) for arm in others)))


def kept(store: Settings, tilt: float) -> str:
    held = documents.approved(store)
    before, after = policies.in_force(store, held), table(store, tilt)
    moved = tuple(one for one in changes(before, after, held.programs) if one.differs)
    version = Version(after, "by hand", TODAY.instant, before.version, moved, {}, CannotTell("not asked"), {})
    return policies.keep(store, version, NOW)


def test_versions_are_put_in_force_and_taken_back_one_by_one(store: Settings, warehouse: Warehouse) -> None:
    first, second = kept(store, 0.5), kept(store, 0.6)
    assert policies.reigning(store) == (EQUAL,)
    assert policies.proposed(store) == second
    assert policy_approving.approve(store, warehouse, first, YES).before == EQUAL
    assert policy_approving.approve(store, warehouse, second, YES).before == first
    assert policies.in_force(store, documents.approved(store)).version == second
    assert policies.proposed(store) is None
    assert policy_approving.rollback(store, YES).name == first
    assert policy_approving.rollback(store, YES).name == EQUAL
    assert policies.in_force(store, documents.approved(store)) == equal_chance(documents.approved(store).programs)
    with pytest.raises(BadData, match="no version of the table of chances was in force before"):
        policy_approving.rollback(store, YES)
    assert policy_approving.rollback(store, YES, second).before == EQUAL
    assert policies.reigning(store) == (EQUAL, second)
    assert policy_approving.rollback(store, YES, EQUAL).before == second
    assert [yes.name for yes in queries.policy_approvals()] == [first, second, first, EQUAL, second, EQUAL]


def test_what_cannot_be_approved(store: Settings, warehouse: Warehouse) -> None:
    first, second = kept(store, 0.5), kept(store, 0.6)
    policy_approving.approve(store, warehouse, first, YES)
    with pytest.raises(BadData, match="was approved by Ada on 2026-11-26 and is in force"):
        policy_approving.approve(store, warehouse, first, YES)
    policy_approving.approve(store, warehouse, second, YES)
    with pytest.raises(BadData, match="is no longer in force") as raised:
        policy_approving.approve(store, warehouse, first, YES)
    assert raised.value.remedy == f"Go back to it with: rekindle policy rollback {first}"
    with pytest.raises(BadData, match="names no version of the table of chances"):
        policy_approving.approve(store, warehouse, "tilted-00000000", YES)
    with pytest.raises(BadData, match="names 2 versions"):
        policy_approving.approve(store, warehouse, "tilted", YES)
    rule = equal_chance(documents.approved(store).programs)
    policies.keep_rule(store, rule, TODAY)
    with pytest.raises(BadData, match="is a table of equal chances"):
        policy_approving.approve(store, warehouse, rule.version, YES)


def test_what_cannot_be_gone_back_to(store: Settings, warehouse: Warehouse) -> None:
    first, second = kept(store, 0.5), kept(store, 0.6)
    policy_approving.approve(store, warehouse, first, YES)
    with pytest.raises(BadData, match="is in force already"):
        policy_approving.rollback(store, YES, first)
    with pytest.raises(BadData, match="was never in force") as raised:
        policy_approving.rollback(store, YES, second)
    assert raised.value.remedy == f"Approve it with: rekindle policy approve {second}"
    with pytest.raises(BadData, match="names no version"):
        policy_approving.rollback(store, YES, "tilted-00000000")


def test_a_dry_run_changes_nothing(store: Settings, warehouse: Warehouse) -> None:
    first = kept(store, 0.5)
    policy_approving.approve(store, warehouse, first, YES, dry_run=True)
    assert policies.reigning(store) == (EQUAL,)
    policy_approving.approve(store, warehouse, first, YES)
    assert policy_approving.rollback(store, YES, dry_run=True).name == EQUAL
    assert policies.reigning(store) == (EQUAL, first)


def test_a_version_holds_from_the_stores_present_on(store: Settings, warehouse: Warehouse) -> None:
    """The clock of a store of old facts, or a simulated one, lies behind the clock on the wall."""
    first, held = kept(store, 0.5), documents.approved(store)
    policy_approving.approve(store, warehouse, first, YES)
    earlier = replace(TODAY, instant=TODAY.instant - timedelta(seconds=1))
    assert policies.in_force(store, held, earlier).name == EQUAL
    assert policies.in_force(store, held, TODAY).version == first
    assert policies.of_plan(store, warehouse, held, TODAY).version == first


def test_a_plan_that_was_committed_keeps_its_table(store: Settings, warehouse: Warehouse) -> None:
    first, second, held = kept(store, 0.5), kept(store, 0.6), documents.approved(store)
    policy_approving.approve(store, warehouse, first, YES)
    rows = {name: [None] for name in JOURNAL.names} | {"plan": ["p"], "as_of": [TODAY.naive], "policy": [first]}
    plan = {"plan": ["p"], "as_of": [TODAY.naive], "rehearsal": [False], "decisions": [1]}
    warehouse.insert("journal", pa.table(rows, schema=JOURNAL.to_pyarrow()))
    warehouse.insert("plans", pa.table(plan, schema=PLANS.to_pyarrow()))
    policy_approving.approve(store, warehouse, second, YES)
    later = replace(TODAY, instant=TODAY.instant + timedelta(days=1))
    assert policies.of_plan(store, warehouse, held, TODAY).version == first
    assert policies.of_plan(store, warehouse, held, later).version == second


def test_a_version_never_changes_and_is_read_by_its_name_for_good(store: Settings) -> None:
    name = kept(store, 0.5)
    text = queries.policies(name)[0].text
    again = replace(policies.read(store, name), way="learning", notes=("other evidence",))
    assert policies.keep(store, again, NOW + timedelta(days=1)) == name
    assert queries.policies(name)[0].text == text
    assert set(policies.read(store, name).policy.rows) == set(table(store, 0.5).rows)
    assert policies.read(store, name.removeprefix("tilted-")).name == name
    rule = equal_chance(documents.approved(store).programs)
    for _ in range(2):
        policies.keep_rule(store, rule, TODAY)
    assert set(policies.read(store, rule.version).policy.rows) == set(rule.rows)


def test_a_version_that_was_changed_in_the_ledger_is_not_used(store: Settings, warehouse: Warehouse) -> None:
    name = kept(store, 0.5)
    policy_approving.approve(store, warehouse, name, YES)
    text = queries.policies(name)[0].text
    assert text.count("0.5") > 0
    Document.objects.filter(pk=name).update(text=text.replace("0.5", "0.4").replace("0.1", "0.12"))
    with pytest.raises(BadData, match="was changed after it was kept"):
        policies.in_force(store, documents.approved(store))
    Document.objects.filter(pk=name).update(text=text[:-20])
    with pytest.raises(BadData, match="cannot be read"):
        policies.in_force(store, documents.approved(store))


def test_a_version_that_treats_countries_unequally_gets_no_yes(store: Settings, warehouse: Warehouse) -> None:
    """All customers of one country are of mid value; the table gives those free delivery, and the others nothing."""
    fair = "fairness: {groups: [country], disparity_at_most: 0.25, least: 50}\n"
    fair += "exceptions: {country: {reason: Delivery is offered in one country alone., owner: Ada}}\n"
    fairness(store.root, fair)
    documents.approve_all(store, "Ada", NOW)
    file = store.root / "var" / "insight" / "2026-03-02" / "profile.parquet"
    people = pq.read_table(file)
    tiers = ["high" if one == "DE" else "mid" for one in people["country"].to_pylist()]
    pq.write_table(people.set_column(people.column_names.index("value_tier"), "value_tier", pa.array(tiers)), file)
    name = policies.keep(store, replace(policies.read(store, kept(store, 0.5)), policy=unequal(store)), NOW)
    with pytest.raises(Refused, match="more than the rules allow"):
        policy_approving.approve(store, warehouse, name, YES)
    assert policies.reigning(store) == (EQUAL,)


def unequal(store: Settings) -> Policy:
    """Free delivery at the first stage for those of mid value, nothing for all others."""
    program, stage = documents.approved(store).programs[0], documents.approved(store).programs[0].stages[0]
    rows = []
    for tier in ("high", "mid"):
        for cohort in ("none", "other", "long_inactive", "one_bad_experience", "paused_high_potential"):
            drawn = "light" if tier == "mid" else "nothing"
            arms = [*(arm.name for arm in stage.arms), "nothing"]
            rows += [(program.name, stage.name, f"{tier}/{cohort}", arm, float(arm == drawn)) for arm in arms]
    return Policy("unequal", tuple(rows))


def test_a_walk_goes_by_the_version_in_force(store: Settings, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(walking.walk, "walk", lambda _warehouse, question, _profiles: asked.append(question) or (_ for _ in ()).throw(Stop))
    monkeypatch.setattr(walking, "_span", lambda *_: (MONDAY.date(), 1))
    monkeypatch.setattr(walking, "_Past", lambda *_: SimpleNamespace(profile_at=None))
    name = kept(store, 0.5)
    for expected in (EQUAL, name):
        with pytest.raises(Stop):
            walking.simulate(store, warehouse, walking.Asked("win-back", TODAY, None, 1, 7))
        assert asked[-1].policy.version.startswith(expected)
        if expected == EQUAL:
            policy_approving.approve(store, warehouse, name, YES)


class Stop(Exception):
    """The walk itself is not what is tested here."""


def test_without_decisions_there_is_nothing_to_learn_from(store: Settings, warehouse: Warehouse, tmp_path: Path) -> None:
    asked = policy_proposals.Question(store, warehouse, documents.approved(store), TODAY)
    with pytest.raises(BadData, match="no decision has been drawn yet"):
        policy_proposals.propose(asked)
    assert isinstance(policy_proposals.news(asked), CannotTell)
    file = tmp_path / "table.json"
    file.write_text(json.dumps({"name": "careful", "stages": []}))
    found = policy_proposals.by_hand(asked, file)
    assert (found.way, found.changes, found.outlook) == ("by hand", (), CannotTell("no decision has been drawn yet"))


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "cannot be read"), ("{}", "no object with a name and stages"), ('{"name": "Ä", "stages": []}', "'Ä' cannot be the name"),
     ('{"name": "equal-chance", "stages": []}', "'equal-chance' cannot be the name")],
)  # fmt: skip
def test_a_file_that_is_no_table(store: Settings, warehouse: Warehouse, tmp_path: Path, text: str, said: str) -> None:
    asked = policy_proposals.Question(store, warehouse, documents.approved(store), TODAY)
    file = tmp_path / "table.json"
    file.write_text(text)
    with pytest.raises(BadData, match=said):
        policy_proposals.by_hand(asked, file)
    with pytest.raises(BadData, match="cannot be read"):
        policy_proposals.by_hand(asked, tmp_path / "none.json")


def test_the_page_says_where_the_version_stands(store: Settings, warehouse: Warehouse) -> None:
    name = kept(store, 0.5)
    version = policies.read(store, name)
    proposed = policy_page.publish(store, version).read_text()
    policy_approving.approve(store, warehouse, name, YES)
    in_force = policy_page.publish(store, version).read_text()
    policy_approving.rollback(store, YES)
    gone = policy_page.publish(store, version).read_text()
    assert "It is proposed and nobody has approved it." in proposed
    assert "It is in force, approved by Ada on 2026-11-26." in in_force
    assert "It was approved by Ada on 2026-11-26 and is no longer in force." in gone
    assert all(f"rekindle policy {word}" in page for word, page in (("approve", proposed), ("rollback", in_force), ("rollback", gone)))
    assert policy_page.publish(store, version).read_text() == gone
