"""`preview`: what a customer would get, or got; nothing is sent by looking."""

import csv
from pathlib import Path

import pytest

from tests.cli.shop import AS_OF, buyer, files, make_store, write_contacts, write_mapping, write_orders
from tests.cli.terminal import done, typed

AS_SENT = ", with the longer link that is sent"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A shop whose plan waits to be sent, and one of its messages."""
    folder = tmp_path_factory.mktemp("previewed")
    store = make_store(folder / "corner", programs=("thank-you", "win-back"))
    done("--store", store, "import", write_orders(folder / "orders.csv"), "--map", write_mapping(folder / "orders.yaml"))
    done("--store", store, "import", write_contacts(folder / "c.csv"), "--contacts")
    done("--store", store, "approve", "--all", "--by", "Mia")
    done("--store", store, "plan", "--as-of", AS_OF, "--out", folder / "plan.csv")
    with (folder / "plan.csv").open(encoding="utf-8", newline="") as file:
        return store, next(row for row in csv.DictReader(file) if row["program"] == "win-back")


def test_the_message_that_waits_is_shown_as_it_was_frozen_and_as_it_went(planned: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    store, row = planned
    before = files(store)
    found = done("--store", store, "preview", row["customer"], "--out", tmp_path / "page.html", "--json").json
    assert (found["program"], found["stage"], found["arm"]) == (row["program"], row["stage"], row["variant"])
    assert found["basis"] == f"waits to be sent on {row['send_at'][:10]}"
    assert found["title"] == row["subject"]
    assert found["text"].split("--\n")[0] == row["text"].split("--\n")[0]
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == found["html"]
    assert files(store) == before
    done("--store", store, "send", "--as-of", "2026-02-02")
    answer = done("--store", store, "preview", row["customer"])
    assert answer.lines[0] == f"Message        win-back, {row['stage']}: {row['variant']} by email; sent on 2026-02-02"
    assert answer.lines[1] == f"Subject        {row['subject']}"


def test_any_stage_is_shown_with_what_is_known_of_a_customer(planned: tuple[Path, dict[str, str]]) -> None:
    answer = done("--store", planned[0], "preview", buyer(4), "--as-of", AS_OF, "--program", "thank-you", "--channel", "sms")
    assert answer.lines[0] == "Message        thank-you, thanks: thanks_by_name by sms; an example: no such message is planned"
    text = "Corner: Thank you for your order. https://shop.example Reply STOP to stop"
    assert answer.lines[1:] == [f"Length         1 segment{AS_SENT}", "", text]


def test_without_a_customer_an_invented_one_is_shown(planned: tuple[Path, dict[str, str]]) -> None:
    found = done("--store", planned[0], "preview", "--program", "win-back", "--stage", "tailor", "--variant", "percent", "--json").json
    assert (found["customer"], found["basis"]) == ("", "an example, with an invented customer")
    assert found["title"] == "10 % off in one category: Lighting"
    assert "Your code at checkout: EXAMPLE1" in found["text"]


def test_an_sms_is_counted_with_the_link_and_the_code_that_are_sent(planned: tuple[Path, dict[str, str]]) -> None:
    named = ("--program", "win-back", "--stage", "tailor", "--variant", "percent", "--channel", "sms")
    answer = done("--store", planned[0], "preview", *named)
    assert answer.lines[1] == f"Length         1 segment{AS_SENT}"
    text = answer.lines[3]
    assert len(text) < 160
    assert len(text.partition("code ")[2].split()[0]) == len("D6R2ZRE91Z")


def test_a_new_store_shows_an_invented_customer_the_message_of_today(tmp_path: Path) -> None:
    store = make_store(tmp_path / "corner")
    found = done("--store", store, "preview", "--program", "win-back", "--stage", "tailor", "--variant", "percent", "--json").json
    assert found["basis"] == "an example, with an invented customer"
    assert "Your code at checkout: EXAMPLE1" in found["text"]
    assert "history has no orders yet" in typed("--store", store, "plan").err


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("--program", "nix"), "there is no program 'nix' here"),
        (("--stage", "nix"), "there is no stage 'nix' here"),
        (("--variant", "nix"), "there is no variant 'nix' here"),
        (("--channel", "fax"), "there is no channel 'fax'"),
        (("--channel", "sms", "--out", "x.html"), "a message by sms has no HTML"),
    ],
)
def test_what_is_not_there_is_named(planned: tuple[Path, dict[str, str]], words: tuple[str, ...], cause: str) -> None:
    answer = typed("--store", planned[0], "preview", *words)
    assert answer.code == 2
    assert cause in answer.err
    assert not Path("x.html").exists()
