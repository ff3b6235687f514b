"""Every verb on a small shop: first without contacts, as a rehearsal, then with them."""

import csv
import json
import sqlite3
import tomllib
from contextlib import closing
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from rekindle.program.catalogue.shipped import PROGRAMS
from tests.cli.explained import CUSTOMER, block, drawn
from tests.cli.shop import AS_OF, FORMULA, files, make_store, write_contacts, write_mapping, write_orders
from tests.cli.terminal import Answer, done, typed

REHEARSAL = (
    "rekindle: no contact is known, so the plan is a rehearsal and nothing can be sent.\n"
    "  Import contacts with consent: rekindle import CONTACTS.csv --contacts\n"
)
COLUMNS = ["customer", "email", "program", "stage", "variant", "channel", "code", "send_at", "valid_until", "subject", "text", "touch_key"]


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """A shop without contacts, and what its first run printed."""
    folder = tmp_path_factory.mktemp("rehearsal")
    store = make_store(folder / "corner")
    orders, mapping = write_orders(folder / "orders.csv"), write_mapping(folder / "orders.yaml")
    return store, done("--store", store, "run", orders, "--map", mapping, "--as-of", AS_OF)


@pytest.fixture(scope="module")
def reached(rehearsal: tuple[Path, Answer], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """A shop with contacts, and what the run that brought them gave as JSON."""
    folder = tmp_path_factory.mktemp("reached")
    store = make_store(folder / "corner", programs=PROGRAMS)
    orders, mapping, contacts = write_orders(folder / "orders.csv"), write_mapping(folder / "orders.yaml"), write_contacts(folder / "c.csv")
    return store, done("--store", store, "run", orders, "--map", mapping, "--contacts", contacts, "--as-of", AS_OF, "--json")


def test_a_run_ends_with_eight_lines_on_stdout_and_its_steps_on_stderr(rehearsal: tuple[Path, Answer]) -> None:
    store, answer = rehearsal
    labels = [line[:15].strip() for line in answer.lines]
    assert labels[1:] == ["Slipping away", "Why", "Who", "Proposed", "Left alone", "Worth", "Next"]
    assert answer.lines[0].startswith("Corner: 150 customers, 525 orders, ")
    assert "a rehearsal, no contacts are known" in answer.lines[4]
    assert answer.lines[6].startswith("Worth          not yet known: ")
    assert answer.lines[7] == f"Next           open {store}/var/reports/index.html | rekindle --store {store} run --contacts contacts.csv"
    assert answer.err.splitlines() == [
        "Importing what is new",
        "Read           525 rows: 525 accepted, 0 duplicates, 0 rejected",
        "Found          525 orders and 0 returns of 150 customers, goods worth EUR 23,662.50",
        "History        675 new facts, 0 changed",
        "Fitting and scoring", "Deciding", "Measuring", "Writing the report", "Auditing",
    ]  # fmt: skip
    assert answer.lines == (store / "var/reports/index.txt").read_text(encoding="utf-8").splitlines()


def test_insight_in_numbers(rehearsal: tuple[Path, Answer]) -> None:
    found = done("--store", rehearsal[0], "insight", "--as-of", AS_OF, "--json").json
    assert {"customers", "as_of", "models", "lifecycle", "margin_at_risk"} <= set(found)
    assert (found["customers"], found["as_of"], sum(found["lifecycle"].values())) == (150, f"{AS_OF}T00:00:00+00:00", 150)
    assert [model["name"] for model in found["models"]] == ["Pareto/NBD", "Gamma-Gamma"]
    assert {"name", "parameters", "log_likelihood", "customers", "quality"} <= set(found["models"][0])
    assert set(found["margin_at_risk"]) == {"estimate", "low", "high", "unit"}
    assert Path(found["snapshot"]).is_file()


def test_insight_says_why_a_model_is_not_good(rehearsal: tuple[Path, Answer]) -> None:
    models = done("--store", rehearsal[0], "insight", "--as-of", AS_OF, "--json").json["models"]
    lines = done("--store", rehearsal[0], "insight", "--as-of", AS_OF).lines[1:]
    assert [model["quality"] for model in models] == ["weak", "weak"]
    for model in models:
        assert lines.pop(0).startswith(f"{model['name']:<15}")
        assert lines.pop(0) == f"               {model['why']}"
    assert lines[0].startswith("Season ")


def test_insight_by_another_model(rehearsal: tuple[Path, Answer]) -> None:
    store = rehearsal[0]
    before = files(store)
    other = done("--store", store, "insight", "--as-of", "2025-12-01", "--model", "bg-nbd", "--dry-run", "--json").json
    assert (other["models"][0]["name"], other["snapshot"]) == ("BG/NBD", None)
    assert files(store) == before
    answer = typed("--store", store, "insight", "--model", "magic")
    assert (answer.code, answer.err) == (2, "rekindle: there is no lapse model 'magic'.\n  Write one of pareto-nbd, mbg-nbd, bg-nbd.\n")


@pytest.mark.parametrize(
    ("as_of", "code", "cause"),
    [
        ("yesterday", 2, "'yesterday' is not a day or an instant"),
        ("2026-01-01T10:00:00", 2, "'2026-01-01T10:00:00' has no time zone"),
        ("2020-01-01", 3, "history has no orders before 2020-01-01"),
    ],
)
def test_an_instant_that_cannot_be_used(rehearsal: tuple[Path, Answer], as_of: str, code: int, cause: str) -> None:
    answer = typed("--store", rehearsal[0], "plan", "--as-of", as_of)
    assert (answer.code, answer.out, answer.err.splitlines()[-2]) == (code, "", f"rekindle: {cause}.")


def test_a_plan_of_old_facts_says_of_which_day_it_is(rehearsal: tuple[Path, Answer]) -> None:
    answer = done("--store", rehearsal[0], "insight", "--dry-run")
    assert "The last order is over 14 days old: as of 2026-01-18, the day after it. Choose another with --as-of." in answer.err.splitlines()


def test_a_plan_in_numbers_and_a_dry_run_of_it_writes_nothing(rehearsal: tuple[Path, Answer]) -> None:
    store = rehearsal[0]
    before = files(store)
    one = done("--store", store, "plan", "--as-of", AS_OF, "--dry-run", "--json").json
    assert {"decisions", "by_program", "by_stage", "by_arm", "refusals", "expected_cost", "expected_margin", "hash"} <= set(one)
    assert (one["rehearsal"], one["new_touches"], one["decisions_file"]) == (True, 0, None)
    assert sum(one["by_arm"].values()) == sum(one["by_stage"].values()) == one["by_program"]["win-back"] == one["decisions"]
    assert one["messages"] == one["decisions"] - one["by_arm"]["nothing"]
    assert one["expected_margin"]["basis"] == "assumed"
    assert one["expected_margin"]["low"] < one["expected_margin"]["estimate"] < one["expected_margin"]["high"]
    assert files(store) == before
    assert (store / "var" / "plans" / one["hash"]).is_dir()  # of the run before: the same facts, the same plan


def test_the_messages_of_a_plan_for_another_sender(rehearsal: tuple[Path, Answer], tmp_path: Path) -> None:
    file = tmp_path / "messages.csv"
    answer = done("--store", rehearsal[0], "plan", "--as-of", AS_OF, "--out", file)
    assert answer.lines[-2:] == ["Outbox         nothing: a rehearsal is never sent", f"Written        {file}"]
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert list(rows[0]) == COLUMNS
    assert f"{len(rows)} messages: " in answer.lines[1]
    assert len({row["touch_key"] for row in rows}) == len(rows)
    assert {row["email"] for row in rows} == {""}
    customers = {row["customer"] for row in rows}
    assert f"'{FORMULA}" in customers
    assert all(one.startswith("buyer-") for one in customers - {f"'{FORMULA}"})
    assert [value for row in rows for value in row.values() if value.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    with closing(sqlite3.connect(rehearsal[0] / "var" / "ledger.sqlite3")) as ledger:
        deeds = ledger.execute("select what, about from console_deed").fetchall()
    (plan,) = {path.parent.name for path in (rehearsal[0] / "var" / "plans").glob("*/counts.json")}
    assert deeds == [("took messages out", f"{plan}, as a file")]


def test_a_rehearsal_is_never_sent(rehearsal: tuple[Path, Answer]) -> None:
    answer = typed("--store", rehearsal[0], "send")
    assert (answer.code, answer.out, answer.err) == (4, "", REHEARSAL)
    assert typed("--store", rehearsal[0], "send", "--json").json["error"]["exit_code"] == 4
    assert not (rehearsal[0] / "var" / "mail").exists()


def test_a_customer_is_explained_by_any_id(rehearsal: tuple[Path, Answer]) -> None:
    store = ("--store", rehearsal[0])
    by_own = done(*store, "explain", "buyer-7", "--as-of", AS_OF)
    customer = done(*store, "explain", "buyer-7", "--as-of", AS_OF, "--json").json["customer_id"]
    assert by_own.lines == done(*store, "explain", customer, "--as-of", AS_OF).lines
    assert by_own.lines[0] == f"Customer       {customer}, as of {AS_OF}; silences are counted to the end of 2026-01-31"
    assert by_own.lines[1] == "Days           and hours are those of UTC"
    assert by_own.lines[2] == "Orders         2 from 2025-02-19 to 2025-03-07, EUR 55.00 in all"
    assert "None" not in by_own.out
    answer = typed(*store, "explain", "nobody@mail.example")
    assert (answer.code, answer.err.splitlines()[-2]) == (3, "rekindle: no customer is known as 'nobody@mail.example'.")


def test_a_report_where_it_was_asked_for(rehearsal: tuple[Path, Answer], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    facts = done("--store", rehearsal[0], "report", "--as-of", AS_OF, "--out", page, "--json").json
    assert (facts["customers"], facts["rehearsal"]) == (150, True)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    lines = page.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    assert lines[:7] == rehearsal[1].lines[:7]
    assert lines[7] == f"Next           open {page} | rekindle --store {rehearsal[0]} explain CUSTOMER"


def test_a_run_sends_to_who_agreed_and_keeps_its_sources_once(reached: tuple[Path, Answer]) -> None:
    store, answer = reached
    plan, sent = answer.json["plan"], answer.json["sent"]
    assert [report["accepted"] for report in answer.json["imported"]] == [525, 150]
    assert (plan["rehearsal"], plan["new_touches"]) == (False, plan["messages"])
    assert sent == {"due": plan["messages"], "postponed": 0, "held": 0, "left_unknown": 0, "sent": plan["messages"]}
    assert len(list((store / "var" / "mail").rglob("*.eml"))) == plan["messages"] > 10
    assert answer.json["report"] == str(store / "var/reports/index.html")
    folder = store.parent
    rules = store / "rules.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("holdout: 0.05", "holdout: 0.06"), encoding="utf-8")
    again = done(
        "--store", store, "run", folder / "orders.csv", "--map", folder / "orders.yaml", "--contacts", folder / "c.csv", "--as-of", AS_OF,
        "--json",
    )  # fmt: skip
    assert (again.json["imported"], again.json["plan"]["hash"], again.json["plan"]["new_touches"]) == ([], plan["hash"], 0)
    assert again.json["sent"] == {"due": 0, "postponed": 0, "held": 0, "left_unknown": 0}
    note = f"rules.yaml differs from its approved version, which is used. Approve it with: rekindle --store {store} approve --all"
    assert note in again.err.splitlines()
    assert tomllib.loads((store / "rekindle.toml").read_text(encoding="utf-8"))["sources"] == [
        {"file": str(folder / "orders.csv"), "map": str(folder / "orders.yaml")}, {"file": str(folder / "c.csv"), "role": "contacts"},
    ]  # fmt: skip


def test_a_source_is_not_read_in_two_ways(reached: tuple[Path, Answer]) -> None:
    orders = reached[0].parent / "orders.csv"
    answer = typed("--store", reached[0], "run", orders, "--preset", "online-retail")
    assert (answer.code, answer.err.splitlines()[-2]) == (
        2, f"rekindle: {orders} is a source of this store already, to be read otherwise.",
    )  # fmt: skip


def test_a_customer_is_explained_by_address_with_what_was_decided(reached: tuple[Path, Answer]) -> None:
    with duckdb.connect(str(reached[0] / "var" / "history.duckdb"), read_only=True) as history:
        customer, arm = history.sql("select customer_id, arm from journal where arm <> 'nothing' order by 1 limit 1").fetchall()[0]
    found = done("--store", reached[0], "explain", customer)
    assert f"as of {AS_OF}" in found.lines[0]  # the plan's instant, though the last order is older
    decided = f"{AS_OF}     win-back, reconnect: drawn {arm.replace('_', ' ')}, with a chance of "
    assert any(line.startswith(decided) for line in found.lines)
    assert any(line.startswith("                 draw      md5('") and line.endswith("first 13 hex digits / 2^52") for line in found.lines)
    assert any(f" by email, sent on {AS_OF} at " in line for line in found.lines)
    assert done("--store", reached[0], "explain", "PERSON7@mail.example").lines == done("--store", reached[0], "explain", "buyer-7").lines


def test_the_page_shows_what_the_command_prints(reached: tuple[Path, Answer]) -> None:
    lines = done("--store", reached[0], "explain", CUSTOMER).lines
    at = next(number for number, line in enumerate(lines) if line.startswith("win-back"))
    assert lines[at : at + len(block())] == block()


def test_json_is_typed_and_says_the_same(reached: tuple[Path, Answer]) -> None:
    found = done("--store", reached[0], "explain", CUSTOMER, "--json").json
    verdicts = {one["program"]: one for one in found["programs"]}
    one = verdicts["win-back"]
    draw, (decided,) = one["draw"], found["decided"]
    (row,) = found["journal"]
    assert (one["state"], one["reason"], draw["arm"], draw["number"]) == ("due", None, row["arm"], row["draw"])
    assert (draw["chance"], one["send_at"], one["valid_until"]) == (row["propensity"], row["send_at"], row["valid_until"])
    assert (decided["arm"], found["plan"], found["rehearsal"]) == (row["arm"], row["plan"], False)
    assert drawn(draw["text"]) == draw["number"]
    terms = next(variant["terms"] for variant in draw["variants"] if variant["arm"] == draw["arm"])
    taken = (terms["p0"] + terms["d"]) * terms["r"] * terms["c"] * terms["k"]
    margin = terms["d"] * terms["m"] - taken * (1 - terms["s"]) - terms["channel"] - terms["opt_out"]
    assert (terms["expected_cost"], terms["expected_margin"]) == pytest.approx((1000 * (taken + terms["channel"]), 1000 * margin), abs=1)
    assert terms["expected_margin"] == row["expected_margin"]
    assert all(isinstance(check["passed"], bool) and check["words"] for check in one["checks"])
    assert datetime.fromisoformat(one["round"]["due_at"]) <= datetime.fromisoformat(AS_OF)
    assert {verdicts[name]["state"] for name in ("anniversary", "birthday", "welcome-back")} == {"no_round"}


def test_who_cannot_be_explained_is_told_what_to_do(reached: tuple[Path, Answer]) -> None:
    answer = typed("--store", reached[0], "explain", "nobody@mail.example")
    assert (answer.code, answer.err.splitlines()[-2]) == (3, "rekindle: no customer is known as 'nobody@mail.example'.")
    assert "erased" in answer.err
    early = typed("--store", reached[0], "explain", CUSTOMER, "--as-of", "2025-02-01")
    assert (early.code, early.err.splitlines()[-2:]) == (
        3, [f"rekindle: '{CUSTOMER}' is known, but not as of 2025-02-01.", "  Give a later --as-of."],
    )  # fmt: skip


def test_learning_in_words_and_numbers(reached: tuple[Path, Answer]) -> None:
    answer = done("--store", reached[0], "learn", "--as-of", "2026-02-02")
    first = [line for line in answer.lines if line.startswith("win-back       ")]
    assert len(first) == 1
    assert answer.lines[answer.lines.index(first[0]) + 1].startswith("Worth          not yet known: ")
    found = done("--store", reached[0], "learn", "--as-of", "2026-02-02", "--dry-run", "--json").json
    marketing = [name for name in PROGRAMS if name not in ("delivery-arrived", "delivery-late", "order-confirmation")]
    assert [one["program"] for one in found["programs"]] == marketing, "news of an order is not measured: nobody is kept from it"


def test_a_damaged_history_is_one_message(rehearsal: tuple[Path, Answer], tmp_path: Path) -> None:
    store = make_store(tmp_path / "corner")
    history = store / "var" / "history.duckdb"
    history.write_bytes(b"not a database" * 1_000)
    answer = typed("--store", store, "plan", "--json")
    assert (answer.code, json.loads(answer.out)["error"]["kind"]) == (1, "StoreUnavailable")
    assert answer.err.splitlines()[0].startswith(f"rekindle: {history} is damaged: ")
    assert history.read_bytes() == b"not a database" * 1_000


@pytest.mark.parametrize("command", ["plan", "report", "run"])
def test_a_file_that_cannot_be_written_is_named_before_any_work(rehearsal: tuple[Path, Answer], tmp_path: Path, command: str) -> None:
    file = tmp_path / "file"
    file.touch()
    for path, why in ((tmp_path, "is a folder"), (file / "page.html", "has a file for a folder")):
        answer = typed("--store", rehearsal[0], command, "--out", path)
        assert (answer.code, answer.err) == (2, f"rekindle: {path} {why}.\n  Name a file that you may write.\n")
