"""Links of a message that lead to the shop: short, opaque, and only this store can have made them.

Knows nothing of where a link leads and of web servers. A token is one block of AES under a key of the store: the touch, the destination's
number and zeros that a guess would have to hit. Nothing is written for a link, so a message may have as many as it likes.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from rekindle.deliver.links import Ring
from rekindle.errors import Refused

TRAP = 0
"""The destination of a link that no person sees: whoever follows it is a machine."""

VIEW, BECAUSE, ANSWER, RATE, REVIEW, LANDING = -1, -2, -3, -4, -5, -6
"""Destinations of the pages about one message, which no ledger numbers; no token holds one, only the note of a look does."""

_BLOCK, _TOUCH, _DESTINATION = 16, 6, 4
_FORM = re.compile(r"([a-z0-9]{1,8})\.([A-Za-z0-9_-]{22})")


@dataclass(frozen=True, slots=True)
class Link:
    """What a good token says.

    Args:
        touch: The touch whose message holds it, its number in the ledger.
        destination: Where it leads, its number in the ledger; `TRAP` for the hidden one.
    """

    touch: int
    destination: int


def shorten(ring: Ring, link: Link) -> str:
    """A token for a URL: the key's name and 22 characters.

    Raises:
        ValueError: A number is negative or too large.
    """
    try:
        numbers = link.touch.to_bytes(_TOUCH, "big") + link.destination.to_bytes(_DESTINATION, "big")
    except OverflowError as error:
        raise ValueError(f"cannot shorten {link}") from error
    encryptor = _cipher(ring, ring.current).encryptor()
    sealed = encryptor.update(numbers.ljust(_BLOCK, b"\0")) + encryptor.finalize()
    return f"{ring.current}.{urlsafe_b64encode(sealed).rstrip(b'=').decode('ascii')}"


def expand(ring: Ring, token: str) -> Link:
    """What a token says.

    Raises:
        Refused: It was not made with this ring; one message for every way of being wrong.
    """
    parts = _FORM.fullmatch(token)
    if parts and parts[1] in ring.keys:
        decryptor = _cipher(ring, parts[1]).decryptor()
        block = decryptor.update(urlsafe_b64decode(parts[2] + "==")) + decryptor.finalize()
        whole = urlsafe_b64encode(urlsafe_b64decode(parts[2] + "==")).rstrip(b"=").decode("ascii") == parts[2]  # no second spelling
        if whole and not any(block[_TOUCH + _DESTINATION :]):
            return Link(int.from_bytes(block[:_TOUCH], "big"), int.from_bytes(block[_TOUCH : _TOUCH + _DESTINATION], "big"))
    raise Refused("this link is not one of ours, or is damaged", "Use the link of a message you got, or write to us.")


def _cipher(ring: Ring, key: str) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(ring.keys[key]), modes.ECB())  # noqa: S305  one block, never the same twice
