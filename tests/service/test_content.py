import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rekindle.deliver.claims import Registry
from rekindle.deliver.facts import with_frozen
from rekindle.errors import BadData
from rekindle.service.flow import exporting
from rekindle.service.flow.composing import shop_facts
from rekindle.service.flow.content import content_findings, load_content, registered_facts, scaffold_content, shipped_content
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox.models import Touch
from rekindle.settings import Settings
from tests.service.conftest import NOON, make_store
from tests.service.touches import plan


def test_scaffolding_copies_what_ships_and_keeps_what_is_there(tmp_path: Path) -> None:
    shipped = shipped_content()
    assert {"layout.mjml", "facts.yaml", "win-back/reconnect.mjml", "win-back/closing.txt", "blocks/offer.txt"} <= set(shipped.texts)
    assert scaffold_content(tmp_path) == len(shipped.texts)
    assert load_content(tmp_path).texts == shipped.texts
    (tmp_path / "content" / "win-back" / "closing.txt").write_text("Subject: mine", encoding="utf-8")
    assert scaffold_content(tmp_path) == 0
    assert load_content(tmp_path).texts["win-back/closing.txt"] == "Subject: mine"


def test_a_store_without_content_takes_what_ships(tmp_path: Path) -> None:
    assert load_content(tmp_path).texts == shipped_content().texts
    (tmp_path / "content" / "win-back").mkdir(parents=True)
    (tmp_path / "content" / "win-back" / "closing.txt").write_text("Subject: mine", encoding="utf-8")
    mixed = load_content(tmp_path).texts
    assert mixed == {**shipped_content().texts, "win-back/closing.txt": "Subject: mine"}


def test_registered_facts_reach_messages(tmp_path: Path) -> None:
    scaffold_content(tmp_path)
    assert registered_facts(load_content(tmp_path)) == Registry()
    (tmp_path / "content" / "facts.yaml").write_text("returns_policy: 30 days.\nfix: ''\n", encoding="utf-8")
    assert with_frozen(shop_facts(make_store(tmp_path), load_content(tmp_path)), "{}", date(2026, 12, 1)).returns_policy == "30 days."


@pytest.mark.parametrize(
    "text", ["- a list", "brand_color: '#ffffff'", "x: [", "guarentee: two years", "care: {Tea: dry}", "care_by_category: dry"]
)
def test_facts_that_cannot_be_used_are_named(tmp_path: Path, text: str) -> None:
    scaffold_content(tmp_path)
    (tmp_path / "content" / "facts.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadData, match=r"facts\.yaml"):
        shop_facts(make_store(tmp_path), load_content(tmp_path))


MISTAKEN = """\
# what this shop says
returns_policy: 30 days.
fix: Parcels leave the same day.
social_proof:
  - {text: "4.6 of 5 stars.", sample: 212 reviews, measured_on: 2026-11-03, evidence: page}
delivery_promise: {text: "98 % come the next day.", sample: 4000 parcels}
guarentee: Two years.
care: {text: Keep it dry., categories: Coffee}
"""


def test_check_finds_each_claim_that_nobody_could_stand_up_for_with_its_line(tmp_path: Path) -> None:
    scaffold_content(tmp_path)
    assert content_findings(load_content(tmp_path)) == ()
    (tmp_path / "content" / "facts.yaml").write_text(MISTAKEN, encoding="utf-8")
    found = content_findings(load_content(tmp_path))
    assert {(one.file, one.line, one.rule, one.severity) for one in found} == {
        ("content/facts.yaml", 3, "fix-unproven", "error"), ("content/facts.yaml", 5, "proof-undisclosed", "error"),
        ("content/facts.yaml", 6, "claim-unmeasured", "error"), ("content/facts.yaml", 7, "key-unknown", "error"),
        ("content/facts.yaml", 8, "value-bad", "error"),
    }  # fmt: skip
    assert all("docs/programs.md" not in one.remedy for one in found)


def test_check_finds_a_form_that_states_another_offer(tmp_path: Path) -> None:
    scaffold_content(tmp_path)
    (tmp_path / "content" / "win-back" / "tailor.sms.txt").write_text("{{ offer_label }}", encoding="utf-8")
    (found,) = content_findings(load_content(tmp_path))
    assert (found.file, found.line, found.rule) == ("content/win-back/tailor.sms.txt", 1, "family-strays")
    assert found.message == "the sms of win-back/tailor lacks the offer's code, offer_minimum, offer_scope, offer_value, valid_until"


def test_a_message_without_what_it_must_say_is_not_sent_and_says_why(store: Settings) -> None:
    promised = {"blocks": ["credit_and_its_expiry", "one_action"], "moment": "credit", "day": "2026-12-02"}
    known = json.dumps(promised | {"credit_left": "EUR 5.00"})
    plan(["c1", "c2"], program="credit-reminder", stage="remind", facts=[json.dumps(promised), known])
    assert send_due(store, NOON).by_status == {"failed": 1, "sent": 1}
    failed = Touch.objects.get(status="failed")
    assert failed.customer_id == "c1"
    assert "its block 'credit_and_its_expiry' needs credit_left, which is not known" in failed.reason


def test_an_export_says_which_message_could_not_be_written(tmp_path: Path) -> None:
    shop = replace(shop_facts(make_store(tmp_path), shipped_content()), program="credit-reminder", stage="remind", moment="credit")
    promised = replace(shop, blocks=("credit_and_its_expiry",))
    assert exporting.written(shipped_content(), promised) == ("", "NOT WRITTEN: nothing known fills its block 'credit_and_its_expiry'.\n")
    subject, _ = exporting.written(shipped_content(), replace(promised, credit_left="EUR 5.00"))
    assert subject == "You have EUR 5.00 of credit with us"


def test_content_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    scaffold_content(tmp_path)
    (tmp_path / "content" / "facts.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadData, match="UTF-8"):
        load_content(tmp_path)
