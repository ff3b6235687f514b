"""Posts one message over HTTP and says by type what became of it.

Knows nothing of what is posted. Until the request begins nothing was given away; from then on only an answer says whether it was taken.
"""

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from threading import Lock, Timer
from weakref import finalize

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from rekindle import moment
from rekindle.deliver.channel import Message
from rekindle.errors import LookAgain, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.channels.addresses import Lookup, Place, addresses_of, place_of

CONNECT, EXCHANGE = 5.0, 20.0
"""Seconds: to reach one address, and for all of a handshake or of a question and its answer, however slowly it trickles."""

_KEPT, _FRESH = 16, 2.0  # idle connections of one place, and the seconds after which the other side may be closing one
_BODY_AT_MOST = 65_536
_WAIT = "Nothing: marketing is never tried again, news of an order is."
_LONGEST_WAIT = timedelta(days=1)
_OURS = frozenset({401, 402, 403, 407})  # the account's fault, not the message's
_AGAIN = frozenset({408, 421, 423, 425, 429})
_BUSY = 503
_GATEWAYS = frozenset({502, 504})  # it asked another, and does not know


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said.

    Args:
        status: The HTTP status.
        body: At most 64 KiB of it.
        wait: What its Retry-After asks for, at most a day; None without one.
    """

    status: int
    body: bytes
    wait: timedelta | None


class Poster:
    """Keeps connections to the places it posts to. Several threads may use it at once.

    Args:
        private: Whether addresses of the own network are meant.
        exchange: Seconds for a question and its answer.
        lookup: What asks the name service; the system's where not given.
        trust: Which certificates are good; the system's where not given.
    """

    def __init__(
        self, *, private: bool = False, exchange: float = EXCHANGE, lookup: Lookup | None = None, trust: ssl.SSLContext | None = None
    ) -> None:
        self._private, self._exchange, self._lookup = private, exchange, lookup
        self._trust = trust or ssl.create_default_context()
        self._lock = Lock()
        self._idle: _Idle = {}
        finalize(self, _hang_up, self._idle)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], message: Message | None = None) -> Answer:
        """Posts once, follows no redirect, and gives the answer, whatever its status.

        Args:
            url: Where to.
            body: What.
            headers: Beside `Host` and `User-Agent`.
            message: What the body is about, where it is a message to somebody.

        Raises:
            PermanentFailure: The URL must not be posted to.
            TemporaryFailure: No connection came about, or it took so long that the message must be looked at again; nothing was given away.
            OutcomeUnknown: The connection broke, or was too slow, after the request began.
        """
        place = place_of(url)
        line = self._idle_line(place) or self._open(place)
        try:
            with _at_most(self._exchange, line):
                if message:
                    message.begin(time.monotonic())
                line.request("POST", place.path, body, {"Host": place.named, "User-Agent": "rekindle", **headers}, preload_content=False)
                response = line.getresponse()
                said = response.read(_BODY_AT_MOST + 1, decode_content=False)
        except LookAgain:
            self._keep(place, line, whole=True)
            raise
        except (HTTPError, HTTPException, OSError) as error:
            line.close()
            raise OutcomeUnknown(f"{place.host} gave no whole answer: {_kind(error)}", _WAIT) from error
        self._keep(place, line, whole=len(said) <= _BODY_AT_MOST)
        return Answer(response.status, said[:_BODY_AT_MOST], _wait(response.headers.get("Retry-After", "")))

    def _open(self, place: Place) -> "_Plain":
        failures = []
        for address in addresses_of(place, private=self._private, lookup=self._lookup):
            line = self._line(place, address)
            try:
                with _at_most(self._exchange, line):
                    line.connect()
            except (HTTPError, HTTPException, OSError) as error:
                line.close()
                failures.append(_kind(error))
            else:
                line.timeout = self._exchange
                return line
        why = ", ".join(dict.fromkeys(failures))
        raise TemporaryFailure(f"{place.host} cannot be reached: {why}", "Check the address and the network.", lane=True)

    def _line(self, place: Place, address: str) -> "_Plain":
        if place.scheme == "http":
            return _Plain(address, place.port, timeout=min(CONNECT, self._exchange))
        return _Secure(address, place.port, timeout=min(CONNECT, self._exchange), ssl_context=self._trust, server_hostname=place.host)

    def _idle_line(self, place: Place) -> "_Plain | None":
        with self._lock:
            kept = self._idle.get((place.scheme, place.host, place.port), [])
            while kept:
                since, line = kept.pop()
                if time.monotonic() - since < _FRESH and line.is_connected:
                    return line
                line.close()
        return None

    def _keep(self, place: Place, line: "_Plain", *, whole: bool) -> None:
        with self._lock:
            kept = self._idle.setdefault((place.scheme, place.host, place.port), [])
            if whole and line.is_connected and len(kept) < _KEPT:
                kept.append((time.monotonic(), line))
                return
        line.close()


def _hang_up(idle: "_Idle") -> None:
    for kept in idle.values():
        for _, line in kept:
            line.close()


class _Plain(HTTPConnection):
    """A connection that another thread can cut, also in the middle of a handshake."""

    wire: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.wire = connected.dup()
        return connected

    def cut(self) -> None:
        if self.wire is not None:
            with suppress(OSError):  # the other side was faster
                self.wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if self.wire is not None:
            self.wire.close()


class _Secure(_Plain, HTTPSConnection):
    """The same over TLS."""


_Idle = dict[tuple[str, str, int], list[tuple[float, _Plain]]]
"""Scheme, host and port to the connections that nobody uses, each with when that began."""


@contextmanager
def _at_most(seconds: float, line: _Plain) -> Iterator[None]:
    """Cuts the line where the block takes longer; what waits on it fails then."""
    watch = Timer(seconds, line.cut)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def judge(answer: Answer, host: str, code: str = "", *, kept_apart: bool = True) -> None:
    """Says by type what a status means: 2xx passes.

    Args:
        answer: What came.
        host: Whose answer it is, for the message.
        code: What the other side calls the error, where it says so in numbers.
        kept_apart: Whether the other side keeps apart by its id what comes twice, so that its own failure may be answered by trying again.

    Raises:
        TemporaryFailure: 408, 421, 423, 425, 429, 5xx, and 401, 402, 403, 407, where the account is refused and not the message.
        PermanentFailure: Another 4xx, or a redirect.
        OutcomeUnknown: 502 and 504, where a gateway does not know itself, and what is no final answer; every 5xx but 503 where what comes
            twice is not kept apart.
    """
    status, said = answer.status, f"{host} answered {answer.status}{f' with error {code}' if code else ''}"
    if 200 <= status < 300:
        return
    if status in _OURS:
        wait = answer.wait or timedelta(hours=1)
        raise TemporaryFailure(said, "Check the account and its secret in rekindle.toml.", wait, lane=True)
    if status in _GATEWAYS or status < 200 or (status >= 500 and status != _BUSY and not kept_apart):
        raise OutcomeUnknown(said, _WAIT)
    if status in _AGAIN or status >= 500:
        raise TemporaryFailure(said, "Nothing: it is tried again.", answer.wait, lane=status in (429, _BUSY))
    raise PermanentFailure(said, "Mend what the other side refuses: the address, or the setting it names.")


def _wait(text: str) -> timedelta | None:
    """What Retry-After asks for: seconds, or an instant. Source: RFC 9110 section 10.2.3."""
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:6])), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware: datetime = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(aware - moment.now(), timedelta(0)), _LONGEST_WAIT)


def _kind(error: Exception) -> str:
    """What went wrong, without addresses: they would stand in the touch's reason."""
    inner = error.__cause__ or error.__context__ or error
    return getattr(inner, "strerror", None) or type(inner).__name__
