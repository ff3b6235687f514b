"""Which addresses a message may be posted to: never one inside the network that Rekindle runs in, unless its owner says so.

Knows nothing of messages. A name is looked up once and the connection goes to what was checked: a second look cannot lead elsewhere.
"""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from rekindle.errors import PermanentFailure, TemporaryFailure

_FORM = re.compile(r"[!-\[\]-~]{1,2000}")  # printable ASCII without the space and the backslash
_PORTS = {"https": 443, "http": 80}
_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")  # all that is given out, RFC 4291 section 2.4 and IANA's registry
_INNER = (
    IPv4Network("192.0.0.0/24"),           # Python 3.11 knows a part of it, 2026-11
    IPv4Network("168.63.129.16/32"),       # Azure's metadata: a public address that only its machines reach, 2026-11
)
_REMEDY = "Write an https:// address that the whole internet can reach."
_TRIED = 2

Lookup = Callable[[str, int], list[str]]
"""A name and a port to the addresses it stands for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads, before its name is looked up.

    Args:
        scheme: https or http.
        host: In ASCII, lower case; an IPv6 address without brackets.
        port: As written, or the scheme's.
        path: With the query, from the first slash on.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def named(self) -> str:
        """The host as the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def place_of(url: str) -> Place:
    """Reads a URL strictly: printable ASCII, https or http, a host, no user and no password.

    Raises:
        PermanentFailure: It is no such URL.
    """
    try:
        parts = urlsplit(url if _FORM.fullmatch(url) else "")
        host, port = parts.hostname, _PORTS.get(parts.scheme) if parts.port is None else parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.scheme not in _PORTS or "@" in parts.netloc:
        raise PermanentFailure("that is not an address a message can be posted to", _REMEDY)
    return Place(parts.scheme, host, port, f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")


def addresses_of(place: Place, *, private: bool, lookup: Lookup | None = None) -> list[str]:
    """The addresses to connect to: looked up, and each of them checked.

    Args:
        place: Where to.
        private: Whether addresses of the own network are meant: then plain http may go to these, and still to no other.
        lookup: What asks the name service; the system's where not given.

    Raises:
        PermanentFailure: One of them must not be reached, or not without TLS.
        TemporaryFailure: The name cannot be looked up now.
    """
    if place.scheme == "http" and not private:
        raise PermanentFailure(f"{place.host} was to be reached without TLS", _REMEDY)
    found = list(dict.fromkeys((lookup or _look_up)(place.host, place.port)))
    if not found:
        raise TemporaryFailure(f"the name {place.host} stands for no address", "Check the name.")
    outside = [is_public(address) for address in found]
    if not private and not all(outside):
        raise PermanentFailure(f"{place.host} leads into a private network", _REMEDY)
    if place.scheme == "http" and any(outside):
        raise PermanentFailure(f"{place.host} was to be reached without TLS", _REMEDY)
    return found[:_TRIED]


def is_public(address: str) -> bool:
    """Whether an address is one of the internet's at large; an IPv4 address inside an IPv6 one counts as itself.

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1"), is_public("64:ff9b::7f00:1")
    (True, False, False, False)

    Source: RFC 6890 (special-purpose addresses), RFC 6598 (shared), RFC 4193 (ULA), RFC 6052 (NAT64).
    """
    ip = _within(ip_address(address.partition("%")[0]))
    if isinstance(ip, IPv6Address):
        return ip.is_global and ip in _UNICAST
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _INNER)


def _within(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, where it stands for one."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


def _look_up(host: str, port: int) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise TemporaryFailure(f"the name {host} cannot be looked up", "Check the name, and this machine's name server.") from error
