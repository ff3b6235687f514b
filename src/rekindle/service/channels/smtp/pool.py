"""The connections to one mail server that are kept for the next message, and how many there may be.

Knows nothing of messages. Several threads take and give back at once.
"""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Condition

from rekindle.errors import TemporaryFailure
from rekindle.service.channels.smtp.session import Server, Session, open_session


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a sender waits, in seconds.

    Args:
        connect: For a connection, until it is signed in.
        answer: For an answer before the final dot.
        before_dot: From the beginning of a hand-over to the final dot; a message that is not over by then is given up.
        after_dot: For the answer to the final dot; without it the outcome is unknown. RFC 5321, 4.5.3.2.6, would have 600.
        idle: How long a connection is kept without a message.
        rest: How long no new connection is tried after one failed; each further failure doubles it.
        longest_rest: What no rest exceeds.
    """

    connect: float = 15.0
    answer: float = 20.0
    before_dot: float = 30.0
    after_dot: float = 120.0
    idle: float = 30.0
    rest: float = 5.0
    longest_rest: float = 300.0


_MESSAGES_EACH = 100


class Pool:
    """The connections to a server.

    Args:
        server: Where.
        size: At most so many at a time.
        timing: How long to wait.
        clock: Seconds that only rise.
    """

    def __init__(self, server: Server, size: int, timing: Timing, clock: Callable[[], float]) -> None:
        self._server, self._size, self._timing, self._clock = server, size, timing, clock
        self._changed = Condition()
        self._idle: list[tuple[Session, float]] = []
        self._open = 0
        self._failures = 0
        self._rests_until = clock()
        self._why = ""

    def take(self, deadline: float) -> tuple[Session, bool]:
        """A connection for one message.

        Args:
            deadline: By when it is wanted, in the clock's seconds.

        Returns:
            The connection, and whether it was used before: then the server may have closed it since.

        Raises:
            TemporaryFailure: There is none, and none can be opened.
        """
        while True:
            if session := self._kept(deadline):
                return session, True
            try:
                return self._connected(deadline), False
            except TemporaryFailure:
                if self._open == 0:
                    raise
                # others are open, so the server only wants no more of them: wait for one of those

    def give(self, session: Session) -> None:
        """Takes a connection back that is ready for the next message."""
        session.messages += 1
        if session.messages >= _MESSAGES_EACH:
            _say_goodbye(session)
            self.drop(session)
            return
        with self._changed:
            self._idle.append((session, self._clock()))
            self._changed.notify()

    def drop(self, session: Session) -> None:
        """Closes a connection, whatever its state."""
        session.close()
        with self._changed:
            self._open -= 1
            self._changed.notify()

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        with self._changed:
            left, self._idle = self._idle, []
        for session, _ in left:
            _say_goodbye(session)
            self.drop(session)

    def _kept(self, deadline: float) -> Session | None:
        """A connection that was kept; None where one more may be opened."""
        with self._changed:
            while True:
                if session := self._pop():
                    return session
                now = self._clock()
                if now >= self._rests_until and self._open < self._size:
                    self._open += 1
                    return None
                if self._open == 0 or now >= deadline:
                    raise self._failure(self._why or "every connection is in use", max(self._rests_until - now, 0.0))
                self._changed.wait(min(deadline, self._rests_until if self._rests_until > now else deadline) - now)

    def _pop(self) -> Session | None:
        """The connection that was used last; those that were kept too long are closed."""
        while self._idle:
            session, since = self._idle.pop()
            if self._clock() - since < self._timing.idle:
                return session
            session.close()
            self._open -= 1
        return None

    def _connected(self, deadline: float) -> Session:
        try:
            session = open_session(self._server, min(deadline, self._clock() + self._timing.connect), self._clock)
        except OSError as error:
            raise self._refused(_cause(error)) from error
        except TemporaryFailure as error:
            raise self._refused(error.cause, error.remedy) from error
        except BaseException:
            self._refused("a connection was given up")
            raise
        with self._changed:
            self._failures = 0
        return session

    def _refused(self, why: str, remedy: str = "") -> TemporaryFailure:
        with self._changed:
            rest = min(self._timing.rest * 2.0 ** min(self._failures, 60), self._timing.longest_rest)
            self._open -= 1
            self._failures += 1
            self._why, self._rests_until = why, self._clock() + rest
            self._changed.notify_all()
        return self._failure(why, rest, remedy)

    def _failure(self, why: str, rest: float, remedy: str = "") -> TemporaryFailure:
        where = f"{self._server.host}:{self._server.port}"
        return TemporaryFailure(
            f"no mail can be handed to {where}: {why}", remedy or "Check smtp.host, smtp.port and smtp.security.",
            timedelta(seconds=rest), lane=True,
        )  # fmt: skip


def _say_goodbye(session: Session) -> None:
    session.deadline = session.clock() + 1.0
    with suppress(OSError):  # the server may be gone already; its answer is not waited for
        session.putcmd("QUIT")


def _cause(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, smtplib.SMTPException):
        return str(error)
    return error.strerror or str(error)
