"""`rekindle segments` on a small shop, as it is typed."""

from html import unescape
from pathlib import Path

import pytest

from tests.cli.shop import AS_OF, files, make_store, write_mapping, write_orders
from tests.cli.terminal import done, typed

NAMES = [
    "slipping_high_value", "slipping_after_ticket", "new_first_time_buyers", "browsing_not_buying", "cart_left", "discount_only_buyers",
    "advocates",
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("segments")
    made = make_store(folder / "corner")
    done("--store", made, "import", write_orders(folder / "orders.csv"), "--map", write_mapping(folder / "orders.yaml"))
    return made


def test_all_segments(store: Path) -> None:
    before = files(store)
    first = done("--store", store, "segments", "--as-of", "2025-11-01", "--json").json
    assert [one["name"] for one in first["segments"]] == NAMES
    answer = done("--store", store, "segments", "--as-of", AS_OF)
    second = done("--store", store, "segments", "--as-of", AS_OF, "--json").json
    change = second["segments"][0]["customers"] - first["segments"][0]["customers"]
    assert change != 0
    assert answer.lines[1].split("   ")[-1].startswith(f"{change:+,} since 2025-11-01; EUR ")
    assert answer.lines[-1] == f"Catalogue      {store}/var/reports/segments.html"
    assert files(store) - before >= {"var/reports/segments.html", "var/segments/2025-11-01.json", f"var/segments/{AS_OF}.json"}


def test_a_dry_run_writes_nothing(store: Path) -> None:
    done("--store", store, "insight", "--as-of", AS_OF)
    before = files(store)
    assert done("--store", store, "segments", "--as-of", AS_OF, "--dry-run").lines[0].startswith(f"As of          {AS_OF} (exclusive): ")
    assert files(store) == before


def test_one_segment(store: Path) -> None:
    shown = done("--store", store, "segments", "slipping_high_value", "--as-of", AS_OF, "--json").json
    assert (shown["segment"]["name"], len(shown["overlaps"])) == ("slipping_high_value", len(NAMES) - 1)
    wrong = typed("--store", store, "segments", "slipping_high", "--as-of", AS_OF)
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.endswith("rekindle: there is no segment 'slipping_high'.\n  Did you mean 'slipping_high_value'?\n")


def test_events_that_the_data_never_had_are_named(store: Path) -> None:
    answer = done("--store", store, "segments", "--as-of", AS_OF)
    lacks = {line.split()[0]: line.partition("your data")[2] for line in answer.lines if "your data" in line}
    assert lacks == {
        "slipping_after_ticket": " has no 'Ticket Opened' events", "browsing_not_buying": " has no 'Product Viewed' events",
        "cart_left": " has no 'Product Added' events",
    }  # fmt: skip
    alone = done("--store", store, "segments", "cart_left", "--as-of", AS_OF)
    assert alone.lines[-3:-1] == ["Not in data    your data has no 'Product Added' events", "Also in        no other segment"]
    assert "Your data has no 'Product Added' events." in unescape((store / "var/reports/segments.html").read_text(encoding="utf-8"))


def test_a_look_back_says_that_it_is_one(store: Path) -> None:
    page = store / "var/reports/segments.html"
    newest = typed("--store", store, "segments", "--as-of", AS_OF)
    assert "earlier day" not in newest.err + page.read_text(encoding="utf-8")
    earlier = typed("--store", store, "segments", "--as-of", "2025-11-01")
    told = f"An earlier day: {page} is as of 2025-11-01 now, and the newest count is of {AS_OF}.\n"
    assert earlier.err.endswith(told)
    assert "<strong>An earlier day.</strong>" in page.read_text(encoding="utf-8")


def test_what_is_written_but_not_approved_is_said(store: Path) -> None:
    path = store / "segments.yaml"
    approved = path.read_text(encoding="utf-8")
    assert done("--store", store, "segments", "--as-of", AS_OF, "--json").json["unapproved"] is None
    head = '  keen:\n    description: "Keen"\n    rule: "orders > 3"\n'
    entry = head + '    owner: "Ada"\n    valid_from: 2026-01-01\n    reviewed: 2026-01-01\n'
    try:
        path.write_text(approved + entry, encoding="utf-8")
        then = f"rekindle --store {store} check, then rekindle --store {store} approve --all"
        line = done("--store", store, "segments", "--as-of", AS_OF).lines[-1]
        assert line == f"Not counted    segments.yaml has changed since it was approved: {then}"
        wrong = typed("--store", store, "segments", "keen", "--as-of", AS_OF)
        assert (wrong.code, wrong.out) == (3, "")
        assert "the segment 'keen' stands in segments.yaml, but is not approved.\n  rekindle check, then" in wrong.err
        near = typed("--store", store, "segments", "ken", "--as-of", AS_OF)
        assert (near.code, near.err.splitlines()[-1]) == (2, "  Did you mean 'keen'?")
        path.write_text(approved + entry.replace("orders > 3", "orders >"), encoding="utf-8")
        line = done("--store", store, "segments", "--as-of", AS_OF).lines[-1]
        assert line == f"Not counted    segments.yaml has a mistake in line {approved.count(chr(10)) + 3}: {then}"
    finally:
        path.write_text(approved, encoding="utf-8")
