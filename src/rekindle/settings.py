"""What the owner of a store folder has set: `rekindle.toml` and the environment as one frozen, typed table.

Knows nothing of what the settings are for. The only reader of the environment; secrets are `env:NAME` or `file:PATH`.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from rekindle import money
from rekindle.errors import BadData, RekindleError, UsageError, quoted, wrong_value

FILE_NAME = "rekindle.toml"
_SECRET = re.compile(r"key|token|secret|password")
_REFERENCES = ("env:", "file:")
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
_PASSWORD = re.compile(r"://[^/@]*:[^/]*@|[?&]password=")
_LINE = re.compile(r"line (\d+)")
_DOCS = "docs/settings.md lists every setting."
_KEYS = {"extra_forbidden": ("there is no such setting", "Mend its name, or remove it"), "missing": ("it is not written", "Write it")}
"""What is wrong with a key, whatever its value, and what to do."""


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"'{name}' is not a time zone; write an IANA name such as Europe/Berlin")
    return name


def _known_currency(code: str) -> str:
    try:
        money.exponent(code)
    except RekindleError as error:
        raise ValueError(str(error)) from error
    return code


def _known_locale(name: str) -> str:
    try:
        Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError) as error:
        raise ValueError(f"'{name}' is not a locale; write one such as en, de or en_GB") from error
    return name


def _reference(text: str) -> str:
    if text and not text.startswith(_REFERENCES):
        raise ValueError("a secret does not stand in this file; write env:NAME or file:PATH")
    return text


def _rising(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if list(numbers) != sorted(set(numbers)):
        raise ValueError("the numbers do not rise; write each once, the smallest first")
    return numbers


def _kept_elsewhere(options: Mapping[str, "str | int | bool"]) -> Mapping[str, "str | int | bool"]:
    if open_ones := [name for name, value in options.items() if _SECRET.search(name) and not str(value).startswith(_REFERENCES)]:
        raise ValueError(f"'{open_ones[0]}' is a secret; write env:NAME or file:PATH")
    return options


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _web_address(text: str) -> str:
    """An address that a link in a message can lead to; without one it would lead to the message itself."""
    try:
        parts = urlsplit(text)
        plausible = parts.scheme in ("http", "https") and parts.hostname and not re.search(r"\s", text)
    except ValueError:
        plausible = False
    if not plausible:
        raise ValueError("every message leads there; write the shop's address, such as https://shop.example")
    return text


def _shade(text: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError(f"'{text}' is not a colour; write six hexadecimal digits, such as #1f5f5b")
    return text


def _picture(text: str) -> str:
    """The address of a picture that pages show; without HTTPS browsers would not load it."""
    if text and not re.fullmatch(r"https://[!-~]+", text):
        raise ValueError("the address of a picture is HTTPS")
    return text


class Brand(_Table):
    """How the shop appears in messages."""

    url: Annotated[str, AfterValidator(_web_address)] = "https://shop.example"
    color: Annotated[str, AfterValidator(_shade)] = "#1f5f5b"
    logo: Annotated[str, AfterValidator(_picture)] = ""


class Sender(_Table):
    """Whom messages come from; the postal address stands in every marketing mail."""

    name: str = ""
    email: str = "hello@shop.example"
    reply_to: str = ""
    postal_address: str = ""


Cost = Annotated[Decimal, Field(ge=0, le=1000)]


class ChannelCosts(_Table):
    """What handing over one message costs, in units of the store's currency."""

    email: Cost = Decimal("0.001")
    sms: Cost = Decimal("0.07")
    webpush: Cost = Decimal(0)
    inapp: Cost = Decimal(0)


class Senders(_Table):
    """What hands messages over, by channel; empty: the store does not use that channel."""

    email: str = "mailbox"
    sms: str = ""
    webpush: str = ""
    inapp: str = ""
    webhook: str = ""


Reference = Annotated[str, AfterValidator(_reference)]
"""Where a secret is, as `secret` reads it; a secret itself is refused, and not repeated in the error."""


class Sms(_Table):
    """Who hands text messages over, and who may say that one came in."""

    url: str = ""
    sender: str = ""
    shape: Literal["form", "json"] = "form"
    user: str = ""
    secret: Reference = ""
    inbound_secret: Reference = ""


class Webhook(_Table):
    """The shop's own system that takes messages as events."""

    url: str = ""
    secret: Reference = ""
    network: Literal["public", "private"] = "public"


class Shopify(_Table):
    """The shop's app at Shopify; what it tells is signed with its secret, and its customers' ids are those of a source."""

    secret: Reference = ""
    source: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")] = "shop"


class Smtp(_Table):
    """The mail server that takes mail over; without TLS only one on this machine."""

    host: str = ""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: Reference = ""
    ca_file: str = ""
    connections: Annotated[int, Field(ge=1, le=32)] = 8
    per_domain: Annotated[int, Field(ge=1, le=32)] = 4
    per_second: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal(0)

    @model_validator(mode="after")
    def _secure(self) -> Self:
        if self.security == "none" and self.host not in ("", *_THIS_MACHINE):
            raise ValueError(f"security = \"none\" is for a mail server on this machine: {', '.join(_THIS_MACHINE)}")
        return self


Options = Annotated[Mapping[str, str | int | bool], AfterValidator(_kept_elsewhere)]


class Provider(_Table):
    """The provider that takes mail over, with Anymail's options for it; what is secret among them is a reference."""

    esp: str = ""
    options: Options = {}
    webhook: Options = {}


class Dkim(_Table):
    """What signs mail; without a key nothing does here."""

    selector: str = ""
    domain: str = ""
    key: Reference = ""


class Consents(_Table):
    """What the store takes for a consent to marketing."""

    double_opt_in: bool = False
    purchase_implied_days: Annotated[int, Field(ge=0, le=3650)] = 0


def _https(text: str) -> str:
    if text and not text.startswith("https://"):
        raise ValueError("the address that takes customers in is HTTPS")
    if "{" in text:
        raise ValueError("the address that takes customers in has no place for a code: ?code= is put after it")
    return text


def _cart(text: str) -> str:
    if text and not (text.startswith("https://") and "{items}" in text):
        raise ValueError("the address of a cart is HTTPS and holds {items}")
    return text


class Handover(_Table):
    """Where customers go on in the shop."""

    url: Annotated[str, AfterValidator(_https)] = ""
    cart_url: Annotated[str, AfterValidator(_cart)] = ""
    days: Annotated[int, Field(ge=1, le=365)] = 14


class Console(_Table):
    """From which size on a plan takes the yes of two operators, where there are two."""

    four_eyes_messages: Annotated[int, Field(ge=0, le=100_000_000)] = 1_000
    four_eyes_cost: Annotated[Decimal, Field(ge=0, le=1_000_000)] = Decimal(500)


class Source(_Table):
    """A file that `run` imports when it has changed; a path is relative to the store folder."""

    file: str
    preset: str = ""
    map: str = ""
    role: Literal["facts", "contacts"] = "facts"


class Settings(_Table):
    """One store folder's settings.

    Raises:
        ValidationError: A value is out of its range; `load` turns it into BadData.
    """

    root: Path
    name: str = "Shop"
    currency: Annotated[str, AfterValidator(_known_currency)] = "EUR"
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    locale: Annotated[str, AfterValidator(_known_locale)] = "en"
    brand: Brand = Brand()
    sender: Sender = Sender()
    margin: Annotated[Decimal, Field(gt=0, lt=1)] = Decimal("0.40")
    horizon_weeks: Annotated[int, Field(ge=1, le=104)] = 26
    order_milestones: Annotated[tuple[Annotated[int, Field(ge=2, le=10_000)], ...], AfterValidator(_rising)] = (5, 10, 25)
    free_shipping_from: Annotated[Decimal, Field(ge=0, le=1_000_000)] = Decimal(0)
    channel_costs: ChannelCosts = ChannelCosts()
    senders: Senders = Senders()
    dkim: Dkim = Dkim()
    smtp: Smtp = Smtp()
    provider: Provider = Provider()
    sms: Sms = Sms()
    webhook: Webhook = Webhook()
    handover: Handover = Handover()
    shopify: Shopify = Shopify()
    console: Console = Console()
    consent: Consents = Consents()
    history: str = "duckdb://var/history.duckdb"
    database: str = "sqlite:///var/ledger.sqlite3"
    database_password: Reference = ""
    public_url: str = "https://shop.example/rekindle"
    sources: tuple[Source, ...] = ()

    @property
    def var(self) -> Path:
        """The folder of everything that Rekindle writes."""
        return self.root / "var"

    @property
    def public_path(self) -> str:
        """The path of `public_url`, without a slash at its end."""
        return urlsplit(self.public_url).path.rstrip("/")


@dataclass(frozen=True, slots=True)
class Wrong:
    """One setting that cannot be used.

    Args:
        setting: Its dotted name; empty where it is the file.
        why: What is wrong with it.
        remedy: What to do about it.
        line: Of the file, counted from 1; 0 where the name says where it is.
    """

    setting: str
    why: str
    remedy: str
    line: int = 0


class WrongSettings(BadData):
    """Settings of a store that cannot be used, all that is wrong with them.

    Args:
        path: The file.
        wrong: What is wrong in it, the first one first.
        rest: The settings without what is wrong in them; None where the file cannot be read.
    """

    def __init__(self, path: Path, wrong: tuple[Wrong, ...], rest: Settings | None = None) -> None:
        first = wrong[0]
        super().__init__(": ".join(filter(None, (str(path), first.setting, first.why))), first.remedy)
        self.wrong, self.rest = wrong, rest


def load(root: Path) -> Settings:
    """Reads a store folder's settings; `REKINDLE_HISTORY` and `REKINDLE_DATABASE` win over the file.

    Raises:
        UsageError: The folder is not a store.
        WrongSettings: The file is not TOML, or a value in it cannot be used.
    """
    path = root / FILE_NAME
    if not path.is_file():
        raise UsageError(f"{root} is not a store folder: it has no {FILE_NAME}", f"Make one with: rekindle init {root}")
    document = _document(path)
    for key in ("history", "database"):
        if value := os.environ.get(f"REKINDLE_{key.upper()}"):
            document[key] = value
    try:
        return Settings(root=root.resolve(), **document)
    except ValidationError as error:
        details = error.errors(include_url=False)
        kept = {key: value for key, value in document.items() if key not in {one["loc"][0] for one in details}}
        raise WrongSettings(path, tuple(map(_wrong, details)), Settings(root=root.resolve(), **kept)) from error


def _document(path: Path) -> dict[str, Any]:
    """What the file says, before it is looked at whether it can be used."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = int(named[1]) if (named := _LINE.search(str(error))) else 1
        raise WrongSettings(path, (Wrong("", f"it is not valid TOML: {error}", "Mend the line it names.", line),)) from error
    if "root" in document:
        raise WrongSettings(path, (Wrong("root", "it is the folder itself and cannot be set", "Remove that line."),))
    if _PASSWORD.search(str(document.get("database", ""))):
        remedy = 'Take it out, and write database_password = "env:NAME" or "file:PATH".'
        raise WrongSettings(path, (Wrong("database", "it holds a password", remedy),))
    return document


def _wrong(error: ErrorDetails) -> Wrong:
    """One setting's mistake in words that people read; what may be a secret is not repeated."""
    setting = ".".join(map(str, error["loc"]))
    if error["type"] == "value_error":
        why, _, remedy = str(error["ctx"]["error"]).replace("; ", ". ", 1).partition(". ")
    else:
        shown = "what stands here" if _SECRET.search(setting) else quoted(error["input"])
        why, remedy = _KEYS.get(error["type"]) or wrong_value(error["type"], shown, error.get("ctx", {}))
    said = f"{remedy[:1].upper()}{remedy[1:].rstrip('.')}. " if remedy else ""
    return Wrong(setting, why, f"{said}{_DOCS}")


def secret(reference: str, root: Path, setting: str) -> str:
    """What `env:NAME` or `file:PATH` points at.

    Args:
        reference: As it is written.
        root: The store's folder, which a relative path starts from.
        setting: Where it is written, such as `smtp.password`.

    Raises:
        BadData: The reference has another form, or nothing is there.
    """
    kind, _, name = reference.partition(":")
    if kind == "env" and name in os.environ:
        return os.environ[name]
    if kind == "file" and (root / name).is_file():
        return (root / name).read_text(encoding="utf-8").strip()
    raise BadData(f"{FILE_NAME}: {setting}: no secret at '{reference}'", "Write env:NAME or file:PATH, and set it.")
