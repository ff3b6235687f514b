"""`check` says what keeps a store's mail from being signed, and what to publish once nothing does."""

from pathlib import Path

import pytest

from tests.cli.terminal import done, typed
from tests.deliver.keys import pem


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "corner")


def sign_with(text: str) -> None:
    Path("corner/key.pem").write_text(text, encoding="utf-8")
    with Path("corner/rekindle.toml").open("a", encoding="utf-8") as file:
        file.write('\n[dkim]\nselector = "mail"\nkey = "file:key.pem"\n')


def test_a_key_prints_its_record() -> None:
    sign_with(pem())
    answer = done("--store", "corner", "check", "--json").json
    domain = answer["dkim"]["name"].removeprefix("mail._domainkey.")
    assert answer["dkim"]["text"].startswith("v=DKIM1; k=rsa; p=MII")
    assert f"Publish for DKIM the TXT record mail._domainkey.{domain}: {answer['dkim']['text']}" in done("--store", "corner", "check").lines


def test_a_small_key_is_an_error_with_its_line() -> None:
    toml = Path("corner/rekindle.toml")
    sign_with(pem(1_024))
    line = toml.read_text(encoding="utf-8").splitlines().index('key = "file:key.pem"') + 1
    answer = typed("--store", "corner", "check")
    assert answer.code == 3
    assert f"rekindle.toml:{line}: error: dkim.key has 1024 bits" in "\n".join(answer.lines)
