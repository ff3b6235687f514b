"""`rekindle policy` on a small shop: a version is proposed, compared, approved by its name, planned by, and taken back."""

import json
from io import StringIO
from pathlib import Path

import duckdb
import pytest

from tests.cli.shop import AS_OF, files, make_store, write_contacts, write_mapping, write_orders
from tests.cli.terminal import Answer, done, typed

LATER, LATEST = "2026-02-20", "2026-03-20"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with the win-back alone that has decided once, at equal chances."""
    folder = tmp_path_factory.mktemp("policies")
    made = make_store(folder / "corner")
    for path in (*(made / "var").glob("ledger*"), *(made / "programs").glob("*.yaml")):
        if path.stem != "win-back":
            path.unlink()
    done("--store", made, "approve", "--all")
    orders, mapping, contacts = write_orders(folder / "orders.csv"), write_mapping(folder / "orders.yaml"), write_contacts(folder / "c.csv")
    done("--store", made, "run", orders, "--map", mapping, "--contacts", contacts, "--as-of", AS_OF)
    return made


@pytest.fixture(scope="module")
def proposed(store: Path) -> Answer:
    """What the first proposal gave as JSON."""
    return done("--store", store, "policy", "propose", "--as-of", LATER, "--json")


def drawn_by(store: Path, day: str) -> set[str]:
    """Which versions the committed decisions of a day name."""
    with duckdb.connect(str(store / "var" / "history.duckdb"), read_only=True) as history:
        rows = history.execute("select distinct policy from journal where arm is not null and as_of::date = ?", [day]).fetchall()
    return {row[0] for row in rows}


@pytest.mark.long
def test_a_dry_proposal_writes_nothing(store: Path, proposed: Answer) -> None:
    before, versions = files(store), done("--store", store, "policy", "show", "--json").json["versions"]
    answer = done("--store", store, "policy", "propose", "--as-of", LATER, "--dry-run")
    labels = {line[:15].strip() for line in answer.lines}
    assert {"Version", "Evidence", "Changes", "Cost", "Worth"} <= labels
    assert "Page" not in labels
    assert any(line.startswith(f"Known          {proposed.json['version']} was proposed on ") for line in answer.lines)
    assert files(store) == before
    assert done("--store", store, "policy", "show", "--json").json["versions"] == versions


def test_a_proposal_is_kept_with_its_evidence_and_a_page(store: Path, proposed: Answer) -> None:
    found = proposed.json
    assert (found["name"], found["way"], found["new"]) == ("learning", "learning", True)
    assert found["before"].startswith("equal-chance-")
    sums = {}
    for one in found["changes"]:
        key = one["program"], one["stage"], one["context"]
        sums[key] = sums.get(key, 0.0) + one["after"]
    assert len(sums) > 2
    assert all(total == pytest.approx(1.0, abs=1e-5) for total in sums.values())
    assert sum(one.get("decisions", 0) for one in found["changes"]) > 50
    ahead = found["outlook"]
    assert 0 <= ahead["spend"] <= ahead["budget"]
    assert ahead["more"]["low"] <= ahead["more"]["estimate"] <= ahead["more"]["high"]
    assert ahead["more"]["estimate"] == pytest.approx(ahead["gain"]["estimate"] - ahead["gain_before"]["estimate"], abs=1e-6)
    page = Path(found["page"]).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert [word for word in ("src=", "<script", "http://", "https://", "url(") if word in page] == []
    assert f"rekindle policy approve {found['version']}" in page


def test_a_version_is_approved_by_its_whole_name_planned_by_and_taken_back(
    store: Path, proposed: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, at = proposed.json["version"], ("--store", store)
    moved = done(*at, "policy", "diff", "--json").json
    assert (moved["from"], moved["to"]) == (proposed.json["before"], name)
    sizes = [abs(one["after"] - one["before"]) for one in moved["changes"]]
    assert sizes == sorted(sizes, reverse=True)

    short = typed(*at, "policy", "approve", name[:-2])
    assert (short.code, short.out) == (2, "")
    assert short.err.splitlines()[-1] == f"  Write it in full: rekindle --store {store} policy approve {name}"
    assert done(*at, "policy", "approve", name, "--dry-run", "--json").json["in_force"] == "equal-chance"

    for reply, code in (("no", 2), (name, 0)):
        monkeypatch.setattr("sys.stdin", Terminal(f"{reply}\n"))
        asked = typed(*at, "policy", "approve", "--by", "Ada", "--json")
        assert (asked.code, f"Type {name} to approve it:" in asked.err) == (code, True)
    assert (asked.json["in_force"], asked.json["before"], asked.json["by"]) == (name, "equal-chance", "Ada")
    listed = done(*at, "policy", "show", "--json").json
    assert (listed["in_force"], listed["before"]) == (name, ["equal-chance"])
    assert [yes["by"] for yes in listed["versions"][0]["approvals"]] == ["Ada"]

    assert done(*at, "plan", "--as-of", AS_OF, "--json").json["repeated"], "what was committed comes out again by its own table"
    done(*at, "plan", "--as-of", LATER)
    assert (drawn_by(store, AS_OF), drawn_by(store, LATER)) == ({proposed.json["before"]}, {name})

    assert done(*at, "policy", "rollback", "--dry-run").lines == [f"Would go back  equal-chance, in force instead of {name}"]
    assert done(*at, "policy", "rollback").lines == [f"Back           equal-chance, in force instead of {name}"]
    done(*at, "plan", "--as-of", LATEST)
    assert drawn_by(store, LATEST) <= {proposed.json["before"]}
    for words, code in ((("rollback",), 3), (("approve", name), 3), (("approve",), 3), (("show", "learning-00000000"), 3)):
        assert typed(*at, "policy", *words).code == code, words
    old = done(*at, "policy", "show", proposed.json["before"]).lines[0]
    assert old.startswith(f"Version        {proposed.json['before']}, equal chance")


@pytest.mark.long
def test_a_table_by_hand(store: Path, proposed: Answer, tmp_path: Path) -> None:
    shown = done("--store", store, "policy", "show", proposed.json["version"], "--json").json
    file = tmp_path / "careful.json"
    stage = next(one for one in shown["stages"] if one["program"] == "win-back")
    table = {"name": "careful", "stages": [{**stage, "chances": {"*": {"nothing": 0.4, "reminder": 0.6}}}]}
    file.write_text(json.dumps(table), encoding="utf-8")
    found = done("--store", store, "policy", "propose", "--table", file, "--as-of", LATER, "--json").json
    assert (found["name"], found["way"]) == ("careful", "by hand")
    after = {one["arm"]: one["after"] for one in found["changes"] if one["context"] == "*" and one["stage"] == stage["stage"]}
    others = len(after) - 2
    assert after["reminder"] == pytest.approx(0.6 * (1 - 0.02 * others))
    assert [chance for arm, chance in after.items() if arm not in ("reminder", "nothing")] == [0.02] * others
    table["stages"][0]["chances"]["*"]["nothing"] = 0.5
    file.write_text(json.dumps(table), encoding="utf-8")
    answer = typed("--store", store, "policy", "propose", "--table", file)
    assert (answer.code, answer.err.splitlines()[-2]) == (
        3, f"rekindle: the chances of win-back, {stage['stage']}, any other context sum to 1.1000.",
    )  # fmt: skip


def test_who_chooses(store: Path) -> None:
    for name, said in (("magic", "there is no policy 'magic'"), ("equal-chance", "equal chances need no proposal")):
        answer = typed("--store", store, "policy", "propose", "--policy", name)
        assert (answer.code, answer.err.splitlines()[-2]) == (2, f"rekindle: {said}.")


@pytest.mark.long
def test_another_policy_chooses(store: Path) -> None:
    found = done("--store", store, "policy", "propose", "--policy", "best-fixed-arm", "--as-of", LATER, "--dry-run", "--json").json
    assert found["version"].startswith("best-fixed-arm-")


def test_learning_says_when_a_new_version_would_differ_and_changes_nothing(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = done("--store", store, "learn", "--as-of", LATER, "--dry-run", "--json").json["policy"]
    assert quiet["differs"] is False
    assert "40 are needed to learn from" in quiet["why"]
    monkeypatch.setattr("rekindle.service.flow.policy_proposals.LEAST_ORDERS", 0)
    before = done("--store", store, "policy", "show", "--json").json
    answer = done("--store", store, "learn", "--as-of", LATER, "--dry-run")
    (line,) = [one for one in answer.lines if one.startswith("Chances ")]
    assert "a new table would move " in line
    assert line.endswith(f"See it with: rekindle --store {store} policy propose")
    assert done("--store", store, "policy", "show", "--json").json == before


class Terminal(StringIO):
    """Standard input where a person types."""

    def isatty(self) -> bool:
        return True


def test_offers_are_held_against_nothing(store: Path) -> None:
    answer = done("--store", store, "policy", "offers", "--as-of", LATER, "--json")
    found = answer.json["offers"]
    assert found
    assert {"program", "context", "offer", "decisions", "nothing", "conversion", "margin", "advice"} == set(found[0])
    assert all("cannot_tell" in one["margin"] or one["margin"]["low"] <= one["margin"]["high"] for one in found)
    said = done("--store", store, "policy", "offers", "--as-of", LATER).lines
    assert "95 % interval" in said[0]
