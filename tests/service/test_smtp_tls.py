"""The relay over TLS, and as the settings have it: nothing goes where nobody has shown who they are."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rekindle.deliver.lanes import Limits
from rekindle.errors import BadData, TemporaryFailure
from rekindle.service.channels.smtp.channel import open_channel
from rekindle.settings import load
from tests.faults.smtp_server import FEATURES, Fault, SmtpServer
from tests.service.relays import SLOW, message, relay


@dataclass(frozen=True)
class Authority:
    """A certificate for this machine, and who trusts it."""

    file: Path
    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, secret = folder / "authority.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, secret)
    return Authority(pem, server, ssl.create_default_context(cafile=str(pem)))


def test_starttls_secures_and_signs_in(authority: Authority) -> None:
    features = (*FEATURES, "AUTH PLAIN")
    secure = {"security": "starttls", "context": authority.client, "user": "ada"}
    with SmtpServer(context=authority.server, features=features) as server, relay(server, **secure) as smtp:
        smtp.hand_over(message())
    assert server.account.commands[:4] == ["ehlo shop.example", "STARTTLS", "ehlo shop.example", "AUTH PLAIN AGFkYQBzZWNyZXQ="]
    assert server.account.taken == {"m1@shop.example": 1}


def test_tls_from_the_first_byte(authority: Authority) -> None:
    secure = {"security": "tls", "context": authority.client}
    with SmtpServer(context=authority.server, implicit=True) as server, relay(server, **secure) as smtp:
        smtp.hand_over(message())
    assert server.account.taken == {"m1@shop.example": 1}


@pytest.mark.parametrize(
    ("faults", "offers", "trusts", "says"),
    [
        ({}, False, True, "offers no STARTTLS"),
        ({"": Fault("STARTTLS", "reply", "454 TLS not available")}, True, True, "454"),
        ({"": Fault("STARTTLS", "reply", "220 go ahead\r\n250 injected")}, True, True, "out of turn"),
        ({"": Fault("STARTTLS", "stall")}, True, True, "took too long|timed out"),
        ({}, True, False, "certificate is not to be trusted"),
        ({"": Fault("AUTH", "reply", "535 5.7.8 wrong password")}, True, True, "535"),
    ],
)
def test_without_a_trusted_connection_nothing_goes_and_nobody_signs_in(
    authority: Authority, faults: dict[str, Fault], offers: bool, trusts: bool, says: str
) -> None:
    context = authority.client if trusts else ssl.create_default_context()
    with SmtpServer(faults, scale=SLOW, context=authority.server if offers else None, features=(*FEATURES, "AUTH PLAIN")) as server:
        if not offers:
            server.features = [*FEATURES]
        with relay(server, security="starttls", context=context, user="ada") as smtp, pytest.raises(TemporaryFailure, match=says) as caught:
            smtp.hand_over(message())
    assert caught.value.lane
    heard = " ".join(server.account.commands)
    assert "MAIL" not in heard
    assert ("AUTH" in heard) == (says == "535")


def test_the_settings_say_which_server_and_how_much_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    with SmtpServer(context=authority.server, features=(*FEATURES, "AUTH LOGIN PLAIN")) as server:
        (tmp_path / "rekindle.toml").write_text(
            f'[senders]\nemail = "smtp"\n[smtp]\nhost = "127.0.0.1"\nport = {server.port}\nuser = "ada"\npassword = "env:SMTP_PASSWORD"\n'
            f'ca_file = "{authority.file}"\nconnections = 2\nper_domain = 4\nper_second = 2.5\n'
        )
        smtp = open_channel(load(tmp_path))
        smtp.hand_over(message())
        smtp.close()
    assert smtp.limits == Limits(at_once=2, spare=1, per_lane=2, per_second=2.5)
    assert server.account.taken == {"m1@shop.example": 1}


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ('host = "mail.example"\nsecurity = "none"', "this machine"),
        ('host = ""', "smtp.host is empty"),
        ('host = "mail.example"\nca_file = "nowhere.pem"', "smtp.ca_file"),
        ('host = "mail.example"\nuser = "ada"\npassword = "env:NOT_SET_ANYWHERE"', "NOT_SET_ANYWHERE"),
        ('host = "mail.example"\nuser = "ädä"\npassword = "env:HOME"', "beyond ASCII"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, lines: str, names: str) -> None:
    (tmp_path / "rekindle.toml").write_text(f"[smtp]\n{lines}\n")
    with pytest.raises(BadData, match=names):
        open_channel(load(tmp_path))
