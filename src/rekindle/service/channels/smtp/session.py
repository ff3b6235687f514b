"""One connection to a mail server, each step of which ends by a deadline however slowly the server answers.

Knows nothing of messages and of what an answer means.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rekindle.service.channels.smtp.replies import CONNECTION, refusal

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_LINE = re.compile(rb"(\d{3})(?:([ -])(.*))?", re.DOTALL)
_LONGEST_LINE = 8_192
_LONGEST_ANSWER = 65_536
_PIECE = 16_384


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, and how to sign in.

    Args:
        host: Its name; its certificate is for this name.
        port: Its port.
        security: "starttls", "tls" or "none".
        hello: The name that we give.
        context: Whom to trust.
        user: Empty where nobody signs in.
        password: The user's.
    """

    host: str
    port: int
    security: str
    hello: str
    context: ssl.SSLContext
    user: str = ""
    password: str = ""


class Session(smtplib.SMTP):
    """A connection; `smtplib` speaks, and this class keeps the time and the measure of what is read.

    Args:
        hello: The name that we give.
        clock: Seconds that only rise.

    Every step raises OSError where the connection breaks, the deadline passes or the answer is none.
    """

    def __init__(self, hello: str, clock: Callable[[], float]) -> None:
        super().__init__(local_hostname=hello)
        self.clock = clock
        self.deadline = 0.0
        self.messages = 0
        self.needs_reset = False
        self._read = b""

    def left(self) -> float:
        """Seconds until the deadline.

        Raises:
            TimeoutError: It has passed.
        """
        seconds = self.deadline - self.clock()
        if seconds <= 0:
            raise TimeoutError("the server took too long")
        return seconds

    def attach(self, sock: socket.socket) -> None:
        """Speaks over a socket from now on; what was learnt over another is forgotten.

        Source: RFC 3207, section 4.2.
        """
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.ehlo_resp = self.helo_resp = None
        self.does_esmtp = False
        self.esmtp_features = {}

    def send(self, s: "ReadableBuffer | str") -> None:
        """Writes all of it."""
        view = memoryview(s.encode("ascii") if isinstance(s, str) else s)
        while view:
            view = view[self._timed().send(view[:_PIECE]) :]

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Gives a command."""
        self.refuse_unasked()
        super().putcmd(cmd, args)

    def refuse_unasked(self) -> None:
        """What the server said before it was asked is no answer; before TLS begins it may be anybody's.

        Raises:
            SMTPServerDisconnected: There is some.
        """
        if self._read:
            raise smtplib.SMTPServerDisconnected("the server speaks out of turn")

    def getreply(self) -> tuple[int, bytes]:
        """Reads one answer: its code, and its lines."""
        lines: list[bytes] = []
        while True:
            line = _LINE.fullmatch(self._line())
            if line is None:
                raise smtplib.SMTPServerDisconnected("the server does not answer as a mail server")
            lines.append((line[3] or b"").strip())
            if line[2] != b"-":
                return int(line[1]), b"\n".join(lines)
            if sum(map(len, lines)) + len(lines) > _LONGEST_ANSWER:
                raise smtplib.SMTPServerDisconnected("the server's answer has no end")

    def _line(self) -> bytes:
        while b"\n" not in self._read:
            if len(self._read) > _LONGEST_LINE:
                raise smtplib.SMTPServerDisconnected("a line of the server's answer has no end")
            piece = self._timed().recv(_LONGEST_LINE)
            if not piece:
                raise smtplib.SMTPServerDisconnected("the server closed the connection")
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        return line.removesuffix(b"\r")

    def _timed(self) -> socket.socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        self.sock.settimeout(self.left())
        return self.sock


def open_session(server: Server, deadline: float, clock: Callable[[], float]) -> Session:
    """Connects, secures the connection and signs in.

    Args:
        server: Where.
        deadline: By when all of it must have happened, in the clock's seconds.
        clock: Seconds that only rise.

    Raises:
        OSError: The connection failed, or its certificate is not to be trusted.
        TemporaryFailure: The server does not let us in.
    """
    session = Session(server.hello, clock)
    session.deadline = deadline
    try:
        sock = socket.create_connection((server.host, server.port), session.left())
        session.attach(sock)
        if server.security == "tls":
            _secure(session, server)
        _expect(220, *session.getreply())
        _expect(250, *session.ehlo())
        if server.security == "starttls":
            _ask_for_tls(session)
            _secure(session, server)
            _expect(250, *session.ehlo())
        if server.user:
            session.login(server.user, server.password)
    except smtplib.SMTPResponseException as error:
        session.close()
        said = error.smtp_error
        raise refusal(CONNECTION, error.smtp_code, said if isinstance(said, bytes) else said.encode()) from error
    except BaseException:
        session.close()
        raise
    return session


def _ask_for_tls(session: Session) -> None:
    if not session.has_extn("starttls"):
        raise smtplib.SMTPNotSupportedError("it offers no STARTTLS")
    _expect(220, *session.docmd("STARTTLS"))
    session.refuse_unasked()


def _secure(session: Session, server: Server) -> None:
    if session.sock is None:
        raise smtplib.SMTPServerDisconnected("the connection is closed")
    session.sock.settimeout(session.left())
    session.attach(server.context.wrap_socket(session.sock, server_hostname=server.host))


def _expect(wanted: int, code: int, text: bytes) -> None:
    if code != wanted:
        raise refusal(CONNECTION, code, text)
