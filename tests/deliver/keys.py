"""Keys for the tests of signing, and a DNS that knows their public halves."""

from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rekindle.deliver.dkim import DkimKey, dns_record, read_key


@cache
def pem(bits: int = 2_048) -> str:
    key = rsa.generate_private_key(65_537, bits)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


@cache
def dkim_key(domain: str = "shop.example") -> DkimKey:
    return read_key("mail", domain, pem())


def dns(*keys: DkimKey) -> Callable[..., bytes]:
    """What dkimpy asks: the text of a TXT record, empty where there is none."""
    records = {f"{name}.": text.encode() for name, text in map(dns_record, keys)}
    return lambda name, timeout=5: records.get(name.decode() if isinstance(name, bytes) else name, b"")
