"""What a regular audit finds, that it is kept as it was found, and that a log cut short between two audits is noticed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from rekindle.errors import BadData
from rekindle.history import chain
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.program.documents import Documents
from rekindle.service.flow import audits, documents
from rekindle.service.programs import log, queries
from rekindle.service.programs.models import Document, LogEntry
from rekindle.settings import Settings
from tests.decide.shop import Decider
from tests.insight.histories import write
from tests.service.conftest import NOON
from tests.service.live import approve_shipped

DAY = timedelta(days=1)


@pytest.fixture
def held(store: Settings) -> Documents:
    approve_shipped(store)
    return documents.approved(store)


@pytest.fixture
def warehouse(store: Settings) -> Iterator[Warehouse]:
    with open_history(store.history, store.root) as opened:
        yield opened


def sent(warehouse: Warehouse, days: list[int]) -> None:
    """Messages of win-back to one customer, so many days before noon."""
    rows = [
        {
            "touch_key": f"k{ago}", "customer_id": "ann", "program": "win-back", "stage": f"s{ago}", "episode": "order-ann", "arm": "plain",
            "channel": "email", "code": "", "status": "sent", "settled_at": (NOON - ago * DAY).replace(tzinfo=None),
        }
        for ago in days
    ]
    write(warehouse, {"touches": rows})
    decisions = [
        {"customer_id": "ann", "day": 0, "program": "win-back", "stage": f"s{ago}", "plan": f"p{ago}", "draw": None,
         "as_of": (NOON - ago * DAY).replace(tzinfo=None)}
        for ago in days
    ]
    Decider(warehouse).remember(*decisions)


def test_nothing_is_found_where_nothing_is_wrong(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    sent(warehouse, [9, 4])
    made = audits.make(store, warehouse, held, NOON)
    assert (made.findings, made.signed_by, made.at) == ((), "", NOON)
    assert [one["breaches"] for one in made.facts["caps"]] == [0, 0, 0]
    assert made.facts["receptions"] == [
        {"program": "win-back", "channel": "email", "handed_over": 2, "complaints": 0, "opt_outs": 0}
    ]
    assert made.facts["log"]["entries"] == log.head()[0] - 1, "the audit itself came after"
    assert audits.held() == (made,)


def test_a_broken_cap_and_a_text_with_an_error_are_findings(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    """The shipped rules let three messages in 30 days pass, two days apart."""
    sent(warehouse, [9, 6, 5, 4])
    path = next((store.root / "content").glob("**/*.txt"))
    path.write_text("You will regret it. Last chance!\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    loose = held.rules.caps
    found = audits.facts(store, warehouse, held, NOON + DAY)
    assert (loose.touches, loose.per_days, loose.gap_days) == (3, 30, 2)
    assert [one for one in found["findings"] if "messages were more" in one] == [], "they were decided before these rules were approved"
    Document.objects.filter(name="rules.yaml").update(submitted_at=NOON - 20 * DAY)
    queries.Approval.objects.filter(document__name="rules.yaml").update(at=NOON - 20 * DAY)
    found = audits.facts(store, warehouse, held, NOON + DAY)
    assert "1 messages were more than 3 in 30 days (cap_reached)" in found["findings"]
    assert "2 messages were more than 1 in 2 days (gap)" in found["findings"]
    assert any(one.startswith("the texts have ") for one in found["findings"])
    assert any("the row was changed" in one for one in found["findings"]), "whoever moves an approval's day is found"


def test_an_audit_is_due_every_thirty_days(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    assert audits.is_due(NOON)
    audits.make(store, warehouse, held, NOON)
    assert [audits.is_due(NOON + days * DAY) for days in (0, 29, 30)] == [False, False, True]


def test_a_chain_that_was_cut_short_since_the_last_audit_is_found(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    sent(warehouse, [4])
    with warehouse.transaction():
        chain.seal(warehouse, "p4")
    first = audits.make(store, warehouse, held, NOON)
    assert first.facts["heads"]["plans"][0] == 1
    number = first.facts["heads"]["log"][0]
    lost = LogEntry.objects.get(number=number)
    queries.Approval.objects.filter(pk=lost.key).delete()
    LogEntry.objects.filter(number__gte=number).delete()
    Document.objects.filter(kind=queries.AUDIT).update(submitted_at=NOON)
    found: dict[str, Any] = audits.facts(store, warehouse, held, NOON + DAY)
    assert f"the document log no longer holds what the audit of {NOON:%Y-%m-%d} saw" in found["findings"]
    warehouse.backend.raw_sql("DELETE FROM seals")
    found = audits.facts(store, warehouse, held, NOON + DAY)
    assert f"the chain of plans no longer holds what the audit of {NOON:%Y-%m-%d} saw" in found["findings"]


def test_an_audit_is_named_by_how_its_digest_begins(store: Settings, warehouse: Warehouse, held: Documents) -> None:
    for wanted in ("last", "ab"):
        with pytest.raises(BadData, match="names no audit"):
            audits.named(wanted)
    made = audits.make(store, warehouse, held, NOON)
    again = audits.make(store, warehouse, held, NOON + DAY)
    assert (audits.named("last").digest, audits.named(made.digest[:10]).digest) == (again.digest, made.digest)
    assert audits.sign_off(made.digest[:10], "Cleo", NOON + DAY).signed_by == "Cleo"
    assert [one.signed_by for one in audits.held()] == ["Cleo", ""]
    with pytest.raises(BadData, match="names several audits"):
        audits.named("")
