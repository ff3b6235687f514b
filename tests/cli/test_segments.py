"""`rekindle segments` on a small shop, as it is typed."""

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
    assert (wrong.code, wrong.out) == (3, "")
    assert wrong.err.endswith("rekindle: there is no segment 'slipping_high'.\n  Did you mean 'slipping_high_value'?\n")
