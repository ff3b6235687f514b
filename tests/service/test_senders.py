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
    assert told(tmp_path, 'email = "pigeons"')[0][:2] == (3, "error")
    assert told(tmp_path, 'email = "smtp"') == [(3, "error", 'senders.email is "smtp", and smtp.host is empty')]


def test_a_secret_that_is_not_there_is_named_by_its_setting_with_its_own_line(tmp_path: Path) -> None:
    smtp = 'email = "smtp"\n\n[smtp]\nhost = "mail.corner.example"\nuser = "u"\n'
    assert told(tmp_path, f'{smtp}password = "env:NO_SUCH_NAME"') == [(8, "error", "smtp.password: no secret at 'env:NO_SUCH_NAME'")]
    assert told(tmp_path, smtp) == [(5, "error", "smtp.password: no secret at ''")]
    assert told(tmp_path, POSTMARK)[0] == (6, "error", "provider.options.server_token: no secret at 'env:POSTMARK_TOKEN'")


def test_a_secret_in_a_file_is_sought_in_the_store_wherever_one_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "token").write_text("t0k3n")
    monkeypatch.chdir(elsewhere)
    postmark = POSTMARK.replace("env:POSTMARK_TOKEN", "file:keys/token") + 'webhook = {webhook_secret = "file:keys/token"}'
    assert told(tmp_path, postmark) == []


def test_one_mistake_is_said_once(tmp_path: Path) -> None:
    said = "provider.esp: there is no provider 'pigeons'"
    assert told(tmp_path, 'email = "provider"\n[provider]\nesp = "pigeons"') == [(5, "error", said)]
    assert len(told(tmp_path, 'email = "webhook"\nsms = "webhook"')) == 1


def test_a_provider_whose_events_nobody_hears_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [severity for _, severity, _ in told(tmp_path, POSTMARK)] == ["error", "warning"]
    monkeypatch.setenv("POSTMARK_TOKEN", "t0k3n")
    assert told(tmp_path, POSTMARK) == [(4, "warning", "provider.webhook: nothing says how postmark's webhook is checked")]
