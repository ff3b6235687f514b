"""Settings are one frozen table: what a file says, what the environment overrides, what is refused."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from rekindle import settings
from rekindle.errors import BadData, UsageError


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("REKINDLE_HISTORY", "REKINDLE_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / settings.FILE_NAME).write_text('name = "Marigold"\ncurrency = "GBP"\nmargin = 0.35\n[channel_costs]\nsms = 0.05\n')
    return tmp_path


def test_a_file_says_what_differs_from_the_defaults(store: Path) -> None:
    loaded = settings.load(store)
    assert (loaded.name, loaded.currency, loaded.margin, loaded.channel_costs.sms) == ("Marigold", "GBP", Decimal("0.35"), Decimal("0.05"))
    assert (loaded.timezone, loaded.history, loaded.channel_costs.email) == ("UTC", "duckdb://var/history.duckdb", Decimal("0.001"))
    assert loaded.var == store / "var"


def test_the_environment_wins_over_the_file(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_HISTORY", "duckdb://elsewhere.duckdb")
    monkeypatch.setenv("REKINDLE_DATABASE", "")
    assert settings.load(store).history == "duckdb://elsewhere.duckdb"
    assert settings.load(store).database == "sqlite:///var/ledger.sqlite3"


def test_settings_are_frozen(store: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings.load(store).name = "Other"


def test_a_folder_without_a_file_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"rekindle init {tmp_path}"):
        settings.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"name = ", "is not valid TOML"),
        (b'name = "\xff"', "is not valid TOML"),
        (b'curency = "EUR"', "curency: there is no such setting"),
        (b'currency = "Euro"', "currency: 'Euro' is not an ISO 4217 currency"),
        (b'timezone = "Berlin"', "timezone: 'Berlin' is not a time zone. Write an IANA name"),
        (b"margin = 1.0", r"margin: 1\.0 is not below 1\. Write a number below 1\."),
        (b"horizon_weeks = 0", "horizon_weeks: 0 is below 1"),
        (b"[[sources]]\nfile = 'a.csv'\nrole = 'orders'", "sources.0.role: 'orders' may not stand here. It may be 'facts' or 'contacts'."),
        (b'[brand]\nurl = ""', "brand.url: every message leads there. Write the shop's address, such as https://shop.example"),
        (b'[brand]\nurl = "shop.example"', "brand.url: .*every message leads there"),
        (b'[brand]\nurl = "https://"', "brand.url: .*every message leads there"),
        (b'[brand]\nurl = "https://[shop"', "brand.url: .*every message leads there"),
        (b'[brand]\nurl = "https://shop.example/a b"', "brand.url: .*every message leads there"),
        (b'[brand]\nurl = "javascript://shop.example"', "brand.url: .*every message leads there"),
        (b'[brand]\ncolor = "teal"', "brand.color: 'teal' is not a colour"),
        (b'[brand]\nlogo = "http://shop.example/logo.svg"', "brand.logo: .*the address of a picture is HTTPS"),
        (b'[smtp]\npassword = "hunter2"', "smtp.password: a secret does not stand in this file. Write env:NAME or file:PATH"),
        (b"[smtp]\npassword = ['hunter2']", "smtp.password: what stands here is not a text"),
        (b'[smtp]\nhost = "mail.example"\nsecurity = "none"', "smtp: .*is for a mail server on this machine: 127.0.0.1"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name_and_setting(tmp_path: Path, text: bytes, names: str) -> None:
    (tmp_path / settings.FILE_NAME).write_bytes(text)
    with pytest.raises(BadData, match=names) as refused:
        settings.load(tmp_path)
    assert str(tmp_path / settings.FILE_NAME) in refused.value.cause
    assert "hunter2" not in str(refused.value)


def test_a_secret_is_named_and_never_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "from the environment")
    (tmp_path / "password").write_text("from a file\n")
    assert settings.secret("env:SMTP_PASSWORD", tmp_path, "smtp.password") == "from the environment"
    for path in ("password", "./password", tmp_path / "password"):
        assert settings.secret(f"file:{path}", tmp_path, "smtp.password") == "from a file"


@pytest.mark.parametrize("reference", ["hunter2", "env:REKINDLE_ABSENT", "file:/absent", ""])
def test_a_secret_in_the_open_or_absent_is_refused(reference: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match="smtp.password: no secret at .*Write env:NAME or file:PATH"):
        settings.secret(reference, tmp_path, "smtp.password")


def test_everything_that_is_wrong_is_told_and_the_rest_can_be_used(tmp_path: Path) -> None:
    (tmp_path / settings.FILE_NAME).write_text('timezone = "Berlin"\nmargin = 0.20\ncurrency = "GBP"\n[smtp]\nport = -1\nhost = "mail"\n')
    with pytest.raises(settings.WrongSettings) as refused:
        settings.load(tmp_path)
    assert [one.setting for one in refused.value.wrong] == ["timezone", "smtp.port"]
    rest = refused.value.rest
    assert rest is not None
    assert (rest.margin, rest.currency, rest.timezone, rest.smtp.host) == (Decimal("0.20"), "GBP", "UTC", "")
