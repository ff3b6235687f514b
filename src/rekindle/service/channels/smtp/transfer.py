"""One message on one connection: from MAIL to the answer to the final dot.

Knows nothing of other messages. A message counts as not taken until its final dot goes, and as unknown from there to the answer.
"""

import re
import time

from rekindle.deliver.channel import Message
from rekindle.errors import DeliveryError, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.channels.smtp.replies import DATA, DOT, MAIL, RCPT, final, refusal, taken
from rekindle.service.channels.smtp.session import Session

_ADDRESS = re.compile(r"[!-;=?A-~]+@[A-Za-z0-9.-]+")
_NOT_XCHAR = re.compile(r"[^!-*,-<>-~]")


class Transfer:
    """A transaction.

    Args:
        session: An open connection.
        answer: Seconds to wait for an answer before the final dot.
        close_at: The instant after which the final dot must not go.
    """

    def __init__(self, session: Session, answer: float, close_at: float) -> None:
        self.session = session
        self.step = MAIL
        self.broken = False
        self._answer, self._close_at = answer, close_at

    def run(self, message: Message, after_dot: float) -> bytes:
        """Does all of it, once.

        Args:
            message: Checked by `refuse_unwritable`.
            after_dot: Seconds to wait for the answer to the final dot.

        Returns:
            What the server said when it took the message.

        Raises:
            TemporaryFailure: As `Channel.hand_over`; a LookAgain leaves the connection as it was.
            PermanentFailure: As there.
            OutcomeUnknown: As there.
        """
        try:
            options = self._options(message)
            if self.session.needs_reset:
                self._ask(MAIL, "RSET")
            message.begin(time.monotonic())
            self.session.needs_reset = True
            self._ask(MAIL, f"MAIL FROM:<{message.sender}>{options}")
            self._ask(RCPT, f"RCPT TO:<{message.to}>")
            self._ask(DATA, "DATA")
            self.session.deadline = self._close_at
            self.session.send(_stuffed(message.wire))
            self.session.left()
            self.step, self.session.deadline = DOT, self.session.clock() + after_dot
            self.session.send(b".\r\n")
            said = self._heard(*self.session.getreply())
            self.session.needs_reset = False
        except OSError as error:
            raise self._lost(str(error) or type(error).__name__) from error
        return said

    def _lost(self, why: str) -> DeliveryError:
        self.broken = True
        if self.step == DOT:
            return OutcomeUnknown(f"the mail server never said whether it took the message: {why}", "A bounce would settle it.")
        return TemporaryFailure(f"lost the mail server at {self.step}: {why}", "Nothing: it is tried again.", lane=True)

    def _ask(self, step: str, command: str) -> None:
        self.step = step
        self.session.deadline = min(self._close_at, self.session.clock() + self._answer)
        self._heard(*self.session.docmd(command))

    def _heard(self, code: int, text: bytes) -> bytes:
        if taken(self.step, code):
            return text
        self.broken = final(code)
        raise refusal(self.step, code, text)

    def _options(self, message: Message) -> str:
        """What MAIL says beside the sender, of what the server understands.

        Source: RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 3461 section 4.4 (ENVID, which a bounce names again).
        """
        features = self.session.esmtp_features
        options, size = "", len(message.wire)
        if "size" in features:
            most = features["size"]
            if most.isdecimal() and 0 < int(most) < size:
                raise PermanentFailure(f"the mail server takes {most} octets, and the message has {size}", "Shorten the template.")
            options += f" SIZE={size}"
        if not message.wire.isascii():
            if "8bitmime" not in features:
                raise PermanentFailure("the message has octets over 127, and the mail server takes none", "Encode it as quoted-printable.")
            options += " BODY=8BITMIME"
        if "dsn" in features:
            options += f" RET=HDRS ENVID={_NOT_XCHAR.sub(lambda one: f'+{ord(one[0]):02X}', message.id)}"
        return options


def refuse_unwritable(message: Message) -> None:
    """Refuses what would be more than one command or message on the wire, or none.

    Raises:
        PermanentFailure: An address is not one in ASCII, or a line of the message ends otherwise than by CR LF.
    """
    for address in (message.sender, message.to):
        if not _ADDRESS.fullmatch(address):
            raise PermanentFailure("an address cannot be written in SMTP", "Mend the address: ASCII, without spaces and angle brackets.")
    wire = message.wire
    if not wire.count(b"\r\n") == wire.count(b"\n") == wire.count(b"\r"):
        raise PermanentFailure("a line of the message does not end by CR LF", "This is a defect: please report it.")


def _stuffed(wire: bytes) -> bytes:
    """A message's octets as DATA has them, but for the final dot.

    Source: RFC 5321, section 4.5.2.
    """
    first = b"." if wire.startswith(b".") else b""
    last = b"" if wire.endswith(b"\r\n") else b"\r\n"
    return first + wire.replace(b"\r\n.", b"\r\n..") + last
