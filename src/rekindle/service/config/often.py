"""How often something was asked within a minute, and from which network.

Knows nothing of what is asked. Addresses are counted by a digest under a key of this process alone, and forgotten after the minute.
"""

import hmac
import secrets
import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Lock

from django.http import HttpRequest

MINUTE = 60
_AT_MOST = 100_000
"""Names that are counted at once; beyond them all begin anew, so that a flood of names cannot fill the memory."""

_KEY = secrets.token_bytes(32)


class Counted:
    """Counts by the minute; each process counts for itself.

    Args:
        most: How often a name may come in a minute.
    """

    def __init__(self, most: int) -> None:
        self.most, self._lock = most, Lock()
        self._since, self._counts = time.monotonic(), dict[str, int]()

    def over(self, name: str) -> bool:
        """Counts a name once more, and says whether that was more often than it may come."""
        with self._lock:
            now = time.monotonic()
            if now - self._since >= MINUTE or len(self._counts) >= _AT_MOST:
                self._since, self._counts = now, {}
            self._counts[name] = count = self._counts.get(name, 0) + 1
            return count > self.most


def address_of(request: HttpRequest) -> str:
    """The address that a request came from; what a server before us says counts where that server is on this machine or its own net."""
    near: str = request.META.get("REMOTE_ADDR", "")
    said: str = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    try:
        return str(ip_address(said)) if said and ip_address(near).is_private else near
    except ValueError:
        return near


def network_of(request: HttpRequest) -> str:
    """The network that a request came from, as text: 256 addresses of IPv4, a customer's own of IPv6; empty where it cannot be told."""
    try:
        address = ip_address(address_of(request))
    except ValueError:
        return ""
    kind, bits = (IPv4Address, 24) if address.version == 4 else (IPv6Address, 48)
    rest = address.max_prefixlen - bits
    return f"{kind(int(address) >> rest << rest)}/{bits}"


def origin_of(request: HttpRequest) -> str:
    """The address that a request came from, as nobody can read it."""
    return sealed(address_of(request))


def sealed(text: str) -> str:
    """A name for a text that means nothing outside this process."""
    return hmac.digest(_KEY, text.encode(), "sha256").hex()[:16]
