"""`rekindle diagnose` on a small shop: what it prints, what it writes, and what it refuses."""

from pathlib import Path

import pytest

from tests.cli.shop import AS_OF, files, make_store, write_mapping, write_orders
from tests.cli.terminal import done, typed


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_store(tmp_path_factory.mktemp("cli") / "shop")
    orders, mapping = write_orders(folder / "orders.csv"), write_mapping(folder / "orders.yaml")
    done("--store", folder, "import", orders, "--map", mapping)
    return folder


def test_a_dry_run_finds_everything_and_writes_nothing(shop: Path) -> None:
    before = files(shop)
    found = done("--store", shop, "diagnose", "--as-of", AS_OF, "--dry-run", "--json").json
    assert files(shop) == before
    assert {"frictions", "causes", "dropoffs", "time_to_return", "audit", "opportunity"} <= set(found)
    assert {one["effect"]["cannot_tell"] for one in found["frictions"]} == {
        "None is in the data that is old enough to tell.",
    }
    assert found["opportunity"]["frozen"] is False
    assert found["audit"]["value tier"]["differences"] == {}


def test_one_customer_and_one_segment_can_be_asked_for(shop: Path) -> None:
    one = done("--store", shop, "diagnose", "--as-of", AS_OF, "--customer", "buyer-3", "--json").json
    assert [step["step"] for step in one["steps"]] == ["ordered"] * 4
    assert one["mermaid"].startswith("timeline")
    way = done("--store", shop, "diagnose", "--as-of", AS_OF, "--segment", "tier=high")
    assert way.lines[0].startswith("Group          tier=high: ")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--customer", "nobody"), 3, "no customer is known as 'nobody'"),
        (("--segment", "tier=low"), 2, "Write tier= and one of high, mid, occasional."),
        (("--segment", "tear=high"), 2, "Did you mean 'tier'?"), (("--segment", "high"), 2, "there is no segment 'high'"),
        (("--customer", "a", "--segment", "tier=high"), 2, "two questions"),
        (("--as-of", "2020-01-01"), 3, "no orders before"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_remedy(shop: Path, words: tuple[str, ...], code: int, said: str) -> None:
    answer = typed("--store", shop, "diagnose", *words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
