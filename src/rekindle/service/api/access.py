"""Who may ask: whoever has a key in use that opens it, so often a minute.

Knows nothing of what is asked.
"""

import time
from threading import Lock

from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from rekindle.service.api.models import ApiKey
from rekindle.service.api.queries import key_of

PER_MINUTE = 600
"""Requests of a key in each process; processes do not count together."""

_MINUTE = 60.0


class Key(HttpBearer):
    """`Authorization: Bearer rk_...` with a scope.

    Args:
        scope: What the key must open.
    """

    def __init__(self, scope: str) -> None:
        super().__init__()
        self._scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:  # noqa: ARG002  ninja's way of calling
        """The key, where it is one.

        Raises:
            AuthorizationError: It is, and does not open this.
        """
        key = key_of(token)
        if key is not None and self._scope not in key.scopes.split():
            raise AuthorizationError(message=f"the key does not open {self._scope}")
        return key


def holder(request: HttpRequest) -> ApiKey:
    """The key that a request came with."""
    key: ApiKey = request.auth  # type: ignore[attr-defined]  # ninja sets it, and no type says so
    return key


class Often(BaseThrottle):
    """Counts a key's requests by the minute.

    Args:
        most: Requests of a key in a minute.
    """

    def __init__(self, most: int = PER_MINUTE) -> None:
        self._most, self._lock = most, Lock()
        self._counted: dict[str, tuple[float, int]] = {}

    def allow_request(self, request: HttpRequest) -> bool:
        """Whether this one is within the count."""
        key = holder(request)
        now = time.monotonic()
        with self._lock:
            since, count = self._counted.get(key.prefix, (now, 0))
            since, count = (since, count + 1) if now - since < _MINUTE else (now, 1)
            self._counted[key.prefix] = since, count
        return count <= self._most

    def wait(self) -> float:
        """Seconds after which a key may certainly ask again."""
        return _MINUTE
