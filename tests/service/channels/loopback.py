"""A web server on this machine that behaves as providers do, good and bad, and keeps what it was sent."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """What came: its path, its headers with names in lower case, its body, and whether it was taken."""

    path: str
    headers: dict[str, str]
    body: bytes
    taken: bool


@dataclass
class Script:
    """How the server answers from now on.

    Args:
        status: The status.
        body: The body.
        headers: Further headers.
        mood: answer; silent: reads all and says nothing; drop: reads all and hangs up; reset: hangs up at once;
            trickle: an octet at a time; garbage: what is no HTTP; huge: a body without an end.
        came: Every request that came whole.
        connections: How many there were.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    mood: str = "answer"
    came: list[Request] = field(default_factory=list)
    connections: int = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    script: Script

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that cuts the line is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        self.server.script.connections += 1
        super().setup()

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        script = self.server.script
        if script.mood == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:  # who asked was killed within the request: no server takes a half
            self.close_connection = True
            return
        taken = script.mood != "answer" or 200 <= script.status < 300
        script.came.append(Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body, taken))
        getattr(self, f"_{script.mood}")(script)

    def _answer(self, script: Script) -> None:
        self.send_response(script.status)
        for name, value in {"Content-Length": str(len(script.body)), **script.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(script.body)

    def _silent(self, script: Script) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.recv(1)

    def _drop(self, script: Script) -> None:
        self.close_connection = True

    def _garbage(self, script: Script) -> None:
        self.wfile.write(b"\x00\xff 250 OK\r\n\r\n")
        self.close_connection = True

    def _trickle(self, script: Script) -> None:
        self.close_connection = True
        for octet in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 1_000:
            self.wfile.write(bytes([octet]))
            time.sleep(0.06)

    def _huge(self, script: Script) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(1_000):
            self.wfile.write(b"x" * 65_536)


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The server's address while it runs; over TLS where a certificate is given."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.script = script
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port
