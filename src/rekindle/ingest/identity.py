"""Who a customer is in history: an opaque id that only the holder of the store's key can compute.

Knows nothing of names and addresses. The same external id of the same source is the same customer, always.
"""

import base64
import hashlib
import os
import secrets
from pathlib import Path

import ibis
import ibis.expr.types as ir

from rekindle.errors import BadData

SHOP = "shop"
"""The source of every preset, and of a mapping that names none: files of one shop agree on their customers."""

KEY_FILE = "identity.key"
_KEY_BYTES = 32
_ID_BYTES = 9


@ibis.udf.scalar.builtin(name="unhex")  # type: ignore[untyped-decorator]  # Ibis does not annotate it
def _unhex(text: str) -> bytes:  # type: ignore[empty-body]  # the engine has the body
    ...


@ibis.udf.scalar.builtin(name="base64")  # type: ignore[untyped-decorator]  # Ibis does not annotate it
def _base64(blob: bytes) -> str:  # type: ignore[empty-body]  # the engine has the body
    ...


def identity_key(var: Path) -> str:
    """The store's key, 64 hexadecimal digits; made on first use in a file that only its owner can read.

    Raises:
        BadData: The file does not hold a key.
    """
    path = var / KEY_FILE
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
    key = path.read_text(encoding="ascii").strip()
    if len(key) != 2 * _KEY_BYTES:
        raise BadData(f"{path} does not hold an identity key", "Restore it from a backup: without it no customer is recognised.")
    return key


def customer_id(external: ir.StringValue, source: str, key: str) -> ir.StringValue:
    """The opaque id of an external id, as an expression: 12 characters of `A-Za-z0-9_.`.

    Args:
        external: The id that the shop uses, such as a number or a lower-cased e-mail.
        source: Where the id is valid.
        key: From `identity_key`.
    """
    inner = (ibis.literal(f"{key}:{source}:") + external).hexdigest("sha256")
    outer = (ibis.literal(f"{key}:") + inner).hexdigest("sha256")
    return _base64(_unhex(outer.substr(0, 2 * _ID_BYTES))).replace("+", "_").replace("/", ".")


def customer_id_of(external: str, source: str, key: str) -> str:
    """The same in Python.

    >>> customer_id_of("17850", "shop", "00" * 32)
    'IK4yziv.iNMw'
    """
    inner = hashlib.sha256(f"{key}:{source}:{external}".encode()).hexdigest()
    outer = hashlib.sha256(f"{key}:{inner}".encode()).digest()[:_ID_BYTES]
    return base64.b64encode(outer, altchars=b"_.").decode("ascii")
