"""The rhythm of a small shop as it is typed: baselines, reviews, blockers, the monthly page, the handbook, the audit and its sign-off."""

import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rekindle.program.catalogue.shipped import shipped
from tests.cli.shop import files, make_store, write_contacts, write_mapping
from tests.cli.terminal import done, typed

TODAY = datetime.now(UTC).date()
CUSTOMERS = 40
MORE = ("onboarding", "thank-you", "order-confirmation")
"""Programs besides win-back, for more decisions and for news of orders."""
NEWS = {"order-confirmation", "delivery-arrived", "delivery-late"}


def write_recent(path: Path) -> Path:
    """Orders until yesterday, so that the store's present is now."""
    rows = ["buyer,day,paid"]
    for number in range(CUSTOMERS):
        rows += [f"buyer-{number},{TODAY - timedelta(days=1 + number % 20 + 23 * back)},{20 + number}.00" for back in range(1 + number % 4)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that ran once, today."""
    folder = tmp_path_factory.mktemp("rhythm")
    made = make_store(folder / "corner", "--owner", "Ada")
    for name in ("targets.yaml", *(f"programs/{one}.yaml" for one in MORE)):
        (made / name).write_text(shipped("Ada", "EUR", TODAY)[name], encoding="utf-8")
    done("--store", made, "approve", "--all")
    done("--store", made, "import", write_recent(folder / "orders.csv"), "--map", write_mapping(folder / "orders.yaml"))
    done("--store", made, "import", write_contacts(folder / "contacts.csv"), "--contacts")
    assert done("--store", made, "baseline", "list").lines == ["No baseline is frozen."]
    answer = done("--store", made, "run")
    assert re.search(r"An audit was made, .*; it waits for a sign-off: rekindle audit --sign-off \w{12}", answer.err)
    return made


def programs(store: Path) -> set[str]:
    return {path.stem for path in (store / "programs").glob("*.yaml")}


def test_the_first_run_freezes_a_baseline_of_every_program_that_needs_one(store: Path) -> None:
    held = done("--store", store, "baseline", "list", "--json").json["baselines"]
    assert {json.loads(one["baseline"])["program"] for one in held} == programs(store) - NEWS
    assert {one["by"] for one in held} == {"rekindle"}
    assert all(one["changed"] == [] for one in held)
    assert done("--store", store, "baseline", "freeze").lines == ["Every program has one."]
    refused = typed("--store", store, "baseline", "freeze", "win-back")
    assert (refused.code, "the baseline of win-back is frozen" in refused.err) == (4, True)
    assert typed("--store", store, "baseline", "freeze", "order-confirmation").code == 3, "news of orders is measured by no lift"
    assert done("--store", store, "baseline", "freeze", "win-back", "--again", "--dry-run").lines == ["Would freeze   win-back"]


def test_a_segment_that_changed_since_is_named(store: Path) -> None:
    path = store / "segments.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("silence_days <= 60", "silence_days <= 61"), encoding="utf-8")
    done("--store", store, "approve", "--all")
    held = done("--store", store, "baseline", "list", "--json").json["baselines"]
    assert {tuple(one["changed"]) for one in held} == {("segment new_first_time_buyers",)}


def test_a_blocker_stands_in_the_review_until_it_is_gone(store: Path) -> None:
    words = ("No sender for text messages", "--owner", "Bo", "--due", "2026-12-24", "--function", "operations")
    assert done("--store", store, "blocker", "add", *words, "--dry-run", "--json").json == {"number": None}
    number = done("--store", store, "blocker", "add", *words, "--json").json["number"]
    assert done("--store", store, "review", "--dry-run", "--json").json["blockers"][0]["text"] == words[0]
    assert "No sender for text messages (Bo)" in done("--store", store, "blocker", "list").lines[0]
    done("--store", store, "blocker", "resolve", str(number), "--note", "found one")
    assert done("--store", store, "blocker", "list").lines == ["Nothing is in the way."]
    assert done("--store", store, "blocker", "list", "--all", "--json").json["blockers"][0]["resolution"] == "found one"
    for wrong in (("--function", "sales"), ("--due", "soon"), ("--program", "nope")):
        assert typed("--store", store, "blocker", "add", *words, *wrong).code == 2


def test_a_review_of_a_program_is_held_and_the_next_is_due(store: Path) -> None:
    before = done("--store", store, "review", "win-back", "--json").json
    assert (before["last"], before["state"], before["due"]) == (None, "later", str(TODAY + timedelta(days=30)))
    done("--store", store, "review", "win-back", "--done", "--note", "Shorter subject", "--dry-run")
    assert done("--store", store, "review", "win-back", "--json").json == before
    after = done("--store", store, "review", "win-back", "--done", "--note", "Shorter subject", "--json").json
    assert (after["note"], after["last"]) == ("Shorter subject", str(TODAY))
    assert typed("--store", store, "review", "--done").code == 2
    assert typed("--store", store, "review", "nope").code == 2


def test_the_monthly_page_says_it_all_and_loads_nothing(store: Path, tmp_path: Path) -> None:
    before = files(store)
    answer = done("--store", store, "review", "--json").json
    assert {one["status"] for one in answer["targets"]} <= {"on track", "behind", "cannot tell"}
    assert len(answer["targets"]) == 12
    assert {one["program"] for one in answer["reviews"]} == programs(store)
    page = Path(answer["page"]).read_text(encoding="utf-8")
    for words in ("What happened", "Targets", "Learned", "Proposed", "In the way", "By function", "Marketing", "Product", "Support", "Data",
                  "Operations", "Audit", "EUR 0.00 to 2.00", "in the baseline"):
        assert words in page, words
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#)', page) == []
    assert files(store) - before == {f"var/reviews/{TODAY - timedelta(days=1):%Y-%m}.html"}
    out = tmp_path / "review.html"
    assert done("--store", store, "review", "--out", str(out)).lines[-1].startswith("Page")
    assert out.is_file()


def test_the_handbook_documents_every_program_segment_and_measure(store: Path) -> None:
    answer = done("--store", store, "handbook", "--json").json
    page = Path(answer["page"]).read_text(encoding="utf-8")
    assert set(answer["programs"]) == programs(store)
    assert len(answer["segments"]) == 7
    for name in answer["programs"]:
        assert f'id="{name}"' in page
    for words in ("lifecycle in (&quot;lapsing&quot;, &quot;lapsed&quot;)", "reconnect", "Nobody is written to from 20:00 to 09:00",
                  "Slipping high value", "contribution margin a customer"):
        assert words in page, words


def test_an_audit_is_made_and_signed_off_by_a_person(store: Path) -> None:
    first = done("--store", store, "audit", "--json").json
    assert (first["log"], first["findings"], all(one["good"] for one in first["chain"])) == ([], [], True)
    assert typed("--store", store, "audit", "buyer-1", "--sign-off", "last").code == 2
    assert typed("--store", store, "audit", "--sign-off", "ffffff").code == 3
    done("--store", store, "audit", "--sign-off", "last", "--by", "Cleo", "--dry-run")
    signed = done("--store", store, "audit", "--sign-off", first["audit"][:12], "--by", "Cleo", "--json").json
    assert (signed["audit"], signed["signed_by"]) == (first["audit"], "Cleo")
    assert "signed off by Cleo" in typed("--store", store, "audit", "--sign-off", "last").err
    assert done("--store", store, "review", "--json").json["audit"]["signed_by"] == "Cleo"


def test_every_decision_of_a_customer_comes_out_again(store: Path) -> None:
    found = [done("--store", store, "audit", f"buyer-{n}", "--json").json["draws"] for n in (1, 4, 19, 20)]
    draws = [one for draws in found for one in draws]
    assert len(draws) >= 3
    assert all(one["same"] for one in draws)
    assert {one["arm"] for one in draws}


def test_who_changes_an_approval_behind_its_back_is_found(store: Path) -> None:
    """The last test of this store: its log is broken afterwards."""
    with sqlite3.connect(store / "var" / "ledger.sqlite3") as ledger:
        ledger.execute("UPDATE programs_approval SET by = 'Eve' WHERE id = (SELECT min(id) FROM programs_approval)")
    ledger.close()
    answer = typed("--store", store, "audit")
    assert (answer.code, "the row was changed" in answer.err) == (3, True)
    assert "1 row is not" in answer.out
