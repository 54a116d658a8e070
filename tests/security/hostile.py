"""A hostile server: a proxy that answers for every host itself, and a host of its own. It keeps whatever it is sent."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme


@dataclass(frozen=True)
class Seen:
    """One request, as it came."""

    host: str
    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Hostile:
    """What it says, and what it was told.

    Attributes:
        leads_to: where its metadata documents lead, as HOST; "" is the host they come from.
        signs_in_at: where its OpenID documents lead, likewise.
    """

    ca_file: Path
    authority: trustme.CA = field(default_factory=trustme.CA)
    seen: list[Seen] = field(default_factory=list)
    leads_to: str = ""
    signs_in_at: str = ""
    proxy: str = ""
    host: str = ""

    @property
    def hosts(self) -> set[str]:
        return {one.host for one in self.seen}

    @property
    def everything(self) -> str:
        return "\n".join(map(repr, self.seen))

    def environment(self, *more_authorities: Path) -> dict[str, str]:
        """What leads every program through the proxy, and makes it trust what is there."""
        bundle = self.ca_file.with_name("bundle.pem")
        bundle.write_text("".join(path.read_text() for path in (self.ca_file, *more_authorities)))
        proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), self.proxy)
        here = dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1")
        return {**proxies, **here, **dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(bundle))}

    def certified(self, name: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(name).configure_cert(context)
        return context

    def answer(self, one: Seen) -> Any:
        """Whatever leads a program on to its next request."""
        url = f"https://{self.leads_to or one.host}"
        if one.path.startswith("/metadata/endpoints"):
            return {
                "name": "Hostile",
                "authentication": {"loginEndpoint": url},
                "microsoftGraphResourceId": url,
                "resourceManager": url,
            }
        tenant = one.path.split("/")[1]
        if one.path.endswith("openid-configuration"):
            login = f"https://{self.signs_in_at or one.host}/{tenant}/oauth2/v2.0"
            issuer = f"https://{one.host}/{tenant}/v2.0"
            return {"issuer": issuer, "authorization_endpoint": f"{login}/a", "token_endpoint": f"{login}/token"}
        if one.path.endswith("/token"):
            claims = base64.urlsafe_b64encode(json.dumps({"tid": tenant, "oid": "o"}).encode()).decode().rstrip("=")
            return {"access_token": f"e30.{claims}.c2ln", "token_type": "Bearer", "expires_in": 3600}
        return {"value": []}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hostile: Hostile
    host = ""

    def do_CONNECT(self) -> None:
        name = self.path.rsplit(":", 1)[0]
        self.host = self.path.removesuffix(":443")
        self.send_response(200)
        self.end_headers()
        try:
            self.connection = self.hostile.certified(name.strip("[]")).wrap_socket(self.connection, server_side=True)
        except OSError:  # it was enough to be asked
            self.hostile.seen.append(Seen(self.host, "CONNECT", "", {}, ""))
            self.close_connection = True
            return
        self.close_connection = False  # whatever version the request for the tunnel was of
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def take(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        host = self.host or self.headers["Host"]
        one = Seen(host, self.command, self.path, dict(self.headers), self.rfile.read(length).decode())
        self.hostile.seen.append(one)
        body = json.dumps(self.hostile.answer(one)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = take  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that does not trust the server hangs up; that is no news."""


@contextmanager
def serving(folder: Path) -> Iterator[Hostile]:
    """The hostile server on loopback: its proxy, and a host of its own at localhost."""
    hostile = Hostile(folder / "hostile.pem")
    hostile.authority.cert_pem.write_to_path(str(hostile.ca_file))
    handler = type("Handler", (Handler,), {"hostile": hostile})
    proxy, direct = Quiet(("127.0.0.1", 0), handler), Quiet(("127.0.0.1", 0), handler)
    direct.socket = hostile.certified("localhost").wrap_socket(
        direct.socket, server_side=True, do_handshake_on_connect=False
    )
    hostile.proxy, hostile.host = f"http://127.0.0.1:{proxy.server_port}", f"localhost:{direct.server_port}"
    for server in (proxy, direct):
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield hostile
    finally:
        for server in (proxy, direct):
            server.shutdown()
            server.server_close()
