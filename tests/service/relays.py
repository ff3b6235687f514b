"""A relay on this machine, and messages for it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from rekindle.deliver.channel import Message
from rekindle.deliver.lanes import Limits
from rekindle.service.channels.smtp.channel import Smtp
from rekindle.service.channels.smtp.pool import Timing
from rekindle.service.channels.smtp.session import Server
from tests.faults.smtp_server import Scale, SmtpServer

QUICK = Timing(connect=0.4, answer=0.3, before_dot=0.6, after_dot=0.4, idle=5.0, rest=0.2, longest_rest=0.4)
SLOW = Scale(stall=3.0, tick=0.1, grey=0.2)
WIRE = b"Message-ID: <%s>\r\nSubject: hello\r\n\r\n.a line that begins with a dot\r\nthe end\r\n"


def message(number: int = 1, domain: str = "a.example", wire: bytes | None = None) -> Message:
    name = f"m{number}@shop.example"
    return Message(name, date(2026, 11, 26), wire or WIRE % name.encode(), "hello@shop.example", f"c{number}@{domain}")


@contextmanager
def relay(
    server: SmtpServer, *, security: str = "none", timing: Timing = QUICK, context: ssl.SSLContext | None = None, user: str = "",
    host: str = "127.0.0.1", threads: int = 4,
) -> Iterator[Smtp]:  # fmt: skip
    where = Server(host, server.port, security, "shop.example", context or ssl.create_default_context(), user, "secret" if user else "")
    smtp = Smtp(where, Limits(at_once=threads, spare=0), timing)
    yield smtp
    smtp.close()
