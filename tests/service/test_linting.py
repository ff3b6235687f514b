"""What the linter knows of a store, and what an error in its content keeps from happening."""

from typing import cast

import pytest

from rekindle.errors import Refused
from rekindle.history.warehouse import Warehouse
from rekindle.service.flow import linting
from rekindle.service.flow.content import shipped_content
from rekindle.service.flow.dispatching import dispatch
from rekindle.settings import Senders, Settings
from tests.service.conftest import NOON


def write(store: Settings, name: str, text: str) -> None:
    path = store.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_what_ships_has_nothing_to_mend(store: Settings) -> None:
    """SMS may be longer than one segment with the longest offer; there is nothing else."""
    assert linting.examined(store).findings == ()
    found = linting.examined(store.model_copy(update={"senders": Senders(sms="sms")})).findings
    assert {(one.severity, one.rule) for one in found} <= {("warning", "sms-long")}


def test_what_a_store_has_is_asked_for(store: Settings) -> None:
    write(store, "programs/news.yaml", "program: news\nclass: service\ntrigger: {on: late_delivery}\n")
    write(store, "programs/odd.yaml", "program: odd\nclass: [service]\ntrigger: {on: [late_delivery]}\n")
    write(store, "programs/broken.yaml", "a: b: c")
    write(store, "offers.yaml", "offers:\n  free:\n    label: Free delivery\n    terms: Here.\n  odd: 3\n")
    asked = linting.asked(store)
    assert {"news"} == asked.sorry - {"delivery-late"}
    assert "news" in asked.service
    assert "odd" not in asked.service
    assert [(place.line, text) for place, text in asked.spoken] == [(3, "Free delivery"), (4, "Here.")]
    assert (asked.facts["shop_name"], asked.facts["offer_label"]) == (store.name, "Free delivery")
    assert asked.facts["shop_url"].startswith(f"{store.public_url}/c/")
    assert "shop.example" in asked.hosts


@pytest.mark.parametrize(("rules", "limited"), [
    ("budget: {amount: 9, per: 30d, hard: true}", True),
    ("budget: {amount: 9, per: 30d}\nbudgets: [{amount: 9, per: 7d, hard: true}]", True),
    ("budget: {amount: 9, per: 30d, hard: false}\nbudgets: 3", False), ("budget: hard", False),
])  # fmt: skip
def test_texts_may_speak_of_a_budget_that_is_hard_and_are_as_long_as_they_are_with_it(store: Settings, rules: str, limited: bool) -> None:
    write(store, "rules.yaml", f"{rules}\n")
    write(store, "offers.yaml", "offers:\n  free:\n    label: Free delivery\n    terms: Solange das Budget reicht.\n")
    german = store.model_copy(update={"locale": "de_DE"})
    asked = linting.asked(german)
    assert (asked.limited, asked.facts["offer_limit"]) == (limited, "Er gilt, solange das Budget dafür reicht." if limited else "")
    assert [one.rule for one in linting.examined(german).findings] == ([] if limited else ["budget-unbound"])


def test_an_error_lets_no_message_leave(store: Settings) -> None:
    shipped = shipped_content().texts["win-back/closing.txt"]
    write(store, "content/win-back/closing.txt", shipped.replace("A last note for now{% if", "Act now{% if"))
    nothing = cast("Warehouse", None)
    with pytest.raises(Refused, match=r"the content has a mistake: content/win-back/closing\.txt:4: error: 'Act now' presses"):
        dispatch(store.model_copy(update={"senders": Senders(email="smtp")}), nothing, NOON)


def test_a_subject_of_a_variant_is_read_like_any_text(store: Settings) -> None:
    arm = "question: {offer: none, subject: Act now or lose out, prior: {mean: 0, sd: 1}}"
    write(store, "programs/own.yaml", f"program: own\nstages:\n  first:\n    arms:\n      {arm}\n")
    found = [(one.file, one.line, one.severity) for one in linting.examined(store).findings]
    assert ("programs/own.yaml", 5, "error") in found
