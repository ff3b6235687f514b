"""`check` and `submit` of a store: its settings beside its documents, its offers beside what its customers' orders earn."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.shop import make_store, write
from tests.cli.terminal import done, typed

STORE = ("--store", "corner")
SETTINGS, OFFERS = Path("corner/rekindle.toml"), Path("corner/offers.yaml")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "corner"
    make_store(folder, programs=("win-back",))
    return folder


@pytest.fixture(autouse=True)
def _store(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made, "corner")


def publish(*earned: float | None) -> None:
    """Profiles whose orders are expected to earn so much, minor units."""
    path = Path("corner/var/insight/2026-11-22/profile.parquet")
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"margin_per_order": pa.array(earned, pa.float64())}), path)


def test_settings_that_cannot_be_used_are_findings_beside_those_of_the_documents() -> None:
    zone = write(SETTINGS, 'timezone = "', 'timezone = "X')
    port = write(SETTINGS, "[sender]", "[smtp]\nport = -1\n\n[sender]") + 1
    offer = write(OFFERS, "percent: 0.10", "percent: 10")
    found = typed(*STORE, "check", "--json")
    assert found.code == 3
    assert [(one["file"], one["line"], one["rule"]) for one in found.json["findings"]] == [
        ("rekindle.toml", zone, "setting"), ("rekindle.toml", port, "setting"), ("offers.yaml", offer, "value-bad"),
    ]
    first = typed(*STORE, "check").lines[0]
    assert first.startswith(f"rekindle.toml:{zone}: error: timezone: 'X")
    assert first.endswith("is not a time zone. Write an IANA name such as Europe/Berlin. docs/settings.md lists every setting. [setting]")


def test_the_money_of_settings_that_cannot_be_used_is_that_of_what_can() -> None:
    write(SETTINGS, 'locale = "en"', 'locale = "nowhere"')
    write(SETTINGS, "margin = 0.40", "margin = 0.20")
    assert [one["rule"] for one in typed(*STORE, "check", "--json").json["findings"]] == ["setting", "margin-floor"]


def test_settings_that_are_no_toml_have_their_line() -> None:
    line = write(SETTINGS, "margin = 0.40", "margin = ")
    (one,) = typed(*STORE, "check", "--json").json["findings"]
    assert (one["file"], one["line"], one["rule"]) == ("rekindle.toml", line, "setting")


def test_an_offer_above_what_any_order_earns_is_neither_checked_nor_submitted() -> None:
    write(OFFERS, "redemption: 0.20, unit_cost: 1.00", "redemption: 0.20, unit_cost: 90.00")
    assert done(*STORE, "check").code == 0, "nobody is known yet"
    publish(1_200.0, None, 5_320.0)
    answer = typed(*STORE, "check")
    words = "category_bundle: one redemption costs 90, and no customer's order is expected to earn more than 53.2"
    assert answer.code == 3
    assert [words in one for one in answer.lines if "error" in one] == [True]
    refused = typed(*STORE, "submit")
    assert refused.code == 3
    assert words in refused.err
    assert words in typed(*STORE, "approve", "--all").err
    write(OFFERS, "unit_cost: 90.00", "unit_cost: 53.00")
    assert done(*STORE, "submit").code == 0


def test_a_version_whose_offer_no_order_bears_is_not_approved() -> None:
    write(OFFERS, "redemption: 0.20, unit_cost: 1.00", "redemption: 0.20, unit_cost: 60.00")
    held = {one["name"]: one["digest"] for one in done(*STORE, "submit", "--json").json["versions"]}
    publish(5_320.0)
    answer = typed(*STORE, "approve", held["offers.yaml"])
    assert answer.code == 4
    assert "category_bundle: one redemption costs 60, and no customer's order is expected to earn more than 53.2" in answer.err


def test_where_nobodys_order_earns_anything_nothing_is_compared() -> None:
    publish(None, 0.0)
    assert done(*STORE, "check").code == 0


def test_what_is_wrong_with_documents_is_told_where_their_texts_cannot_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    line = write(OFFERS, "percent: 0.10", "percent: 10")

    def broken(*_: object) -> None:
        raise LookupError("no samples")

    monkeypatch.setattr("rekindle.service.flow.linting._samples", broken)
    answer = typed(*STORE, "check")
    assert answer.code == 1
    assert answer.err.startswith(f"offers.yaml:{line}: error: offers.category_percent.percent: 10 is not below 1.")
    assert "LookupError" in answer.err
