"""A server on loopback that answers as badly as one can, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.patience import PATIENCE_SECONDS

# Where only a proxy leads to: no proxy is used for this computer's own names.
ELSEWHERE = "graph.example"
Conversation = Callable[[socket.socket], None]


@dataclass
class Hostile:
    """What it does with a request for a path: the first conversation whose name is in the path.

    Attributes:
        conversations: by a part of the path.
        host: where it is.
        certificate: a file with the authority to trust for it.
        requests: the first lines of those that came.
        body_pause: how long it rests while it takes a body.
    """

    conversations: dict[str, Conversation] = field(default_factory=dict)
    host: str = ""
    certificate: str = ""
    requests: list[str] = field(default_factory=list)
    body_pause: float = 0

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while request := self.request(connection):
                self.requests.append(request)
                next(act for name, act in self.conversations.items() if name in request)(connection)

    def request(self, connection: socket.socket) -> str:
        """The first line of a request that has come whole."""
        received = b""
        while b"\r\n\r\n" not in received:
            more = connection.recv(65536)
            if not more:
                return ""
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        missing = int(fields.get(b"content-length", b"0")) - len(body)
        while missing > 0:
            missing -= len(connection.recv(min(missing, 65536)))
            threading.Event().wait(self.body_pause)
        return head.split(b"\r\n", 1)[0].decode()


@contextlib.contextmanager
def hostile(folder: Path) -> Iterator[Hostile]:
    """Run one until the end of the test."""
    authority, found = trustme.CA(), Hostile()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", ELSEWHERE).configure_cert(context)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    found.certificate = str(folder / "authority.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    found.host = f"localhost:{listener.getsockname()[1]}"

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                connection = context.wrap_socket(plain, server_side=True)
                threading.Thread(target=found.serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield found
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def says(body: bytes, *headers: str, status: str = "200 OK") -> Conversation:
    """Answer properly, with any body."""
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers)

    def act(connection: socket.socket) -> None:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return act


def silence(_: socket.socket) -> None:
    """Answer nothing, for longer than a test waits."""
    threading.Event().wait(2 * PATIENCE_SECONDS)


def drips(text: bytes, pause: float, begin: bytes = b"") -> Conversation:
    """Answer a byte at a time."""

    def act(connection: socket.socket) -> None:
        connection.sendall(begin)
        for byte in text:
            connection.sendall(bytes([byte]))
            threading.Event().wait(pause)

    return act


def floods(begin: bytes, part: bytes, times: int) -> Conversation:
    """Answer with very much of the same."""

    def act(connection: socket.socket) -> None:
        connection.sendall(begin)
        for _ in range(times):
            connection.sendall(part)

    return act


@contextlib.contextmanager
def proxy(drip: bool = False) -> Iterator[str]:
    """A proxy that tunnels to this computer, whatever it is asked for; or one that answers a byte at a time."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def serve(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            _, _, port = Hostile().request(client).split()[1].partition(":")
            if drip:
                drips(b"HTTP/1.1 200 " + b" " * 2000, 0.25)(client)
                return
            with socket.create_connection(("127.0.0.1", int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=pump, args=(server, client), daemon=True).start()
                pump(client, server)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
