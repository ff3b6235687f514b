"""`init`, `check`, `submit` and `approve`: a store folder and its documents."""

import tomllib
from pathlib import Path

import pytest

from rekindle.program.catalogue.shipped import PROGRAMS
from tests.cli.shop import files, make_store
from tests.cli.terminal import done, typed

DOCUMENTS = ["offers.yaml", "rules.yaml", "segments.yaml", "targets.yaml", *(f"programs/{name}.yaml" for name in PROGRAMS)]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_init_makes_a_store_and_says_what_comes_next() -> None:
    answer = done("init", "corner", "--preset", "online-retail")
    assert answer.lines == [
        "corner is a store: Corner, GBP, Europe/London.",
        "The shipped programs are approved for the mailbox alone: nothing leaves this machine.",
        "Next           rekindle --store corner run ORDERS --preset online-retail",
    ]
    written = tomllib.loads(Path("corner/rekindle.toml").read_text(encoding="utf-8"))
    assert (written["name"], written["currency"], written["timezone"]) == ("Corner", "GBP", "Europe/London")
    assert {*DOCUMENTS, "rekindle.toml", "content/layout.mjml"} <= files(Path("corner"))


def test_init_says_what_it_would_make_and_makes_nothing() -> None:
    answer = done("init", "corner", "--dry-run", "--json")
    assert answer.json == {"store": "corner", "name": "Corner", "currency": "EUR", "timezone": "UTC"}
    assert not Path("corner").exists()


@pytest.mark.parametrize(
    ("options", "code", "cause"),
    [
        (("--currency", "XXQ"), 2, "'XXQ' is not an ISO 4217 currency"),
        (("--timezone", "Mars"), 2, "'Mars' is not a time zone; write an IANA name such as Europe/Berlin"),
        (("--preset", "etsy"), 2, "there is no preset 'etsy'"),
    ],
)
def test_init_refuses_what_cannot_be_used_and_leaves_nothing(options: tuple[str, ...], code: int, cause: str) -> None:
    answer = typed("init", "corner", *options)
    assert (answer.code, answer.out, answer.err.partition(".\n")[0]) == (code, "", f"rekindle: {cause}")
    assert not Path("corner").exists()


def test_init_leaves_a_store_alone_and_needs_a_folder_it_may_write() -> None:
    make_store(Path("corner"))
    before = Path("corner/rekindle.toml").read_text(encoding="utf-8")
    answer = typed("init", "corner")
    assert (answer.code, answer.err) == (2, "rekindle: corner is a store already.\n  Use it, or name another folder.\n")
    assert Path("corner/rekindle.toml").read_text(encoding="utf-8") == before
    Path("file").write_text("", encoding="utf-8")
    answer = typed("init", "file/corner")
    assert answer.code == 1
    assert answer.err == "rekindle: cannot write to file/corner: Not a directory.\n  Choose a folder that you may write to.\n"


def test_a_clean_store_has_only_the_examples_to_mend() -> None:
    make_store(Path("corner"), programs=PROGRAMS)
    answer = done("--store", "corner", "check")
    held = ("sender.postal_address", "sender.email", "brand.url", "public_url")
    assert answer.lines == [f"rekindle.toml: warning: {name} is still the example: write the real one" for name in held]


def test_an_example_is_a_mistake_where_messages_leave_this_machine() -> None:
    make_store(Path("corner"))
    file = Path("corner/rekindle.toml")
    relay = '\n[senders]\nemail = "smtp"\n[smtp]\nhost = "127.0.0.1"\nsecurity = "none"\n'
    file.write_text(file.read_text(encoding="utf-8") + relay, encoding="utf-8")
    answer = typed("--store", "corner", "check", "--json")
    found = {one["line"]: one["message"] for one in answer.json["findings"] if one["rule"] == "placeholder" and one["severity"] == "error"}
    rows = file.read_text(encoding="utf-8").splitlines()
    assert {rows[line - 1].split(" = ")[0]: said for line, said in found.items()} == {
        "public_url": "public_url is still the example", "url": "brand.url is still the example",
        "email": "sender.email is still the example", "postal_address": "sender.postal_address is still the example",
    }  # fmt: skip
    assert (answer.code, answer.json["settings"]) == (3, [])


def test_check_names_file_line_and_remedy_and_exits_with_3() -> None:
    make_store(Path("corner"))
    program = Path("corner/programs/win-back.yaml")
    program.write_text(program.read_text(encoding="utf-8").replace("offer: education", "offer: edukation"), encoding="utf-8")
    line = next(number for number, text in enumerate(program.read_text(encoding="utf-8").splitlines(), 1) if "edukation" in text)
    answer = typed("--store", "corner", "check", "--json")
    first = answer.json["findings"][0]
    assert (answer.code, answer.json["errors"]) == (3, 2)
    assert (first["file"], first["line"], first["severity"]) == ("programs/win-back.yaml", line, "error")
    assert "edukation" in first["message"]
    assert "education" in first["remedy"]
    assert typed("--store", "corner", "check").lines[0].startswith(f"programs/win-back.yaml:{line}: ")


def test_a_changed_document_is_used_once_it_is_approved() -> None:
    make_store(Path("corner"), programs=PROGRAMS)
    store = ("--store", "corner")
    assert done(*store, "submit", "--dry-run").lines == ["Changed        nothing"]
    rules = Path("corner/rules.yaml")
    rules.write_text(rules.read_text(encoding="utf-8").replace("holdout: 0.05", "holdout: 0.10"), encoding="utf-8")
    assert done(*store, "submit", "--dry-run", "--json").json == {"changed": ["rules.yaml"]}
    submitted = done(*store, "submit", "--json").json["versions"]
    assert [one["name"] for one in submitted] == DOCUMENTS
    digest = submitted[1]["digest"]
    assert done(*store, "approve", digest[:12], "--dry-run", "--json").json["would_approve"] == [digest]
    assert done(*store, "submit", "--dry-run").lines == ["Changed        rules.yaml"]
    answer = done(*store, "approve", digest[:12], "--by", "Ada")
    assert answer.lines == [digest[:12]]
    assert answer.err == "Approved by Ada, for the mailbox alone: nothing leaves this machine.\n"
    assert done(*store, "submit", "--dry-run").lines == ["Changed        nothing"]


def test_a_comment_and_blank_space_change_nothing() -> None:
    make_store(Path("corner"))
    store = ("--store", "corner")
    before = done(*store, "submit", "--json").json["versions"]
    for path in (Path("corner/rules.yaml"), Path("corner/programs/win-back.yaml")):
        path.write_text(f"# looked at in spring\n\n{path.read_text(encoding='utf-8')}\n", encoding="utf-8")
    assert done(*store, "submit", "--dry-run").lines == ["Changed        nothing"]
    assert done(*store, "submit", "--json").json["versions"] == before
    assert done(*store, "approve", "--all", "--dry-run").lines[0].startswith("Would approve  nothing new")


def test_what_cannot_be_approved() -> None:
    make_store(Path("corner"))
    answer = typed("--store", "corner", "approve", "deadbeef")
    assert (answer.code, answer.err.splitlines()[0]) == (3, "rekindle: 'deadbeef' names no version.")
    Path("corner/offers.yaml").write_text("offers: [", encoding="utf-8")
    answer = typed("--store", "corner", "approve", "--all")
    assert answer.code == 3
    assert answer.err.startswith("rekindle: offers.yaml, line 1: not YAML: ")
