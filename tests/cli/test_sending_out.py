"""What a person types before messages leave this machine, and what they are told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rekindle import settings
from rekindle.deliver.templates import PLACEHOLDER_ADDRESS
from rekindle.service.config import use_ledger
from tests.cli.shop import make_store, write_mapping
from tests.cli.terminal import done, typed

HASH = "ab12cd34ef567890"
RELAY = '\n[senders]\nemail = "smtp"\n\n[smtp]\nhost = "127.0.0.1"\nport = 9\nsecurity = "none"\n'
"""A relay on this machine at a port where nobody listens."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a relay and an order of yesterday, and a plan of two messages that are due."""
    folder = make_store(tmp_path / "corner")
    file = folder / "rekindle.toml"
    text = file.read_text(encoding="utf-8").replace("shop.example", "corner.example").replace(PLACEHOLDER_ADDRESS, "1 Corner Road, Bristol")
    file.write_text(text + RELAY, encoding="utf-8")
    orders = tmp_path / "orders.csv"
    orders.write_text(f"buyer,day,paid\nada,{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d},20.00\n", encoding="utf-8")
    done("--store", folder, "import", orders, "--map", write_mapping(tmp_path / "orders.yaml"))
    use_ledger(settings.load(folder))
    from tests.service.live import freeze_all  # once Django is ready
    from tests.service.touches import plan

    freeze_all(settings.load(folder))
    yesterday = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)
    plan(["c1", "c2"], HASH, send_at=yesterday, valid_until=None, service=True, facts='{"offer_kind": "none"}')
    return folder


def test_a_plan_waits_until_somebody_types_how_much_it_sends(store: Path) -> None:
    waiting = done("--store", store, "send", "--dry-run")
    assert waiting.lines[1:] == [f"Approve        rekindle --store {store} approve {HASH[:12]} --send 2"]
    assert done("--store", store, "send", "--json").json == {"due": 2, "postponed": 0, "held": 2, "left_unknown": 0}
    refused = typed("--store", store, "approve", HASH[:12])
    assert (refused.code, "2 messages over to smtp, and nobody has typed that number" in refused.err) == (4, True)
    assert typed("--store", store, "approve", HASH[:12], "--send", "3").code == 4
    assert "2 messages would leave" in done("--store", store, "approve", HASH[:12], "--send", "2", "--dry-run").err
    answer = done("--store", store, "approve", HASH[:12], "--send", "2", "--by", "Ada", "--json")
    assert answer.json == {"approved": [HASH], "messages": 2, "by": "Ada"}
    sent = done("--store", store, "send", "--json").json
    assert sent == {"due": 2, "postponed": 2, "held": 0, "left_unknown": 0}, "nobody listens: it is tried again later"
    assert typed("--store", store, "approve", HASH[:12], "--send", "0").code == 3


def test_nothing_leaves_for_an_instant_that_is_not_now(store: Path) -> None:
    done("--store", store, "approve", HASH[:12], "--send", "2")
    answer = typed("--store", store, "send", "--as-of", "2030-01-01")
    assert (answer.code, "smtp would send for an instant that is not now" in answer.err) == (4, True)


def test_who_approves_documents_is_told_what_programs_lack_before_they_go_live(tmp_path: Path) -> None:
    """Without orders no baseline can be frozen yet."""
    folder = make_store(tmp_path / "corner")
    assert "Not live yet" not in done("--store", folder, "approve", "--all").err, "nothing leaves this machine"
    with (folder / "rekindle.toml").open("a", encoding="utf-8") as file:
        file.write(RELAY)
    said = done("--store", folder, "approve", "--all").err
    assert "Not live yet   win-back: it has no frozen baseline. Freeze one: rekindle baseline freeze win-back" in said
