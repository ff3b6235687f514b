from pathlib import Path

import pytest

from rekindle.service.flow.senders import examined
from rekindle.settings import load


def told(root: Path, text: str) -> list[tuple[int, str, str]]:
    (root / "rekindle.toml").write_text(f'name = "Corner"\n[senders]\n{text}', encoding="utf-8")
    return [(one.line, one.severity, one.message) for one in examined(load(root))]


POSTMARK = 'email = "provider"\n[provider]\nesp = "postmark"\noptions = {server_token = "env:POSTMARK_TOKEN"}\n'


def test_what_is_set_up_has_nothing_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTMARK_TOKEN", "t0k3n")
    assert told(tmp_path, "") == []
    assert told(tmp_path, POSTMARK + 'webhook = {webhook_secret = "env:POSTMARK_TOKEN"}') == []


def test_a_sender_that_cannot_be_opened_is_named_with_its_line(tmp_path: Path) -> None:
    assert told(tmp_path, 'email = "pigeons"')[0][:2] == (2, "error")
    assert told(tmp_path, 'email = "smtp"') == [(2, "error", 'senders.email is "smtp", and smtp.host is empty')]


def test_a_provider_whose_events_nobody_hears_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [severity for _, severity, _ in told(tmp_path, POSTMARK)] == ["error", "warning"]
    monkeypatch.setenv("POSTMARK_TOKEN", "t0k3n")
    assert told(tmp_path, POSTMARK) == [(2, "warning", "provider.webhook: nothing says how postmark's webhook is checked")]
