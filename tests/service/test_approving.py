"""An approval that would treat groups of customers unequally is refused, by the customers of the last published profiles."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rekindle.errors import Refused
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.program.catalogue import scaffold
from rekindle.service.config import use_ledger
from rekindle.service.flow import approving, documents
from rekindle.settings import Settings
from tests.decide.shop import MONDAY, ROWS, crowd

FAIR = "fairness: {groups: [country], disparity_at_most: 0.25, least: 50}"
EXCEPTION = "exceptions: {country: {reason: Delivery is offered in one country alone., owner: Ada}}"


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    """A new store with profiles of 200 customers in each of two countries."""
    settings = Settings(root=tmp_path)
    use_ledger(settings)
    scaffold(tmp_path, "Ada", "EUR", MONDAY.date())
    for path in (tmp_path / "programs").glob("*.yaml"):
        if path.stem != "win-back":
            path.unlink()
    people = [{**row, "country": "DE" if number % 2 else "FR"} for number, row in enumerate(crowd(400))]
    folder = tmp_path / "var" / "insight" / "2026-03-02"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(people, schema=ROWS.to_pyarrow()), folder / "profile.parquet")
    (folder / "insight.json").write_text(json.dumps({"as_of": MONDAY.isoformat()}))
    return settings


def change(settings: Settings, name: str, old: str, new: str) -> None:
    path = settings.root / name
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def with_fairness(settings: Settings) -> None:
    lines = (settings.root / "rules.yaml").read_text().splitlines()
    rest = [line for line in lines if not line.startswith(("fairness:", "exceptions:"))]
    (settings.root / "rules.yaml").write_text("\n".join([*rest, FAIR, EXCEPTION]) + "\n")


def judged(settings: Settings, warehouse: Warehouse) -> int:
    return len(approving.refuse_unfair(settings, warehouse, approving.proposed(settings, None)))


def test_a_program_that_leaves_a_country_out_is_not_approved(store: Settings) -> None:
    with_fairness(store)
    with open_history(store.history, store.root) as warehouse:
        assert judged(store, warehouse) == 2, "one verdict for each country"
        change(store, "programs/win-back.yaml", "when: \"value_tier != 'high' and (price_sensitive is none or price_sensitive < 0.67)\"",
               "when: \"country == 'DE'\"")
        with pytest.raises(Refused, match="more than the rules allow"):
            judged(store, warehouse)
        versions = documents.submit(store, MONDAY)
        wanted = next(one.digest for one in versions if one.name == "programs/win-back.yaml")
        assert approving.proposed(store, wanted) is None, "nothing else is approved yet, so there is nothing to plan by"


def test_without_groups_or_profiles_there_is_nothing_to_judge(store: Settings) -> None:
    with open_history(store.history, store.root) as warehouse:
        with_fairness(store)
        (store.root / "var" / "insight" / "2026-03-02" / "insight.json").unlink()
        assert judged(store, warehouse) == 0
