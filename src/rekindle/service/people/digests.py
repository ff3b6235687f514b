"""The form in which suppression knows an address: a keyed digest, which tells nobody whose it was and outlives its owner's erasure.

Knows nothing of people. The key is `suppression.key` of the store whose ledger is in use.
"""

import hmac
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from django.db import connection

from rekindle.errors import StoreUnavailable
from rekindle.service.config.keys import load_secret
from rekindle.service.people.models import Suppression

PURPOSE = "suppression"
_REMEMBERED = 1_024
"""Digests that are kept: a message asks for its own twice, a batch apart."""


def digest_of(address: str) -> str:
    """An address as suppression knows it, 64 hexadecimal digits; empty for no address.

    Args:
        address: In the form of `queries.address_of`.

    Raises:
        StoreUnavailable: The key is gone, and with it the meaning of every digest there is.
    """
    return keyed(key_in_use(), address) if address else ""


def digests_of(addresses: Iterable[str]) -> list[str]:
    """The same of several."""
    given = list(addresses)
    key = key_in_use() if any(given) else b""
    return [keyed(key, address) if address else "" for address in given]


@lru_cache(_REMEMBERED)
def keyed(key: bytes, address: str) -> str:
    """The digest of an address under a key.

    Source: RFC 2104, HMAC, with SHA-256.
    """
    return hmac.digest(key, address.encode(), "sha256").hex()


def key_in_use() -> bytes:
    """The key of the store whose ledger is in use.

    Raises:
        StoreUnavailable: As `digest_of`.
    """
    return _key(connection.settings_dict["VAR"])


@cache
def _key(var: str) -> bytes:
    """A store's key, made at its first use; never made anew for digests of another one, which would suppress nobody any more."""
    path = Path(var) / "keys" / f"{PURPOSE}.key"
    if not path.is_file() and Suppression.objects.exists():
        remedy = "Put it back from a backup: without it nobody can tell who is to be left alone."
        raise StoreUnavailable(f"{path} is missing", remedy)
    return bytes.fromhex(load_secret(Path(var), PURPOSE))
