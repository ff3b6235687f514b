"""Which keys there are, and whose a given one is.

Changes nothing.
"""

import hashlib
import hmac
import re

from rekindle.service.api.models import ApiKey
from rekindle.service.config.kept import Kept
from rekindle.service.config.prepared import whole

SEEN_WITHIN = 1.0
"""Seconds after which a key that another process revoked opens nothing any more."""

_FORM = re.compile(r"rk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_KEY = whole(ApiKey, lambda prefix: ApiKey.objects.filter(pk=prefix, revoked_at=None))
IN_USE = Kept(_KEY.first, SEEN_WITHIN)
"""The key of a name, where it is in use; who takes one out of use has it forgotten."""


def digest(word: str) -> str:
    """What is held of a key; it is random itself, so that one round is enough."""
    return hashlib.sha256(word.encode()).hexdigest()


_NONE = digest("")


def keys() -> list[ApiKey]:
    """Every key, the oldest first."""
    return list(ApiKey.objects.order_by("created_at", "prefix"))


def key_of(text: str) -> ApiKey | None:
    """The key in use that a text is; None for every way of being none."""
    parts = _FORM.fullmatch(text)
    held = IN_USE(parts[1]) if parts else None
    good = hmac.compare_digest(digest(parts[2] if parts else ""), held.digest if held else _NONE)
    return held if good and parts else None
