"""`check` and `approve` hold a store's texts to the linter."""

import shutil
from pathlib import Path

import pytest

from tests.cli.shop import make_store, write
from tests.cli.terminal import done, typed

STORE = ("--store", "corner")
CLOSING = Path("corner/content/win-back/closing.txt")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "corner"
    make_store(folder, programs=("win-back", "delivery-late"))
    return folder


@pytest.fixture(autouse=True)
def _store(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made, "corner")


def test_check_names_words_that_press() -> None:
    write(CLOSING, "A last note for now{% if", "Act now{% if")
    answer = typed(*STORE, "check")
    assert answer.code == 3
    assert answer.lines[0] == (
        "content/win-back/closing.txt:4: error: 'Act now' presses the reader. "
        "Say what is offered and until when, and leave the choice. [pressure]"
    )
    (one,) = typed(*STORE, "check", "--json").json["findings"]
    assert (one["file"], one["line"], one["rule"], one["severity"]) == ("content/win-back/closing.txt", 4, "pressure", "error")


def test_check_measures_every_mail() -> None:
    messages = {one["file"]: one for one in done(*STORE, "check", "--json").json["messages"]}
    assert messages["content/win-back/closing.txt"]["language"] == "en"
    assert max(one["grade"] for one in messages.values()) < 9
    assert {one["generic"] for one in messages.values()} == {0.0}


def test_approve_refuses_texts_with_an_error_and_takes_a_warning() -> None:
    write(CLOSING, "A last note for now{% if", "Act now{% if")
    answer = typed(*STORE, "approve", "--all")
    assert answer.code == 4
    assert answer.err.startswith("rekindle: the content has a mistake: content/win-back/closing.txt:4: error: 'Act now' presses")
    write(CLOSING, "Act now{% if", "We miss you{% if")
    assert done(*STORE, "approve", "--all").code == 0


def test_an_exception_with_a_reason_is_heard() -> None:
    write(CLOSING, "A last note for now{% if", "Act now{% if")
    exempt = 'exceptions: [{rule: pressure, file: win-back/closing.txt, reason: "a line of a song"}]\n'
    Path("corner/content/brand.yaml").write_text(exempt, encoding="utf-8")
    assert done(*STORE, "check", "--json").json["errors"] == 0


def test_labels_of_offers_are_held_to_the_rules() -> None:
    write(Path("corner/offers.yaml"), 'label: "Free standard delivery', 'label: "Today only: free standard delivery')
    answer = typed(*STORE, "check")
    assert (answer.code, answer.lines[0].split(": ")[1], answer.lines[0].split()[-1]) == (3, "error", "[deadline-unbound]")
    assert answer.lines[0].startswith("offers.yaml:")


def test_sms_are_looked_at_where_the_store_sends_them() -> None:
    sms = Path("corner/content/win-back/closing.sms.txt")
    sms.write_text("{{ shop_name }}: it is here. {{ shop_url }}", encoding="utf-8")
    assert "sms-stop" not in typed(*STORE, "check").out
    write(Path("corner/rekindle.toml"), "[sender]", '[senders]\nsms = "sms"\n\n[sender]')
    found = [one for one in typed(*STORE, "check", "--json").json["findings"] if one["rule"] == "sms-stop"]
    assert [(one["file"], one["severity"]) for one in found] == [("content/win-back/closing.sms.txt", "error")]


def test_news_of_orders_and_apologies_are_told_from_documents_with_mistakes_too() -> None:
    write(Path("corner/programs/delivery-late.yaml"), "version: 1", "version: 1.5")
    findings = typed(*STORE, "check", "--json").json["findings"]
    assert {one["file"] for one in findings} == {"programs/delivery-late.yaml"}
