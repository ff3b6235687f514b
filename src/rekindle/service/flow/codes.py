"""Personal codes that nobody can guess and everybody can type.

Knows nothing of what a code is worth.
"""

import hashlib
import hmac

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U."""
LENGTH = 10

EXAMPLE = "EXAMPLE123"
"""What stands for a code where nobody gets one: as long as any, and none can be it."""


def code_for(key_hex: str, touch_key: str) -> str:
    """The code of one touch: the same whenever it is asked for, 50 bits that depend on the store's secret.

    Args:
        key_hex: The store's secret, hexadecimal.
        touch_key: As `rekindle.service.outbox.models.touch_key` writes it.

    >>> code_for("00" * 32, "win-back:c1:o1:tailor")
    'D6R2ZRE91Z'
    """
    number = int.from_bytes(hmac.new(bytes.fromhex(key_hex), f"code|{touch_key}".encode(), hashlib.sha256).digest()[:8], "big")
    return "".join(ALPHABET[number >> 5 * place & 31] for place in range(LENGTH))
