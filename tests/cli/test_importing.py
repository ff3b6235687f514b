"""`import` and the sources of `run`: what goes in, once, and what a bad file does to a store."""

import tomllib
from pathlib import Path

import pytest

from tests.cli.shop import AS_OF, files, make_store, write_contacts, write_mapping, write_orders
from tests.cli.terminal import done, typed

KEYS = {"read", "accepted", "duplicates", "rejected", "orders", "returns", "customers", "gross", "currency", "new", "changed", "parked"}
ORDERS = 525
GROSS = 23662.5


@pytest.fixture(autouse=True)
def _shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_store(Path("corner"))
    write_orders(Path("orders.csv"))
    write_contacts(Path("contacts.csv"))
    write_mapping(Path("orders.yaml"))


def sources() -> list[dict[str, str]]:
    return tomllib.loads(Path("corner/rekindle.toml").read_text(encoding="utf-8")).get("sources", [])


def test_an_import_is_told_in_numbers() -> None:
    answer = done("--store", "corner", "import", "orders.csv", "--map", "orders.yaml", "--json")
    assert set(answer.json) == KEYS
    assert {key: answer.json[key] for key in ("read", "accepted", "duplicates", "rejected", "orders", "customers", "gross")} == {
        "read": ORDERS, "accepted": ORDERS, "duplicates": 0, "rejected": {}, "orders": ORDERS, "customers": 150, "gross": GROSS,
    }  # fmt: skip
    assert answer.err == "Importing\n"


def test_the_same_file_twice_changes_nothing() -> None:
    done("--store", "corner", "import", "orders.csv", "--map", "orders.yaml")
    assert done("--store", "corner", "import", "orders.csv", "--map", "orders.yaml").lines == [
        f"Read           {ORDERS} rows: {ORDERS} accepted, 0 duplicates, 0 rejected",
        f"Found          {ORDERS} orders and 0 returns of 150 customers, goods worth EUR 23,662.50",
        "History        0 new facts, 0 changed",
    ]


def test_bad_rows_are_parked_and_found_where_it_says() -> None:
    with Path("orders.csv").open("a", encoding="utf-8") as file:
        file.write(",2025-03-03,9.99\nbuyer-2,soon,9.99\n")
    answer = done("--store", "corner", "import", "orders.csv", "--map", "orders.yaml")
    assert answer.lines[1] == "Rejected       customer 1, date 1"
    parked = answer.lines[4].removeprefix("Parked         ")
    assert parked.startswith("corner/var/parked/")
    assert Path(parked).is_file()
    assert answer.lines[5].endswith("then: rekindle --store corner import --replay with the same preset or mapping")


def test_a_dry_run_of_an_import_changes_nothing() -> None:
    before = files(Path("corner"))
    answer = done("--store", "corner", "import", "orders.csv", "--map", "orders.yaml", "--dry-run")
    assert answer.lines[-1] == "Dry run        nothing was changed"
    assert files(Path("corner")) - before <= {"var/history.duckdb"}
    assert typed("--store", "corner", "insight").err.splitlines()[-2:] == [
        "rekindle: history has no orders yet.", "  Import some with: rekindle import FILE --preset NAME",
    ]  # fmt: skip


def test_contacts_are_people_and_not_facts() -> None:
    answer = done("--store", "corner", "import", "contacts.csv", "--contacts")
    assert answer.lines[1] == "Found          150 customers"


@pytest.mark.parametrize(
    ("words", "code", "cause"),
    [
        (("import",), 2, "an import needs a preset or a mapping file, and not both"),
        (("import", "orders.csv", "--preset", "etsy"), 2, "there is no preset 'etsy'"),
        (("import", "--replay", "orders.csv"), 2, "--replay takes no files and no --dry-run"),
        (("run", "orders.csv"), 2, "orders need a preset or a mapping file, and not both"),
        (("run", "no.csv", "--map", "orders.yaml"), 2, "there is no file no.csv"),
        (("run", "--preset", "online-retail"), 2, "--preset and --map say how to read orders, and none are named"),
        (("run", "orders.csv", "--map", "none.yaml"), 2, "there is no file none.yaml"),
        (("run", "--contacts", "none.csv"), 2, "there is no file none.csv"),
        (("run",), 3, "history has no orders yet"),
    ],
)
def test_what_cannot_be_imported(words: tuple[str, ...], code: int, cause: str) -> None:
    answer = typed("--store", "corner", *words)
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.splitlines()[-2] == f"rekindle: {cause}."
    assert sources() == []


def test_a_file_that_cannot_be_read_becomes_no_source() -> None:
    answer = typed("--store", "corner", "run", "orders.csv", "--preset", "online-retail")
    assert (answer.code, answer.out) == (3, "")
    assert "orders.csv does not fit the preset online-retail" in answer.err
    assert sources() == []


def test_a_dry_run_of_the_main_job_changes_nothing() -> None:
    before = files(Path("corner"))
    answer = done("--store", "corner", "run", "orders.csv", "--map", "orders.yaml", "--dry-run", "--json")
    assert answer.json["plan"] is None
    assert [report["accepted"] for report in answer.json["imported"]] == [ORDERS]
    assert (sources(), files(Path("corner")) - before - {"var/history.duckdb"}) == ([], set())
    done("--store", "corner", "import", "orders.csv", "--map", "orders.yaml")
    before = files(Path("corner"))
    answer = done("--store", "corner", "run", "--as-of", AS_OF, "--dry-run")
    assert answer.lines[0].endswith(f"as of {AS_OF}, a rehearsal: no contacts are known")
    assert answer.lines[-1] == "Dry run        nothing was changed; the plan does not know what was not imported"
    assert files(Path("corner")) == before
