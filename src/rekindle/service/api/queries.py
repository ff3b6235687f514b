"""Which keys there are, and whose a given one is.

Changes nothing.
"""

import hmac
import re

from rekindle.service.api.actions import digest
from rekindle.service.api.models import ApiKey
from rekindle.service.config.prepared import whole

_FORM = re.compile(r"rk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_NONE = digest("")
_KEY = whole(ApiKey, lambda prefix: ApiKey.objects.filter(pk=prefix, revoked_at=None))


def keys() -> list[ApiKey]:
    """Every key, the oldest first."""
    return list(ApiKey.objects.order_by("created_at", "prefix"))


def key_of(text: str) -> ApiKey | None:
    """The key in use that a text is; None for every way of being none."""
    parts = _FORM.fullmatch(text)
    held = _KEY.first(parts[1] if parts else "")
    good = hmac.compare_digest(digest(parts[2] if parts else ""), held.digest if held else _NONE)
    return held if good and parts else None
