"""A mail server on this machine that does what it is told to do wrong, by the domain of the recipient.

It keeps account of what it took: a message is taken when the server has seen its final dot and has decided to keep it, whatever it answers.
"""

import re
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Self

READY = b"220 mail.example ready\r\n"
FEATURES = ("mail.example", "SIZE 1000000", "8BITMIME", "DSN")
_MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>", re.MULTILINE | re.IGNORECASE)
_RECIPIENT = re.compile(r"TO:<([^>]*)>", re.IGNORECASE)


class Gone(Exception):
    """This conversation is over."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Args:
        step: BANNER, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, BODY (while the message is read), or DOT (after it).
        action: A method of `Conversation`.
        text: What is answered, for `reply` and `trickle`.
        times: So often, then all is well; None for ever.
    """

    step: str
    action: str
    text: str = ""
    times: int | None = None


@dataclass
class Scale:
    """How slow slow is, in seconds.

    Args:
        stall: How long it says nothing.
        tick: Between two bytes.
        grey: From the first knock to the door's opening.
        far: Before every answer: how far away the server is.
    """

    stall: float = 5.0
    tick: float = 1.0
    grey: float = 0.3
    far: float = 0.0


@dataclass
class Account:
    """What the server saw."""

    taken: Counter[str] = field(default_factory=Counter)
    dots: Counter[str] = field(default_factory=Counter)
    commands: list[str] = field(default_factory=list)
    wires: list[bytes] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    finished: dict[str, list[float]] = field(default_factory=dict)


class SmtpServer:
    """Listens on a free port of the loopback address until the block ends.

    Args:
        faults: Domain to what goes wrong with its messages; "" for what concerns a connection.
        scale: How slow slow is.
        context: The server's certificate, where it offers STARTTLS, or speaks TLS from the first byte.
        implicit: Whether it speaks TLS from the first byte.
        features: What it says to EHLO.
        keep: Whether it keeps the messages themselves.
        most: More connections than these at once it sends away with 421.
    """

    def __init__(
        self, faults: Mapping[str, Fault] | None = None, *, scale: Scale | None = None, context: ssl.SSLContext | None = None,
        implicit: bool = False, features: Sequence[str] = FEATURES, keep: bool = False, most: int = 1_000,
    ) -> None:  # fmt: skip
        self.faults, self.scale, self.context, self.implicit = faults or {}, scale or Scale(), context, implicit
        self.features = [*features, *(["STARTTLS"] if context and not implicit else [])]
        self.keep, self.most = keep, most
        self.account, self.lock, self.closing = Account(), Lock(), Event()
        self.left = {domain: fault.times for domain, fault in self.faults.items()}
        self.grey: dict[str, float] = {}
        self.open: set[socket.socket] = set()
        self.threads: list[Thread] = []

    def __enter__(self) -> Self:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.listener.getsockname()[1]
        self.threads.append(Thread(target=self._accept))
        self.threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for sock in self.open:
                with suppress(OSError):  # its other side has gone already
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = Thread(target=self._serve, args=(sock,))
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        conversation = Conversation(self, sock)
        with self.lock:
            self.open.add(sock)
            self.account.connections += 1
            conversation.turned_away = self.account.at_once >= self.most
            self.account.at_once += not conversation.turned_away
            self.account.most_at_once = max(self.account.most_at_once, self.account.at_once)
        try:
            conversation.hold()
        except (Gone, OSError):
            pass  # the end that the other side or a fault chose
        finally:
            with self.lock:
                self.open.discard(sock)
                self.account.at_once -= not conversation.turned_away
            conversation.sock.close()
            sock.close()


class Conversation:
    """One connection."""

    def __init__(self, server: SmtpServer, sock: socket.socket) -> None:
        self.server, self.sock, self.read = server, sock, b""
        self.domain = self.recipient = ""
        self.turned_away = False

    def hold(self) -> None:
        """Answers until somebody goes."""
        if self.server.implicit and self.server.context:
            self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
        if self.turned_away:
            self.reply(Fault("BANNER", "reply", "421 4.7.0 too many connections from you"))
        self.meet("BANNER") or self.say(READY)
        while True:
            line = self.until(b"\r\n").decode("latin-1")
            with self.server.lock:
                self.server.account.commands.append(line)
            time.sleep(self.server.scale.far)
            verb = line.split(" ")[0].upper()
            answer = getattr(self, f"on_{verb.lower()}", None)
            if answer is None:
                self.say(b"500 what\r\n")
            elif not self.meet(verb, line):
                answer()

    def on_ehlo(self) -> None:
        lines = self.server.features
        self.say("".join(f"250{' ' if line is lines[-1] else '-'}{line}\r\n" for line in lines).encode())

    def on_starttls(self) -> None:
        self.say(b"220 go ahead\r\n")
        assert self.server.context
        self.sock = self.server.context.wrap_socket(self.sock, server_side=True)

    def on_auth(self) -> None:
        self.say(b"235 2.7.0 welcome\r\n")

    def on_mail(self) -> None:
        self.say(b"250 2.1.0 sender ok\r\n")

    def on_rset(self) -> None:
        self.say(b"250 2.0.0 ok\r\n")

    def on_rcpt(self) -> None:
        self.say(b"250 2.1.5 recipient ok\r\n")

    def on_quit(self) -> None:
        self.say(b"221 2.0.0 bye\r\n")
        raise Gone

    def on_data(self) -> None:
        self.say(b"354 go ahead\r\n")
        self.meet("BODY")
        wire = self.until(b"\r\n.\r\n") + b"\r\n"
        time.sleep(self.server.scale.far)
        found = _MESSAGE_ID.search(wire)
        self.name = found[1].decode() if found else self.recipient
        with self.server.lock:
            self.server.account.dots[self.name] += 1
            if self.server.keep:
                self.server.account.wires.append(wire)
        if not self.meet("DOT"):
            self.keep()
            self.say(b"250 2.0.0 Ok: queued as 4X%08d\r\n" % len(self.server.account.taken))

    def keep(self) -> None:
        """Takes the message that was just read."""
        with self.server.lock:
            self.server.account.taken[self.name] += 1
            self.server.account.finished.setdefault(self.domain, []).append(time.monotonic())

    def meet(self, step: str, line: str = "") -> bool:
        """Lets what goes wrong here go wrong; whether the answer has been given by that."""
        if step == "RCPT" and (found := _RECIPIENT.search(line)):
            self.recipient = found[1]
            self.domain = found[1].rpartition("@")[2]
        for domain in ("", self.domain):
            fault = self.server.faults.get(domain)
            if fault and fault.step == step and self._still(domain):
                return bool(getattr(self, fault.action)(fault))
        return False

    def _still(self, domain: str) -> bool:
        with self.server.lock:
            left = self.server.left[domain]
            if left is not None:
                self.server.left[domain] = max(0, left - 1)
        return left is None or left > 0

    def stall(self, fault: Fault) -> bool:
        self.server.closing.wait(self.server.scale.stall)
        raise Gone

    def drop(self, fault: Fault) -> bool:
        raise Gone

    def reset(self, fault: Fault) -> bool:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def reply(self, fault: Fault) -> bool:
        self.say(fault.text.encode("latin-1") + b"\r\n")
        if fault.text.startswith("421"):
            raise Gone
        return True

    def trickle(self, fault: Fault) -> bool:
        """A byte at a time, of an answer that would be a good one."""
        for byte in b"%s\r\n" % fault.text.encode():
            self.say(bytes([byte]))
            if self.server.closing.wait(self.server.scale.tick):
                raise Gone
        return True

    def endless(self, fault: Fault) -> bool:
        while not self.server.closing.is_set():
            self.say(b"250-and another thing, before you go\r\n" * 100)
        raise Gone

    def endless_line(self, fault: Fault) -> bool:
        while not self.server.closing.is_set():
            self.say(b"250-" + b"x" * 4000)
        raise Gone

    def read_slowly(self, fault: Fault) -> bool:
        """A byte at a time, so that the other side cannot get rid of what it writes."""
        while not self.server.closing.wait(self.server.scale.tick):
            if not self.sock.recv(1):
                break
        raise Gone

    def half(self, fault: Fault) -> bool:
        self.sock.recv(200)
        raise Gone

    def half_reset(self, fault: Fault) -> bool:
        self.sock.recv(200)
        return self.reset(fault)

    def take_and_drop(self, fault: Fault) -> bool:
        self.keep()
        raise Gone

    def take_and_stall(self, fault: Fault) -> bool:
        self.keep()
        return self.stall(fault)

    def take_and_reply(self, fault: Fault) -> bool:
        self.keep()
        return self.reply(fault)

    def greylist(self, fault: Fault) -> bool:
        """Nobody unknown may come in before some time has passed since the first knock."""
        with self.server.lock:
            first = self.server.grey.setdefault(self.recipient, time.monotonic())
        if time.monotonic() - first >= self.server.scale.grey:
            return False
        self.say(b"450 4.2.0 greylisted, come back in 300 seconds\r\n")
        return True

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def until(self, mark: bytes) -> bytes:
        """What comes before the next mark."""
        while mark not in self.read:
            piece = self.sock.recv(65_536)
            if not piece:
                raise Gone
            self.read += piece
        before, _, self.read = self.read.partition(mark)
        return before
