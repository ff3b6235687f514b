"""Mail over SMTP to the shop's own relay, over connections that are kept.

Knows nothing of who sends, and of what the answers mean.
"""

import ssl
import time
import weakref
from collections.abc import Callable

from rekindle.deliver.channel import Message
from rekindle.deliver.lanes import Limits
from rekindle.errors import BadData, DeliveryError
from rekindle.service.channels.smtp.pool import Pool, Timing
from rekindle.service.channels.smtp.replies import MAIL, queue_id
from rekindle.service.channels.smtp.session import Server, Session
from rekindle.service.channels.smtp.transfer import Transfer, refuse_unwritable
from rekindle.settings import Settings, secret

CHANNELS = ("email",)
PORTS = {"starttls": 587, "tls": 465, "none": 25}


class Smtp:
    """A relay.

    Args:
        server: Where it is.
        limits: How many messages may be in the air, which is how many connections there are.
        timing: How long to wait.
        clock: Seconds that only rise.
    """

    def __init__(self, server: Server, limits: Limits, timing: Timing, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._timing, self._clock = timing, clock
        self._pool = Pool(server, limits.threads, timing, clock)
        weakref.finalize(self, self._pool.close)

    def hand_over(self, message: Message) -> str:
        """Hands one message to the relay, once.

        Returns:
            What the relay calls it; empty where it does not say.

        Raises:
            TemporaryFailure: Certainly not taken: the relay is away or asks to come later, or too much time passed before the final dot.
            PermanentFailure: Refused, or not to be written as SMTP.
            OutcomeUnknown: The final dot went and no answer came.
        """
        refuse_unwritable(message)
        close_at = self._clock() + self._timing.before_dot
        while True:
            session, used = self._pool.take(close_at)
            transfer = Transfer(session, self._timing.answer, close_at)
            try:
                said = transfer.run(message, self._timing.after_dot)
            except DeliveryError:
                self._part(session, broken=transfer.broken)
                if used and transfer.broken and transfer.step == MAIL:
                    continue  # the server had closed what was kept: nothing of this message was heard
                raise
            except BaseException:
                self._part(session, broken=True)
                raise
            self._pool.give(session)
            return queue_id(said)

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        self._pool.close()

    def _part(self, session: Session, *, broken: bool) -> None:
        if broken:
            self._pool.drop(session)
        else:
            self._pool.give(session)


def open_channel(settings: Settings) -> Smtp:
    """The relay that `[smtp]` names.

    Raises:
        BadData: It names none, or a secret or the file of authorities cannot be read.
    """
    smtp = settings.smtp
    if not smtp.host:
        raise BadData('rekindle.toml: senders.email is "smtp", and smtp.host is empty', "Write the mail server's name.")
    try:
        context = ssl.create_default_context(cafile=smtp.ca_file and str(settings.root / smtp.ca_file) or None)
    except OSError as error:
        raise BadData(f"rekindle.toml: smtp.ca_file cannot be used: {error}", "Give a file of certificates in PEM.") from error
    password = secret(smtp.password, settings.root, "smtp.password") if smtp.user else ""
    if not (smtp.user + password).isascii():
        raise BadData("smtp.user or the password has letters beyond ASCII", "Choose others: most mail servers take only ASCII.")
    hello = settings.sender.email.rpartition("@")[2]
    server = Server(smtp.host, smtp.port or PORTS[smtp.security], smtp.security, hello, context, smtp.user, password)
    limits = Limits(smtp.connections, max(1, smtp.connections // 2), min(smtp.per_domain, smtp.connections), float(smtp.per_second))
    return Smtp(server, limits, Timing())
