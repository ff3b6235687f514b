"""Which keys there are, and whose a given one is.

Changes nothing.
"""

import hmac
import re

from rekindle.service.api.actions import digest
from rekindle.service.api.models import ApiKey

_FORM = re.compile(r"rk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_NONE = digest("")


def keys() -> list[ApiKey]:
    """Every key, the oldest first."""
    return list(ApiKey.objects.order_by("created_at", "prefix"))


def key_of(text: str) -> ApiKey | None:
    """The key in use that a text is; None for every way of being none."""
    parts = _FORM.fullmatch(text)
    held = ApiKey.objects.filter(pk=parts[1] if parts else "", revoked_at=None).first()
    good = hmac.compare_digest(digest(parts[2] if parts else ""), held.digest if held else _NONE)
    return held if good and parts else None
