"""Who may ask: whoever has a key in use that opens it, so often a minute.

Knows nothing of what is asked.
"""

from django.http import HttpRequest
from ninja.errors import AuthorizationError, Throttled
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from rekindle.service.api.models import ApiKey
from rekindle.service.api.queries import key_of
from rekindle.service.config.often import MINUTE, Counted, origin_of

PER_MINUTE = 600
"""Requests of a key in each process; processes do not count together."""

STRANGERS = Counted(300)
"""Requests without a good key in a minute, by address; who has one is never kept out by who has none."""


class Key(HttpBearer):
    """`Authorization: Bearer rk_...` with a scope.

    Args:
        scope: What the key must open.
    """

    def __init__(self, scope: str) -> None:
        super().__init__()
        self._scope = scope

    def __call__(self, request: HttpRequest) -> ApiKey | None:
        """The key that a request came with.

        Raises:
            Throttled: It came without, as too many from its address within the minute.
        """
        key = self.held(request)
        if key is None and STRANGERS.over(origin_of(request)):
            raise Throttled(wait=MINUTE)
        return key

    def held(self, request: HttpRequest) -> ApiKey | None:
        """The same, and nobody is counted. Ninja's own way first makes an object of every header, for each request anew.

        Raises:
            AuthorizationError: It does not open this.
        """
        scheme, _, token = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
        return self.authenticate(request, token) if scheme.lower() == self.openapi_scheme else None

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
        self.counted = Counted(most)

    def allow_request(self, request: HttpRequest) -> bool:
        """Whether this one is within the count."""
        return not self.counted.over(holder(request).prefix)

    def wait(self) -> float:
        """Seconds after which a key may certainly ask again."""
        return float(MINUTE)
